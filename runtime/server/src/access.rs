//! Who makes a request, and what they may do. Off, every request comes from this machine and may do
//! everything; required, each request proves who makes it, and what no role allows is refused.
//!
//! The gate of the HTTP server asks here twice: [`Access::identify`] finds the identity, and
//! [`Roles::decide`] compares what the table of routes demands with the roles of the identity.

pub mod certificate;
pub mod claims;
pub mod condition;
pub mod cookie;
pub mod hidden;
pub mod identity;
pub mod jwks;
pub mod jwt;
pub mod keys;
pub mod login;
pub mod narrow;
pub mod owner;
pub mod owners;
pub mod people;
pub mod permission;
pub mod presented;
pub mod reader;
pub mod role;
pub mod scope;
pub mod secret;
pub mod session;
#[cfg(test)]
pub(crate) mod signing;
pub mod standing;
pub mod users;
pub mod work;

#[cfg(test)]
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use condition::Subject;
pub use hidden::Hidden;
pub use identity::{Identity, Proof};
pub use narrow::{Narrowing, NarrowingError};
pub use owner::Owner;
pub use owners::Owners;
pub use people::{People, Ways};
pub use permission::{ApiName, Permission, Verb};
pub use presented::{Malformed, Presented};
pub use reader::{ORDERS, Reader};
pub use role::{Allow, Granted, Role, RoleError, RoleName, Roles};
pub use scope::{Admitted, Decision, Scope};
pub use standing::Standing;
pub use users::Users;

use engine::clock::{Clock as _, System};
use serde::Deserialize;
use tmf::time::Timestamp;
use tokio::sync::watch;

use self::certificate::Certificates;
use self::jwt::Issuers;
use self::keys::Keys;
use self::users::UserError;

/// The pause between two looks at the file of users.
const FOLLOW_PAUSE: Duration = Duration::from_secs(2);

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
    issuers: Arc<Issuers>,
    certificates: Certificates,
    users: Option<Users>,
    keys: Keys,
    clock: System,
    /// Changes when credentials are revoked.
    revocations: watch::Sender<()>,
    people: Option<People>,
    /// Identities by bearer tokens, for tests of the router.
    #[cfg(test)]
    fixed: BTreeMap<String, Arc<Identity>>,
}

/// The ways to prove an identity that settings list.
#[derive(Debug, Default)]
pub struct Proofs {
    pub issuers: Issuers,
    pub certificates: Certificates,
    pub users: Option<Users>,
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
    /// They are not looked at now: too many others are.
    #[error("too many passwords are checked at this time")]
    Busy,
}

impl Access {
    /// Access by some settings.
    pub fn new(authentication: Authentication, roles: Roles) -> Self {
        Self::proving(authentication, roles, Proofs::default())
    }

    /// The same with ways to prove an identity besides API keys.
    pub fn proving(authentication: Authentication, roles: Roles, proofs: Proofs) -> Self {
        Self(Arc::new(Inner::new(authentication, roles, proofs)))
    }

    /// Access for which these bearer tokens are proof.
    #[cfg(test)]
    pub(crate) fn fixed(roles: Roles, tokens: BTreeMap<String, Arc<Identity>>) -> Self {
        Self(Arc::new(Inner {
            fixed: tokens,
            ..Inner::new(Authentication::Required, roles, Proofs::default())
        }))
    }

    /// The same with logins of people.
    #[must_use]
    pub fn with_people(mut self, people: People) -> Self {
        let inner = Arc::get_mut(&mut self.0).expect("access is not shared before the start");
        inner.people = Some(people);
        self
    }

    /// People in browsers, if they can log in.
    pub fn people(&self) -> Option<&People> {
        self.0.people.as_ref()
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
            Proof::Password => self.0.users.as_ref().is_some_and(|users| users.knows(identity)),
            Proof::Session { id, .. } => {
                self.people().is_some_and(|people| people.sessions.stands(id))
            }
            Proof::Token { .. } | Proof::Certificate { .. } => !is_expired,
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

    /// What owners of what outlives a request may do now.
    pub fn owners(&self) -> Owners {
        let owners = Owners::new(self.roles().clone());
        let Inner { users, certificates, .. } = &*self.0;
        match self.is_required() {
            true => owners.with(owners::Credentials {
                keys: None,
                users: users.clone(),
                certificates: certificates.clone(),
            }),
            false => owners,
        }
    }

    /// The users of the file, for other ways to log them in.
    pub fn users(&self) -> Option<&Users> {
        self.0.users.as_ref()
    }

    /// Fetches the keys of issuers, and follows the file of users until the server stops.
    pub(crate) async fn run(self, stopped: impl Future<Output = ()>) {
        let issuers = Arc::clone(&self.0.issuers);
        let now = self.now();
        tokio::spawn(async move { issuers.fetch(now).await });
        let follow = async {
            let Some(users) = self.users() else { return std::future::pending().await };
            loop {
                tokio::time::sleep(FOLLOW_PAUSE).await;
                if users.follow().await {
                    self.users_changed().await;
                }
            }
        };
        tokio::select! {
            () = stopped => {}
            () = follow => {}
        }
    }

    /// Ends what users began who are not in the file any more as they were.
    async fn users_changed(&self) {
        if let Some(people) = self.people()
            && let Err(error) = people.end_changed().await
        {
            let error: &dyn std::error::Error = &error;
            tracing::error!(
                error,
                "the end of sessions is not written: they end again at the next start"
            );
        }
        self.revoked();
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
            Presented::Bearer(_) if self.0.issuers.is_empty() => {
                Err(Unproven::NotSetUp("bearer tokens"))
            }
            Presented::Bearer(token) => {
                let proven = self.0.issuers.identify(token, self.now()).await;
                proven.map_err(|error| Unproven::refused("bearer tokens", &error))
            }
            Presented::Certificate(shown) => {
                let proven = self.0.certificates.identify(*shown, self.now());
                let refused = |error| Unproven::refused("client certificates", &error);
                proven.map(Arc::new).map_err(refused)
            }
            Presented::Basic(encoded) => match &self.0.users {
                None => Err(Unproven::NotSetUp("user names with passwords")),
                Some(users) => {
                    let proven = users.identify(encoded, self.now()).await;
                    proven.map_err(|error| match error {
                        UserError::Busy => Unproven::Busy,
                        UserError::Malformed | UserError::Wrong => {
                            Unproven::refused("user names with passwords", &error)
                        }
                    })
                }
            },
            Presented::Session(secret) => {
                let people = self.people().ok_or(Unproven::NotSetUp("sessions"))?;
                let found = people.sessions.identify(secret);
                found.map_err(|error| Unproven::refused("sessions", &error))
            }
        }
    }
}

impl Inner {
    fn new(authentication: Authentication, roles: Roles, proofs: Proofs) -> Self {
        let Proofs { issuers, certificates, users } = proofs;
        Self {
            authentication,
            roles,
            local: Arc::new(Identity::local()),
            issuers: Arc::new(issuers),
            certificates,
            users,
            people: None,
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
