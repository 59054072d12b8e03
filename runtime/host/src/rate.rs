//! Rates: when the next request may go. A decision of time alone, in nanoseconds since any instant.

use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SECOND_NS: u64 = 1_000_000_000;

/// The rates that may be set.
const PER_SECOND: std::ops::RangeInclusive<f64> = 0.001..=1_000_000.0;

/// A number a second; less than one, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    interval_ns: u64,
}

/// Lets requests go at a rate, some of them at once.
///
/// A request that may go at `next` or later takes its place, and moves `next` by the interval. Those that
/// were not used are saved, as many as go at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    next_ns: u64,
}

/// What passes a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Throttle {
    /// Max requests at one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<NonZeroU32>,
    /// Max requests a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<Rate>,
    /// How many of them at once, if none went before; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<NonZeroU32>,
}

impl Throttle {
    /// Whether it lets everything pass.
    pub(crate) fn is_open(&self) -> bool {
        self.concurrency.is_none() && self.per_second.is_none()
    }

    /// Fails with what is wrong with it.
    pub fn check(&self) -> Result<(), &'static str> {
        match (self.burst, self.per_second) {
            (Some(_), None) => Err("`burst` is of no use without `per-second`: set that, too"),
            (Some(_) | None, _) => Ok(()),
        }
    }
}

impl Rate {
    /// The rate as it is written.
    #[expect(clippy::cast_precision_loss, reason = "an interval has at most 40 bits")]
    pub fn per_second(self) -> f64 {
        SECOND_NS as f64 / self.interval_ns as f64
    }
}

impl<'de> Deserialize<'de> for Rate {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rate = f64::deserialize(deserializer)?;
        if !PER_SECOND.contains(&rate) {
            let expected = "a rate is a number from 0.001 to 1000000 a second";
            return Err(serde::de::Error::custom(expected));
        }
        #[expect(clippy::cast_precision_loss, reason = "it is a constant of 30 bits")]
        let interval_ns = (SECOND_NS as f64 / rate).round() as u64;
        Ok(Self { interval_ns })
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.per_second())
    }
}

impl Bucket {
    /// Takes the next place. Returns how long to wait for it, if that is no longer than `patience_ns`; else
    /// nothing is taken, and the error is how long it would be.
    pub(crate) fn take(
        &mut self,
        rate: Rate,
        at_once: u32,
        now_ns: u64,
        patience_ns: u64,
    ) -> Result<u64, u64> {
        let saved = rate.interval_ns.saturating_mul(u64::from(at_once.saturating_sub(1)));
        let next = self.next_ns.max(now_ns.saturating_sub(saved));
        let wait = next.saturating_sub(now_ns);
        if wait > patience_ns {
            return Err(wait);
        }
        self.next_ns = next.saturating_add(rate.interval_ns);
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(text: &str) -> Rate {
        #[derive(Deserialize)]
        struct Set {
            rate: Rate,
        }
        toml::from_str::<Set>(&format!("rate = {text}")).unwrap().rate
    }

    /// The milliseconds to wait at these times, or minus them if the patience of 100 ms does not do.
    fn waits(rate: Rate, at_once: u32, at_ms: &[u64]) -> Vec<i64> {
        let mut bucket = Bucket::default();
        let ms = |ns: u64| i64::try_from(ns / 1_000_000).unwrap();
        let take = |at: &u64| match bucket.take(rate, at_once, at * 1_000_000, 100_000_000) {
            Ok(wait) => ms(wait),
            Err(wait) => -ms(wait),
        };
        at_ms.iter().map(take).collect()
    }

    #[test]
    fn requests_wait_for_their_place_or_are_told_how_long_it_takes() {
        let twenty = rate("20");
        assert_eq!(waits(twenty, 1, &[0, 0, 0, 0, 0]), [0, 50, 100, -150, -150]);
        // A place is not taken by the one that does not wait for it.
        assert_eq!(waits(twenty, 1, &[0, 0, 0, 0, 60]), [0, 50, 100, -150, 90]);
    }

    #[test]
    fn unused_places_are_saved_up_to_a_burst() {
        let twenty = rate("20");
        assert_eq!(waits(twenty, 3, &[1000, 1000, 1000, 1000]), [0, 0, 0, 50]);
        assert_eq!(waits(twenty, 3, &[1000, 1000, 1000, 1050, 1050]), [0, 0, 0, 0, 50]);
        assert_eq!(
            waits(twenty, 3, &[1000, 1000, 1000, 9000, 9000, 9000, 9000]),
            [0, 0, 0, 0, 0, 0, 50]
        );
    }

    #[test]
    fn a_rate_may_be_less_than_one_a_second_and_never_nothing() {
        assert_eq!(waits(rate("0.5"), 1, &[0, 1950, 2000]), [0, 50, -2000]);
        for wrong in ["0", "-1", "2e6", "nan"] {
            assert!(
                toml::from_str::<std::collections::BTreeMap<String, Rate>>(&format!("r = {wrong}"))
                    .is_err()
            );
        }
    }

    proptest! {
        #[test]
        fn in_no_span_go_more_than_the_rate_and_a_burst(
            per_second in 1u64..100,
            at_once in 1u32..10,
            gaps in proptest::collection::vec(0u64..200, 1..80),
        ) {
            let (rate, mut bucket) = (rate(&per_second.to_string()), Bucket::default());
            let (mut now, mut went) = (5_000_000_000, Vec::new());
            for gap in gaps {
                now += gap * 1_000_000;
                if let Ok(wait) = bucket.take(rate, at_once, now, 500_000_000) {
                    went.push(now + wait);
                }
            }
            for (index, from) in went.iter().enumerate() {
                for (count, to) in (1u64..).zip(&went[index..]) {
                    let most = u64::from(at_once) + (to - from) / rate.interval_ns + 1;
                    prop_assert!(count <= most, "{count} in {} ns", to - from);
                }
            }
        }
    }
}
