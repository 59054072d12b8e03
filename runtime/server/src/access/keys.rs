//! API keys: secrets of systems that Ferrule draws, shows once, and keeps as hashes in the store of
//! their tenant. All of them are in memory, so that a request costs no read, and one that is revoked
//! stops at once.

mod record;
mod ring;
mod token;

use std::sync::{Arc, PoisonError, RwLock};

pub use record::{Creator, DAYS, DAYS_MAX, Names, NewKey, NotAKey, Record, Request, State};
pub use ring::{KEYS_MAX, Made, MakeError, Revoked, Ring, Shown};
pub use token::{KeyId, PREFIX, Token};

use super::Identity;

/// The keys of all tenants.
#[derive(Default)]
pub struct Keys(RwLock<Vec<Arc<Ring>>>);

/// Why a key proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is not of the form of a key")]
    Form,
    #[error("there is no such key")]
    Unknown,
    #[error("the secret is wrong")]
    Secret,
    #[error("it is revoked")]
    Revoked,
    #[error("it has expired")]
    Expired,
}

impl Keys {
    /// Lets in the keys of a tenant.
    pub fn add(&self, ring: Arc<Ring>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(ring);
    }

    /// The identity that a key proves.
    pub fn identify(&self, text: &str) -> Result<Arc<Identity>, KeyError> {
        let token = Token::read(text).ok_or(KeyError::Form)?;
        let rings = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut proven = Err(KeyError::Unknown);
        // Each ring takes the same time for a key that it does not have.
        for ring in rings.iter() {
            match ring.identify(&token) {
                Err(KeyError::Unknown) => {}
                found => proven = found,
            }
        }
        proven
    }

    /// Whether a key is still valid.
    pub fn stands(&self, id: &str) -> bool {
        let rings = self.0.read().unwrap_or_else(PoisonError::into_inner);
        rings.iter().any(|ring| ring.stands(id))
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Keys")
    }
}

#[cfg(test)]
mod tests;
