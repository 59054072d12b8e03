//! The hosts of valid requests. A page of another site can make a browser send requests
//! here, under a name of its own (DNS rebinding) or with an `Origin` of its own; both are refused.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Version};

use super::problem::Problem;

/// The names of this server.
#[derive(Clone, Debug)]
pub(super) struct Origins {
    public_url: Option<String>,
}

impl Origins {
    /// The names of this machine.
    pub(super) fn local() -> Self {
        Self { public_url: None }
    }

    /// The names of this machine and the host of a URL.
    pub(super) fn public(url: &str) -> Self {
        Self { public_url: Some(url.trim_end_matches('/').to_string()) }
    }

    /// The beginning of hrefs for a valid request. Only a client with HTTP/1.0,
    /// which no browser is, may name no host (RFC 9112, 3.2).
    pub(super) fn base_of(&self, headers: &HeaderMap, version: Version) -> Result<String, Problem> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => {
                let own = host.to_str().ok().filter(|host| self.allows(host));
                Some(own.ok_or_else(|| {
                    Problem::misdirected("this server does not answer under that name")
                        .about("Host")
                })?)
            }
            (None, _) if version < Version::HTTP_11 => None,
            (None, _) => return Err(Problem::bad("a request names its host").about("Host")),
            (Some(_), Some(_)) => {
                return Err(Problem::bad("a request names one host").about("Host"));
            }
        };
        for origin in headers.get_all(ORIGIN) {
            if !self.is_own(origin.to_str().unwrap_or_default(), host) {
                let message = "requests of pages of another site are not taken";
                return Err(Problem::misdirected(message).about("Origin"));
            }
        }
        Ok(match (&self.public_url, host) {
            (Some(url), _) => url.clone(),
            (None, host) => format!("http://{}", host.unwrap_or("localhost")),
        })
    }

    /// Whether an origin, with scheme, name and port, is the one of this server:
    /// pages of other ports of this machine are foreign.
    fn is_own(&self, origin: &str, host: Option<&str>) -> bool {
        let same =
            |own: &str| without_usual_port(own).eq_ignore_ascii_case(without_usual_port(origin));
        let public = self.public_url.as_deref().and_then(origin_of);
        public.is_some_and(same) || host.is_some_and(|host| same(&format!("http://{host}")))
    }

    fn allows(&self, authority: &str) -> bool {
        let name = name_of(authority);
        let public = self.public_url.as_deref().and_then(|url| url.split_once("://"));
        let public = public.map(|(_, rest)| name_of(rest.split('/').next().unwrap_or_default()));
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| own.eq_ignore_ascii_case(name))
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
