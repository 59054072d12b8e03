//! Who makes a request.

use std::collections::{BTreeMap, BTreeSet};

use host::manifest::is_id;
use model::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tmf::time::Timestamp;

use super::narrow::Narrowing;
use super::role::RoleName;
use super::session::LOCAL;

/// Max bytes of a subject; a longer one proves nothing.
pub const SUBJECT_BYTES_MAX: usize = 256;

/// The length of [`Identity::namespace`]: too long for two to be alike.
const NAMESPACE_LENGTH: usize = 32;

/// Why a text names no plugin.
pub(crate) const NO_ID: &str = "the id of a plugin has 1 to 64 of `a` to `z`, `0` to `9`, `-`, `_` and `.`, with a letter first";

/// Who makes a request, as its credentials prove.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Its name: unique among those that are proven in the same way.
    pub subject: String,
    /// How it was proven.
    pub proof: Proof,
    /// The tenant that it belongs to; `None` for the default one.
    pub tenant: Option<String>,
    pub roles: BTreeSet<RoleName>,
    /// The plugins that it owns, by their ids: what a vendor may see.
    pub plugins: BTreeSet<String>,
    /// Further facts of its credentials, for the conditions of roles.
    pub claims: BTreeMap<String, Value>,
    /// The scope of its credentials, if that is less than its roles allow.
    pub only: Option<Narrowing>,
    /// When its credentials expire.
    pub until: Option<Timestamp>,
    /// The digest of its entry in a file of users, if its password proved it: what is proven ends with the entry.
    pub entry: Option<Digest>,
}

/// How an identity was proven.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Proof {
    /// Not at all: access is off.
    Off,
    /// By a token of an issuer, named as in the settings.
    Token { issuer: String },
    /// By a login at an issuer, kept in a session with an id.
    Session { issuer: String, id: String },
    /// By an API key, by its id.
    Key { id: String },
    /// By the certificate of a TLS client, by its SHA-256.
    Certificate { fingerprint: String },
    /// By the password of a local user.
    Password,
}

impl Identity {
    /// Who makes all requests while access is off.
    pub fn local() -> Self {
        Self {
            subject: "local".into(),
            proof: Proof::Off,
            tenant: None,
            roles: BTreeSet::from([RoleName::administrator()]),
            plugins: BTreeSet::new(),
            claims: BTreeMap::new(),
            only: None,
            until: None,
            entry: None,
        }
    }

    /// Whether it may do everything.
    pub fn is_administrator(&self) -> bool {
        self.only.is_none() && self.roles.contains(&RoleName::administrator())
    }

    /// The beginning of names that belong to it alone, such as its idempotency keys; `None` while access
    /// is off. A digest, so that it fits into keys of the store.
    pub fn namespace(&self) -> Option<String> {
        let issuer = match &self.proof {
            Proof::Off => return None,
            // A user is one, by form or by header.
            Proof::Session { issuer, .. } if issuer == LOCAL => "password",
            Proof::Token { issuer } | Proof::Session { issuer, .. } => issuer.as_str(),
            Proof::Key { .. } => "key",
            Proof::Certificate { .. } => "certificate",
            Proof::Password => "password",
        };
        let tenant = self.tenant.as_deref().unwrap_or_default();
        // The parts are told apart by their lengths.
        let parts = [tenant, self.proof.family(), issuer, self.subject.as_str()];
        let parts = parts.map(|part| format!("{}:{part}", part.len())).concat();
        let digest = Digest::of(parts.as_bytes());
        digest.as_str().get(..NAMESPACE_LENGTH).map(str::to_owned)
    }
}

impl Proof {
    /// What it has in common with others that prove the same subject: a person is one, by token or session.
    fn family(&self) -> &'static str {
        match self {
            Self::Session { issuer, .. } if issuer == LOCAL => Self::Password.name(),
            Self::Token { .. } | Self::Session { .. } => "issuer",
            Self::Off | Self::Key { .. } | Self::Certificate { .. } | Self::Password => self.name(),
        }
    }

    /// Its name, for logs and the audit.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Token { .. } => "token",
            Self::Session { .. } => "session",
            Self::Key { .. } => "key",
            Self::Certificate { .. } => "certificate",
            Self::Password => "password",
        }
    }
}

/// Refuses what cannot be the id of a plugin.
pub(crate) fn check_plugins<'a>(ids: impl IntoIterator<Item = &'a String>) -> Result<(), String> {
    match ids.into_iter().find(|id| !is_id(id)) {
        None => Ok(()),
        Some(id) => Err(format!("`plugins` lists {id:?}: {NO_ID}")),
    }
}
