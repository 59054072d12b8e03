//! `[audit]` of `ferrule.toml`: whether changes and refusals are kept.

use std::path::PathBuf;

use engine::causes::chain;
use host::Trust;
use serde::{Deserialize, Deserializer};

/// The audit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Audit {
    /// Whether there is one.
    pub mode: Auditing,
    /// Where entries are sent as they come.
    pub syslog: Option<Receiver>,
    /// A PEM file with the CAs that its certificate is checked by, instead of those of the system.
    pub syslog_ca: Option<PathBuf>,
}

impl Audit {
    /// Fails if two settings contradict each other.
    pub fn check(&self) -> Result<(), String> {
        match (&self.syslog, &self.syslog_ca, self.mode) {
            (None, Some(_), _) => {
                Err("`[audit] syslog-ca` is for `syslog`, which is not set".into())
            }
            (Some(_), _, Auditing::Off) => {
                Err("`[audit] syslog` sends entries, and `mode = \"off\"` makes none".into())
            }
            (Some(_), Some(ca), Auditing::On) => Trust::read(("[audit]", "syslog-ca"), Some(ca))
                .map(drop)
                .map_err(|error| chain(&error)),
            (None, None, _) | (Some(_), None, Auditing::On) => Ok(()),
        }
    }
}

/// Whether changes and refusals have entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auditing {
    #[default]
    On,
    Off,
}

/// The port of syslog over TLS.
const PORT: u16 = 6514;

/// A receiver of syslog over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    pub host: String,
    pub port: u16,
}

/// Why a text names no receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is a URL such as `tls://logs.example.com:6514`")]
pub struct NotAReceiver;

impl Receiver {
    /// Reads `tls://HOST[:PORT]` or `syslog+tls://HOST[:PORT]`.
    pub fn read(text: &str) -> Result<Self, NotAReceiver> {
        let rest = text.strip_prefix("syslog+").unwrap_or(text);
        let rest = rest.strip_prefix("tls://").ok_or(NotAReceiver)?.trim_end_matches('/');
        let authority: hyper::http::uri::Authority = rest.parse().map_err(|_| NotAReceiver)?;
        if rest.contains('@') || authority.host().is_empty() {
            return Err(NotAReceiver);
        }
        let host = authority.host().trim_matches(['[', ']']).into();
        Ok(Self { host, port: authority.port_u16().unwrap_or(PORT) })
    }
}

impl<'de> Deserialize<'de> for Receiver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_are_read_with_their_port() {
        let read =
            |text: &str| Receiver::read(text).map(|found| format!("{} {}", found.host, found.port));
        assert_eq!(read("tls://logs.example.com").unwrap(), "logs.example.com 6514");
        assert_eq!(read("syslog+tls://logs.example.com:7000/").unwrap(), "logs.example.com 7000");
        assert_eq!(read("tls://[::1]:7000").unwrap(), "::1 7000");
        for wrong in [
            "",
            "logs",
            "tcp://logs:1",
            "tls://",
            "tls://a:b:c",
            "tls://user@logs",
            "tls://logs/path",
        ] {
            assert_eq!(read(wrong), Err(NotAReceiver), "{wrong}");
        }
    }
}
