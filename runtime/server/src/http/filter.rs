//! Filters: which documents of a list are answered (TMF630). Parameters of different names must
//! all hold; values of one, by `,`, `;` or repetition, are alternatives; a path through an array
//! leads to each of its elements.
//!
//! A condition that asks for values of an indexed attribute says so ([`Filter::wanted`]), and the
//! list then looks only at what the index leads to.

mod compare;

use model::Timestamp;
use model::resource::Resource;
use model::resource::json_path::{JsonPath, JsonPathError};
use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;

use super::problem::Problem;
use super::query::Query;
use compare::Operator;

/// Parameters that are no filters.
const RESERVED: [&str; 4] = ["fields", "offset", "limit", "sort"];

/// Operators that other systems have: taken for an attribute, they would silently match nothing.
const FOREIGN: [&str; 9] =
    ["like", "contains", "in", "nin", "startsWith", "endsWith", "between", "not", "exists"];

/// The largest program that a regular expression may become, in bytes.
const REGEX_BYTES_MAX: usize = 256 << 10;

/// What documents must be like.
#[derive(Debug, Default)]
pub(super) struct Filter {
    conditions: Vec<Condition>,
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

#[derive(Debug)]
struct Condition {
    path: Vec<String>,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// It compares so to any of these.
    Compare(Operator, Vec<String>),
    /// Any of these is found in it.
    Regex(Vec<Regex>),
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
            filter.add(name, value, base)?;
        }
        Ok(filter)
    }

    /// Refuses what asks for attributes that the documents of a resource cannot have.
    pub(super) fn known_to(self, resource: &Resource) -> Result<Self, Problem> {
        let paths = self.conditions.iter().map(|condition| condition.path.join("."));
        match paths.into_iter().find(|path| !resource.knows(path)) {
            Some(path) => {
                let message = format!("a {} has no attribute `{path}`", resource.name);
                Err(Problem::bad(message).about(path))
            }
            None => Ok(self),
        }
    }

    /// The conditions that ask an attribute to be one of some texts, as an index knows them.
    pub(super) fn wanted(&self) -> impl Iterator<Item = Wanted<'_>> {
        let is_all = self.conditions.len() == 1 && self.json_path.is_none();
        self.conditions.iter().filter_map(move |condition| match &condition.test {
            // Times are equal however they are written, which an index does not know.
            Test::Compare(Operator::Eq, values)
                if values.iter().all(|value| Timestamp::parse(value).is_none()) =>
            {
                Some(Wanted { path: condition.path.join("."), values, is_all })
            }
            Test::Compare(..) | Test::Regex(_) => None,
        })
    }

    /// Whether every document matches.
    pub(super) fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.json_path.is_none()
    }

    /// Whether a document matches.
    pub(super) fn matches(&self, document: &Value) -> bool {
        self.conditions.iter().all(|condition| condition.holds(document))
            && self.json_path.as_ref().is_none_or(|path| path.selects(document))
    }

    fn add(&mut self, name: &str, value: &str, base: &str) -> Result<(), Problem> {
        let (attribute, operator, value) = Operator::split(name, value);
        let path: Vec<String> = attribute.split('.').map(str::to_string).collect();
        let last = path.last().map(String::as_str).unwrap_or_default();
        let is_name = |piece: &String| {
            !piece.is_empty() && !piece.contains(['!', '<', '>', '=', '~', '*', '(', ')', '[', ']'])
        };
        if !path.iter().all(is_name) || (path.len() > 1 && FOREIGN.contains(&last)) {
            let known = "`.eq`, `.ne`, `.gt`, `.gte`, `.lt`, `.lte`, `.regex`";
            let message = format!("`{name}` is no attribute with one of the operators {known}");
            return Err(Problem::bad(message).about(name));
        }
        let test = if operator == Operator::Regex {
            Test::Regex(vec![regex(name, value)?])
        } else {
            Test::Compare(operator, wanted(last, value, base))
        };
        let known = self.conditions.iter_mut().find(|known| known.path == path);
        match (known.map(|known| &mut known.test), test) {
            (Some(Test::Compare(Operator::Eq, known)), Test::Compare(Operator::Eq, more)) => {
                known.extend(more);
            }
            (Some(Test::Regex(known)), Test::Regex(more)) => known.extend(more),
            // A range is two parameters about one attribute, and both hold.
            (_, test) => self.conditions.push(Condition { path, test }),
        }
        Ok(())
    }
}

impl Condition {
    fn holds(&self, document: &Value) -> bool {
        match &self.test {
            // What is not there is not equal either.
            Test::Compare(Operator::Ne, values) => !any(document, &self.path, &mut |found| {
                values.iter().any(|value| Operator::Eq.holds(found, value))
            }),
            Test::Compare(operator, values) => any(document, &self.path, &mut |found| {
                values.iter().any(|value| operator.holds(found, value))
            }),
            Test::Regex(expressions) => any(document, &self.path, &mut |found| {
                let text = compare::text(found);
                expressions.iter().any(|expression| expression.is_match(&text))
            }),
        }
    }
}

/// Whether the test holds for anything that the path leads to.
pub(super) fn any(value: &Value, path: &[String], test: &mut dyn FnMut(&Value) -> bool) -> bool {
    if let Value::Array(entries) = value {
        return entries.iter().any(|entry| any(entry, path, test));
    }
    match path.split_first() {
        None => test(value),
        Some((name, rest)) => value.get(name).is_some_and(|value| any(value, rest, test)),
    }
}

fn regex(name: &str, value: &str) -> Result<Regex, Problem> {
    let built = RegexBuilder::new(unquoted(value)).size_limit(REGEX_BYTES_MAX).build();
    built.map_err(|error| Problem::bad(format!("no regular expression: {error}")).about(name))
}

/// The values that are wanted of an attribute. An href may come as it was answered.
fn wanted(attribute: &str, value: &str, base: &str) -> Vec<String> {
    let mut values = alternatives(value);
    if attribute == "href" || attribute.ends_with("Href") {
        for value in &mut values {
            if let Some(path) = value.strip_prefix(base) {
                *value = path.to_string();
            }
        }
    }
    values
}

/// The values that a parameter lists. Within double quotes a comma is a comma.
fn alternatives(value: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut current = String::new();
    let mut quoted = false;
    for character in value.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' | ';' if !quoted => values.push(std::mem::take(&mut current)),
            other => current.push(other),
        }
    }
    values.push(current);
    values
}

fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests;
