//! `[install]` of `ferrule.toml`: how plugins may come, and who must vouch for them.

use std::collections::BTreeMap;

use ::host::certificate::Certificates;
use ::host::signature::Signatures;
use ::host::signer::{KeyError, Policy, Signers};
use ::host::trust::Trust;
use serde::Deserialize;

/// How plugins may come.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Install {
    /// Whether plugins may be installed, rolled back and removed over the API.
    pub uploads: bool,
    /// Whether plugins must be signed.
    pub signatures: Policy,
    /// The keys that are trusted to sign, each by its name: the last line of a `.pub` file of minisign.
    pub keys: BTreeMap<String, String>,
    /// Whether plugins must be certified.
    pub certificates: Policy,
    /// The keys that are trusted to certify, in the same way.
    pub certifiers: BTreeMap<String, String>,
}

/// Why the keys cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("[install.{table}]: {error}")]
pub struct TrustError {
    table: &'static str,
    error: KeyError,
}

impl Default for Install {
    fn default() -> Self {
        Self {
            uploads: true,
            signatures: Policy::Off,
            keys: BTreeMap::new(),
            certificates: Policy::Off,
            certifiers: BTreeMap::new(),
        }
    }
}

impl Install {
    /// The keys that vouch for plugins.
    pub fn trust(&self) -> Result<Trust, TrustError> {
        let signers = |table, keys: &BTreeMap<String, String>| {
            Signers::new(keys.iter()).map_err(|error| TrustError { table, error })
        };
        Ok(Trust {
            signatures: Signatures::new(self.signatures, signers("keys", &self.keys)?),
            certificates: Certificates::new(
                self.certificates,
                signers("certifiers", &self.certifiers)?,
            ),
        })
    }
}
