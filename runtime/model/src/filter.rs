//! Filters: which documents a client asks for (TMF630). Parameters of different names must all
//! hold; values of one, by `,`, `;` or repetition, are alternatives; a path through an array leads
//! to each of its elements.

mod compare;

use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;

pub(crate) use compare::Operator;

/// Operators that other systems have: taken for an attribute, they would silently match nothing.
const FOREIGN: [&str; 9] =
    ["like", "contains", "in", "nin", "startsWith", "endsWith", "between", "not", "exists"];

/// The largest program that a regular expression may become, in bytes.
const REGEX_BYTES_MAX: usize = 256 << 10;

/// What documents must be like.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    conditions: Vec<Condition>,
}

/// What one attribute must be like.
#[derive(Clone, Debug)]
pub struct Condition {
    path: Vec<String>,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    /// It compares so to any of these.
    Compare(Operator, Vec<String>),
    /// Any of these is found in it.
    Regex(Vec<Regex>),
}

/// Why a parameter is no condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It names no attribute, or has an operator that nobody knows.
    #[error(
        "`{name}` is no attribute with one of the operators `.eq`, `.ne`, `.gt`, `.gte`, `.lt`, \
         `.lte`, `.regex`"
    )]
    Name {
        /// The parameter.
        name: String,
    },
    /// Its value is no regular expression, or too large a one.
    #[error("no regular expression: {reason}")]
    Regex {
        /// Why.
        reason: String,
    },
}

impl Filter {
    /// Whether every document matches.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether a document matches.
    pub fn matches(&self, document: &Value) -> bool {
        self.conditions.iter().all(|condition| condition.holds(document))
    }

    /// The conditions; all must hold.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Adds a condition; one about an attribute that is named already is an alternative to it.
    pub fn push(&mut self, condition: Condition) {
        let Condition { path, test } = condition;
        let known = self.conditions.iter_mut().find(|known| known.path == path);
        match (known.map(|known| &mut known.test), test) {
            (Some(Test::Compare(Operator::Eq, known)), Test::Compare(Operator::Eq, more)) => {
                known.extend(more);
            }
            (Some(Test::Regex(known)), Test::Regex(more)) => known.extend(more),
            // A range is two parameters about one attribute, and both hold.
            (_, test) => self.conditions.push(Condition { path, test }),
        }
    }
}

impl Condition {
    /// Reads a parameter, decoded. `base` is what hrefs begin with in answers, where the documents
    /// that are held against the filter do without.
    pub fn parse(name: &str, value: &str, base: &str) -> Result<Self, FilterError> {
        let (attribute, operator, value) = Operator::split(name, value);
        let path: Vec<String> = attribute.split('.').map(str::to_string).collect();
        let last = path.last().map(String::as_str).unwrap_or_default();
        let is_name = |piece: &String| {
            !piece.is_empty() && !piece.contains(['!', '<', '>', '=', '~', '*', '(', ')', '[', ']'])
        };
        if !path.iter().all(is_name) || (path.len() > 1 && FOREIGN.contains(&last)) {
            return Err(FilterError::Name { name: name.into() });
        }
        let test = if operator == Operator::Regex {
            Test::Regex(vec![regex(value)?])
        } else {
            Test::Compare(operator, wanted(last, value, base))
        };
        Ok(Self { path, test })
    }

    /// The attribute, in pieces.
    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// The texts of which the attribute is to be one; nothing where it is asked for otherwise.
    pub fn equals(&self) -> Option<&[String]> {
        match &self.test {
            Test::Compare(Operator::Eq, values) => Some(values),
            Test::Compare(..) | Test::Regex(_) => None,
        }
    }

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

/// The parameters of a query, decoded, in order; a plus is a space, as forms write it.
pub fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
    let pieces = query.split('&').filter(|piece| !piece.is_empty());
    pieces.map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Whether the test holds for anything that the path leads to.
pub fn any(value: &Value, path: &[String], test: &mut dyn FnMut(&Value) -> bool) -> bool {
    if let Value::Array(entries) = value {
        return entries.iter().any(|entry| any(entry, path, test));
    }
    match path.split_first() {
        None => test(value),
        Some((name, rest)) => value.get(name).is_some_and(|value| any(value, rest, test)),
    }
}

fn regex(value: &str) -> Result<Regex, FilterError> {
    let built = RegexBuilder::new(unquoted(value)).size_limit(REGEX_BYTES_MAX).build();
    built.map_err(|error| FilterError::Regex { reason: error.to_string() })
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
