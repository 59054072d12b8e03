//! `[encryption]` of `ferrule.toml`: the keys that the store is sealed under.

use std::collections::BTreeSet;

use ::host::regular::{Exposed, check_private};
use ::host::secret::Secret;
use serde::Deserialize;
use store::seal::{KEY_BYTES, MasterKey, MasterKeys};
use zeroize::Zeroizing;

use crate::secrets::{Sources, Unread, value_of};

/// The keys that the store is sealed under, by the names of secrets.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Encryption {
    /// The key; without one the store is not sealed.
    pub key: Option<String>,
    /// Earlier keys, under which the store may still be sealed.
    pub previous_keys: Vec<String>,
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EncryptionError {
    #[error("[encryption] has `previous-keys` and no `key`")]
    NoKey,
    #[error(
        "[encryption] names the secret `{0}`, which is not there: add `[secrets.{0}]` with its source"
    )]
    Unknown(String),
    #[error(
        "[encryption] names the secret `{0}` twice: `previous-keys` lists earlier keys, each once"
    )]
    Twice(String),
    #[error("the secrets `{one}` and `{other}` of [encryption] are one key: list each once")]
    Same { one: String, other: String },
    #[error("the file of the secret `{name}` of [encryption] is not private")]
    Exposed {
        name: String,
        #[source]
        source: Exposed,
    },
    #[error("the secret `{name}` of [encryption] cannot be read")]
    Unread {
        name: String,
        #[source]
        source: Unread,
    },
    #[error(
        "the secret `{0}` of [encryption] is no key: 64 hexadecimal digits, as `ferrule store new-key` prints"
    )]
    NoHex(String),
}

impl Encryption {
    /// Refuses names that no secret has.
    pub(super) fn check(&self, secrets: &Sources) -> Result<(), EncryptionError> {
        if self.key.is_none() && !self.previous_keys.is_empty() {
            return Err(EncryptionError::NoKey);
        }
        let names = || self.key.iter().chain(&self.previous_keys);
        let mut seen = BTreeSet::new();
        if let Some(again) = names().find(|name| !seen.insert(*name)) {
            return Err(EncryptionError::Twice(again.into()));
        }
        match names().find(|name| !secrets.contains_key(*name)) {
            Some(name) => Err(EncryptionError::Unknown(name.into())),
            None => Ok(()),
        }
    }

    /// Reads the keys; `None` if the store is not sealed.
    pub async fn keys(&self, secrets: &Sources) -> Result<Option<MasterKeys>, EncryptionError> {
        let Some(key) = &self.key else { return Ok(None) };
        let current = read(key, secrets).await?;
        let mut previous: Vec<MasterKey> = Vec::new();
        for name in &self.previous_keys {
            let read = read(name, secrets).await?;
            let names = std::iter::once(key).chain(&self.previous_keys);
            let mut earlier = std::iter::once(&current).chain(&previous).zip(names);
            if let Some((_, other)) = earlier.find(|(earlier, _)| earlier.id() == read.id()) {
                return Err(EncryptionError::Same { one: other.into(), other: name.into() });
            }
            previous.push(read);
        }
        Ok(Some(MasterKeys { current, previous }))
    }
}

async fn read(name: &str, secrets: &Sources) -> Result<MasterKey, EncryptionError> {
    let source = secrets.get(name).ok_or_else(|| EncryptionError::Unknown(name.into()))?;
    if let Some(path) = source.path() {
        let exposed = |source| EncryptionError::Exposed { name: name.into(), source };
        check_private(path).map_err(exposed)?;
    }
    let value = value_of(source).await;
    let value = value.map_err(|source| EncryptionError::Unread { name: name.into(), source })?;
    key_of(&value).ok_or_else(|| EncryptionError::NoHex(name.into()))
}

/// A key, written in hexadecimal digits.
fn key_of(secret: &Secret) -> Option<MasterKey> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    hex::decode_to_slice(secret.expose(), &mut *bytes).ok()?;
    Some(MasterKey::new(*bytes))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use crate::private::write_private;

    fn settings(text: &str) -> crate::config::Config {
        toml::from_str(text).unwrap()
    }

    #[tokio::test]
    async fn keys_are_read_from_secrets_and_wrong_ones_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        std::fs::write(&open, "").unwrap();
        std::fs::set_permissions(&open, Permissions::from_mode(0o644)).unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            write_private(&path, text);
            format!("[secrets.{name}]\nfile = {:?}\n", path.display().to_string())
        };
        let good = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let secrets = [
            file("good", &format!("{good}\n")),
            file("other", &good.replace("00", "01")),
            file("copy", good),
            file("short", &good[1..]),
            file("letters", &good.replace('f', "g")),
            format!("[secrets.open]\nfile = {open:?}\n"),
        ]
        .concat();
        let table = [
            ("key = \"good\"\nprevious-keys = [\"other\"]", None),
            ("key = \"short\"", Some("the secret `short` of [encryption] is no key")),
            ("key = \"letters\"", Some("the secret `letters` of [encryption] is no key")),
            ("key = \"none\"", Some("names the secret `none`, which is not there")),
            ("previous-keys = [\"good\"]", Some("has `previous-keys` and no `key`")),
            ("key = \"good\"\nprevious-keys = [\"good\"]", Some("names the secret `good` twice")),
            (
                "key = \"other\"\nprevious-keys = [\"good\", \"copy\"]",
                Some("the secrets `good` and `copy` of [encryption] are one key"),
            ),
            ("key = \"copy\"", None),
            (
                "key = \"open\"",
                Some("the file of the secret `open` of [encryption] is not private"),
            ),
        ];
        for (lines, expected) in table {
            let config = settings(&format!("[encryption]\n{lines}\n{secrets}"));
            let read = match config.encryption.check(&config.secrets) {
                Ok(()) => config.encryption.keys(&config.secrets).await,
                Err(error) => Err(error),
            };
            match (read, expected) {
                (Ok(keys), None) => {
                    assert_eq!(keys.unwrap().previous.len(), config.encryption.previous_keys.len());
                }
                (Err(error), Some(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                    assert!(!error.to_string().contains("112233"), "{error}");
                }
                (read, expected) => panic!("{lines}: {read:?}, {expected:?}"),
            }
        }
    }
}
