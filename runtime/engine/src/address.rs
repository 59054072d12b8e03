//! Where elements answer a task: its key, and a token that cannot be guessed.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::trace::from_hex;

/// Bytes of the secret that tokens are derived from.
pub const SECRET_BYTES: usize = 32;

/// Bytes of a token; it is written in hex.
const TOKEN_BYTES: usize = 16;

/// Makes and checks the addresses of one data folder.
#[derive(Clone)]
pub struct Addresses {
    mac: Hmac<Sha256>,
}

impl Addresses {
    /// Addresses whose tokens follow from a secret.
    pub fn new(secret: &[u8; SECRET_BYTES]) -> Self {
        let mac = Hmac::new_from_slice(secret).expect("HMAC takes keys of any length");
        Self { mac }
    }

    /// The address under which an element answers the task with this key: `<key>.<token>`.
    pub fn of(&self, key: &str) -> String {
        let code = self.code(key).finalize().into_bytes();
        format!("{key}.{}", hex::encode(&code[..TOKEN_BYTES]))
    }

    /// The key of an address; `None` if the token is not that of the key. Takes as long for a wrong
    /// token as for the right one.
    pub fn key<'a>(&self, address: &'a str) -> Option<&'a str> {
        let (key, token) = address.rsplit_once('.')?;
        let token: [u8; TOKEN_BYTES] = from_hex(token)?;
        self.code(key).verify_truncated_left(&token).ok().map(|()| key)
    }

    fn code(&self, key: &str) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(key.as_bytes());
        mac
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Addresses").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
