//! How much a plugin may keep in its scratch space: `[plugins.<id>.scratch]`.

use serde::{Deserialize, Serialize};

/// The quota of a scratch space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Quota {
    /// Max keys.
    pub keys: u32,
    /// Max KiB of a value.
    pub value_kib: u32,
    /// Max KiB that one call writes.
    pub call_kib: u32,
    /// Max KiB of all keys and values.
    pub total_kib: u32,
}

/// The most that an operator may grant. All keys are kept in memory, and a call's writes are in one commit.
const CEILING: Quota = Quota { keys: 10_000, value_kib: 64, call_kib: 1_024, total_kib: 65_536 };

impl Default for Quota {
    fn default() -> Self {
        Self { keys: 1_000, value_kib: 16, call_kib: 256, total_kib: 1_024 }
    }
}

/// A quota that cannot be granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`scratch.{setting}` is {value}: it may be 1 to {max}")]
pub struct QuotaError {
    /// The setting.
    pub setting: &'static str,
    /// Its value.
    pub value: u32,
    /// The most that it may be.
    pub max: u32,
}

impl Quota {
    /// Checks that it can be granted.
    pub fn check(&self) -> Result<(), QuotaError> {
        let Self { keys, value_kib, call_kib, total_kib } = *self;
        for (setting, value, max) in [
            ("keys", keys, CEILING.keys),
            ("value-kib", value_kib, CEILING.value_kib),
            ("call-kib", call_kib, CEILING.call_kib),
            ("total-kib", total_kib, CEILING.total_kib),
        ] {
            if !(1..=max).contains(&value) {
                return Err(QuotaError { setting, value, max });
            }
        }
        Ok(())
    }
}
