//! `[host]` of `ferrule.toml`: what running and compiling plugins may take.

use std::time::Duration;

use ::host::compile::CompileLimits;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A setting is more than this only by mistake.
const MAX: u64 = 1 << 20;

/// What running and compiling plugins may take.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Host {
    /// Memory for compiling one plugin, in MiB.
    #[serde(deserialize_with = "some")]
    pub compile_memory_mib: u64,
    /// Processor time for compiling one plugin, in seconds.
    #[serde(deserialize_with = "some")]
    pub compile_cpu_s: u64,
    /// Wall-clock time for compiling one plugin, in seconds.
    #[serde(deserialize_with = "some")]
    pub compile_wall_s: u64,
    /// How long versions of plugins are kept that no file has and no open plan began with, in days.
    #[serde(deserialize_with = "some")]
    pub keep_versions_days: u64,
}

/// How long unused versions of plugins are kept where nothing is said, in days.
const KEEP_VERSIONS_DAYS: u64 = 30;

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
    /// How long unused versions of plugins are kept.
    pub fn keep_versions(&self) -> Duration {
        Duration::from_secs(self.keep_versions_days.saturating_mul(24 * 3_600))
    }

    /// What compiling one plugin may take.
    pub fn compile_limits(&self) -> CompileLimits {
        CompileLimits {
            compile_memory_mib: self.compile_memory_mib,
            compile_cpu_s: self.compile_cpu_s,
            compile_wall_s: self.compile_wall_s,
        }
    }
}

fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("expected a number from 1 to {MAX}"));
    if (1..=MAX).contains(&number) { Ok(number) } else { Err(wrong()) }
}
