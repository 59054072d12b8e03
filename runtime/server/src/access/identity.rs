//! Who makes a request.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tmf::time::Timestamp;

use super::narrow::Narrowing;
use super::role::RoleName;

/// Max bytes of a subject; a longer one proves nothing.
pub const SUBJECT_BYTES_MAX: usize = 256;

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
}

/// How an identity was proven.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Not at all: access is off.
    Off,
    /// By a token of an issuer, named as in the settings.
    Token { issuer: String },
    /// By a login at an issuer, kept in a session.
    Session { issuer: String },
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
        }
    }

    /// Whether it may do everything.
    pub fn is_administrator(&self) -> bool {
        self.only.is_none() && self.roles.contains(&RoleName::administrator())
    }
}

impl Proof {
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
