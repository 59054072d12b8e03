//! The text of an API key: `frl_`, its id and its secret. The prefix and the length are fixed, so that
//! scanners of secrets find keys that leaked.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What every key begins with.
pub const PREFIX: &str = "frl_";

/// The letters of an id: base32 in lower case (RFC 4648, 6).
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The letters of an id, with 5 bits each.
const ID_LETTERS: usize = 26;

/// The bytes of a secret.
const SECRET_BYTES: usize = 32;

/// The letters of a secret: base64url without padding.
const SECRET_LETTERS: usize = 43;

/// The id of a key. It is no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

/// The SHA-256 of a secret: what is kept of it. Its 256 random bits need no slow hash.
#[derive(Clone, Copy)]
pub struct Hashed([u8; 32]);

/// A key as its holder sends it.
pub struct Token {
    pub id: KeyId,
    secret: Zeroizing<String>,
}

impl KeyId {
    /// Reads an id; `None` if it is not of its form.
    pub fn read(text: &str) -> Option<Self> {
        let is_id = text.len() == ID_LETTERS && text.bytes().all(|one| LETTERS.contains(&one));
        is_id.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Token {
    /// Draws a new key.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let (mut id, mut secret) = ([0; ID_LETTERS], Zeroizing::new([0; SECRET_BYTES]));
        getrandom::fill(&mut id)?;
        getrandom::fill(&mut *secret)?;
        let letters = id.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        let secret = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*secret));
        Ok(Self { id: KeyId(letters.collect()), secret })
    }

    /// Reads a key; `None` if it is not of its form.
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let (id, secret) = (rest.get(..ID_LETTERS)?, rest.get(ID_LETTERS..)?.strip_prefix('_')?);
        let is_secret = secret.len() == SECRET_LETTERS
            && secret.bytes().all(|one| one.is_ascii_alphanumeric() || b"-_".contains(&one));
        let secret = is_secret.then(|| Zeroizing::new(secret.to_owned()))?;
        Some(Self { id: KeyId::read(id)?, secret })
    }

    /// Its text. It is shown once.
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}_{}", self.id, *self.secret))
    }

    /// The hash of its secret.
    pub fn hashed(&self) -> Hashed {
        Hashed(Sha256::digest(self.secret.as_bytes()).into())
    }
}

impl Hashed {
    /// The hash of no secret.
    pub const NONE: Self = Self([0; 32]);

    /// Whether two are the same, in a time that does not depend on where they differ.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// As it is stored.
    pub fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads what was stored.
    pub fn read(text: &str) -> Option<Self> {
        Some(Self(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests;
