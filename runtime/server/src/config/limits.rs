//! `[limits]` of `ferrule.toml`: limits on open work.

mod rates;

use serde::{Deserialize, Deserializer};

pub use self::rates::{Rate, RateLimits, Reach};
use self::rates::{read_burst, read_rate};
use super::number::{between, within};

/// Limits on open work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// Max MiB that the bodies of requests under way take together.
    #[serde(deserialize_with = "bodies_mib")]
    pub bodies_mib: usize,
    /// Max exports at one time.
    #[serde(deserialize_with = "exports")]
    pub exports: usize,
    /// Max open orders and runs.
    #[serde(deserialize_with = "open_orders")]
    pub open_orders: u64,
    /// Max MiB of the journals of open orders and runs.
    #[serde(deserialize_with = "open_orders_mib")]
    pub open_orders_mib: u64,
    /// MiB of the journals of open orders and runs above which those that wait leave memory.
    #[serde(deserialize_with = "orders_in_memory_mib")]
    pub orders_in_memory_mib: u64,
    /// Max callbacks that arrived before their task waits for them.
    #[serde(deserialize_with = "callbacks_kept")]
    pub callbacks_kept: u64,
    /// Max MiB of these callbacks.
    #[serde(deserialize_with = "callbacks_kept_mib")]
    pub callbacks_kept_mib: u64,
    /// Max MiB of the store's cache.
    #[serde(deserialize_with = "store_cache_mib")]
    pub store_cache_mib: u64,
    /// MiB of the disk of the data that must be free for new work to be taken on; 0 for no limit.
    #[serde(deserialize_with = "disk_free_mib")]
    pub disk_free_mib: u64,
    /// Requests of an identity a second, and how many may come at once; 0 for no limit.
    #[serde(deserialize_with = "read_rate")]
    pub requests_per_second: Option<u32>,
    #[serde(deserialize_with = "read_burst")]
    pub requests_burst: Option<u32>,
    /// The same of an address.
    #[serde(deserialize_with = "read_rate")]
    pub address_requests_per_second: Option<u32>,
    #[serde(deserialize_with = "read_burst")]
    pub address_requests_burst: Option<u32>,
}

/// The max of every limit.
const COUNT_MAX: u64 = 100_000_000;
const MIB_MAX: u64 = 1 << 20;

/// The max of `exports`.
const EXPORTS_MAX: usize = 1_000;

impl Default for Limits {
    fn default() -> Self {
        let usual = engine::Limits::default();
        Self {
            bodies_mib: 256,
            exports: 4,
            open_orders: usual.open_orders,
            open_orders_mib: usual.open_orders_bytes >> 20,
            orders_in_memory_mib: usual.orders_in_memory_bytes >> 20,
            callbacks_kept: usual.callbacks_kept,
            callbacks_kept_mib: usual.callbacks_kept_bytes >> 20,
            store_cache_mib: store::Options::default().cache_bytes >> 20,
            disk_free_mib: 256,
            requests_per_second: None,
            requests_burst: None,
            address_requests_per_second: None,
            address_requests_burst: None,
        }
    }
}

fn bodies_mib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(deserializer, "[limits] bodies-mib", MIB_MAX as usize)
}

fn exports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(deserializer, "[limits] exports", EXPORTS_MAX)
}

fn open_orders<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[limits] open-orders", COUNT_MAX)
}

fn open_orders_mib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[limits] open-orders-mib", MIB_MAX)
}

fn orders_in_memory_mib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    between(deserializer, "[limits] orders-in-memory-mib", (0, MIB_MAX))
}

fn callbacks_kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[limits] callbacks-kept", COUNT_MAX)
}

fn callbacks_kept_mib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[limits] callbacks-kept-mib", MIB_MAX)
}

fn disk_free_mib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    between(deserializer, "[limits] disk-free-mib", (0, MIB_MAX))
}

fn store_cache_mib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[limits] store-cache-mib", MIB_MAX)
}
