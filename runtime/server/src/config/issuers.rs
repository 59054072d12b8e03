//! `[access.issuers.NAME]`: whose tokens are accepted, and what they give.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::Uri;
use serde::Deserialize;

use crate::access::Roles;
use crate::access::claims::ClaimRules;
use crate::access::jwks::{Algorithm, KeySet, Keys, Source};
use crate::access::jwt::{Issuer, Policy};
use crate::access::role::OneOrMore;
use crate::outbound::{Outbound, check_url};

/// The place in the settings, for errors.
const TABLE: &str = "access.issuers";

/// Max seconds by which clocks may differ.
const SKEW_S_MAX: u64 = 300;

/// An issuer whose tokens are accepted.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IssuerSettings {
    /// What tokens call it: their `iss`, to the letter.
    issuer: String,
    /// Whom tokens are meant for: their `aud`, one of these.
    audience: OneOrMore,
    /// The algorithms that it signs by.
    #[serde(default = "algorithms")]
    algorithms: Vec<Algorithm>,
    /// Where its keys are, if its own description does not tell.
    jwks: Option<String>,
    /// A file with its keys, instead.
    keys_file: Option<PathBuf>,
    /// The CAs of its certificate, instead of those of the system.
    ca: Option<PathBuf>,
    /// By how much clocks may differ, in seconds.
    #[serde(default = "skew_s")]
    skew_s: u64,
    /// The claim with the subject.
    #[serde(default = "subject_claim")]
    subject_claim: String,
    /// The claim with the roles.
    roles_claim: Option<String>,
    /// The roles for each value of that claim.
    #[serde(default)]
    roles: BTreeMap<String, OneOrMore>,
    /// The roles if the claim gives none.
    #[serde(default)]
    default_roles: Vec<String>,
    /// The tenant of all.
    tenant: Option<String>,
    /// The claim with the tenant.
    tenant_claim: Option<String>,
    /// The claim with the plugins of a vendor.
    plugins_claim: Option<String>,
}

fn algorithms() -> Vec<Algorithm> {
    Algorithm::DEFAULT.to_vec()
}

fn skew_s() -> u64 {
    30
}

fn subject_claim() -> String {
    "sub".into()
}

/// The issuers of some settings.
pub(super) fn issuers(
    all: &BTreeMap<String, IssuerSettings>,
    roles: &Roles,
) -> Result<Vec<Issuer>, String> {
    let mut issuers: Vec<Issuer> = Vec::new();
    for (name, settings) in all {
        let wrong = |mistake: String| format!("[{TABLE}.{name}] {mistake}");
        let issuer = settings.open(name, roles).map_err(wrong)?;
        let is_same = |other: &&Issuer| other.policy.issuer == issuer.policy.issuer;
        if let Some(other) = issuers.iter().find(is_same) {
            return Err(wrong(format!(
                "`issuer` is that of `{}`: list both in one table",
                other.name
            )));
        }
        issuers.push(issuer);
    }
    Ok(issuers)
}

impl IssuerSettings {
    /// The tenant of all its tokens.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The CAs of its certificate.
    pub(super) fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    fn open(&self, name: &str, roles: &Roles) -> Result<Issuer, String> {
        if self.issuer.is_empty() {
            return Err("`issuer` is empty: write the `iss` of its tokens".into());
        }
        if self.subject_claim.is_empty() {
            return Err("`subject-claim` is empty: leave it out, or name a claim".into());
        }
        let audience = self.audience.texts();
        if audience.is_empty() || audience.iter().any(String::is_empty) {
            return Err("`audience` is empty: write the `aud` of tokens for this server".into());
        }
        if self.algorithms.is_empty() {
            return Err("`algorithms` is empty: leave it out, or list one".into());
        }
        if self.skew_s > SKEW_S_MAX {
            return Err(format!("`skew-s` is at most {SKEW_S_MAX}"));
        }
        let rules = self.rules();
        rules.check(roles)?;
        Ok(Issuer {
            name: name.to_owned(),
            policy: Policy {
                issuer: Arc::from(self.issuer.as_str()),
                audience: audience.to_vec(),
                skew_s: self.skew_s,
            },
            algorithms: self.algorithms.to_vec(),
            subject_claim: self.subject_claim.to_owned(),
            rules,
            keys: Keys::new(self.source(name)?),
        })
    }

    fn source(&self, name: &str) -> Result<Source, String> {
        let outbound = || Outbound::new((&format!("[{TABLE}.{name}]"), "ca"), self.ca.to_owned());
        match (&self.keys_file, &self.jwks) {
            (Some(_), Some(_)) => Err("set one of `jwks` and `keys-file`".into()),
            (Some(_), None) if self.ca.is_some() => {
                Err("`ca` is of no use with `keys-file`".into())
            }
            (Some(path), None) => {
                let error = KeySet::of_file(path).err();
                match error.map(|error| engine::causes::chain(&error)) {
                    None => Ok(Source::File(path.to_owned())),
                    Some(error) => Err(format!("`keys-file`, `{}`: {error}", path.display())),
                }
            }
            (None, Some(url)) => {
                let url = checked(url).map_err(|reason| format!("`jwks`: {reason}"))?;
                self.check_ca(&url)?;
                Ok(Source::Url { url, outbound: outbound() })
            }
            (None, None) => {
                let url = checked(&self.issuer).map_err(|reason| {
                    format!("`issuer` leads to no keys ({reason}): set `jwks` or `keys-file`")
                })?;
                self.check_ca(&url)?;
                Ok(Source::Issuer { issuer: self.issuer.to_owned(), outbound: outbound() })
            }
        }
    }

    fn check_ca(&self, url: &Uri) -> Result<(), String> {
        match self.ca.is_some() && url.scheme_str() == Some("http") {
            true => Err("`ca` is of no use: the keys come by plain http".into()),
            false => Ok(()),
        }
    }

    fn rules(&self) -> ClaimRules {
        ClaimRules {
            roles_claim: self.roles_claim.to_owned(),
            roles: self.roles.to_owned(),
            default_roles: self.default_roles.to_vec(),
            tenant: self.tenant.to_owned(),
            tenant_claim: self.tenant_claim.to_owned(),
            plugins_claim: self.plugins_claim.to_owned(),
        }
    }
}

fn checked(url: &str) -> Result<Uri, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "it is no URL")?;
    check_url(&uri)?;
    Ok(uri)
}

#[cfg(test)]
mod tests;
