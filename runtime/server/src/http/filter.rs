//! Which documents of a list are answered (TMF630): the parameters that are filters, as
//! `model::filter` reads them.
//!
//! A condition that asks for values of an indexed attribute says so ([`Filter::wanted`]), and the
//! list then looks only at what the index leads to.

use model::Timestamp;
use model::filter::{Condition, FilterError};
use model::resource::json_path::{JsonPath, JsonPathError};
use serde_json::Value;

use super::problem::Problem;
use super::query::Query;
use super::resources::Served;

pub(super) use model::filter::any;

/// Parameters that are no filters.
const RESERVED: [&str; 4] = ["fields", "offset", "limit", "sort"];

/// What documents must be like.
#[derive(Debug, Default)]
pub(super) struct Filter {
    conditions: model::filter::Filter,
    /// Where what each condition is about is kept; nothing where it is kept in other words.
    kept: Vec<Option<String>>,
    json_path: Option<JsonPath>,
}

/// That an attribute is to be one of some texts.
pub(super) struct Wanted<'a> {
    /// The dotted path.
    pub(super) path: String,
    /// The texts.
    pub(super) values: &'a [String],
    /// Whether nothing else is asked.
    pub(super) is_all: bool,
}

impl Filter {
    /// Reads the parameters that are filters. `base` is what hrefs begin with in answers: stored
    /// documents do without.
    pub(super) fn parse(query: &Query, base: &str) -> Result<Self, Problem> {
        let mut filter = Self::default();
        for (name, value) in query.parameters() {
            if RESERVED.contains(&name) {
                continue;
            }
            if name == "filter" {
                let wrong = |error: JsonPathError| Problem::bad(error.to_string()).about("filter");
                filter.json_path = Some(JsonPath::parse(value).map_err(wrong)?);
                continue;
            }
            let wrong = |error: FilterError| Problem::bad(error.to_string()).about(name);
            filter.conditions.push(Condition::parse(name, value, base).map_err(wrong)?);
        }
        Ok(filter)
    }

    /// Refuses what asks for attributes that the documents of a resource cannot have, and finds out
    /// where the others are kept.
    pub(super) fn known_to(mut self, served: &Served) -> Result<Self, Problem> {
        let paths = self.conditions.conditions().iter().map(|condition| condition.path().join("."));
        let paths: Vec<String> = paths.collect();
        if let Some(path) = paths.iter().find(|path| !served.knows(path)) {
            let message = format!("a {} has no attribute `{path}`", served.name());
            return Err(Problem::bad(message).about(path));
        }
        self.kept = paths.iter().map(|path| served.kept_path(path)).collect();
        Ok(self)
    }

    /// The conditions that ask an attribute to be one of some texts, as an index knows them.
    pub(super) fn wanted(&self) -> impl Iterator<Item = Wanted<'_>> {
        let conditions = self.conditions.conditions();
        let is_all = conditions.len() == 1 && self.json_path.is_none();
        conditions.iter().zip(&self.kept).filter_map(move |(condition, kept)| {
            let (values, path) = (condition.equals()?, kept.clone()?);
            let is_all = is_all && path == condition.path().join(".");
            // Times are equal however they are written, which an index does not know.
            let is_known = values.iter().all(|value| Timestamp::parse(value).is_none());
            is_known.then_some(Wanted { path, values, is_all })
        })
    }

    /// Whether every document matches.
    pub(super) fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.json_path.is_none()
    }

    /// Whether a document matches.
    pub(super) fn matches(&self, document: &Value) -> bool {
        self.conditions.matches(document)
            && self.json_path.as_ref().is_none_or(|path| path.selects(document))
    }
}

#[cfg(test)]
mod tests;
