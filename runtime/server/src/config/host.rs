//! `[host]` of `ferrule.toml`: limits of running and compiling plugins.

use std::time::Duration;

use ::host::compile::CompileLimits;
use ::host::{Keep, Of, Options};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The default retention of unused versions of plugins, in days.
const KEEP_VERSIONS_DAYS: u32 = 30;

/// The default of the bytes of a body that an exchange keeps.
const EXCHANGE_BODY_BYTES: u32 = 8 << 10;

/// Limits of running and compiling plugins.
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
    /// Memory for compiling one plugin, in MiB.
    #[serde(deserialize_with = "within::<_, 64, 1048576>")]
    pub compile_memory_mib: u32,
    /// Processor time for compiling one plugin, in seconds.
    #[serde(deserialize_with = "within::<_, 1, 86400>")]
    pub compile_cpu_s: u32,
    /// Wall-clock time for compiling one plugin, in seconds.
    #[serde(deserialize_with = "within::<_, 1, 86400>")]
    pub compile_wall_s: u32,
    /// Retention of versions of plugins that no file has and no open plan began with, in days.
    #[serde(deserialize_with = "within::<_, 1, 36500>")]
    pub keep_versions_days: u32,
    /// Which attempts keep their HTTP exchanges.
    pub exchanges: Exchanges,
    /// Max bytes of a body that an exchange keeps.
    #[serde(deserialize_with = "within::<_, 0, 32768>")]
    pub exchange_body_bytes: u32,
}

/// The attempts that keep their HTTP exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exchanges {
    /// All of them.
    All,
    /// Those that failed.
    Failed,
    /// None.
    None,
}

impl Default for Host {
    fn default() -> Self {
        let CompileLimits { compile_memory_mib, compile_cpu_s, compile_wall_s } =
            CompileLimits::default();
        Self {
            instances: ::host::host::INSTANCES,
            memory_mib: ::host::host::MEMORY_MIB,
            plugin_share_percent: ::host::host::SHARE_PERCENT,
            cores: 0,
            compile_memory_mib,
            compile_cpu_s,
            compile_wall_s,
            keep_versions_days: KEEP_VERSIONS_DAYS,
            exchanges: Exchanges::All,
            exchange_body_bytes: EXCHANGE_BODY_BYTES,
        }
    }
}

impl Host {
    /// Applies the limits to the options of a host.
    pub fn apply(&self, options: &mut Options) {
        options.instances = self.instances;
        options.memory_mib = self.memory_mib;
        options.share_percent = self.plugin_share_percent;
        options.cores = self.cores;
        options.compile_limits = CompileLimits {
            compile_memory_mib: self.compile_memory_mib,
            compile_cpu_s: self.compile_cpu_s,
            compile_wall_s: self.compile_wall_s,
        };
        options.keep = Keep {
            of: match self.exchanges {
                Exchanges::All => Of::All,
                Exchanges::Failed => Of::Failed,
                Exchanges::None => Of::None,
            },
            body_bytes: self.exchange_body_bytes as usize,
        };
    }

    /// Retention of unused versions of plugins.
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
