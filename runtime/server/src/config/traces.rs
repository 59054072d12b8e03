//! `[traces]` of `ferrule.toml`: where spans are sent, and which.

use std::path::PathBuf;

use engine::causes::chain;
use host::Trust;
use hyper::Uri;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::sampling::Share;

/// The path of the collector, if its URL has none.
const PATH: &str = "/v1/traces";

/// Where spans are sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Written")]
pub struct Traces {
    /// The collector; without one there are no spans.
    pub(crate) collector: Option<Collector>,
    /// The share of the traces that begin here that are sent.
    pub(crate) sample: Share,
}

/// A collector of OpenTelemetry.
#[derive(Clone, Debug)]
pub(crate) struct Collector {
    /// Where it takes spans: an absolute URL.
    pub(crate) url: Uri,
    /// A PEM file with the CAs that its certificate is checked by, instead of those of the system.
    pub(crate) ca: Option<PathBuf>,
}

/// The table as it is written.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Written {
    #[serde(deserialize_with = "collector")]
    collector: Option<Uri>,
    ca: Option<PathBuf>,
    sample: Share,
}

impl Collector {
    /// Whether it is spoken to by TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.url.scheme_str() == Some("https")
    }
}

impl Traces {
    /// Refuses CAs that cannot be read.
    pub(super) fn check(&self) -> Result<(), String> {
        let ca = self.collector.as_ref().and_then(|collector| collector.ca.as_deref());
        let read = Trust::read(("[traces]", "ca"), ca).map(drop);
        read.map_err(|error| chain(&error))
    }
}

impl TryFrom<Written> for Traces {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { collector, ca, sample } = written;
        let has_ca = ca.is_some();
        let collector = collector.map(|url| Collector { url, ca });
        if has_ca && !collector.as_ref().is_some_and(Collector::is_secure) {
            return Err("`ca` is for a `collector` whose URL begins with `https`");
        }
        if collector.is_none() && sample != Share::default() {
            return Err("`sample` is the share of what is sent to a `collector`, which is not set");
        }
        Ok(Self { collector, sample })
    }
}

fn collector<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uri>, D::Error> {
    let text = String::deserialize(deserializer)?;
    read(&text).map(Some).ok_or_else(|| {
        let expected = "expected the URL of a collector, such as \"http://127.0.0.1:4318\": \
                        `http` or `https`, without user and query";
        D::Error::custom(expected)
    })
}

fn read(text: &str) -> Option<Uri> {
    let whole: Uri = text.parse().ok()?;
    let scheme = whole.scheme_str().filter(|scheme| ["http", "https"].contains(scheme))?;
    let authority = whole.authority()?.as_str();
    if whole.query().is_some() || authority.contains('@') || text.contains('#') {
        return None;
    }
    match whole.path() {
        "" | "/" => format!("{scheme}://{authority}{PATH}").parse().ok(),
        _ => Some(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_from_0_to_1() {
        for (text, is_right) in
            [("0.25", true), ("0.0", true), ("1.0", true), ("1.5", false), ("\"x\"", false)]
        {
            let config = toml::from_str::<crate::config::Config>(&format!(
                "[traces]\ncollector = \"http://otel\"\nsample = {text}\n"
            ));
            assert_eq!(config.is_ok(), is_right, "{text}");
        }
    }

    #[test]
    fn a_collector_has_a_plain_url() {
        for (text, url) in [
            ("http://127.0.0.1:4318", Some("http://127.0.0.1:4318/v1/traces")),
            ("http://otel/", Some("http://otel/v1/traces")),
            ("http://otel:4318/own", Some("http://otel:4318/own")),
            ("https://otel:4318", Some("https://otel:4318/v1/traces")),
            ("ftp://otel", None),
            ("http://me:secret@otel", None),
            ("http://otel?a=b", None),
            ("otel:4318", None),
            ("", None),
        ] {
            assert_eq!(read(text).map(|url| url.to_string()).as_deref(), url, "{text}");
            let config = format!("[traces]\ncollector = {text:?}\n");
            let config = toml::from_str::<crate::config::Config>(&config);
            assert_eq!(config.is_ok(), url.is_some(), "{text}");
        }
    }

    #[test]
    fn cas_are_for_a_collector_with_tls() {
        for (collector, is_right) in [
            ("collector = \"https://otel\"", true),
            ("collector = \"http://otel\"", false),
            ("", false),
        ] {
            let config = format!("[traces]\n{collector}\nca = \"ca.pem\"\n");
            let config = toml::from_str::<crate::config::Config>(&config);
            assert_eq!(config.is_ok(), is_right, "{collector}");
        }
    }
}
