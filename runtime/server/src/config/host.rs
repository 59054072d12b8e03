//! `[host]` of `ferrule.toml`: what running and compiling plugins may take.

use std::time::Duration;

use ::host::Options;
use ::host::compile::CompileLimits;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// How long unused versions of plugins are kept where nothing is said, in days.
const KEEP_VERSIONS_DAYS: u32 = 30;

/// What running and compiling plugins may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Host {
    /// Memory for compiling one plugin, in MiB.
    #[serde(deserialize_with = "within::<_, 64, 1048576>")]
    pub compile_memory_mib: u32,
    /// Processor time for compiling one plugin, in seconds.
    #[serde(deserialize_with = "within::<_, 1, 86400>")]
    pub compile_cpu_s: u32,
    /// Wall-clock time for compiling one plugin, in seconds.
    #[serde(deserialize_with = "within::<_, 1, 86400>")]
    pub compile_wall_s: u32,
    /// How long versions of plugins are kept that no file has and no open plan began with, in days.
    #[serde(deserialize_with = "within::<_, 1, 36500>")]
    pub keep_versions_days: u32,
}

impl Default for Host {
    fn default() -> Self {
        let CompileLimits { compile_memory_mib, compile_cpu_s, compile_wall_s } =
            CompileLimits::default();
        Self {
            compile_memory_mib,
            compile_cpu_s,
            compile_wall_s,
            keep_versions_days: KEEP_VERSIONS_DAYS,
        }
    }
}

impl Host {
    /// Sets the options of a host accordingly.
    pub fn apply(&self, options: &mut Options) {
        options.compile_limits = CompileLimits {
            compile_memory_mib: self.compile_memory_mib,
            compile_cpu_s: self.compile_cpu_s,
            compile_wall_s: self.compile_wall_s,
        };
    }

    /// How long unused versions of plugins are kept.
    pub fn keep_versions(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_versions_days) * 24 * 3_600)
    }
}

fn within<'de, D: Deserializer<'de>, const MIN: u32, const MAX: u32>(
    deserializer: D,
) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("expected a number from {MIN} to {MAX}"));
    if (MIN..=MAX).contains(&number) { Ok(number) } else { Err(wrong()) }
}
