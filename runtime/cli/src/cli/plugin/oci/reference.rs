//! The address of an artefact in a registry: `HOST[:PORT]/REPOSITORY:TAG` or `…@sha256:…`.

use super::digest::Sha;

/// Max characters of a repository.
const REPOSITORY_MAX: usize = 255;

/// Max characters of a tag.
const TAG_MAX: usize = 128;

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
        let Some((registry, path)) = text.split_once('/') else {
            return Err(format!("the address has no repository: {SHAPE}"));
        };
        if registry.contains('@') {
            return Err(
                "a password has no place in the address: give it in FERRULE_REGISTRY_USER and \
                        FERRULE_REGISTRY_PASSWORD, or by `docker login`"
                    .into(),
            );
        }
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        if registry.is_empty() || !registry.bytes().all(is_host) {
            return Err(format!("`{registry}` is no host: {SHAPE}"));
        }
        let (path, digest) =
            match path.split_once('@') {
                None => (path, None),
                Some((path, digest)) => {
                    let digest = Sha::try_from(digest.to_owned());
                    (
                        path,
                        Some(digest.map_err(|what| {
                            format!("`@{}`: {what}", super::document::short(text))
                        })?),
                    )
                }
            };
        let (repository, written) = match path.rsplit_once(':') {
            None => (path, None),
            Some((repository, tag)) => (repository, Some(tag)),
        };
        if repository.len() > REPOSITORY_MAX || !repository.split('/').all(is_part) {
            return Err(format!(
                "`{repository}` is no repository: use lower-case letters, digits, `.`, `_`, `-` and `/`"
            ));
        }
        let tag = match written {
            None => Some(tag).filter(|tag| !tag.is_empty() && digest.is_none()),
            Some(tag) => Some(tag),
        };
        if let Some(wrong) = tag.filter(|tag| !is_tag(tag)) {
            return Err(format!("`{wrong}` is no tag: use letters, digits, `.`, `_` and `-`"));
        }
        if tag.is_none() && digest.is_none() {
            return Err(format!("the address has no version: {SHAPE}"));
        }
        let (registry, repository) = (registry.into(), repository.into());
        Ok(Self { registry, repository, tag: tag.map(str::to_owned), digest })
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

/// Whether a text is a part of a repository's path.
fn is_part(part: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let all = |byte: u8| is_plain(byte) || b"._-".contains(&byte);
    let ends = [part.bytes().next(), part.bytes().last()];
    part.bytes().all(all) && ends.into_iter().all(|end| end.is_some_and(is_plain))
}

fn is_tag(tag: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let all = |byte: u8| is_first(byte) || b".-".contains(&byte);
    tag.len() <= TAG_MAX && tag.bytes().all(all) && tag.bytes().next().is_some_and(is_first)
}

#[cfg(test)]
mod tests;
