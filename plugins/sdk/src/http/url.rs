//! The parts of an address that `wasi:http` wants one by one.

use wasip2::http::types::Scheme;

use super::Error;

/// An absolute address, taken apart.
#[derive(Debug)]
pub(super) struct Url<'a> {
    pub(super) scheme: Scheme,
    pub(super) authority: &'a str,
    pub(super) path_and_query: String,
}

impl<'a> Url<'a> {
    /// Takes an address apart. User and password have no place in one, as it would be logged.
    pub(super) fn parse(text: &'a str) -> Result<Self, Error> {
        let unusable = |reason| Error::Url { url: text.into(), reason };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unusable("it holds a character that must be percent-encoded"));
        }
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else {
            return Err(unusable("it starts with neither `http://` nor `https://`"));
        };
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(unusable("it names no host"));
        }
        if let Some((_, host)) = authority.rsplit_once('@') {
            let url = text.replace(authority, host);
            return Err(Error::Url { url, reason: "it holds a user or a password" });
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { scheme, authority, path_and_query: format!("{slash}{path}") })
    }
}
