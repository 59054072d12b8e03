//! What an element shows that answers a task.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::peer::{Matched, Shown};

/// What an element shows that answers a task of a plugin under a key that it knows by itself, which others can guess.
/// The address of a task itself is proof enough: it has a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CallbackProof {
    /// An identity that may, where access is required.
    #[default]
    Identity,
    /// It cannot: only addresses of tasks are answered at.
    Signed,
    /// One of these client certificates on its connection.
    Certificates(Vec<Matched>),
}

const IDENTITY: &str = "identity";
const SIGNED: &str = "signed";

impl CallbackProof {
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a certificate is all that is needed.
    pub fn takes(&self, shown: &Shown<'_>) -> bool {
        match self {
            Self::Identity | Self::Signed => false,
            Self::Certificates(all) => all.iter().any(|matched| matched.fits(shown)),
        }
    }
}

impl Serialize for CallbackProof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Identity => serializer.serialize_str(IDENTITY),
            Self::Signed => serializer.serialize_str(SIGNED),
            Self::Certificates(all) => all.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for CallbackProof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// A proof as it is written.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = CallbackProof;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "\"identity\", \"signed\", or the certificates of the elements, such as { san = \"DNS:olt-1.example\" }",
        )
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<CallbackProof, E> {
        match word {
            IDENTITY => Ok(CallbackProof::Identity),
            SIGNED => Ok(CallbackProof::Signed),
            // Any client of the CA could answer for every element.
            "certificate" => Err(E::custom(
                "which certificate? Write those of the elements, such as { san = \"DNS:olt-1.example\" }, or several in a \
                 list, each with `fingerprint`, `subject` or `san`",
            )),
            _ => Err(E::custom(
                "expected \"identity\", \"signed\" or { san = \"DNS:olt-1.example\" }",
            )),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CallbackProof, A::Error> {
        let one = Matched::deserialize(MapAccessDeserializer::new(map))?;
        Ok(CallbackProof::Certificates(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<CallbackProof, A::Error> {
        let all = Vec::<Matched>::deserialize(SeqAccessDeserializer::new(list))?;
        match all.is_empty() {
            true => {
                Err(A::Error::custom("the list of certificates is empty: no element could answer"))
            }
            false => Ok(CallbackProof::Certificates(all)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Grants;

    #[test]
    fn proofs_are_read_and_written_and_a_certificate_without_a_name_is_refused() {
        for text in [
            "callbacks = \"signed\"",
            "callbacks = { san = \"DNS:olt-1.example\" }",
            "callbacks = [{ subject = \"CN=olt-*\" }, { fingerprint = \"PIN\" }]",
        ] {
            let read: Grants = toml::from_str(&text.replace("PIN", &"ab".repeat(32))).unwrap();
            let written = toml::to_string(&read).unwrap();
            assert_eq!(toml::from_str::<Grants>(&written).unwrap(), read, "{written}");
        }
        let usual: Grants = toml::from_str("callbacks = \"identity\"").unwrap();
        assert_eq!(usual, Grants::default());
        for (text, expected) in [
            ("\"certificate\"", "which certificate?"),
            ("\"none\"", "expected \"identity\", \"signed\" or"),
            ("[]", "the list of certificates is empty"),
            ("{}", "set one of `fingerprint`, `subject` and `san`"),
            ("[{ san = \"olt-1\" }]", "an alternative name has its kind"),
            ("5", "expected \"identity\", \"signed\", or the certificates"),
        ] {
            let error = toml::from_str::<Grants>(&format!("callbacks = {text}")).unwrap_err();
            assert!(error.to_string().contains(expected), "{text}: {error}");
        }
    }
}
