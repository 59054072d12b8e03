//! A JWK set.

use std::path::Path;
use std::sync::Arc;

use host::regular::read_text;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::algorithm::Algorithm;
use super::key::{Jwk, PublicKey};

/// Max bytes of a set.
const SET_BYTES_MAX: usize = 256 << 10;

/// Max keys of a set.
const KEYS_MAX: usize = 100;

/// Max keys that one token is checked by.
const TRIES_MAX: usize = 4;

/// The keys of an issuer that can be used here.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeySet(Vec<Arc<PublicKey>>);

/// Why a set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    #[error("it has more than {SET_BYTES_MAX} bytes")]
    TooLong,
    #[error("it cannot be read")]
    File(#[source] std::io::Error),
    #[error("it is no JWK set")]
    Malformed(#[source] serde_json::Error),
    #[error("it has more than {KEYS_MAX} keys")]
    TooMany,
    #[error("it has no key that can be used here")]
    Empty,
}

#[derive(Deserialize)]
struct Written {
    keys: Vec<Entry>,
}

/// A key, or what is not of its form: other keys of the set count all the same.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Key(Box<Jwk>),
    Other(IgnoredAny),
}

impl KeySet {
    /// Reads a set. Keys that cannot be used here are left out.
    pub fn read(bytes: &[u8]) -> Result<Self, SetError> {
        if bytes.len() > SET_BYTES_MAX {
            return Err(SetError::TooLong);
        }
        let written: Written = serde_json::from_slice(bytes).map_err(SetError::Malformed)?;
        if written.keys.len() > KEYS_MAX {
            return Err(SetError::TooMany);
        }
        let read = written.keys.into_iter().filter_map(|entry| match entry {
            Entry::Key(key) => {
                let read = key.read();
                read.inspect_err(|error| tracing::debug!(%error, "a key is not used")).ok()
            }
            Entry::Other(_) => None,
        });
        let keys: Vec<Arc<PublicKey>> = read.map(Arc::new).collect();
        if keys.is_empty() { Err(SetError::Empty) } else { Ok(Self(keys)) }
    }

    /// Reads the set in a file.
    pub fn of_file(path: &Path) -> Result<Self, SetError> {
        Self::read(read_text(path, SET_BYTES_MAX).map_err(SetError::File)?.as_bytes())
    }

    /// The keys for an algorithm with an id. A token without an id may be signed with the only key for its
    /// algorithm.
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Vec<Arc<PublicKey>> {
        let fitting = self.0.iter().filter(|key| key.fits(algorithm));
        match kid {
            Some(kid) => {
                let named = fitting.filter(|key| key.kid.as_deref() == Some(kid));
                named.take(TRIES_MAX).map(Arc::clone).collect()
            }
            None => {
                let found: Vec<_> = fitting.take(2).map(Arc::clone).collect();
                if found.len() == 1 { found } else { Vec::new() }
            }
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
