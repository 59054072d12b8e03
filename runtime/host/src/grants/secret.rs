//! A secret that a plugin may send: `nms = { secret = "nms", to = ["http://10.0.0.7:8080"] }`.

use hyper::{Method, Uri};
use serde::{Deserialize, Serialize};

use super::rule::Rule;
use super::{quote, table_key};

/// A secret that a plugin may send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecretGrant {
    /// Its name in `[secrets]`.
    pub secret: String,
    /// Where it may be sent, beside the grant of `http`.
    pub to: Vec<Rule>,
}

impl SecretGrant {
    /// Whether the secret may be in a request.
    pub(crate) fn allows(&self, method: &Method, uri: &Uri) -> bool {
        self.to.iter().any(|rule| rule.allows(method, uri))
    }

    /// The lines of `ferrule.toml` that let the secret go to one place more.
    pub(crate) fn more(&self, plugin: &str, name: &str, method: &Method, uri: &Uri) -> String {
        let to = self.to.iter().map(Rule::to_string).chain([Rule::asked(method, uri)]);
        lines(plugin, name, &self.secret, &to.collect::<Vec<_>>())
    }
}

/// The lines of `ferrule.toml` that grant a plugin a secret.
pub(crate) fn lines(plugin: &str, name: &str, secret: &str, to: &[String]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let key = match !name.is_empty() && name.bytes().all(is_plain) {
        true => name.to_owned(),
        false => quote(name),
    };
    let to: Vec<_> = to.iter().map(|rule| quote(rule)).collect();
    format!(
        "[plugins.{}.secrets]\n{key} = {{ secret = {}, to = [{}] }}",
        table_key(plugin),
        quote(secret),
        to.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_a_denial_prints_grant_what_was_denied() {
        let (method, uri) = (Method::PUT, "http://10.0.0.8:8080/lines/1".parse::<Uri>().unwrap());
        let grant =
            SecretGrant { secret: "nms".into(), to: vec!["http://10.0.0.7:80".parse().unwrap()] };
        assert!(!grant.allows(&method, &uri));
        let lines = grant.more("acme.olt", "nms password", &method, &uri);
        let table: toml::Table = lines.parse().unwrap();
        let granted = table["plugins"]["acme.olt"]["secrets"]["nms password"].clone();
        let granted: SecretGrant = granted.try_into().unwrap();
        assert_eq!((granted.secret.as_str(), granted.to.len()), ("nms", 2));
        assert!(granted.allows(&method, &uri));
    }
}
