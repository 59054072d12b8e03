//! A rule of the operator's: where requests may go. `https://*.nms.example:443/api GET,POST`.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::{Method, Uri};
use serde::{Deserialize, Serialize};

/// Where requests may go: scheme, host, port, path prefix and methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    text: String,
    scheme: String,
    host: Host,
    port: u16,
    /// Without the trailing slash; empty for every path.
    path: String,
    /// Empty for every method.
    methods: Vec<Method>,
}

/// The host of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// This address.
    Address(IpAddr),
    /// This name, in lower case.
    Name(String),
    /// Every name that ends in this one, which begins with a dot.
    Under(String),
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no HTTP grant: {what}; write `http://host:port/path GET,POST`")]
pub struct RuleError {
    text: String,
    what: &'static str,
}

impl Rule {
    /// Whether a request may go out.
    pub(crate) fn allows(&self, method: &Method, uri: &Uri) -> bool {
        let Some(host) = uri.host() else { return false };
        uri.scheme_str() == Some(self.scheme.as_str())
            && port(uri) == Some(self.port)
            && self.host.matches(host)
            && self.covers(uri.path())
            && (self.methods.is_empty() || self.methods.contains(method))
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The narrowest rule that would allow a request, as text.
    pub(crate) fn asked(method: &Method, uri: &Uri) -> String {
        let scheme = uri.scheme_str().unwrap_or("http");
        let host = uri.host().unwrap_or_default();
        match port(uri) {
            Some(port) => format!("{scheme}://{host}:{port}{} {method}", uri.path()),
            None => format!("{scheme}://{host}{} {method}", uri.path()),
        }
    }

    /// The rule that names an address which a name resolved to, as text.
    pub(crate) fn of_address(uri: &Uri, address: IpAddr) -> String {
        let scheme = uri.scheme_str().unwrap_or("http");
        let port = port(uri).unwrap_or(80);
        format!("{scheme}://{}:{port}", bracketed(address))
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    fn covers(&self, path: &str) -> bool {
        if self.path.is_empty() {
            return true;
        }
        // A server may read these as steps out of the prefix.
        let lower = path.to_ascii_lowercase();
        let tricky = ["..", "//", "\\", "%2e", "%2f", "%5c"];
        if tricky.iter().any(|text| lower.contains(text)) {
            return false;
        }
        path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Host {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(address) = address(text) {
            return Some(Self::Address(address));
        }
        let lower = text.to_ascii_lowercase();
        let (name, is_under) = match lower.strip_prefix('*') {
            Some(rest) => (rest.strip_prefix('.')?, true),
            None => (lower.as_str(), false),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if name.is_empty() || !name.chars().all(plain) || name.starts_with('.') {
            return None;
        }
        Some(if is_under { Self::Under(format!(".{name}")) } else { Self::Name(name.into()) })
    }

    pub(super) fn matches(&self, host: &str) -> bool {
        match self {
            Self::Address(wanted) => address(host) == Some(*wanted),
            Self::Name(name) => host.eq_ignore_ascii_case(name),
            Self::Under(suffix) => {
                host.len() > suffix.len() && host.to_ascii_lowercase().ends_with(suffix)
            }
        }
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let wrong = |what| RuleError { text: without_user(text).into_owned(), what };
        let mut words = text.split_whitespace();
        let place = words.next().ok_or_else(|| wrong("it is empty"))?;
        let methods = words.next().unwrap_or_default();
        if words.next().is_some() {
            return Err(wrong("it has more than two words"));
        }
        let (scheme, rest) =
            place.split_once("://").ok_or_else(|| wrong("it does not begin with a scheme"))?;
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(wrong("the scheme must be http or https")),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if path.contains(['?', '#']) || authority.contains(['?', '#', '@']) {
            return Err(wrong("it may hold no query, fragment or user"));
        }
        let (host, port) = split_port(authority).ok_or_else(|| wrong("the port is no number"))?;
        let host = Host::parse(host).ok_or_else(|| wrong("the host is none"))?;
        let methods = methods
            .split(',')
            .filter(|method| !method.is_empty())
            .map(|method| Method::from_bytes(method.to_ascii_uppercase().as_bytes()))
            .collect::<Result<_, _>>()
            .map_err(|_| wrong("a method is none"))?;
        Ok(Self {
            text: text.into(),
            scheme: scheme.into(),
            host,
            port: port.unwrap_or(default_port),
            path: path.trim_end_matches('/').into(),
            methods,
        })
    }
}

impl TryFrom<String> for Rule {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.text
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

pub(crate) fn port(uri: &Uri) -> Option<u16> {
    uri.port_u16().or_else(|| match uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        Some(_) | None => None,
    })
}

/// A URL without the user and password that it may hold.
pub(crate) fn without_user(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]).into(),
        None => url.into(),
    }
}

/// Reads an address, in brackets or not; an IPv4 address in IPv6 clothes is an IPv4 address.
pub(super) fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// An address as it stands in a URL.
pub(super) fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// Splits `host:port`; `None` if the port is no number.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let colon = authority.rfind(':').filter(|&colon| !authority[colon..].contains(']'));
    match colon {
        Some(colon) => Some((&authority[..colon], Some(authority[colon + 1..].parse().ok()?))),
        None => Some((authority, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, request: &str) -> bool {
        let rule: Rule = rule.parse().unwrap();
        let (method, uri) = request.split_once(' ').unwrap();
        rule.allows(&Method::from_bytes(method.as_bytes()).unwrap(), &uri.parse().unwrap())
    }

    #[test]
    fn a_rule_allows_only_what_it_names() {
        let rule = "http://nms.example:8080/api GET,POST";
        assert!(allows(rule, "GET http://nms.example:8080/api"));
        assert!(allows(rule, "POST http://NMS.example:8080/api/ports?x=1"));
        for request in [
            "DELETE http://nms.example:8080/api",
            "GET https://nms.example:8080/api",
            "GET http://nms.example/api",
            "GET http://nms.example.evil:8080/api",
            "GET http://evil-nms.example:8080/api",
            "GET http://nms.example:8080/apis",
            "GET http://nms.example:8080/",
            "GET http://nms.example:8080/api/../admin",
            "GET http://nms.example:8080/api/%2e%2E/admin",
            "GET http://nms.example:8080/api%2Fadmin",
        ] {
            assert!(!allows(rule, request), "{request}");
        }
    }

    #[test]
    fn a_star_stands_for_names_under_a_name() {
        assert!(allows("https://*.nms.example", "PUT https://a.b.nms.example/x"));
        assert!(!allows("https://*.nms.example", "PUT https://nms.example/x"));
        assert!(!allows("https://*.nms.example", "PUT https://evilnms.example/x"));
    }

    #[test]
    fn an_address_is_an_address_however_it_is_written() {
        assert!(allows("http://127.0.0.1:9100", "GET http://127.0.0.1:9100/"));
        assert!(allows("http://127.0.0.1:9100", "GET http://[::ffff:127.0.0.1]:9100/"));
        assert!(allows("http://[::1]:80", "GET http://[0:0:0:0:0:0:0:1]/"));
        assert!(!allows("http://127.0.0.1:9100", "GET http://127.0.0.2:9100/"));
        assert!(!allows("http://localhost:9100", "GET http://127.0.0.1:9100/"));
    }

    #[test]
    fn a_malformed_rule_is_refused_with_the_reason() {
        for (rule, why) in [
            ("", "empty"),
            ("127.0.0.1:80", "scheme"),
            ("ftp://x", "http or https"),
            ("http://", "host"),
            ("http://*", "host"),
            ("http://*x", "host"),
            ("http://x:http", "port"),
            ("http://a@b", "user"),
            ("http://x/y?z", "query"),
            ("http://x GET POST", "two words"),
        ] {
            let error = rule.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains(why), "{rule}: {error}");
        }
    }

    #[test]
    fn a_rule_with_a_password_is_refused_without_showing_it() {
        let error = "http://admin:hunter2@nms:80/x GET".parse::<Rule>().unwrap_err().to_string();
        assert!(error.contains("`http://nms:80/x GET`") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_rule_that_a_request_asks_for_allows_it() {
        let uri: Uri = "http://[fd00::1]/api/x?q=1".parse().unwrap();
        let asked = Rule::asked(&Method::PUT, &uri);
        assert_eq!(asked, "http://[fd00::1]:80/api/x PUT");
        assert!(asked.parse::<Rule>().unwrap().allows(&Method::PUT, &uri));
    }
}
