//! The grants of a plugin, as they are shown.

use engine::scratch::Quota;
use serde::{Deserialize, Serialize};

use crate::grants::{GrantKey, Grants};

/// The grants of a plugin, without the values of its settings: they may be secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Granted {
    /// Where it may send HTTP requests.
    pub http: Vec<String>,
    /// The kinds of inventory documents that it may read.
    pub inventory: Vec<String>,
    /// The pools that it may reserve from.
    pub pools: Vec<String>,
    /// The names of its settings.
    pub config: Vec<String>,
    /// The names of its secrets.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// What it may keep in a scratch space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scratch: Option<Quota>,
}

impl Granted {
    /// What is granted by a key.
    pub fn of(&self, key: GrantKey) -> &[String] {
        match key {
            GrantKey::Config => &self.config,
            GrantKey::Http => &self.http,
            GrantKey::Inventory => &self.inventory,
            GrantKey::Pools => &self.pools,
            GrantKey::Secrets => &self.secrets,
        }
    }
}

impl From<&Grants> for Granted {
    fn from(grants: &Grants) -> Self {
        Self {
            http: grants.names(GrantKey::Http),
            inventory: grants.names(GrantKey::Inventory),
            pools: grants.names(GrantKey::Pools),
            config: grants.names(GrantKey::Config),
            secrets: grants.names(GrantKey::Secrets),
            scratch: grants.scratch,
        }
    }
}
