//! `[access.certificates.NAME]`: whose client certificates are accepted, and what they give.

use std::collections::{BTreeMap, BTreeSet};

use host::peer::{Matched, Written};
use serde::Deserialize;

use crate::access::Roles;
use crate::access::certificate::Rule;
use crate::access::identity::check_plugins;

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
    let mut rules: Vec<Rule> = Vec::new();
    for (name, settings) in all {
        let wrong = |mistake: String| format!("[access.certificates.{name}] {mistake}");
        let rule = settings.rule(name, roles).map_err(wrong)?;
        if let Some(other) = rules.iter().find(|other| other.matched == rule.matched) {
            let other = &other.name;
            return Err(wrong(format!(
                "is for the same certificates as `{other}`: write one table for them"
            )));
        }
        rules.push(rule);
    }
    Ok(rules)
}

impl CertificateSettings {
    /// The tenant of the identity.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    fn rule(&self, name: &str, roles: &Roles) -> Result<Rule, String> {
        let (fingerprint, subject, san) =
            (self.fingerprint.clone(), self.subject.clone(), self.san.clone());
        let matched = Matched::read(&Written { fingerprint, subject, san })?;
        if self.name.as_ref().is_some_and(String::is_empty) {
            return Err("`name` is empty: leave it out for the subject of the certificate".into());
        }
        check_plugins(&self.plugins)?;
        Ok(Rule {
            name: name.to_owned(),
            matched,
            subject: self.name.to_owned(),
            roles: self.roles.iter().map(|name| roles.named(name)).collect::<Result<_, _>>()?,
            tenant: self.tenant.to_owned(),
            plugins: self.plugins.to_owned(),
        })
    }
}
