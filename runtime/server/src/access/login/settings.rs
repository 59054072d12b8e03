//! `[access.login]` of `ferrule.toml`: logins of people at a provider of OpenID Connect.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hyper::Uri;
use serde::Deserialize;

use crate::access::claims::ClaimRules;
use crate::access::role::{OneOrMore, Roles};
use crate::outbound::check_url;
use crate::secrets::{Source, Sources};

/// Logins of people.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoginSettings {
    /// The provider, as its discovery document names it.
    pub issuer: String,
    /// The name that the provider knows Ferrule by.
    pub client_id: String,
    /// The name of a secret of `[secrets]`; none for a public client.
    pub client_secret: Option<String>,
    /// The scopes that are requested besides `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// A PEM file with the CAs of the provider, instead of those of the system.
    pub ca: Option<PathBuf>,
    /// The claim with the roles.
    pub roles_claim: Option<String>,
    /// The roles for each value of that claim.
    #[serde(default)]
    pub roles: BTreeMap<String, OneOrMore>,
    /// The roles if the claim gives none.
    #[serde(default)]
    pub default_roles: Vec<String>,
    /// The tenant of all people who log in.
    pub tenant: Option<String>,
    /// The claim with the tenant.
    pub tenant_claim: Option<String>,
}

fn scopes() -> Vec<String> {
    vec!["profile".into(), "email".into()]
}

impl LoginSettings {
    /// Refuses what cannot work.
    pub(super) fn check(&self, roles: &Roles) -> Result<(), String> {
        let uri = self.issuer.parse::<Uri>().map_err(|_| "`issuer` is no URL".to_owned())?;
        check_url(&uri).map_err(|reason| format!("`issuer`: {reason}"))?;
        if uri.query().is_some() || self.issuer.contains('#') {
            return Err("`issuer` is a URL without a query".into());
        }
        if self.ca.is_some() && uri.scheme_str() == Some("http") {
            return Err("`ca` is of no use: `issuer` begins with http".into());
        }
        if self.client_id.is_empty() {
            return Err("`client-id` is the name that the provider knows Ferrule by".into());
        }
        if self.scopes.iter().any(|scope| scope.is_empty() || scope.contains(' ')) {
            return Err("each of `scopes` is one word".into());
        }
        self.rules().check(roles)
    }

    /// The source of the secret, if there is one.
    pub(super) fn secret(&self, sources: &Sources) -> Result<Option<Source>, String> {
        let Some(name) = &self.client_secret else { return Ok(None) };
        match sources.get(name) {
            Some(source) => Ok(Some(source.to_owned())),
            None => Err(format!(
                "`client-secret` names the secret `{name}`, which is not there: add \
                 `[secrets.{name}]` with its source"
            )),
        }
    }

    pub(super) fn rules(&self) -> ClaimRules {
        ClaimRules {
            roles_claim: self.roles_claim.to_owned(),
            roles: self.roles.to_owned(),
            default_roles: self.default_roles.to_owned(),
            tenant: self.tenant.to_owned(),
            tenant_claim: self.tenant_claim.to_owned(),
            plugins_claim: None,
        }
    }
}
