//! What those may do now who made what outlives a request, such as a subscription: the credentials with which they did
//! may have ended, or their roles may have changed since.

use std::sync::Arc;

use super::certificate::Certificates;
use super::keys::Ring;
use super::session::LOCAL;
use super::{Hidden, Identity, Proof, Reader, Roles, Users};

/// Finds what owners may do now. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    roles: Roles,
    /// `None` while access is off, and no credentials are looked at.
    credentials: Option<Credentials>,
}

/// The credentials that there are.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    /// Those of the tenant; none before its store is read.
    pub(super) keys: Option<Arc<Ring>>,
    pub(super) users: Option<Users>,
    pub(super) certificates: Certificates,
}

impl Owners {
    /// Those whose roles are kept with what they made.
    pub fn new(roles: Roles) -> Self {
        Self { roles, credentials: None }
    }

    pub(super) fn with(self, credentials: Credentials) -> Self {
        Self { credentials: Some(credentials), ..self }
    }

    /// The same for what is in the store of a tenant, with the keys of it.
    #[must_use]
    pub fn of_tenant(&self, ring: &Arc<Ring>) -> Self {
        let mut owners = self.clone();
        if let Some(credentials) = &mut owners.credentials {
            credentials.keys = Some(Arc::clone(ring));
        }
        owners
    }

    /// The roles that there are.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// What an owner may read now.
    pub fn reader(&self, owner: &Arc<Identity>) -> Reader {
        match self.now(owner) {
            Some(identity) => Reader::Of(identity, self.roles.clone(), Hidden::default()),
            None => Reader::Nothing,
        }
    }

    /// The owner as it is now; `None` if nothing proves it any more. People who log in at their
    /// provider, and systems with its tokens, are as they were: only the provider knows.
    fn now(&self, owner: &Arc<Identity>) -> Option<Arc<Identity>> {
        let Some(Credentials { keys, users, certificates }) = &self.credentials else {
            return Some(Arc::clone(owner));
        };
        match &owner.proof {
            Proof::Session { issuer, .. } if issuer == LOCAL => {
                users.as_ref()?.identity_of(&owner.subject)
            }
            Proof::Off | Proof::Token { .. } | Proof::Session { .. } => Some(Arc::clone(owner)),
            Proof::Key { id } => keys.as_ref()?.identity_of(id, &owner.subject),
            Proof::Password => users.as_ref()?.identity_of(&owner.subject),
            Proof::Certificate { .. } => certificates.knows(owner).then(|| Arc::clone(owner)),
        }
    }
}

#[cfg(test)]
mod tests;
