//! `[host]` of `ferrule.toml`: what running plugins may take.

use ::host::Options;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// What running plugins may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Host {
    /// Calls of plugins at one time.
    #[serde(deserialize_with = "within::<_, 1, 4096>")]
    pub instances: u32,
    /// Memory of all calls together, with what is kept for them, in MiB.
    #[serde(deserialize_with = "within::<_, 64, 1048576>")]
    pub memory_mib: u32,
    /// The share of instances and memory that one plugin may have, in percent.
    #[serde(deserialize_with = "within::<_, 1, 100>")]
    pub plugin_share_percent: u32,
    /// Cores that plugins may use; 0 for all.
    #[serde(deserialize_with = "within::<_, 0, 1024>")]
    pub cores: u32,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            instances: ::host::host::INSTANCES,
            memory_mib: ::host::host::MEMORY_MIB,
            plugin_share_percent: ::host::host::SHARE_PERCENT,
            cores: 0,
        }
    }
}

impl Host {
    /// Sets the options of a host accordingly.
    pub fn apply(&self, options: &mut Options) {
        options.instances = self.instances;
        options.memory_mib = self.memory_mib;
        options.share_percent = self.plugin_share_percent;
        options.cores = self.cores;
    }
}

fn within<'de, D: Deserializer<'de>, const MIN: u32, const MAX: u32>(
    deserializer: D,
) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("expected a number from {MIN} to {MAX}"));
    if (MIN..=MAX).contains(&number) { Ok(number) } else { Err(wrong()) }
}
