//! The hosts of valid requests. A page of another site can make a browser send requests
//! here, under a name of its own (DNS rebinding) or with an `Origin` of its own; both are refused.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri, Version};

use super::problem::Problem;

/// The names of this server.
#[derive(Clone, Debug)]
pub(super) struct Origins {
    public_url: Option<String>,
    /// The address that it listens on, if it is one of an interface.
    own: Option<String>,
}

/// Whether a request is one to `localhost`.
pub(super) fn is_localhost(request: &Request) -> bool {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(|authority| authority.as_str());
    authority.or(host).is_none_or(|host| name_of(host).eq_ignore_ascii_case("localhost"))
}

/// How a request names its server.
pub(super) struct Named<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) version: Version,
    /// Has the authority of HTTP/2 (`:authority`), and that of a client which takes us for a proxy.
    pub(super) uri: &'a Uri,
    pub(super) is_secure: bool,
}

impl<'a> Named<'a> {
    /// The one host that it names. Only a client with HTTP/1.0, which no browser is, may name none (RFC 9112, 3.2;
    /// RFC 9113, 8.3.1).
    fn host(&self) -> Result<Option<&'a str>, Problem> {
        let bad = |message| Problem::bad(message).about("Host");
        let mut hosts = self.headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => Some(host.to_str().map_err(|_| bad("a name is visible ASCII"))?),
            (None, _) => None,
            (Some(_), Some(_)) => return Err(bad("a request names one host")),
        };
        match (self.uri.authority().map(|authority| authority.as_str()), host) {
            (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(host) => {
                Err(bad("a request names one host, as its authority and its `Host`"))
            }
            (Some(authority), _) => Ok(Some(authority)),
            (None, Some(host)) => Ok(Some(host)),
            (None, None) if self.version < Version::HTTP_11 => Ok(None),
            (None, None) => Err(bad("a request names its host")),
        }
    }
}

impl Origins {
    /// The names of this machine.
    pub(super) fn local() -> Self {
        Self { public_url: None, own: None }
    }

    /// The names of this machine and the host of a URL.
    pub(super) fn public(url: &str) -> Self {
        Self { public_url: Some(url.trim_end_matches('/').to_string()), own: None }
    }

    /// Whether clients reach the server by TLS of a proxy.
    pub(super) fn are_by_tls(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// The same with the address of an interface that the server listens on.
    pub(super) fn at(mut self, address: SocketAddr) -> Self {
        let named = match address.ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        self.own = Some(named).filter(|_| !address.ip().is_unspecified());
        self
    }

    /// The beginning of hrefs for a valid request.
    pub(super) fn base_of(&self, named: &Named<'_>) -> Result<String, Problem> {
        let host = match named.host()? {
            Some(host) if self.allows(host) => Some(host),
            Some(_) => {
                let message = "this server does not answer under that name";
                return Err(Problem::misdirected(message).about("Host"));
            }
            None => None,
        };
        let scheme = if named.is_secure { "https" } else { "http" };
        let own = host.map(|host| format!("{scheme}://{host}"));
        for origin in named.headers.get_all(ORIGIN) {
            if !self.is_own(origin.to_str().unwrap_or_default(), own.as_deref()) {
                let message = "requests of pages of another site are not taken";
                return Err(Problem::misdirected(message).about("Origin"));
            }
        }
        Ok(match (&self.public_url, own) {
            (Some(url), _) => url.clone(),
            (None, Some(own)) => own,
            (None, None) => format!("{scheme}://localhost"),
        })
    }

    /// Whether an origin, with scheme, name and port, is the one of this server:
    /// pages of other ports of this machine are foreign.
    fn is_own(&self, origin: &str, own: Option<&str>) -> bool {
        let same =
            |own: &str| without_usual_port(own).eq_ignore_ascii_case(without_usual_port(origin));
        let public = self.public_url.as_deref().and_then(origin_of);
        public.is_some_and(same) || own.is_some_and(same)
    }

    fn allows(&self, authority: &str) -> bool {
        let name = name_of(authority);
        let public = self.public_url.as_deref().and_then(|url| url.split_once("://"));
        let public = public.map(|(_, rest)| name_of(rest.split('/').next().unwrap_or_default()));
        let own = ["localhost", "127.0.0.1", "[::1]"].into_iter().chain(self.own.as_deref());
        own.into_iter().any(|own| own.eq_ignore_ascii_case(name))
            || public.is_some_and(|public| public.eq_ignore_ascii_case(name))
    }
}

/// The scheme and authority of a URL.
fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.find('/').unwrap_or(rest.len());
    url.get(..scheme.len() + 3 + authority)
}

/// An origin without the port that its scheme implies.
fn without_usual_port(origin: &str) -> &str {
    match origin.split_once("://") {
        Some(("http", _)) => origin.strip_suffix(":80").unwrap_or(origin),
        Some(("https", _)) => origin.strip_suffix(":443").unwrap_or(origin),
        Some(_) | None => origin,
    }
}

/// The name of an authority, without its port; empty if the port is malformed.
fn name_of(authority: &str) -> &str {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority[end..].find(':') {
        Some(colon) => {
            let port = &authority[end + colon + 1..];
            let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
            if is_port { &authority[..end + colon] } else { "" }
        }
        None => authority,
    }
}

#[cfg(test)]
mod tests;
