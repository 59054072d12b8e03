//! The versions of the APIs. Documents are stored as in version 4; how they look in version 5,
//! and how a document of version 5 is stored, follows from the shapes of version 5 and
//! a short table of differences. Attributes without a rule are the same in both, so that
//! attributes unknown to either version are kept and shown again.

mod hrefs;
mod path;
mod rule;
mod table;
mod taken_over;
mod view;
mod walk;

use std::fmt;

use super::shape::TypeSet;

pub use view::{Refused, View};

/// A version of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The version of every API.
    V4,
    V5,
}

/// The stored name of an attribute of a shape; `None` if its value is stored differently.
pub fn kept_name(types: TypeSet, shape: &'static str, name: &str) -> Option<String> {
    match types {
        TypeSet::V4 => Some(name.into()),
        TypeSet::V5(_) => path::down(types, shape, name),
    }
}

impl Version {
    /// As in a path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V5 => "v5",
        }
    }

    /// Reads the piece of a path.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::V4, Self::V5].into_iter().find(|version| version.as_str() == text)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
