//! `[install]` of `ferrule.toml`: how plugins may come, and who must vouch for them.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use ::host::certificate::Certificates;
use ::host::regular;
use ::host::signature::Signatures;
use ::host::signer::{Key, KeyError, Policy, Signers};
use ::host::trust::Trust;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Max bytes of a file with a key.
const FILE_BYTES_MAX: usize = 4 << 10;

/// How plugins may come.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Install {
    /// Whether plugins may be installed, rolled back and removed over the API.
    pub uploads: bool,
    /// Whether plugins must be signed.
    pub signatures: Policy,
    /// The keys that are trusted to sign, each by its name.
    pub keys: BTreeMap<String, TrustedKey>,
    /// Whether plugins must be certified.
    pub certificates: Policy,
    /// The keys that are trusted to certify, in the same way.
    pub certifiers: BTreeMap<String, TrustedKey>,
}

/// A key: the last line of a `.pub` file of minisign, or a table.
#[derive(Clone, Debug)]
pub struct TrustedKey {
    from: From,
    /// The plugins that it may vouch for; any if there are none.
    ids: Vec<String>,
}

/// Where a key is.
#[derive(Clone, Debug)]
enum From {
    Here(String),
    File(PathBuf),
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// One is no key.
    #[error("[install.{table}]: {error}")]
    Key {
        /// Its table.
        table: &'static str,
        /// What is wrong with it.
        error: KeyError,
    },
    /// A file cannot be read.
    #[error("[install.{table}.{name}]: cannot read `{}`: {error}", .path.display())]
    File {
        /// The table of its key.
        table: &'static str,
        /// The name of its key.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl Default for Install {
    fn default() -> Self {
        Self {
            uploads: true,
            signatures: Policy::Off,
            keys: BTreeMap::new(),
            certificates: Policy::Off,
            certifiers: BTreeMap::new(),
        }
    }
}

impl Install {
    /// The keys that vouch for plugins.
    pub fn trust(&self) -> Result<Trust, TrustError> {
        Ok(Trust {
            signatures: Signatures::new(self.signatures, signers("keys", &self.keys)?),
            certificates: Certificates::new(
                self.certificates,
                signers("certifiers", &self.certifiers)?,
            ),
        })
    }

    /// Refuses keys that cannot be used, or are not looked at.
    pub(super) fn check(&self) -> Result<(), String> {
        for (policy, setting, keys, table) in [
            (self.signatures, "signatures", &self.keys, "keys"),
            (self.certificates, "certificates", &self.certifiers, "certifiers"),
        ] {
            if policy == Policy::Off && !keys.is_empty() {
                return Err(format!(
                    "`[install] {table}` have no effect while `{setting}` is \"off\": set it to \"required\" or \
                     \"checked\", or remove them"
                ));
            }
        }
        self.trust().map(drop).map_err(|error| error.to_string())
    }

    /// The files with keys.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let keys = self.keys.values().chain(self.certifiers.values());
        keys.filter_map(|key| match &key.from {
            From::Here(_) => None,
            From::File(path) => Some(path.as_path()),
        })
    }
}

fn signers(
    table: &'static str,
    keys: &BTreeMap<String, TrustedKey>,
) -> Result<Signers, TrustError> {
    let read = |(name, key): (&String, &TrustedKey)| {
        let public = match &key.from {
            From::Here(public) => public.to_owned(),
            From::File(path) => regular::read_text(path, FILE_BYTES_MAX).map_err(|error| {
                let (name, path) = (name.to_owned(), path.to_owned());
                TrustError::File { table, name, path, error }
            })?,
        };
        Ok((name.to_owned(), Key { public, ids: key.ids.to_owned() }))
    };
    let keys: Vec<_> = keys.iter().map(read).collect::<Result<_, _>>()?;
    Signers::new(keys.iter().map(|(name, key)| (name.as_str(), key)))
        .map_err(|error| TrustError::Key { table, error })
}

impl<'de> Deserialize<'de> for TrustedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// A key as it is written.
struct Written;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Fields {
    key: Option<String>,
    file: Option<PathBuf>,
    ids: Option<Vec<String>>,
}

impl<'de> Visitor<'de> for Written {
    type Value = TrustedKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the last line of a `.pub` file of minisign, or a table with `key` or `file`, and `ids`")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<TrustedKey, E> {
        Ok(TrustedKey { from: From::Here(key.into()), ids: Vec::new() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TrustedKey, A::Error> {
        let Fields { key, file, ids } = Fields::deserialize(MapAccessDeserializer::new(map))?;
        let from = match (key, file) {
            (Some(key), None) => From::Here(key),
            (None, Some(file)) => From::File(file),
            (None, None) | (Some(_), Some(_)) => {
                return Err(de::Error::custom("give the key as `key` or as `file`, one of them"));
            }
        };
        match ids {
            Some(ids) if ids.is_empty() => Err(de::Error::custom(
                "`ids` is empty: leave it out for a key that may vouch for any plugin",
            )),
            ids => Ok(TrustedKey { from, ids: ids.unwrap_or_default() }),
        }
    }
}

#[cfg(test)]
mod tests;
