//! `[limits]` of `ferrule.toml`: how much may be under way at one time.

use std::fmt::Display;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// How much may be under way at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// Max MiB that the bodies of requests under way take together.
    #[serde(deserialize_with = "bodies_mib")]
    pub bodies_mib: usize,
    /// Max exports that are written at one time.
    #[serde(deserialize_with = "exports")]
    pub exports: usize,
    /// Max orders and runs that are open.
    #[serde(deserialize_with = "open_orders")]
    pub open_orders: u64,
    /// Max MiB of the journals of open orders and runs.
    #[serde(deserialize_with = "open_orders_mib")]
    pub open_orders_mib: u64,
    /// Max callbacks that are kept before their task waits for them.
    #[serde(deserialize_with = "callbacks_kept")]
    pub callbacks_kept: u64,
    /// Max MiB of these callbacks.
    #[serde(deserialize_with = "callbacks_kept_mib")]
    pub callbacks_kept_mib: u64,
}

/// The most of anything that can be set.
const COUNT_MAX: u64 = 100_000_000;
const MIB_MAX: u64 = 1 << 20;

/// The most exports that can be set.
const EXPORTS_MAX: usize = 1_000;

impl Default for Limits {
    fn default() -> Self {
        let usual = engine::Limits::default();
        Self {
            bodies_mib: 256,
            exports: 4,
            open_orders: usual.open_orders,
            open_orders_mib: usual.open_orders_bytes >> 20,
            callbacks_kept: usual.callbacks_kept,
            callbacks_kept_mib: usual.callbacks_kept_bytes >> 20,
        }
    }
}

fn bodies_mib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(deserializer, "bodies-mib", MIB_MAX as usize)
}

fn exports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(deserializer, "exports", EXPORTS_MAX)
}

fn open_orders<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "open-orders", COUNT_MAX)
}

fn open_orders_mib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "open-orders-mib", MIB_MAX)
}

fn callbacks_kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "callbacks-kept", COUNT_MAX)
}

fn callbacks_kept_mib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "callbacks-kept-mib", MIB_MAX)
}

fn within<'de, D: Deserializer<'de>, N>(deserializer: D, key: &str, max: N) -> Result<N, D::Error>
where
    N: Deserialize<'de> + From<u8> + PartialOrd + Copy + Display,
{
    let number = N::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("`[limits] {key}` is a number from 1 to {max}"));
    if N::from(1) <= number && number <= max { Ok(number) } else { Err(wrong()) }
}
