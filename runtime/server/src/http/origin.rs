//! Which hosts a request may be meant for. A page of another site can make a browser send requests
//! here, under a name of its own (DNS rebinding) or with an `Origin` of its own; neither is taken.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

use super::problem::Problem;

/// The names that this server answers under.
#[derive(Clone, Debug)]
pub(super) struct Origins {
    public_url: Option<String>,
}

impl Origins {
    /// Only those of this machine.
    pub(super) fn local() -> Self {
        Self { public_url: None }
    }

    /// Those of this machine and that of a URL.
    pub(super) fn public(url: &str) -> Self {
        Self { public_url: Some(url.trim_end_matches('/').to_string()) }
    }

    /// What hrefs begin with, for a request that may be answered. A client that names no host
    /// (HTTP/1.0, and no browser does that) is answered too.
    pub(super) fn base_of(&self, headers: &HeaderMap) -> Result<String, Problem> {
        let host = match headers.get(HOST) {
            Some(host) => {
                Some(host.to_str().ok().filter(|host| self.allows(host)).ok_or_else(|| {
                    Problem::misdirected("this server does not answer under that name")
                        .about("Host")
                })?)
            }
            None => None,
        };
        if let Some(origin) = headers.get(ORIGIN) {
            let origin = origin.to_str().unwrap_or_default();
            let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
            if !self.allows(authority) {
                let message = "requests of pages of another site are not taken";
                return Err(Problem::misdirected(message).about("Origin"));
            }
        }
        Ok(match (&self.public_url, host) {
            (Some(url), _) => url.clone(),
            (None, host) => format!("http://{}", host.unwrap_or("localhost")),
        })
    }

    fn allows(&self, authority: &str) -> bool {
        let name = name_of(authority);
        let public = self.public_url.as_deref().and_then(|url| url.split_once("://"));
        let public = public.map(|(_, rest)| name_of(rest.split('/').next().unwrap_or_default()));
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| own.eq_ignore_ascii_case(name))
            || public.is_some_and(|public| public.eq_ignore_ascii_case(name))
    }
}

/// The name of an authority, without its port; nothing of an authority with a strange port.
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
