//! A rule of the operator's: where requests may go. `https://*.nms.example:443/api GET,POST redirects=2`.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::{Method, Uri};
use serde::{Deserialize, Serialize};

use self::path::Paths;

mod path;

/// Max redirects that a rule may grant.
const REDIRECTS_MAX: u8 = 10;

/// Where requests may go: scheme, host, port, path and methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    text: String,
    scheme: String,
    host: Host,
    port: u16,
    path: Paths,
    /// Empty for every method.
    methods: Vec<Method>,
    /// Max redirects that are followed for a request.
    redirects: u8,
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
#[error(
    "`{text}` is no HTTP grant: {what}; write `http://host:port/path GET,POST`, and `redirects=1` behind it if that many are followed"
)]
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
            && self.path.covers(uri.path())
            && (self.methods.is_empty() || self.methods.contains(method))
    }

    /// The rule, as `ferrule.toml` has it.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
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

    /// Max redirects that are followed for a request.
    pub(crate) fn redirects(&self) -> u8 {
        self.redirects
    }

    /// The rule with one redirect more, as text; `None` if it has the most that a rule may have.
    pub(crate) fn with_redirect(&self) -> Option<String> {
        let redirects = self.redirects.checked_add(1).filter(|count| *count <= REDIRECTS_MAX)?;
        let words = self.text.split_whitespace().filter(|word| !word.starts_with("redirects="));
        let words: Vec<_> = words.collect();
        Some(format!("{} redirects={redirects}", words.join(" ")))
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
        let (mut methods, mut redirects) = (None, None);
        for word in words {
            match word.split_once('=') {
                Some(("redirects", count)) if redirects.is_none() => {
                    let count = count.parse().ok().filter(|count| *count <= REDIRECTS_MAX);
                    redirects = Some(count.ok_or_else(|| wrong("it may have 0 to 10 redirects"))?);
                }
                None if methods.is_none() && redirects.is_none() => methods = Some(word),
                Some(_) | None => return Err(wrong("it has a word too many")),
            }
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
        let (host, port) =
            split_port(authority).ok_or_else(|| wrong("the port must be one number"))?;
        let host = Host::parse(host).ok_or_else(|| wrong("the host is none"))?;
        let methods = methods
            .unwrap_or_default()
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
            path: Paths::parse(path).map_err(wrong)?,
            methods,
            redirects: redirects.unwrap_or(0),
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
mod tests;
