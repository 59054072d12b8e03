//! Queries on the documents of a resource: their filters, and the documents that match.

mod asked;
mod candidates;
mod filter;
mod known;
mod query;

use tmf::resource::Resource;
use tmf::table::of_key;
use tmf::version::{Version, View};

pub(crate) use asked::Asked;
pub(crate) use candidates::{Candidates, Total};
pub(crate) use filter::{Filter, any};
pub(crate) use known::check as check_known;
pub use query::in_url;
pub(crate) use query::{Query, literal};

/// Why a query cannot be answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    /// A parameter is wrong.
    #[error("{message}")]
    Parameter { name: String, message: String },
    #[error("the store cannot be read")]
    Store(#[from] engine::documents::Error),
}

impl SearchError {
    fn parameter(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Parameter { name: name.into(), message: message.into() }
    }
}

/// A resource as its documents are stored.
pub(crate) fn as_kept(resource: &'static Resource) -> View {
    let (api, _) = of_key(resource.key).expect("a resource stands in the table");
    View { api, resource, version: Version::V4 }
}
