//! Unreadable documents: a reader of many skips them and continues with the others, and the operator
//! gets a list of them.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Document, Error};
use crate::store::Store;

/// Max keys that are remembered; all are logged.
const REMEMBERED_MAX: usize = 1_000;

/// The keys of documents that could not be read.
#[derive(Debug, Default)]
pub struct Unreadable(Mutex<BTreeSet<Vec<u8>>>);

impl Unreadable {
    /// The document of a key, or `None` if it cannot be read, which is logged and remembered.
    pub fn pass_over(&self, key: &[u8], bytes: &[u8]) -> Option<Document> {
        match Document::read_at(key, bytes) {
            Ok(document) => Some(document),
            Err(error) => {
                self.note(key, &error);
                None
            }
        }
    }

    /// Remembers a document that cannot be read.
    pub fn note(&self, key: &[u8], error: &Error) {
        let mut keys = self.keys();
        if keys.contains(key) || keys.len() >= REMEMBERED_MAX {
            return;
        }
        keys.insert(key.to_vec());
        tracing::error!(error = error as &dyn std::error::Error, "a document is skipped");
    }

    /// The number of known ones.
    pub fn count(&self) -> usize {
        self.keys().len()
    }

    /// The keys of those that still cannot be read, with `|` between parts. Those that
    /// were replaced or removed meanwhile are forgotten.
    pub fn current(&self, store: &dyn Store) -> Result<Vec<String>, Error> {
        let keys = self.keys().clone();
        let mut named = Vec::new();
        for key in keys {
            match store.get(&key)?.map(|bytes| Document::read_at(&key, &bytes)) {
                Some(Err(_)) => named.push(super::named(&key)),
                Some(Ok(_)) | None => {
                    self.keys().remove(&key);
                }
            }
        }
        Ok(named)
    }

    fn keys(&self) -> MutexGuard<'_, BTreeSet<Vec<u8>>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
