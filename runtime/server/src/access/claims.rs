//! Claims of tokens, read into roles, a tenant and plugins: the same for bearer tokens and for logins.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::role::{OneOrMore, RoleName, Roles};

/// Max values of one claim that are looked at.
const VALUES_MAX: usize = 1_000;

/// Claims by their names.
pub type Claims = BTreeMap<String, Value>;

/// How claims become roles, a tenant and plugins.
#[derive(Clone, Debug, Default)]
pub struct ClaimRules {
    /// The claim with the roles: its name, or a path such as `realm_access.roles`.
    pub roles_claim: Option<String>,
    /// The roles for each value of that claim. A value that is not here gives none.
    pub roles: BTreeMap<String, OneOrMore>,
    /// The roles if the claim gives none.
    pub default_roles: Vec<String>,
    /// The tenant of all identities.
    pub tenant: Option<String>,
    /// The claim with the tenant.
    pub tenant_claim: Option<String>,
    /// The claim with the ids of plugins that a vendor owns.
    pub plugins_claim: Option<String>,
}

/// What claims give to an identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    pub roles: BTreeSet<RoleName>,
    pub tenant: Option<String>,
    pub plugins: BTreeSet<String>,
}

/// Why claims give nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    #[error("the claim `{0}` with the tenant is missing, or is no text")]
    NoTenant(String),
    #[error("the claim `{0}` with the tenant has more than one value")]
    Tenants(String),
}

impl ClaimRules {
    /// Refuses roles that do not exist, and settings that contradict each other.
    pub fn check(&self, roles: &Roles) -> Result<(), String> {
        let by_claim = self.roles.values().flat_map(OneOrMore::texts);
        for name in by_claim.chain(&self.default_roles) {
            roles.named(name)?;
        }
        let is_none = |(_, roles): &(&String, &OneOrMore)| roles.texts().is_empty();
        if let Some((value, _)) = self.roles.iter().find(is_none) {
            return Err(format!("`roles` gives none for {value:?}: leave it out, or list one"));
        }
        if self.roles_claim.is_none() && !self.roles.is_empty() {
            return Err("`roles` needs `roles-claim`, the claim whose values it lists".into());
        }
        if self.roles_claim.is_some() && self.roles.is_empty() {
            return Err("`roles-claim` needs `roles`, the roles for each value of the claim".into());
        }
        let claims = [
            ("roles-claim", &self.roles_claim),
            ("tenant-claim", &self.tenant_claim),
            ("plugins-claim", &self.plugins_claim),
        ];
        if let Some((setting, _)) = claims.iter().find(|(_, claim)| claim.as_deref() == Some("")) {
            return Err(format!("`{setting}` is empty: leave it out, or name a claim"));
        }
        if self.tenant.is_some() && self.tenant_claim.is_some() {
            return Err("set one of `tenant` and `tenant-claim`".into());
        }
        Ok(())
    }

    /// What some claims give.
    pub fn read(&self, claims: &Claims) -> Result<Granted, ClaimsError> {
        let texts = |path: &Option<String>| {
            path.as_deref().map_or_else(Vec::new, |path| texts_at(claims, path))
        };
        let values = texts(&self.roles_claim);
        let found = values.iter().filter_map(|value| self.roles.get(value));
        let mut roles: BTreeSet<_> = found.flat_map(OneOrMore::texts).map(RoleName::new).collect();
        if roles.is_empty() {
            roles.extend(self.default_roles.iter().map(RoleName::new));
        }
        let tenant = match &self.tenant_claim {
            None => self.tenant.as_deref().map(str::to_owned),
            Some(claim) => {
                let mut found = texts_at(claims, claim).into_iter();
                match (found.next(), found.next()) {
                    (Some(tenant), None) => Some(tenant),
                    (None, _) => return Err(ClaimsError::NoTenant(claim.to_owned())),
                    (Some(_), Some(_)) => return Err(ClaimsError::Tenants(claim.to_owned())),
                }
            }
        };
        let plugins = texts(&self.plugins_claim).into_iter().collect();
        Ok(Granted { roles, tenant, plugins })
    }

    /// Whether some claims have what the roles are read from.
    pub fn finds_roles(&self, claims: &Claims) -> bool {
        self.roles_claim.as_deref().is_none_or(|path| !texts_at(claims, path).is_empty())
    }
}

/// The texts of a claim: a text, which may be a list with spaces as that of scopes is, or an array of
/// texts. The path is the name of a claim, or names with dots between them that lead into objects.
fn texts_at(claims: &Claims, path: &str) -> Vec<String> {
    let mut names = path.split('.');
    let whole = claims.get(path);
    let found = whole.or_else(|| {
        let first = claims.get(names.next().unwrap_or_default());
        names.try_fold(first?, |value, name| value.get(name))
    });
    match found {
        Some(Value::String(text)) if !text.contains(' ') => vec![text.to_owned()],
        Some(Value::String(text)) => {
            let pieces = text.split_whitespace().take(VALUES_MAX);
            std::iter::once(text.as_str()).chain(pieces).map(str::to_owned).collect()
        }
        Some(Value::Array(values)) => {
            let texts = values.iter().take(VALUES_MAX).filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
