//! The public keys of minisign that are trusted, each by a name, and the plugins that each may vouch for.

use std::collections::BTreeMap;

use minisign_verify::{Error, PublicKey, Signature};
use serde::Deserialize;

use crate::plain::plain;

/// Max bytes of a signature.
pub const SIGNATURE_BYTES_MAX: usize = 4 << 10;

/// Max characters of a comment that are shown.
const COMMENT_MAX: usize = 200;

/// Whether plugins must have a proof of its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Proofs are not looked at.
    #[default]
    Off,
    /// A plugin may have none; one that it has must be of a trusted key.
    Checked,
    /// A plugin must have one of a trusted key.
    Required,
}

/// The keys that are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers(BTreeMap<String, Signer>);

/// A key that is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signer {
    key: PublicKey,
    /// The key as text.
    public: String,
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key `{name}` is no public key of minisign: give the last line of its `.pub` file")]
pub struct KeyError {
    /// Its name in the settings.
    pub name: String,
}

/// The key that bytes are signed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub(crate) name: String,
    pub(crate) public: String,
    /// The comment that is signed too.
    pub(crate) comment: String,
}

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// It is no signature.
    Malformed,
    /// It is of a key that is not trusted.
    UnknownKey,
    /// It is of other bytes.
    OtherBytes { key: String },
}

impl Signers {
    /// Trusts these keys, each by its name.
    pub fn new<'a>(keys: impl Iterator<Item = (&'a String, &'a String)>) -> Result<Self, KeyError> {
        let read = |(name, text): (&String, &String)| {
            let public = text.trim().to_owned();
            match PublicKey::from_base64(&public) {
                Ok(key) => Ok((name.to_owned(), Signer { key, public })),
                Err(_) => Err(KeyError { name: name.to_owned() }),
            }
        };
        keys.map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The key that bytes are signed by.
    pub(crate) fn verify(&self, bytes: &[u8], signature: &str) -> Result<Vouched, Distrust> {
        if signature.len() > SIGNATURE_BYTES_MAX {
            return Err(Distrust::Malformed);
        }
        let signature = Signature::decode(signature).map_err(|_| Distrust::Malformed)?;
        for (name, signer) in &self.0 {
            // A signature of the older kind, of the bytes themselves and not of their hash, is as good.
            match signer.key.verify(bytes, &signature, true) {
                Ok(()) => {
                    let comment = signature.trusted_comment().chars().take(COMMENT_MAX);
                    let comment = plain(&comment.collect::<String>());
                    let (name, public) = (name.to_owned(), signer.public.to_owned());
                    return Ok(Vouched { name, public, comment });
                }
                Err(Error::UnexpectedKeyId) => {}
                Err(Error::InvalidSignature) => {
                    return Err(Distrust::OtherBytes { key: name.to_owned() });
                }
                Err(
                    Error::InvalidEncoding
                    | Error::IoError(_)
                    | Error::UnexpectedAlgorithm
                    | Error::UnsupportedAlgorithm
                    | Error::UnsupportedLegacyMode,
                ) => return Err(Distrust::Malformed),
            }
        }
        Err(Distrust::UnknownKey)
    }
}
