//! Where elements answer a task: its key, and a token that cannot be guessed.

use std::fmt::{self, Write as _};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

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
        let mut address = format!("{key}.");
        for byte in self.code(key).finalize().into_bytes().iter().take(TOKEN_BYTES) {
            write!(address, "{byte:02x}").expect("a text takes all that is written");
        }
        address
    }

    /// The key of an address; `None` if the token is not that of the key. Takes as long for a wrong
    /// token as for the right one.
    pub fn key<'a>(&self, address: &'a str) -> Option<&'a str> {
        let (key, token) = address.rsplit_once('.')?;
        let token = bytes(token)?;
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

/// The bytes of a token in lower-case hex.
fn bytes(token: &str) -> Option<[u8; TOKEN_BYTES]> {
    let digits = token.as_bytes();
    if digits.len() != 2 * TOKEN_BYTES {
        return None;
    }
    let mut bytes = [0; TOKEN_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
