//! Secrets that Ferrule draws for browsers: of sessions and of logins under way. Only their hashes are kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Bytes of a secret.
const BYTES: usize = 32;

/// Characters of a secret as text.
const TEXT_BYTES: usize = 43;

/// A secret, as text that a cookie or a URL can have.
pub struct Secret(Zeroizing<String>);

/// The SHA-256 of a secret, in hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash(String);

/// The system gives no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandom(#[source] getrandom::Error);

impl Secret {
    /// Draws a secret of 256 bits.
    pub fn draw() -> Result<Self, NoRandom> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        getrandom::fill(bytes.as_mut_slice()).map_err(NoRandom)?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))))
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

impl Hash {
    /// The hash of a text that came in; `None` if it has not the form of a secret.
    pub fn of(text: &str) -> Option<Self> {
        let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_secret = text.len() == TEXT_BYTES && text.bytes().all(is_usual);
        is_secret.then(|| Self(hex::encode(Sha256::digest(text))))
    }

    /// The hash that a text in hex is.
    pub fn written(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A code that only those who have a secret can make, for a purpose.
pub fn code_of(secret: &str, purpose: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac(secret, purpose).finalize().into_bytes())
}

/// Whether a code is that of a secret. Takes as long for a wrong one as for the right one.
pub fn is_code_of(code: &str, secret: &str, purpose: &str) -> bool {
    let code = URL_SAFE_NO_PAD.decode(code);
    code.is_ok_and(|code| mac(secret, purpose).verify_slice(&code).is_ok())
}

fn mac(secret: &str, purpose: &str) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(purpose.as_bytes());
    mac
}

#[cfg(test)]
mod tests;
