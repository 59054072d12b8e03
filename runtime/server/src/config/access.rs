//! `[access]` of `ferrule.toml`: who may do what.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::access::{Access, Authentication, Permission, Role, RoleError, Roles};

/// Who may do what.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AccessSettings {
    /// Whether requests must prove who makes them.
    pub authentication: Authentication,
    /// Roles besides those that are built in, by their names.
    pub roles: BTreeMap<String, Role>,
}

impl AccessSettings {
    /// What proves and decides, for the permissions that the routes demand.
    pub(crate) fn open(&self, known: &[Permission]) -> Result<Access, RoleError> {
        Ok(Access::new(self.authentication, Roles::new(&self.roles, known)?))
    }
}
