//! Identities of client certificates. TLS has checked that a trusted CA issued the certificate; rules tell
//! whose it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use host::peer::{Matched, Shown};
use tmf::time::Timestamp;

use super::identity::SUBJECT_BYTES_MAX;
use super::{Identity, Proof, RoleName};

/// A rule: which certificates are whose.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name in the settings.
    pub name: String,
    pub matched: Matched,
    /// The subject of the identity; that of the certificate if there is none.
    pub subject: Option<String>,
    pub roles: BTreeSet<RoleName>,
    pub tenant: Option<String>,
    pub plugins: BTreeSet<String>,
}

/// The rules. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Certificates(Arc<[Rule]>);

/// Why a certificate proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("it has expired")]
    Expired,
    #[error("no rule of [access.certificates] is for it")]
    Unknown,
    #[error("[access.certificates.{0}] and [access.certificates.{1}] are both for it")]
    Several(String, String),
    #[error("its subject is empty or too long")]
    Subject,
}

impl Certificates {
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules.into())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some rule may still be for the certificate that proved an identity. Its alternative names
    /// are not known any more.
    pub(super) fn knows(&self, identity: &Identity) -> bool {
        let Proof::Certificate { fingerprint } = &identity.proof else { return false };
        self.0.iter().any(|rule| {
            let is_named = match &rule.subject {
                Some(subject) => *subject == identity.subject,
                None => rule.matched.fits_subject(&identity.subject),
            };
            let is_same = rule.roles == identity.roles && rule.tenant == identity.tenant;
            rule.matched.pins(fingerprint) || (is_named && is_same)
        })
    }

    /// The identity of a certificate. A rule for its fingerprint goes before those for names, of which one
    /// may be for it.
    pub fn identify(&self, shown: Shown<'_>, now: Timestamp) -> Result<Identity, CertificateError> {
        if shown.not_after <= now {
            return Err(CertificateError::Expired);
        }
        let pinned = self.0.iter().find(|rule| rule.matched.pins(shown.fingerprint));
        let rule = match pinned {
            Some(rule) => rule,
            None => {
                let mut fitting = self.0.iter().filter(|rule| rule.matched.fits(&shown));
                match (fitting.next(), fitting.next()) {
                    (Some(rule), None) => rule,
                    (None, _) => return Err(CertificateError::Unknown),
                    (Some(one), Some(other)) => {
                        let names = (one.name.to_owned(), other.name.to_owned());
                        return Err(CertificateError::Several(names.0, names.1));
                    }
                }
            }
        };
        let subject = rule.subject.as_deref().unwrap_or(shown.subject);
        if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
            return Err(CertificateError::Subject);
        }
        Ok(Identity {
            subject: subject.to_owned(),
            proof: Proof::Certificate { fingerprint: shown.fingerprint.to_owned() },
            tenant: rule.tenant.to_owned(),
            roles: rule.roles.to_owned(),
            plugins: rule.plugins.to_owned(),
            claims: BTreeMap::new(),
            only: None,
            until: Some(shown.not_after),
            entry: None,
        })
    }
}

#[cfg(test)]
mod tests;
