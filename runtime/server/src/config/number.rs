//! A number of `ferrule.toml` within its range; the error names its key.

use std::fmt::Display;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Reads a number from 1 to `max`. `key` is the key with its table, such as `[limits] exports`.
pub(super) fn within<'de, D: Deserializer<'de>, N>(
    deserializer: D,
    key: &str,
    max: N,
) -> Result<N, D::Error>
where
    N: Deserialize<'de> + From<u8> + PartialOrd + Copy + Display,
{
    between(deserializer, key, (N::from(1), max))
}

/// Reads a number within its range.
pub(super) fn between<'de, D: Deserializer<'de>, N>(
    deserializer: D,
    key: &str,
    (min, max): (N, N),
) -> Result<N, D::Error>
where
    N: Deserialize<'de> + PartialOrd + Copy + Display,
{
    let number = N::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("`{key}` is a number from {min} to {max}"));
    if min <= number && number <= max { Ok(number) } else { Err(wrong()) }
}
