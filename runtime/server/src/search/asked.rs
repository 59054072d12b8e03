//! Unknown attributes in queries.

use serde_json::Value;
use tmf::filter::{Unknown, any};

use super::SearchError;

/// An attribute in a query that no definition knows.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) unknown: Unknown,
    /// The query parameter; `None` if the attribute itself is one.
    pub(crate) parameter: Option<&'static str>,
}

impl Asked {
    /// Whether a document has the attribute.
    pub(crate) fn is_in(&self, document: &Value) -> bool {
        let path: Vec<String> = self.unknown.name.split('.').map(str::to_string).collect();
        any(document, &path, &mut |_| true)
    }

    /// The error if no document has it.
    pub(crate) fn refused(&self) -> SearchError {
        let parameter = self.parameter.unwrap_or(&self.unknown.name);
        SearchError::parameter(parameter, self.unknown.to_string())
    }
}
