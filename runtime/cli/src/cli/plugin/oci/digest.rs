//! Digests as OCI writes them.

use std::fmt;

use anyhow::{Result, bail};
use model::Digest;
use serde::{Deserialize, Serialize};

/// A SHA-256: `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Sha(String);

impl Sha {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Digest::of(bytes).to_string())
    }

    /// The digits.
    pub(super) fn hex(&self) -> &str {
        &self.0
    }

    /// Checks that bytes have this digest.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<()> {
        let found = Self::of(bytes);
        if found != *self {
            bail!(
                "the bytes of {self} have the digest {found}: the store is damaged or was changed, \
                 do not use it before you know why"
            );
        }
        Ok(())
    }
}

impl TryFrom<String> for Sha {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match text.strip_prefix("sha256:") {
            Some(hex) if hex.len() == 64 && hex.bytes().all(is_hex) => Ok(Self(hex.into())),
            Some(_) | None => Err("expected a digest, `sha256:` and 64 lower-case digits"),
        }
    }
}

impl From<Sha> for String {
    fn from(sha: Sha) -> Self {
        sha.to_string()
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}
