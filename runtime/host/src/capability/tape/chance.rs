//! Times and random numbers of a call: the repeated call gets those that the other got, so that what is made
//! of them is the same. Those beyond them are new.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rand_core::TryRng;
use wasmtime_wasi::{HostWallClock, WasiCtxBuilder};

/// Max times of one call that are recorded.
const TIMES_MAX: usize = 1_000;

/// Max random bytes of one call that are recorded.
const RANDOM_BYTES_MAX: usize = 64 << 10;

/// The resolution of the clock that guests see.
const RESOLUTION: Duration = Duration::from_micros(1);

/// What a call got by chance.
#[derive(Debug, Default)]
pub(super) struct Chance(Mutex<Got>);

#[derive(Debug, Default)]
struct Got {
    times: VecDeque<Duration>,
    random: VecDeque<u8>,
}

/// Where a call gets times and random numbers from.
pub(super) trait Source: Send + Sync + 'static {
    /// The time.
    fn time(&self) -> Duration;

    /// Fills in random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The clock and the random numbers of a guest.
struct Guest<S>(Arc<S>);

/// Gives a guest its times and random numbers, and the seed of its hash tables.
pub(super) fn set<S: Source>(context: &mut WasiCtxBuilder, source: &Arc<S>, seed: u128) {
    context
        .wall_clock(Guest(Arc::clone(source)))
        .secure_random(Guest(Arc::clone(source)))
        .insecure_random(Guest(Arc::clone(source)))
        .insecure_random_seed(seed);
}

impl Chance {
    /// The time of now, recorded.
    pub(super) fn record_time(&self) -> Duration {
        let (time, mut got) = (now(), self.lock());
        if got.times.len() < TIMES_MAX {
            got.times.push_back(time);
        }
        time
    }

    /// New random bytes, recorded.
    pub(super) fn record(&self, bytes: &mut [u8]) {
        random(bytes);
        let mut got = self.lock();
        let room = RANDOM_BYTES_MAX.saturating_sub(got.random.len());
        got.random.extend(bytes.iter().take(room));
    }

    /// The next time that was recorded.
    pub(super) fn play_time(&self) -> Duration {
        self.lock().times.pop_front().unwrap_or_else(now)
    }

    /// The next random bytes that were recorded.
    pub(super) fn play(&self, bytes: &mut [u8]) {
        random(bytes);
        let mut got = self.lock();
        let known = got.random.len().min(bytes.len());
        for (byte, known) in bytes.iter_mut().zip(got.random.drain(..known)) {
            *byte = known;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Got> {
        // Every change leaves it consistent, so a poisoned lock is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system gave random bytes when the call began");
}

impl<S: Source> HostWallClock for Guest<S> {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        self.0.time()
    }
}

impl<S: Source> TryRng for Guest<S> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}
