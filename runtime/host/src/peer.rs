//! Certificates of peers: which ones a setting is for. TLS has checked that a trusted CA issued them.

mod pattern;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tmf::time::Timestamp;

use self::pattern::Pattern;

/// Letters of a SHA-256 in hex.
const FINGERPRINT_LETTERS: usize = 64;

/// A certificate that a peer showed, after its chain was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    /// The subject (RFC 4514): `CN=crm,O=Example`.
    pub subject: &'a str,
    /// The alternative names, such as `DNS:crm.example.com`.
    pub sans: &'a [String],
    /// SHA-256 in lower-case hex.
    pub fingerprint: &'a str,
    /// The end of its validity.
    pub not_after: Timestamp,
}

/// Which certificates: `{ subject = "CN=*,OU=CRM" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "Written")]
pub enum Matched {
    /// The certificate with this SHA-256, in lower-case hex.
    Fingerprint(String),
    /// Those whose subject fits a pattern.
    Subject(Pattern),
    /// Those with an alternative name that fits a pattern.
    San(Pattern),
}

/// Certificates as they are written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    /// The SHA-256 of the certificate in hex; colons between are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// A pattern of its subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// A pattern of one of its alternative names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub san: Option<String>,
}

impl Matched {
    /// Reads what is written: one of its fields.
    pub fn read(written: &Written) -> Result<Self, String> {
        let Written { fingerprint, subject, san } = written;
        let pattern = |key: &str, read: Result<Pattern, pattern::PatternError>| {
            read.map_err(|error| format!("`{key}`: {error}"))
        };
        match (fingerprint, subject, san) {
            (Some(text), None, None) => Ok(Self::Fingerprint(read_fingerprint(text)?)),
            (None, Some(text), None) => {
                Ok(Self::Subject(pattern("subject", Pattern::subject(text))?))
            }
            (None, None, Some(text)) => Ok(Self::San(pattern("san", Pattern::san(text))?)),
            _ => Err("set one of `fingerprint`, `subject` and `san`".into()),
        }
    }

    /// Whether a certificate is one of them.
    pub fn fits(&self, shown: &Shown<'_>) -> bool {
        match self {
            Self::Fingerprint(own) => own == shown.fingerprint,
            Self::Subject(pattern) => pattern.fits(shown.subject),
            Self::San(pattern) => shown.sans.iter().any(|san| pattern.fits(san)),
        }
    }

    /// Whether those with a subject may be among them.
    pub fn fits_subject(&self, subject: &str) -> bool {
        match self {
            Self::Subject(pattern) => pattern.fits(subject),
            Self::San(_) => true,
            Self::Fingerprint(_) => false,
        }
    }

    /// Whether it is one certificate, with this SHA-256.
    pub fn pins(&self, fingerprint: &str) -> bool {
        matches!(self, Self::Fingerprint(own) if own == fingerprint)
    }
}

impl From<Matched> for Written {
    fn from(matched: Matched) -> Self {
        match matched {
            Matched::Fingerprint(text) => Self { fingerprint: Some(text), ..Self::default() },
            Matched::Subject(pattern) => Self { subject: Some(pattern.text()), ..Self::default() },
            Matched::San(pattern) => Self { san: Some(pattern.text()), ..Self::default() },
        }
    }
}

impl<'de> Deserialize<'de> for Matched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&Written::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn read_fingerprint(text: &str) -> Result<String, String> {
    let hex: String = text.chars().filter(|letter| *letter != ':').collect();
    let is_hex = hex.len() == FINGERPRINT_LETTERS && hex.chars().all(|one| one.is_ascii_hexdigit());
    if is_hex {
        Ok(hex.to_ascii_lowercase())
    } else {
        Err("`fingerprint` is a SHA-256 in hex, such as `openssl x509 -fingerprint -sha256` prints"
            .into())
    }
}

#[cfg(test)]
mod tests;
