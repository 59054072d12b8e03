//! What the operator sets for one target of a plugin: `[plugins.<id>.targets."host:port"]`.

use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use hyper::Uri;
use serde::{Deserialize, Serialize};

use super::rule::{self, Host, Rule};
use crate::rate::{Rate, Throttle};

/// A host with a port, or every target that has no entry of its own: `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// This host at this port, as it is written: a name in lower case, or an address.
    At(String, u16),
    /// Every other target.
    Others,
}

/// What is wrong with the name of a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a target is `host:port` of one host, or `*` for all others")]
pub struct TargetError;

/// How a plugin connects to a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Connecting {
    /// A PEM file with the CAs that the target's certificate is checked by, instead of those that
    /// the system trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The certificate that is shown to the target, with those that lead to its CA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Pem>,
    /// The key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Pem>,
    /// The name in the target's certificate, if it is not the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Whether HTTP/2 is spoken.
    pub http2: Http2,
    /// Max requests at one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<NonZeroU32>,
    /// Max requests a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<Rate>,
    /// How many of them at once, if none went before; 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<NonZeroU32>,
}

/// Where a certificate or a key is, in PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields, expecting = "expected a file, or `{ secret = \"NAME\" }`")]
pub enum Pem {
    /// In a file.
    File(PathBuf),
    /// In a secret of the operator.
    Secret {
        /// Its name in `[secrets]`.
        secret: String,
    },
}

/// Whether HTTP/2 is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Http2 {
    /// If both sides of a TLS connection know it.
    #[default]
    Negotiate,
    /// Always, also without TLS.
    Always,
    /// Never.
    Never,
}

impl Target {
    /// The target of a request; `None` if it has no host or no port.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let port = rule::port(uri)?;
        uri.host().map(|host| Self::At(plain(host), port))
    }

    /// Whether a rule leads to this target.
    pub(crate) fn is_under(&self, rule: &Rule) -> bool {
        match self {
            Self::At(host, port) => rule.port() == *port && rule.host().matches(host),
            Self::Others => true,
        }
    }
}

/// A host as it is compared: an address in its shortest form, a name in lower case.
fn plain(host: &str) -> String {
    match rule::address(host) {
        Some(address) => rule::bracketed(address),
        None => host.to_ascii_lowercase(),
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text == "*" {
            return Ok(Self::Others);
        }
        let Some((host, Some(port))) = rule::split_port(text) else { return Err(TargetError) };
        match Host::parse(host) {
            Some(Host::Address(_) | Host::Name(_)) => Ok(Self::At(plain(host), port)),
            Some(Host::Under(_)) | None => Err(TargetError),
        }
    }
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, TargetError> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(host, port) => write!(f, "{host}:{port}"),
            Self::Others => f.write_str("*"),
        }
    }
}

impl Connecting {
    /// The files that are read to connect.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let parts = [&self.certificate, &self.key].into_iter().flatten();
        let files = parts.filter_map(|part| match part {
            Pem::File(path) => Some(path),
            Pem::Secret { .. } => None,
        });
        self.ca.iter().chain(files).map(PathBuf::as_path)
    }

    /// The secrets that are used to connect.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let parts = [&self.certificate, &self.key].into_iter().flatten();
        parts.filter_map(|part| match part {
            Pem::File(_) => None,
            Pem::Secret { secret } => Some(secret.as_str()),
        })
    }

    /// What passes to it.
    pub(crate) fn throttle(&self) -> Throttle {
        let Self { concurrency, per_second, burst, .. } = *self;
        Throttle { concurrency, per_second, burst }
    }

    /// Whether anything of it is about TLS.
    pub(crate) fn is_about_tls(&self) -> bool {
        self.files().next().is_some()
            || self.secrets().next().is_some()
            || self.server_name.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_the_same_however_it_is_written() {
        for (one, other) in [
            ("NMS.example:443", "https://nms.example/x"),
            ("[0:0::1]:8443", "https://[::1]:8443/"),
            ("127.0.0.1:80", "http://[::ffff:127.0.0.1]/"),
        ] {
            let (one, other) = (one.parse().ok(), Target::of(&other.parse().unwrap()));
            assert_eq!(one, other);
        }
    }

    #[test]
    fn a_target_without_a_port_or_of_many_hosts_is_refused() {
        for text in ["", "nms.example", "*.nms.example:443", "nms.example:x", "https://x:1"] {
            assert_eq!(text.parse::<Target>(), Err(TargetError), "{text}");
        }
    }
}
