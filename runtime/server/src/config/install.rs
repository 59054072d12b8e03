//! `[install]` of `ferrule.toml`: how plugins may come, and by whom they must be signed.

use std::collections::BTreeMap;

use ::host::signature::{KeyError, Policy, Signatures};
use serde::Deserialize;

/// How plugins may come.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Install {
    /// Whether plugins may be installed, rolled back and removed over the API.
    pub uploads: bool,
    /// Whether plugins must be signed.
    pub signatures: Policy,
    /// The keys that are trusted, each by its name: the last line of a `.pub` file of minisign.
    pub keys: BTreeMap<String, String>,
}

impl Default for Install {
    fn default() -> Self {
        Self { uploads: true, signatures: Policy::Off, keys: BTreeMap::new() }
    }
}

impl Install {
    /// The keys that plugins are signed by.
    pub fn signatures(&self) -> Result<Signatures, KeyError> {
        Signatures::new(self.signatures, self.keys.iter())
    }
}
