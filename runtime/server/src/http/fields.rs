//! `fields=`: the selected attributes of a document (TMF630). Without it, all are selected.

use serde_json::{Map, Value};

use super::page::path;
use super::problem::Problem;

/// The selected attributes of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// Paths of attributes; `None` selects all.
    wanted: Option<Vec<Vec<String>>>,
}

/// Max attributes that are selected: each attribute of a document is compared with all of them.
const NAMES_MAX: usize = 128;

/// Attributes of every response. The type is always included,
/// unless the client asks for `none`.
const ALWAYS: [&str; 3] = ["id", "href", "@type"];

impl Fields {
    /// Reads the parameter. A name that no document has is absent from the answer, where the client
    /// sees it; a text that cannot be the name of an attribute is refused.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text.map(|text| text.trim().trim_matches('"')) else {
            return Ok(Self::default());
        };
        if text.split(',').count() > NAMES_MAX {
            let message = format!("at most {NAMES_MAX} attributes can be selected");
            return Err(Problem::bad(message).about("fields"));
        }
        let always: &[&str] = if text == "none" { &ALWAYS[..2] } else { &ALWAYS };
        let named = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names = always.iter().copied().chain(named.filter(|name| *name != "none"));
        let paths = names.map(|name| {
            let message = format!("`{name}` is no attribute: write `fields=name,price.value`");
            path(name).ok_or_else(|| Problem::bad(message).about("fields"))
        });
        Ok(Self { wanted: Some(paths.collect::<Result<_, Problem>>()?) })
    }

    /// Whether the items of an order are selected.
    pub(super) fn wants_items(&self) -> bool {
        let is_items = |path: &Vec<String>| path.first().is_some_and(|name| name.ends_with("Item"));
        self.wanted.as_ref().is_none_or(|paths| paths.iter().any(is_items))
    }

    /// Removes attributes that are not selected.
    pub(super) fn of(&self, document: Value) -> Value {
        match &self.wanted {
            None => document,
            Some(paths) => {
                let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
                pick(document, &paths)
            }
        }
    }
}

/// The parts of a value at the paths; a path that ends selects everything below.
fn pick(value: Value, paths: &[&[String]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return value;
    }
    match value {
        Value::Object(fields) => {
            let mut picked = Map::new();
            for (name, value) in fields {
                let below: Vec<&[String]> =
                    paths.iter().filter(|path| path[0] == name).map(|path| &path[1..]).collect();
                if !below.is_empty() {
                    picked.insert(name, pick(value, &below));
                }
            }
            Value::Object(picked)
        }
        Value::Array(entries) => {
            Value::Array(entries.into_iter().map(|entry| pick(entry, paths)).collect())
        }
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}

#[cfg(test)]
mod tests;
