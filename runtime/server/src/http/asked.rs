//! Unknown attributes in queries.

use serde_json::Value;
use tmf::filter::{Unknown, any};

use super::problem::Problem;

/// An attribute in a query that no definition knows.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) unknown: Unknown,
    /// The query parameter.
    pub(super) parameter: String,
}

impl Asked {
    /// Whether a document has the attribute.
    pub(super) fn is_in(&self, document: &Value) -> bool {
        let path: Vec<String> = self.unknown.name.split('.').map(str::to_string).collect();
        any(document, &path, &mut |_| true)
    }

    /// The error if no document has it.
    pub(super) fn refused(&self) -> Problem {
        Problem::bad(self.unknown.to_string()).about(&self.parameter)
    }
}
