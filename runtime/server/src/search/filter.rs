//! Filters of lists (TMF630): the parameters that are filters, parsed by
//! `tmf::filter`.
//!
//! [`Filter::wanted`] returns the values that a clause on one indexed attribute asks for, and the
//! list then reads only the documents in the index.

use serde_json::Value;
use tmf::filter::{FilterError, Unknown};
use tmf::json_path::{JsonPath, JsonPathError};

use tmf::version::View;

use super::{Asked, Query, SearchError};

pub(crate) use tmf::filter::any;

/// Parameters that are no filters.
const RESERVED: [&str; 4] = ["fields", "offset", "limit", "sort"];

/// The filter of a list.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    conditions: tmf::filter::Filter,
    /// The stored name of the attribute of each clause about one attribute; `None` if its value is
    /// stored differently.
    kept: Vec<Option<String>>,
    json_path: Option<JsonPath>,
    /// Parts of the filter that no definition knows.
    unknown: Vec<Asked>,
}

/// The wanted values of an attribute.
pub(crate) struct Wanted<'a> {
    pub(crate) path: &'a str,
    pub(crate) values: Vec<&'a str>,
    /// Whether this is the whole filter.
    pub(crate) is_all: bool,
}

impl Filter {
    /// Reads the filters of a resource. Refuses values that an attribute
    /// cannot have, and finds out where each is stored. `base` is the beginning of hrefs in
    /// answers, which stored documents lack.
    pub(crate) fn parse(query: &Query, base: &str, served: &View) -> Result<Self, SearchError> {
        let mut filter = Self::default();
        for (name, value, parameter) in query.parameters() {
            if RESERVED.contains(&name) {
                continue;
            }
            if name == "filter" {
                let wrong =
                    |error: JsonPathError| SearchError::parameter("filter", error.to_string());
                filter.json_path = Some(JsonPath::parse(value).map_err(wrong)?);
                continue;
            }
            let added = filter.conditions.add(parameter, base, served);
            added.map_err(|error| wrong(&error))?;
        }
        let unknown = filter.conditions.check(served).map_err(|error| wrong(&error))?;
        let asked = |unknown: Unknown| Asked { parameter: None, unknown };
        filter.unknown = unknown.into_iter().map(asked).collect();
        let clauses = filter.conditions.clauses().iter();
        filter.kept = clauses.map(|clause| kept(served, &clause.equals()?.join("."))).collect();
        Ok(filter)
    }

    /// Takes the unknown attributes: `list::known` looks for them in documents.
    pub(crate) fn take_unknown(&mut self) -> Vec<Asked> {
        std::mem::take(&mut self.unknown)
    }

    /// The clauses that an index can answer: one attribute equals one of some texts.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = Wanted<'_>> {
        let clauses = self.conditions.clauses();
        let is_all = clauses.len() == 1 && self.json_path.is_none();
        clauses.iter().zip(&self.kept).filter_map(move |(clause, kept)| {
            let (asked, path) = (clause.equals()?, kept.as_deref()?);
            let is_all = is_all && path == asked.join(".");
            Some(Wanted { path, values: clause.texts()?, is_all })
        })
    }

    /// Whether every document matches.
    pub(crate) fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.json_path.is_none()
    }

    /// Whether a document matches.
    pub(crate) fn matches(&self, document: &Value) -> bool {
        self.conditions.matches(document)
            && self.json_path.as_ref().is_none_or(|path| path.selects(document))
    }
}

/// The only path of an attribute's values; `None` if they may be elsewhere too.
fn kept(served: &View, path: &str) -> Option<String> {
    let kept = served.kept_path(path)?;
    (kept == path || !served.resource.knows(path)).then_some(kept)
}

fn wrong(error: &FilterError) -> SearchError {
    SearchError::parameter(error.name(), error.to_string())
}

#[cfg(test)]
mod tests;
