//! The public keys of an issuer: read from a JWK set, fetched when they are needed, kept while the
//! provider is down, and dropped when the set does not have them any more.

mod algorithm;
mod key;
mod set;
mod source;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tmf::time::Timestamp;
use tokio::sync::Mutex;

pub use algorithm::Algorithm;
pub use key::PublicKey;
pub use set::{KeySet, SetError};
pub use source::{Source, SourceError};

/// The age at which keys are fetched again.
const FRESH_MS: u64 = 600_000;

/// The age at which keys that cannot be fetched again count no more.
pub const AGE_MS_MAX: u64 = 24 * 3_600_000;

/// The least time between two fetches, however many tokens name keys that are not there.
pub const FETCH_MS_MIN: u64 = 60_000;

/// The same while there are no keys at all.
const RETRY_MS_MIN: u64 = 10_000;

/// The keys of one issuer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    current: RwLock<Current>,
    /// One fetch at a time; all who wait for it see its result. It has the time of the last one.
    fetching: Mutex<Option<Timestamp>>,
    is_renewing: AtomicBool,
}

/// What is known at some time.
#[derive(Clone, Debug, Default)]
pub struct Current {
    pub keys: Arc<KeySet>,
    /// Changes with the keys.
    pub generation: u64,
    /// When the keys were fetched.
    fetched: Option<Timestamp>,
}

/// Why there is no key for a token.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    #[error("the issuer has no such key")]
    Unknown,
    #[error("the keys of the issuer could not be fetched for too long")]
    Old,
}

impl Keys {
    /// The keys of a source, before any is fetched.
    pub fn new(source: Source) -> Self {
        Self(Arc::new(Inner {
            source,
            current: RwLock::default(),
            fetching: Mutex::default(),
            is_renewing: AtomicBool::new(false),
        }))
    }

    /// What is known now. Keys that are no longer fresh are fetched again in the background.
    pub fn current(&self, now: Timestamp) -> Current {
        let current = self.0.current.read().unwrap_or_else(PoisonError::into_inner);
        let current = Current { keys: Arc::clone(&current.keys), ..*current };
        if current.age(now).is_some_and(|age| age >= FRESH_MS) {
            self.renew(now);
        }
        current
    }

    /// The keys that a token may be signed with: those that are known, or those of a new fetch if none of
    /// them fits.
    pub async fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<(Vec<Arc<PublicKey>>, u64), NoKey> {
        let current = self.current(now);
        let found = current.usable(now)?.find(kid, algorithm);
        if !found.is_empty() {
            return Ok((found, current.generation));
        }
        self.fetch_once(now).await;
        let current = self.current(now);
        let found = current.usable(now)?.find(kid, algorithm);
        if found.is_empty() { Err(NoKey::Unknown) } else { Ok((found, current.generation)) }
    }

    /// Fetches the keys, unless that was tried a short while ago.
    pub async fn fetch_once(&self, now: Timestamp) {
        let mut last = self.0.fetching.lock().await;
        let is_empty =
            self.0.current.read().unwrap_or_else(PoisonError::into_inner).keys.is_empty();
        let wait = if is_empty { RETRY_MS_MIN } else { FETCH_MS_MIN };
        if last.is_some_and(|last| now.ms_since(last) < wait) {
            return;
        }
        *last = Some(now);
        match self.0.source.read().await {
            Ok(keys) => self.put(keys, now),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, source = %self.0.source, "the keys of an issuer cannot be read");
            }
        }
    }

    fn put(&self, keys: KeySet, now: Timestamp) {
        let mut current = self.0.current.write().unwrap_or_else(PoisonError::into_inner);
        current.fetched = Some(now);
        if *current.keys != keys {
            current.generation = current.generation.wrapping_add(1);
            tracing::info!(source = %self.0.source, keys = keys.len(), "the keys of an issuer changed");
            current.keys = Arc::new(keys);
        }
    }

    fn renew(&self, now: Timestamp) {
        if self.0.is_renewing.swap(true, Ordering::AcqRel) {
            return;
        }
        let keys = Self(Arc::clone(&self.0));
        tokio::spawn(async move {
            keys.fetch_once(now).await;
            keys.0.is_renewing.store(false, Ordering::Release);
        });
    }
}

impl Current {
    /// Whether the keys are young enough to count.
    pub fn counts(&self, now: Timestamp) -> bool {
        self.age(now).is_none_or(|age| age < AGE_MS_MAX)
    }

    fn age(&self, now: Timestamp) -> Option<u64> {
        self.fetched.map(|fetched| now.ms_since(fetched))
    }

    fn usable(&self, now: Timestamp) -> Result<&KeySet, NoKey> {
        if self.counts(now) { Ok(&self.keys) } else { Err(NoKey::Old) }
    }
}

#[cfg(test)]
mod tests;
