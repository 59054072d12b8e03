//! The address of an artefact in a registry: `HOST[:PORT]/REPOSITORY:TAG` or `…@sha256:…`.

use super::digest::Sha;
use super::document::short;

/// Max characters of a repository.
const REPOSITORY_MAX: usize = 255;

/// Max characters of a tag.
const TAG_MAX: usize = 128;

/// The advice for an address with a login in it. The address is not shown.
pub(super) const PASSWORD: &str = "a password has no place in the address, which has nothing after `@` but `sha256:…`: give it in \
     FERRULE_REGISTRY_USER and FERRULE_REGISTRY_PASSWORD, or by `docker login`";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The host and its port, if it has one.
    pub(super) registry: String,
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Option<Sha>,
}

impl Reference {
    /// Reads an address without `oci://`. `tag` is the one to use if it has none; it may be empty.
    pub(super) fn parse(text: &str, tag: &str) -> Result<Self, String> {
        const SHAPE: &str = "write `oci://HOST/REPOSITORY:TAG` or `oci://HOST/REPOSITORY@sha256:…`";
        let (text, digest) = match text.rsplit_once('@') {
            None => (text, None),
            Some((rest, digest)) if digest.starts_with("sha256:") && !rest.contains('@') => {
                // The text may be a password, so it is not shown.
                let digest = Sha::try_from(digest.to_owned());
                (rest, Some(digest.map_err(|what| format!("after `@`: {what}"))?))
            }
            Some(_) => return Err(PASSWORD.into()),
        };
        let Some((registry, path)) = text.split_once('/') else {
            return Err(format!("the address has no repository: {SHAPE}"));
        };
        check_host(registry).map_err(|what| format!("`{}` {what}: {SHAPE}", short(registry)))?;
        let (repository, written) = match path.rsplit_once(':') {
            None => (path, None),
            Some((repository, tag)) => (repository, Some(tag)),
        };
        if repository.len() > REPOSITORY_MAX || !repository.split('/').all(is_part) {
            return Err(format!(
                "`{}` is no repository: use lower-case letters, digits, `.`, `_`, `-` and `/`",
                short(repository)
            ));
        }
        let tag = match written {
            None => Some(tag).filter(|tag| !tag.is_empty() && digest.is_none()),
            Some(tag) => Some(tag),
        };
        if let Some(wrong) = tag.filter(|tag| !is_tag(tag)) {
            return Err(no_tag(wrong));
        }
        if tag.is_none() && digest.is_none() {
            return Err(format!("the address has no version: {SHAPE}"));
        }
        let (registry, repository) = (registry.into(), repository.into());
        Ok(Self { registry, repository, tag: tag.map(str::to_owned), digest })
    }

    /// The host of the registry, without a port.
    pub(super) fn host(&self) -> &str {
        parts(&self.registry).0
    }

    /// The address without its digest.
    pub(super) fn name(&self) -> String {
        let Self { registry, repository, tag, .. } = self;
        let tag = tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        format!("{registry}/{repository}{tag}")
    }

    /// By what its manifest is asked for: the digest if there is one.
    pub(super) fn wanted(&self) -> String {
        let digest = self.digest.as_ref().map(ToString::to_string);
        digest.or_else(|| self.tag.to_owned()).unwrap_or_default()
    }
}

/// A host and its port, with the colon before it.
fn parts(registry: &str) -> (&str, &str) {
    let end = match registry.starts_with('[') {
        true => registry.find(']').map(|at| at + 1),
        false => registry.find(':'),
    };
    registry.split_at(end.unwrap_or(registry.len()))
}

/// The meaning of a registry that is none.
fn check_host(registry: &str) -> Result<(), &'static str> {
    let (host, rest) = parts(registry);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match inside {
        Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(is_name),
    };
    if inside.is_none() && registry.parse::<std::net::Ipv6Addr>().is_ok() {
        return Err("is an IPv6 address, which stands in brackets, such as `[::1]:5000`");
    }
    if !is_host {
        return Err("is no host");
    }
    let is_port = rest.is_empty() || rest.strip_prefix(':').and_then(port).is_some();
    if is_port { Ok(()) } else { Err("has no port of 1 to 65535") }
}

/// The port that a text is.
pub(super) fn port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| is_number && *port != 0)
}

/// The message for a text that is no tag.
pub(super) fn no_tag(text: &str) -> String {
    format!("`{}` is no tag: use letters, digits, `.`, `_` and `-`", short(text))
}

/// Whether a text is a part of a repository's path.
fn is_part(part: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let all = |byte: u8| is_plain(byte) || b"._-".contains(&byte);
    let ends = [part.bytes().next(), part.bytes().last()];
    part.bytes().all(all) && ends.into_iter().all(|end| end.is_some_and(is_plain))
}

pub(super) fn is_tag(tag: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let all = |byte: u8| is_first(byte) || b".-".contains(&byte);
    tag.len() <= TAG_MAX && tag.bytes().all(all) && tag.bytes().next().is_some_and(is_first)
}

#[cfg(test)]
mod tests;
