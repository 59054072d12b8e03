//! What the operator grants a plugin: `[plugins.<id>]` of `ferrule.toml`. Nothing is granted by
//! default but the log.

use std::collections::BTreeMap;
use std::fmt;

use engine::scratch::Quota;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::Asked;
use crate::role::Capability;

pub use self::callback::CallbackProof;
pub use self::rule::{Rule, RuleError};
pub use self::secret::SecretGrant;
pub use self::target::{Connecting, Http2, Pem, Target, TargetError};

mod callback;
mod mistake;
pub(crate) mod rule;
pub(crate) mod secret;
mod target;

/// A key of `[plugins.<id>]` that grants something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantKey {
    /// Settings.
    Config,
    /// Requests.
    Http,
    /// Reading documents.
    Inventory,
    /// Reservations.
    Pools,
    /// Sending secrets.
    Secrets,
}

/// The grants of a plugin.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Grants {
    /// Where it may send HTTP requests.
    pub http: Vec<Rule>,
    /// The kinds of inventory documents that it may read.
    pub inventory: Vec<String>,
    /// The pools that it may reserve from; a trailing `*` stands for any ending.
    pub pools: Vec<String>,
    /// Its settings.
    pub config: BTreeMap<String, String>,
    /// The secrets that it may send, by the name that it asks for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretGrant>,
    /// What it may keep in a scratch space.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "quota")]
    pub scratch: Option<Quota>,
    /// Caps on its limits.
    pub limits: Asked,
    /// How it connects to its targets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<Target, Connecting>,
    /// What elements show that answer its tasks under keys that they know by themselves.
    #[serde(skip_serializing_if = "CallbackProof::is_usual")]
    pub callbacks: CallbackProof,
    /// The name of the file that may have the id; one `*` in it stands for anything. Without it
    /// the id belongs to the file that had it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants")
            .field("http", &self.http)
            .field("inventory", &self.inventory)
            .field("pools", &self.pools)
            // Values may be secrets.
            .field("config", &self.config.keys())
            .field("secrets", &self.secrets)
            .field("scratch", &self.scratch)
            .field("limits", &self.limits)
            .field("targets", &self.targets)
            .field("callbacks", &self.callbacks)
            .field("file", &self.file)
            .finish()
    }
}

impl GrantKey {
    /// Every key.
    pub const ALL: [Self; 5] =
        [Self::Config, Self::Http, Self::Inventory, Self::Pools, Self::Secrets];

    /// The key, as `ferrule.toml` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Http => "http",
            Self::Inventory => "inventory",
            Self::Pools => "pools",
            Self::Secrets => "secrets",
        }
    }
}

impl Grants {
    /// What is granted by a key, by name: of settings and secrets their names only.
    pub fn names(&self, key: GrantKey) -> Vec<String> {
        match key {
            GrantKey::Config => self.config.keys().map(String::to_owned).collect(),
            GrantKey::Http => self.http.iter().map(ToString::to_string).collect(),
            GrantKey::Inventory => self.inventory.to_vec(),
            GrantKey::Pools => self.pools.to_vec(),
            GrantKey::Secrets => self.secrets.keys().map(String::to_owned).collect(),
        }
    }

    /// Whether any of a capability was granted.
    pub fn any(&self, capability: Capability) -> bool {
        match capability {
            Capability::Http => !self.http.is_empty(),
            Capability::Inventory => !self.inventory.is_empty(),
            Capability::Reservation => !self.pools.is_empty(),
            Capability::Scratch => self.scratch.is_some(),
        }
    }

    /// Whether documents of this kind may be read.
    pub(crate) fn inventory(&self, kind: &str) -> bool {
        self.inventory.iter().any(|granted| granted == kind)
    }

    /// The grant by which this pool may be reserved from.
    pub(crate) fn pool(&self, pool: &str) -> Option<&str> {
        let is_covered = |granted: &&String| match granted.strip_suffix('*') {
            Some(prefix) => pool.starts_with(prefix),
            None => *granted == pool,
        };
        self.pools.iter().find(is_covered).map(String::as_str)
    }
}

/// The header of the table of a target in `ferrule.toml`.
pub(crate) fn target_table(plugin: &str, target: &Target) -> String {
    format!("[plugins.{}.targets.{}]", table_key(plugin), quote(&target.to_string()))
}

/// The header of the table of what all plugins share of a target.
pub(crate) fn common_table(target: &Target) -> String {
    format!("[targets.{}]", quote(&target.to_string()))
}

/// The lines of `ferrule.toml` that grant a plugin one thing more than it has.
pub(crate) fn lines(plugin: &str, key: &str, granted: &[String], more: &str) -> String {
    list(plugin, key, granted.iter().map(String::as_str).chain([more]))
}

/// The lines of `ferrule.toml` that grant a plugin this list of things.
pub(crate) fn list<'a>(
    plugin: &str,
    key: &str,
    values: impl IntoIterator<Item = &'a str>,
) -> String {
    let values: Vec<_> = values.into_iter().map(quote).collect();
    format!("[plugins.{}]\n{key} = [{}]", table_key(plugin), values.join(", "))
}

/// The lines of `ferrule.toml` that set a setting of a plugin.
pub(crate) fn setting_lines(plugin: &str, name: &str, value: &str) -> String {
    format!("[plugins.{}.config]\n{} = {}", table_key(plugin), quote(name), quote(value))
}

/// The lines of `ferrule.toml` that grant a plugin a scratch space.
pub(crate) fn scratch_lines(plugin: &str, quota: Quota) -> String {
    let Quota { keys, value_kib, call_kib, total_kib } = quota;
    format!(
        "[plugins.{}.scratch]\nkeys = {keys}\nvalue-kib = {value_kib}\ncall-kib = {call_kib}\n\
         total-kib = {total_kib}",
        table_key(plugin)
    )
}

/// Reads a quota that can be granted.
pub(crate) fn quota<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Quota>, D::Error> {
    let quota = Option::<Quota>::deserialize(source)?;
    quota.as_ref().map_or(Ok(()), Quota::check).map_err(D::Error::custom)?;
    Ok(quota)
}

pub(crate) fn quote(text: &str) -> String {
    toml::Value::String(text.into()).to_string()
}

/// Ids may hold dots, which TOML would read as tables in tables.
pub(crate) fn table_key(plugin: &str) -> String {
    if plugin.contains('.') { quote(plugin) } else { plugin.into() }
}

#[cfg(test)]
mod tests;
