//! Tokens that were verified, by their SHA-256: a bounded number, the latest of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::access::Identity;

/// Max tokens of a half. When the young half is full it becomes the old one, which is forgotten.
const HALF_MAX: usize = 2_048;

type Half = HashMap<[u8; 32], Known>;

#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    young: Half,
    old: Half,
}

/// What a token proved.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) identity: Arc<Identity>,
    /// The issuer, as tokens call it.
    pub(super) issuer: Arc<str>,
    /// The generation of the keys that it was checked by.
    pub(super) generation: u64,
}

impl Cache {
    pub(super) fn get(&self, token: &[u8; 32]) -> Option<Known> {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = halves.young.get(token) {
            return Some(known.to_owned());
        }
        let known = halves.old.remove(token)?;
        halves.put(*token, known.to_owned());
        Some(known)
    }

    pub(super) fn put(&self, token: [u8; 32], known: Known) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(token, known);
    }
}

impl Halves {
    fn put(&mut self, token: [u8; 32], known: Known) {
        if self.young.len() >= HALF_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token, known);
    }
}

#[cfg(test)]
mod tests;
