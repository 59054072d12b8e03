//! `[traces]` of `ferrule.toml`: where spans are sent, and which.

use hyper::Uri;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::sampling::Share;

/// The path of the collector, if its URL has none.
const PATH: &str = "/v1/traces";

/// Where spans are sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Traces {
    /// The URL of the collector; without one there are no spans.
    #[serde(deserialize_with = "collector")]
    pub collector: Option<Uri>,
    /// The share of the traces that begin here that are sent.
    pub sample: Share,
}

fn collector<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uri>, D::Error> {
    let text = String::deserialize(deserializer)?;
    read(&text).map(Some).ok_or_else(|| {
        let expected = "expected the URL of a collector, such as \"http://127.0.0.1:4318\": \
                        without TLS, user and query";
        D::Error::custom(expected)
    })
}

fn read(text: &str) -> Option<Uri> {
    let whole: Uri = text.parse().ok()?;
    let is_plain = whole.scheme_str() == Some("http") && whole.query().is_none();
    let authority = whole.authority()?.as_str();
    if !is_plain || authority.contains('@') || text.contains('#') {
        return None;
    }
    match whole.path() {
        "" | "/" => format!("http://{authority}{PATH}").parse().ok(),
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
            let config =
                toml::from_str::<crate::config::Config>(&format!("[traces]\nsample = {text}\n"));
            assert_eq!(config.is_ok(), is_right, "{text}");
        }
    }

    #[test]
    fn a_collector_is_a_plain_url() {
        for (text, url) in [
            ("http://127.0.0.1:4318", Some("http://127.0.0.1:4318/v1/traces")),
            ("http://otel/", Some("http://otel/v1/traces")),
            ("http://otel:4318/own", Some("http://otel:4318/own")),
            ("https://otel:4318", None),
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
}
