//! `[install]` of `ferrule.toml`: how plugins may come.

use serde::Deserialize;

/// How plugins may come.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Install {
    /// Whether plugins may be installed, rolled back and removed over the API.
    pub uploads: bool,
}

impl Default for Install {
    fn default() -> Self {
        Self { uploads: true }
    }
}
