//! Signatures of plugins, as minisign writes them: by which key the bytes of a component are signed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use minisign_verify::{Error, PublicKey, Signature};
use serde::{Deserialize, Serialize};

use crate::plain::plain;

/// The kind of the file with the signature, beside that of the plugin.
pub const KIND: &str = "wasm.minisig";

/// Max bytes of a signature.
pub const SIGNATURE_BYTES_MAX: usize = 4 << 10;

/// Max characters of a comment that are shown.
const COMMENT_MAX: usize = 200;

/// Whether plugins must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Signatures are not looked at.
    #[default]
    Off,
    /// A plugin may have no signature; one that it has must be of a trusted key.
    Checked,
    /// A plugin must be signed by a trusted key.
    Required,
}

/// The keys that are trusted, and for what.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    policy: Policy,
    keys: BTreeMap<String, PublicKey>,
}

/// Why a key cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the key `{name}` is no public key of minisign: give the last line of its `.pub` file")]
pub struct KeyError {
    /// Its name in the settings.
    pub name: String,
}

/// By whom bytes are signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signed {
    /// The name of the key in the settings.
    pub key: String,
    /// The comment that is signed too.
    pub comment: String,
}

/// Why a signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error(
        "the plugin is not signed, and `[install] signatures` of ferrule.toml is `required`: sign it with \
         `minisign -Sm plugin.wasm`, then put `plugin.wasm.minisig` beside it, or send it along"
    )]
    Missing,
    /// It is no signature.
    #[error("the signature is none of minisign: write it with `minisign -Sm plugin.wasm`")]
    Malformed,
    /// It is of a key that is not trusted.
    #[error(
        "the plugin is signed by a key that is not trusted: have it signed by another, or add the key to \
         `[install.keys]` of ferrule.toml"
    )]
    UnknownKey,
    /// It is of other bytes.
    #[error(
        "the signature by `{key}` is not of these bytes: they were changed since, or the signature is of \
         another version"
    )]
    OtherBytes {
        /// The key that it claims.
        key: String,
    },
}

impl Signatures {
    /// Trusts these keys, each by its name.
    pub fn new<'a>(
        policy: Policy,
        keys: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Result<Self, KeyError> {
        let read = |(name, key): (&String, &String)| match PublicKey::from_base64(key.trim()) {
            Ok(key) => Ok((name.to_owned(), key)),
            Err(_) => Err(KeyError { name: name.to_owned() }),
        };
        Ok(Self { policy, keys: keys.map(read).collect::<Result<_, _>>()? })
    }

    /// Whether signatures are looked at.
    pub(crate) fn are_checked(&self) -> bool {
        self.policy != Policy::Off
    }

    /// By whom bytes are signed. `Ok(None)` if they are not and need not be.
    pub fn check(
        &self,
        bytes: &[u8],
        signature: Option<&str>,
    ) -> Result<Option<Signed>, SignatureError> {
        match (self.policy, signature) {
            (Policy::Off, _) | (Policy::Checked, None) => Ok(None),
            (Policy::Required, None) => Err(SignatureError::Missing),
            (Policy::Checked | Policy::Required, Some(signature)) => {
                self.signed(bytes, signature).map(Some)
            }
        }
    }

    fn signed(&self, bytes: &[u8], signature: &str) -> Result<Signed, SignatureError> {
        if signature.len() > SIGNATURE_BYTES_MAX {
            return Err(SignatureError::Malformed);
        }
        let signature = Signature::decode(signature).map_err(|_| SignatureError::Malformed)?;
        for (name, key) in &self.keys {
            // A signature of the older kind, of the bytes themselves and not of their hash, is as good.
            match key.verify(bytes, &signature, true) {
                Ok(()) => {
                    let comment = signature.trusted_comment().chars().take(COMMENT_MAX);
                    let comment = plain(&comment.collect::<String>());
                    return Ok(Signed { key: name.to_owned(), comment });
                }
                Err(Error::UnexpectedKeyId) => {}
                Err(Error::InvalidSignature) => {
                    return Err(SignatureError::OtherBytes { key: name.to_owned() });
                }
                Err(
                    Error::InvalidEncoding
                    | Error::IoError(_)
                    | Error::UnexpectedAlgorithm
                    | Error::UnsupportedAlgorithm
                    | Error::UnsupportedLegacyMode,
                ) => return Err(SignatureError::Malformed),
            }
        }
        Err(SignatureError::UnknownKey)
    }
}

/// The signature beside the file of a plugin, if there is one. More than a signature has is not read.
pub(crate) fn beside(file: &Path) -> io::Result<Option<String>> {
    let opened = match File::open(file.with_extension(KIND)) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    opened.take(SIGNATURE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests;
