//! Random numbers that can be drawn again: the seed is printed, and taken from `FERRULE_SEED`.

/// A generator (SplitMix64).
pub(crate) struct Dice {
    seed: u64,
    state: u64,
}

/// The times that a test repeats its part: those of an ordinary run, times the factor `FERRULE_SOAK`.
pub(crate) fn soaked(times: u64) -> u64 {
    let factor =
        std::env::var("FERRULE_SOAK").map_or(1, |factor| factor.parse().expect("a number"));
    times * factor
}

impl Dice {
    /// One with the seed of the environment, or a new one.
    pub(crate) fn from_environment() -> Self {
        let given = std::env::var("FERRULE_SEED").ok();
        let seed = given.map_or_else(new_seed, |seed| seed.parse().expect("a seed is a number"));
        announce(seed);
        Self { seed, state: seed }
    }

    /// What to set `FERRULE_SEED` to.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// One with this seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// A number from 1 to this one.
    pub(crate) fn up_to(&mut self, max: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % max + 1
    }
}

#[expect(clippy::print_stdout, reason = "a failure can be played again")]
fn announce(seed: u64) {
    println!("FERRULE_SEED={seed}");
}

fn new_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one("seed") >> 32
}
