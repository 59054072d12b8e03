//! Moments in the order of their facts: many calls end within a millisecond.

use serde::{Deserialize, Serialize};
use tmf::time::Timestamp;

/// The bits that count within a millisecond.
const BITS: u32 = 12;

/// A time, and a number within its millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(pub i64);

impl Stamp {
    /// The first moment from now on that comes after this one.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Self {
        Self((now.0 << BITS).max(self.0 + 1))
    }

    /// Its time.
    pub fn at(self) -> Timestamp {
        Timestamp(self.0 >> BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_one_millisecond_differ_and_have_its_time() {
        let now = Timestamp(1_795_976_400_000);
        let first = Stamp::default().next(now);
        let second = first.next(now);
        // A clock that is set back does not go back here.
        let third = second.next(Timestamp(5));
        assert!(first < second && second < third && third < Stamp::default().next(now.plus_ms(1)));
        assert_eq!([first, second, third].map(Stamp::at), [now; 3]);
    }
}
