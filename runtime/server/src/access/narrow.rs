//! The scope of credentials, if that is less than the roles of their identity allow: a key that
//! only reads orders does no harm beyond that when it leaks.

use std::sync::Arc;

use super::permission::{Permission, Verb};
use super::role::{Allow, Grant, OneOrMore};

/// Max entries of a scope.
const ENTRIES_MAX: usize = 32;

/// Max bytes of an entry.
const ENTRY_BYTES_MAX: usize = 128;

/// Patterns of permissions, such as `TMF622/productOrder:read,create`, `orchestration` or `*:read`.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Narrowing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    texts: Vec<String>,
    grants: Vec<Grant>,
}

/// Why a scope cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NarrowingError {
    #[error("a scope has at most {ENTRIES_MAX} entries")]
    TooMany,
    #[error("an entry of a scope has at most {ENTRY_BYTES_MAX} bytes")]
    TooLong,
    #[error("`{entry}`: {mistake}")]
    Entry { entry: String, mistake: String },
}

impl Narrowing {
    /// Reads a scope; `None` if it has no entries. Each must cover some of the permissions that there are.
    pub fn read(texts: &[String], known: &[Permission]) -> Result<Option<Self>, NarrowingError> {
        if texts.is_empty() {
            return Ok(None);
        }
        if texts.len() > ENTRIES_MAX {
            return Err(NarrowingError::TooMany);
        }
        let grants = texts.iter().map(|text| {
            if text.len() > ENTRY_BYTES_MAX {
                return Err(NarrowingError::TooLong);
            }
            grant(text, known)
                .map_err(|mistake| NarrowingError::Entry { entry: text.into(), mistake })
        });
        let grants = grants.collect::<Result<_, _>>()?;
        Ok(Some(Self(Arc::new(Inner { texts: texts.to_vec(), grants }))))
    }

    /// A scope that covers nothing: for one that cannot be read any more.
    pub fn nothing(texts: &[String]) -> Self {
        Self(Arc::new(Inner { texts: texts.to_vec(), grants: Vec::new() }))
    }

    /// Whether a permission is in it.
    pub fn covers(&self, permission: &Permission) -> bool {
        self.0.grants.iter().any(|grant| grant.matches(permission))
    }

    /// Its entries.
    pub fn texts(&self) -> &[String] {
        &self.0.texts
    }
}

impl PartialEq for Narrowing {
    fn eq(&self, other: &Self) -> bool {
        self.texts() == other.texts()
    }
}

fn grant(text: &str, known: &[Permission]) -> Result<Grant, String> {
    let (place, verbs) = match text.split_once(':') {
        Some((place, verbs)) => (place, read_verbs(verbs)?),
        None => (text, Verb::ALL.to_vec()),
    };
    let (api, resources) = match place.split_once('/') {
        Some((api, resource)) => (api, vec![resource.to_owned()]),
        None => (place, Vec::new()),
    };
    let apis = OneOrMore::One(api.to_owned());
    let mut allow = Allow { apis, resources, verbs, when: None };
    let grant = Grant::read(&allow)?;
    // Without verbs, those count that the API takes.
    let taken = known.iter().filter(|one| grant.matches(one)).map(|one| one.verb);
    let taken: Vec<Verb> = taken.collect();
    if !text.contains(':') && !taken.is_empty() {
        allow.verbs = taken;
    }
    let grant = Grant::read(&allow)?;
    grant.check(&allow, known)?;
    Ok(grant)
}

fn read_verbs(text: &str) -> Result<Vec<Verb>, String> {
    let read = |name: &str| {
        let found = Verb::ALL.into_iter().find(|verb| verb.name() == name);
        let names = || Verb::ALL.map(Verb::name).join("`, `");
        found.ok_or_else(|| format!("`{name}` is no verb: there are `{}`", names()))
    };
    text.split(',').map(read).collect()
}

#[cfg(test)]
mod tests;
