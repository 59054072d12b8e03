//! The public keys of minisign that are trusted, each by a name, and the plugins that each may vouch for.

use std::collections::BTreeMap;

use minisign_verify::{Error, PublicKey, Signature};
use model::PluginId;
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

/// A key as the operator gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// The content of its `.pub` file, or the last line of that.
    pub public: String,
    /// The plugins that it may vouch for, each an id or the beginning of ids, such as `acme-*`; any if there are
    /// none.
    pub ids: Vec<String>,
}

/// A key that is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signer {
    key: PublicKey,
    /// The key as text.
    public: String,
    ids: Vec<String>,
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no key.
    #[error("the key `{name}` is no public key of minisign: give the last line of its `.pub` file")]
    NoKey {
        /// Its name in the settings.
        name: String,
    },
    /// It may vouch for what no plugin is called.
    #[error(
        "`{id}` in `ids` of the key `{name}` is no id of plugins: write one, or the beginning of several \
         with a `*` at its end, such as \"acme-*\""
    )]
    NoId {
        /// Its name in the settings.
        name: String,
        /// The text.
        id: String,
    },
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
    /// The key may not vouch for this plugin.
    NotOwned(NotOwned),
}

/// A plugin that a key may not vouch for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key `{key}` vouches for {}, and not for `{id}`: have its owner do it, or add `{id}` to the `ids` of \
     the key in `[install]` of ferrule.toml",
    list(ids)
)]
pub struct NotOwned {
    /// The name of the key in the settings.
    pub key: String,
    /// The plugin.
    pub id: PluginId,
    /// The plugins that it may vouch for.
    pub ids: Vec<String>,
}

impl Signers {
    /// Trusts these keys, each by its name.
    pub fn new<'a>(keys: impl Iterator<Item = (&'a str, &'a Key)>) -> Result<Self, KeyError> {
        let read = |(name, key): (&str, &Key)| Ok((name.to_owned(), Signer::read(name, key)?));
        keys.map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The key by which bytes of a plugin are signed.
    pub(crate) fn verify(
        &self,
        id: &PluginId,
        bytes: &[u8],
        signature: &str,
    ) -> Result<Vouched, Distrust> {
        if signature.len() > SIGNATURE_BYTES_MAX {
            return Err(Distrust::Malformed);
        }
        let signature = Signature::decode(signature).map_err(|_| Distrust::Malformed)?;
        // A key may have several names, each with ids of its own.
        let (mut not_owned, mut other_bytes) = (None, None);
        for (name, signer) in &self.0 {
            // A signature of the older kind, of the bytes themselves and not of their hash, is as good.
            match signer.key.verify(bytes, &signature, true) {
                Ok(()) if !signer.owns(id) => not_owned = Some(signer.not_owned(name, id)),
                Ok(()) => {
                    let comment = signature.trusted_comment().chars().take(COMMENT_MAX);
                    let comment = plain(&comment.collect::<String>());
                    let (name, public) = (name.to_owned(), signer.public.to_owned());
                    return Ok(Vouched { name, public, comment });
                }
                Err(Error::UnexpectedKeyId) => {}
                // Another key may have the same id.
                Err(Error::InvalidSignature) => {
                    other_bytes = Some(Distrust::OtherBytes { key: name.to_owned() });
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
        Err(not_owned.or(other_bytes).unwrap_or(Distrust::UnknownKey))
    }

    /// Checks that a key which vouched for a plugin before may do so now.
    pub(crate) fn still(&self, id: &PluginId, name: &str, public: &str) -> Result<(), Distrust> {
        let is_it = |(known, signer): &(&String, &Signer)| match public {
            // An older host noted its name only.
            "" => *known == name,
            public => signer.public == public,
        };
        let mut found = self.0.iter().filter(is_it).peekable();
        match found.peek() {
            None => Err(Distrust::UnknownKey),
            Some((name, signer)) => {
                let not_owned = signer.not_owned(name, id);
                if found.any(|(_, signer)| signer.owns(id)) { Ok(()) } else { Err(not_owned) }
            }
        }
    }
}

impl Signer {
    fn read(name: &str, key: &Key) -> Result<Self, KeyError> {
        let is_id = |id: &str| crate::manifest::is_id(id);
        let is_good = |id: &str| match id.strip_suffix('*') {
            Some(begin) => begin.is_empty() || is_id(begin),
            None => is_id(id),
        };
        if let Some(wrong) = key.ids.iter().find(|id| !is_good(id)) {
            return Err(KeyError::NoId { name: name.into(), id: wrong.to_owned() });
        }
        let public = key.public.trim().lines().last().unwrap_or_default().trim().to_owned();
        let no_key = |_| KeyError::NoKey { name: name.into() };
        let read = PublicKey::from_base64(&public).map_err(no_key)?;
        Ok(Self { key: read, public, ids: key.ids.to_owned() })
    }

    /// Whether it may vouch for a plugin.
    fn owns(&self, id: &PluginId) -> bool {
        let is_it = |pattern: &String| match pattern.strip_suffix('*') {
            Some(begin) => id.as_str().starts_with(begin),
            None => pattern == id.as_str(),
        };
        self.ids.is_empty() || self.ids.iter().any(is_it)
    }

    fn not_owned(&self, name: &str, id: &PluginId) -> Distrust {
        let (key, id) = (name.to_owned(), PluginId::new(id.as_str()));
        Distrust::NotOwned(NotOwned { key, id, ids: self.ids.to_owned() })
    }
}

impl From<&str> for Key {
    fn from(public: &str) -> Self {
        Self { public: public.into(), ids: Vec::new() }
    }
}

/// Names, each in backticks.
fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
