//! `[access.certificates.NAME]`: whose client certificates are accepted, and what they give.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tmf::nearest::nearest;

use crate::access::certificate::{Matched, Pattern, PatternError, Rule};
use crate::access::{RoleName, Roles};

/// Letters of a SHA-256 in hex.
const FINGERPRINT_LETTERS: usize = 64;

/// Certificates of one identity, or of a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CertificateSettings {
    /// The SHA-256 of the certificate in hex; colons between are left out.
    fingerprint: Option<String>,
    /// A pattern of its subject.
    subject: Option<String>,
    /// A pattern of one of its alternative names.
    san: Option<String>,
    /// The subject of the identity; that of the certificate by default.
    name: Option<String>,
    roles: Vec<String>,
    tenant: Option<String>,
    #[serde(default)]
    plugins: BTreeSet<String>,
}

/// The rules of some settings.
pub(super) fn rules(
    all: &BTreeMap<String, CertificateSettings>,
    roles: &Roles,
) -> Result<Vec<Rule>, String> {
    let rules = all.iter().map(|(name, settings)| {
        settings
            .rule(name, roles)
            .map_err(|mistake| format!("[access.certificates.{name}] {mistake}"))
    });
    rules.collect()
}

impl CertificateSettings {
    /// The tenant of the identity.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    fn rule(&self, name: &str, roles: &Roles) -> Result<Rule, String> {
        let read =
            |text: &str| Pattern::read(text).map_err(|error: PatternError| error.to_string());
        let matched = match (&self.fingerprint, &self.subject, &self.san) {
            (Some(text), None, None) => Matched::Fingerprint(fingerprint(text)?),
            (None, Some(text), None) => Matched::Subject(read(text)?),
            (None, None, Some(text)) => Matched::San(read(text)?),
            _ => return Err("set one of `fingerprint`, `subject` and `san`".into()),
        };
        if self.name.as_ref().is_some_and(String::is_empty) {
            return Err("`name` is empty: leave it out for the subject of the certificate".into());
        }
        Ok(Rule {
            name: name.to_owned(),
            matched,
            subject: self.name.to_owned(),
            roles: known_roles(&self.roles, roles)?,
            tenant: self.tenant.to_owned(),
            plugins: self.plugins.to_owned(),
        })
    }
}

fn known_roles(names: &[String], roles: &Roles) -> Result<BTreeSet<RoleName>, String> {
    let read = |name: &String| {
        let role = RoleName::new(name);
        if roles.knows(&role) {
            return Ok(role);
        }
        let hint = nearest(name, roles.names().map(RoleName::as_str));
        let hint = hint.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        Err(format!("there is no role `{name}`{hint}"))
    };
    names.iter().map(read).collect()
}

fn fingerprint(text: &str) -> Result<String, String> {
    let hex: String = text.chars().filter(|letter| *letter != ':').collect();
    let is_hex = hex.len() == FINGERPRINT_LETTERS && hex.chars().all(|one| one.is_ascii_hexdigit());
    if is_hex {
        Ok(hex.to_ascii_lowercase())
    } else {
        Err("`fingerprint` is a SHA-256 in hex, such as `openssl x509 -fingerprint -sha256` prints"
            .into())
    }
}
