//! What a route demands: a verb on a resource of an API. The table of routes names one or more for
//! each route, and roles allow them by patterns.

use std::fmt;

use serde::Deserialize;
use tmf::resource::Operation;
use tmf::table;

/// The name of an API in permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiName {
    /// An API of the TM Forum by its number, such as `TMF622`.
    Standard(u16),
    /// Our own API.
    Orchestration,
    /// What tells of the server itself: metrics.
    Server,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    Read,
    Create,
    Change,
    Delete,
    /// A `POST` of our own API: it starts, decides or repairs something.
    Act,
}

/// A verb on a resource of an API, such as `TMF622/productOrder:create`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    pub api: ApiName,
    /// The name of a resource of the standard, or the path of an operation of our own API without the
    /// names in it, such as `fulfilments/retry`.
    pub resource: String,
    pub verb: Verb,
}

impl Permission {
    /// A permission of a resource of the standard, by its name; names of parameters in it are left out.
    pub fn standard(number: u16, resource: &str, verb: Verb) -> Self {
        Self { api: ApiName::Standard(number), resource: without_names(resource), verb }
    }

    /// A permission about the documents of a resource of the standard, by its key.
    pub fn about(key: &str, verb: Verb) -> Option<Self> {
        let (api, resource) = table::of_key(key)?;
        Some(Self::standard(api.number, resource.name, verb))
    }

    /// A permission of our own API, by the path of an operation.
    pub fn own(path: &str, verb: Verb) -> Self {
        Self { api: ApiName::Orchestration, resource: without_names(path), verb }
    }
}

/// A path without the names in it.
fn without_names(path: &str) -> String {
    let pieces = path.split('/').filter(|piece| !piece.is_empty() && !piece.starts_with('{'));
    pieces.collect::<Vec<_>>().join("/")
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Read, Self::Create, Self::Change, Self::Delete, Self::Act];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Act => "act",
        }
    }
}

impl From<Operation> for Verb {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::List | Operation::Get => Self::Read,
            Operation::Create => Self::Create,
            Operation::Patch | Operation::Replace => Self::Change,
            Operation::Delete => Self::Delete,
        }
    }
}

impl fmt::Display for ApiName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(number) => write!(formatter, "TMF{number}"),
            Self::Orchestration => formatter.write_str("orchestration"),
            Self::Server => formatter.write_str("server"),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}:{}", self.api, self.resource, self.verb.name())
    }
}
