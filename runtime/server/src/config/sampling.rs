//! Which traces are sent: of those that begin here a share by their id, so that all who use the same share
//! choose the same ones; of others those that their beginner chose.

use engine::trace::Sampled;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The random bits of an id that decide: the last 56, as OpenTelemetry has it.
const BITS: u32 = 56;

/// The share of traces that are sent; all of them by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Ids whose number is lower are not sent.
    threshold: u64,
}

impl Share {
    /// A share from 0 to 1.
    pub fn of(share: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is from 0 to 2^56"
        )]
        let threshold = || ((1.0 - share) * (1_u64 << BITS) as f64) as u64;
        (0.0..=1.0).contains(&share).then(|| Self { threshold: threshold() })
    }

    /// Whether a trace that begins with this id is sent.
    pub(crate) fn decide(self, id: [u8; 16]) -> Sampled {
        let [.., a, b, c, d, e, f, g] = id;
        let number = u64::from_be_bytes([0, a, b, c, d, e, f, g]);
        if number >= self.threshold { Sampled::Yes } else { Sampled::No }
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        Self::of(share).ok_or_else(|| D::Error::custom("expected a share from 0 to 1, such as 0.1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(share: f64, last: [u8; 7]) -> bool {
        let mut id = [0xff; 16];
        id[9..].copy_from_slice(&last);
        Share::of(share).unwrap().decide(id) == Sampled::Yes
    }

    #[test]
    fn a_share_of_ids_is_sent_and_a_larger_share_has_all_of_a_smaller_one() {
        let (first, middle, last) = ([0; 7], [0x80, 0, 0, 0, 0, 0, 0], [0xff; 7]);
        for (share, wanted) in [
            (0.0, [false, false, false]),
            (0.25, [false, false, true]),
            (0.5, [false, true, true]),
            (1.0, [true, true, true]),
        ] {
            assert_eq!([first, middle, last].map(|id| sent(share, id)), wanted, "{share}");
        }
        assert_eq!((Share::of(1.1), Share::of(-0.1), Share::of(f64::NAN)), (None, None, None));
    }
}
