//! The target of an address.

use super::Error;

/// Scheme, host and port of an absolute address. User and password have no place in one, as it would be
/// logged.
pub(super) fn target(url: &str) -> Result<String, Error> {
    let unusable = |reason| Error::Url { url: url.into(), reason };
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unusable("it holds a character that must be percent-encoded"));
    }
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    if !["http", "https"].contains(&scheme) {
        return Err(unusable("it starts with neither `http://` nor `https://`"));
    }
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    if authority.is_empty() {
        return Err(unusable("it names no host"));
    }
    if let Some((_, host)) = authority.rsplit_once('@') {
        let url = url.replace(authority, host);
        return Err(Error::Url { url, reason: "it holds a user or a password" });
    }
    Ok(format!("{scheme}://{authority}"))
}
