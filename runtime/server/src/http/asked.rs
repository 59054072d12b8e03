//! An attribute that a question asks for and no definition knows.

use serde_json::Value;
use tmf::filter::{Unknown, any};

use super::problem::Problem;

/// An attribute that is asked for, and that no definition knows.
#[derive(Debug)]
pub(super) struct Asked {
    /// The attribute.
    pub(super) unknown: Unknown,
    /// The parameter that asks for it.
    pub(super) parameter: String,
}

impl Asked {
    /// Whether a document has the attribute.
    pub(super) fn is_in(&self, document: &Value) -> bool {
        let path: Vec<String> = self.unknown.name.split('.').map(str::to_string).collect();
        any(document, &path, &mut |_| true)
    }

    /// That no document has it.
    pub(super) fn refused(&self) -> Problem {
        Problem::bad(self.unknown.to_string()).about(&self.parameter)
    }
}
