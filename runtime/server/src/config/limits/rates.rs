//! The rates of requests, as `[limits]` sets them.

use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer};

use super::Limits;

/// The rates of an identity and of an address on a server that other machines reach. They stop a client that runs
/// wild; no system that works well comes near.
const IDENTITY_PER_SECOND: u32 = 1_000;
const ADDRESS_PER_SECOND: u32 = 2_000;

/// The max of each.
const RATE_MAX: u32 = 1_000_000;

/// A rate, in requests a second, and how many may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

/// The rates of one identity and of one address; `None` if they have no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    pub identity: Option<Rate>,
    pub address: Option<Rate>,
}

/// Where other machines stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only this machine reaches the server.
    Loopback,
    Network,
}

impl Limits {
    /// The rates, of which none has a default on loopback.
    pub fn rates(&self, reach: Reach) -> RateLimits {
        let usual = |usual| if reach == Reach::Network { usual } else { 0 };
        RateLimits {
            identity: rate(
                self.requests_per_second.unwrap_or_else(|| usual(IDENTITY_PER_SECOND)),
                self.requests_burst,
            ),
            address: rate(
                self.address_requests_per_second.unwrap_or_else(|| usual(ADDRESS_PER_SECOND)),
                self.address_requests_burst,
            ),
        }
    }

    /// Refuses a burst without its rate.
    pub(in crate::config) fn check(&self) -> Result<(), String> {
        for (rate, burst, key) in [
            (self.requests_per_second, self.requests_burst, "requests"),
            (self.address_requests_per_second, self.address_requests_burst, "address-requests"),
        ] {
            if burst.is_some() && rate.is_none_or(|rate| rate == 0) {
                return Err(format!(
                    "`[limits] {key}-burst` is of no use without `{key}-per-second`: set both"
                ));
            }
        }
        Ok(())
    }
}

/// A rate, whose burst is that of two seconds if it is not set.
fn rate(per_second: u32, burst: Option<u32>) -> Option<Rate> {
    let per_second = NonZeroU32::new(per_second)?;
    let burst = burst.and_then(NonZeroU32::new);
    let burst =
        burst.unwrap_or_else(|| per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
    Some(Rate { per_second, burst })
}

/// Reads a rate, or 0 for none.
pub(super) fn read_rate<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    number(
        deserializer,
        0,
        "a rate of requests is a number from 0, which is none, to 1000000 a second",
    )
}

/// Reads a burst.
pub(super) fn read_burst<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    number(deserializer, 1, "a burst of requests is a number from 1 to 1000000")
}

fn number<'de, D: Deserializer<'de>>(
    deserializer: D,
    min: u32,
    expected: &str,
) -> Result<Option<u32>, D::Error> {
    let number = u32::deserialize(deserializer)?;
    let is_it = (min..=RATE_MAX).contains(&number);
    if is_it { Ok(Some(number)) } else { Err(serde::de::Error::custom(expected)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_default_beyond_loopback_only() {
        let none = RateLimits::default();
        let limits = |text: &str| toml::from_str::<Limits>(text).unwrap();
        assert_eq!(limits("").rates(Reach::Loopback), none);
        let usual = limits("").rates(Reach::Network);
        assert_eq!(usual.identity, rate(1_000, Some(2_000)));
        assert_eq!(usual.address, rate(2_000, Some(4_000)));
        let off = limits("requests-per-second = 0\naddress-requests-per-second = 0");
        assert_eq!(off.rates(Reach::Network), none);
        let set = limits("requests-per-second = 5\nrequests-burst = 7").rates(Reach::Loopback);
        assert_eq!(set, RateLimits { identity: rate(5, Some(7)), address: None });
    }

    #[test]
    fn rates_that_mean_nothing_are_refused() {
        for text in
            ["requests-per-second = -1", "requests-per-second = 2000000", "requests-burst = 0"]
        {
            assert!(toml::from_str::<Limits>(text).is_err(), "{text}");
        }
        for text in [
            "requests-burst = 5",
            "requests-per-second = 0\nrequests-burst = 5",
            "address-requests-burst = 1",
        ] {
            let limits: Limits = toml::from_str(text).unwrap();
            assert!(limits.check().unwrap_err().contains("-per-second`: set both"), "{text}");
        }
    }
}
