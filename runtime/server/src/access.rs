//! Who makes a request, and what they may do. Off, every request comes from this machine and may do
//! everything; required, each request proves who makes it, and what no role allows is refused.
//!
//! The gate of the HTTP server asks here twice: [`Access::identify`] finds the identity, and
//! [`Roles::decide`] compares what the table of routes demands with the roles of the identity.

pub mod claims;
pub mod identity;
pub mod keys;
pub mod narrow;
pub mod permission;
pub mod presented;
pub mod role;
pub mod scope;
pub mod standing;

#[cfg(test)]
use std::collections::BTreeMap;
use std::sync::Arc;

pub use identity::{Identity, Proof};
pub use narrow::{Narrowing, NarrowingError};
pub use permission::{ApiName, Permission, Verb};
pub use presented::{Malformed, Presented};
pub use role::{Allow, Role, RoleError, RoleName, Roles};
pub use scope::{Admitted, Decision, Scope};
pub use standing::Standing;

use engine::clock::{Clock as _, System};
use serde::Deserialize;
use tmf::time::Timestamp;
use tokio::sync::watch;

use self::keys::Keys;

/// Whether requests must prove who makes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// They need not: Ferrule listens on loopback only, and every request may do everything.
    #[default]
    Off,
    Required,
}

/// Proves who makes requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    authentication: Authentication,
    roles: Roles,
    local: Arc<Identity>,
    keys: Keys,
    clock: System,
    /// Changes when credentials are revoked.
    revocations: watch::Sender<()>,
    /// Identities by bearer tokens, for tests of the router.
    #[cfg(test)]
    fixed: BTreeMap<String, Arc<Identity>>,
}

/// Why a request has no identity. It is logged; the client is told nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    /// It has no credentials.
    #[error("the request has no credentials")]
    Nothing,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its kind of credentials is not set up here.
    #[error("{0} are not set up")]
    NotSetUp(&'static str),
    /// They prove nothing.
    #[error("{kind} are refused: {reason}")]
    Refused { kind: &'static str, reason: String },
}

impl Access {
    /// Access by some settings.
    pub fn new(authentication: Authentication, roles: Roles) -> Self {
        Self(Arc::new(Inner::new(authentication, roles)))
    }

    /// Access for which these bearer tokens are proof.
    #[cfg(test)]
    pub(crate) fn fixed(roles: Roles, tokens: BTreeMap<String, Arc<Identity>>) -> Self {
        Self(Arc::new(Inner { fixed: tokens, ..Inner::new(Authentication::Required, roles) }))
    }

    /// The roles.
    pub fn roles(&self) -> &Roles {
        &self.0.roles
    }

    /// The API keys of all tenants.
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// Whether the credentials of an identity are still valid.
    pub fn stands(&self, identity: &Identity) -> bool {
        let is_expired = identity.until.is_some_and(|until| until <= self.now());
        match &identity.proof {
            Proof::Off => true,
            Proof::Key { id } => self.0.keys.stands(id),
            Proof::Token { .. }
            | Proof::Session { .. }
            | Proof::Certificate { .. }
            | Proof::Password => !is_expired,
        }
    }

    /// Follows an identity until its credentials end.
    pub fn standing(&self, identity: Option<&Arc<Identity>>) -> Standing {
        let revocations = self.0.revocations.subscribe();
        Standing::new(Self(Arc::clone(&self.0)), identity.map(Arc::clone), revocations)
    }

    /// Has answers that go on for long look again whether their credentials are still valid.
    pub fn revoked(&self) {
        self.0.revocations.send_replace(());
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Whether requests must prove who makes them.
    pub fn is_required(&self) -> bool {
        self.0.authentication == Authentication::Required
    }

    /// Finds the identity that makes a request, by the credentials that it presents. Credentials that
    /// prove nothing are never passed over for others.
    pub async fn identify(&self, presented: &Presented<'_>) -> Result<Arc<Identity>, Unproven> {
        if !self.is_required() {
            return Ok(Arc::clone(&self.0.local));
        }
        match presented {
            Presented::Nothing => Err(Unproven::Nothing),
            #[cfg(test)]
            Presented::Bearer(token) if self.0.fixed.contains_key(*token) => {
                Ok(Arc::clone(&self.0.fixed[*token]))
            }
            Presented::Bearer(token) if token.starts_with(keys::PREFIX) => {
                let proven = self.0.keys.identify(token);
                proven.map_err(|error| Unproven::refused("API keys", &error))
            }
            Presented::Bearer(_) => Err(Unproven::NotSetUp("bearer tokens")),
            Presented::Basic(_) => Err(Unproven::NotSetUp("user names with passwords")),
        }
    }
}

impl Inner {
    fn new(authentication: Authentication, roles: Roles) -> Self {
        Self {
            authentication,
            roles,
            local: Arc::new(Identity::local()),
            keys: Keys::default(),
            clock: System::default(),
            revocations: watch::Sender::new(()),
            #[cfg(test)]
            fixed: BTreeMap::new(),
        }
    }
}

impl Unproven {
    fn refused(kind: &'static str, error: &dyn std::error::Error) -> Self {
        Self::Refused { kind, reason: error.to_string() }
    }
}

impl Default for Access {
    fn default() -> Self {
        Self::new(Authentication::Off, Roles::default())
    }
}

#[cfg(test)]
mod tests;
