//! Which conditions a filter may have on an attribute, by the attribute's type.

use super::compare::{As, Operator, boolean};
use super::{Condition, FilterError, SHOWN_CHARS_MAX, Test};
use crate::nearest::nearest;
use crate::shape::{Type, TypeSet};

/// Max words of a list that a message repeats.
const WORDS_SHOWN_MAX: usize = 40;

/// The attributes that documents have.
pub trait Attributes {
    /// The type at a path.
    fn find(&self, path: &[String]) -> Result<Holds, Unknown>;
}

/// An unknown attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{of} has no attribute `{name}`{}", super::is_meant(.meant.as_deref()))]
pub struct Unknown {
    /// The object that lacks it.
    pub of: String,
    pub name: String,
    /// The most similar known name.
    pub meant: Option<String>,
}

/// Attributes of unknown type: each may be anything.
#[derive(Clone, Copy, Debug)]
pub struct Anything;

impl Attributes for Anything {
    fn find(&self, _: &[String]) -> Result<Holds, Unknown> {
        Ok(Holds::anything())
    }
}

/// The type of an attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    /// One of these types.
    pub types: Vec<Type>,
    /// The allowed values of a text.
    pub words: Vec<String>,
    /// An attribute of it, if it is an object.
    pub example: Option<String>,
}

impl Holds {
    pub fn anything() -> Self {
        Self { types: vec![Type::Any], ..Self::default() }
    }

    /// Whether it may be anything.
    pub(super) fn is_anything(&self) -> bool {
        self.types == [Type::Any]
    }

    /// The union of two types.
    #[must_use]
    pub(crate) fn or(mut self, other: Self) -> Self {
        self.types.extend(other.types);
        self.words.extend(other.words);
        self.example = self.example.or(other.example);
        self
    }

    pub fn text() -> Self {
        Self { types: vec![Type::String], ..Self::default() }
    }

    /// A text with a list of allowed values.
    pub fn words(words: Vec<String>) -> Self {
        Self { types: vec![Type::Choice("")], words, example: None }
    }

    /// Whether every value of it is of one of these types.
    fn is(&self, matches: impl Fn(Type) -> bool) -> bool {
        let has_parts = |kind: &Type| matches!(kind, Type::Object(_) | Type::Fields);
        let mut plain = self.types.iter().filter(|kind| !has_parts(kind)).peekable();
        plain.peek().is_some() && plain.all(|kind| matches(*kind))
    }

    fn compared(&self) -> As {
        if self.is(|kind| matches!(kind, Type::Integer | Type::Number)) {
            As::Number
        } else if self.is(|kind| matches!(kind, Type::DateTime | Type::Date)) {
            As::Time
        } else if self.is(|kind| kind == Type::Boolean) {
            As::Boolean
        } else if self
            .is(|kind| matches!(kind, Type::String | Type::Uri | Type::Base64 | Type::Choice(_)))
        {
            As::Text
        } else {
            As::Looks
        }
    }

    pub(super) fn is_object(&self) -> bool {
        let has_parts = |kind: &Type| matches!(kind, Type::Object(_) | Type::Fields);
        !self.types.is_empty() && self.types.iter().all(has_parts)
    }

    fn is_word(&self) -> bool {
        !self.words.is_empty() && self.is(|kind| matches!(kind, Type::Choice(_)))
    }
}

impl Condition {
    /// Compares the attribute by its type; fails if it can never match.
    pub(super) fn check(&mut self, holds: &Holds) -> Result<(), FilterError> {
        let name = self.name.clone();
        if holds.is_object() {
            let path = self.path.join(".");
            let example = holds.example.as_ref().map(|example| format!("{path}.{example}"));
            return Err(FilterError::Object { name, example });
        }
        let wrong = |wanted: &str, value: &str, meant: Option<String>| {
            let value = value.chars().take(SHOWN_CHARS_MAX).collect();
            Err(FilterError::Value { name: name.clone(), wanted: wanted.into(), value, meant })
        };
        match &mut self.test {
            Test::Regex(expressions) if holds.is_word() => {
                let finds = |word: &String| expressions.iter().any(|found| found.is_found_in(word));
                match holds.words.iter().any(finds) {
                    true => Ok(()),
                    false => {
                        let shown = expressions.first().map_or("", |found| found.as_str());
                        wrong(&listed(&holds.words), shown, None)
                    }
                }
            }
            Test::Regex(_) => Ok(()),
            Test::Compare { operator, compared, operands, readings } => {
                *compared = holds.compared();
                if !matches!(compared, As::Text | As::Looks) {
                    readings.clear();
                    if operands.is_empty() {
                        return Err(FilterError::Empty { name });
                    }
                }
                for operand in operands.iter() {
                    let text = operand.text.as_str();
                    match compared {
                        As::Number if operand.number.is_none() => {
                            return wrong("a number", text, None);
                        }
                        As::Time if operand.time.is_none() => {
                            return wrong("a date-time such as `2026-03-12T02:00:00Z`", text, None);
                        }
                        As::Boolean if boolean(text).is_none() => {
                            let meant = nearest(text, ["true", "false"]).map(str::to_string);
                            return wrong("`true` or `false`", text, meant);
                        }
                        As::Looks | As::Text | As::Number | As::Time | As::Boolean => {}
                    }
                    let is_equality = matches!(operator, Operator::Eq | Operator::Ne);
                    // One definition has a word with a space at its end.
                    let is_known = |word: &String| word == text || word.trim() == text;
                    if is_equality && holds.is_word() && !holds.words.iter().any(is_known) {
                        let meant = nearest(text, holds.words.iter().map(String::as_str));
                        return wrong(&listed(&holds.words), text, meant.map(str::to_string));
                    }
                }
                Ok(())
            }
        }
    }
}

fn listed(words: &[String]) -> String {
    let shown: Vec<&str> = words.iter().take(WORDS_SHOWN_MAX).map(String::as_str).collect();
    format!("one of `{}`", shown.join("`, `"))
}

/// The type at a path from an object of a shape; `None` if there is no such path. Below a value of
/// any type everything may be.
pub(crate) fn found(types: TypeSet, shape: &'static str, path: &[String]) -> Option<Holds> {
    let (name, rest) = path.split_first()?;
    if name.starts_with('@') {
        return rest.is_empty().then(Holds::text);
    }
    let mut holds = Holds::default();
    let mut is_found = false;
    for attribute in types.attributes(shape, name) {
        for kind in attribute.kinds.iter().map(|kind| kind.item()) {
            if rest.is_empty() {
                is_found = true;
                holds.take(types, kind);
                continue;
            }
            let below = match kind {
                Type::Object(shape) => found(types, shape, rest),
                Type::Any | Type::Fields => Some(Holds::anything()),
                Type::String
                | Type::Integer
                | Type::Number
                | Type::Boolean
                | Type::DateTime
                | Type::Date
                | Type::Uri
                | Type::Base64
                | Type::Choice(_) => None,
            };
            if let Some(below) = below {
                is_found = true;
                holds = holds.or(below);
            }
        }
    }
    holds.types.sort_by_key(|kind| format!("{kind:?}"));
    holds.types.dedup();
    is_found.then_some(holds)
}

impl Holds {
    fn take(&mut self, types: TypeSet, kind: Type) {
        self.types.push(kind);
        match kind {
            Type::Choice(list) => {
                let words = types.choice(list).iter().map(|word| (*word).to_string());
                self.words
                    .extend(words.filter(|word| !self.words.contains(word)).collect::<Vec<_>>());
            }
            Type::Object(shape) => {
                let attributes = types.object(shape).map(|shape| shape.attributes.as_slice());
                let names = || attributes.unwrap_or_default().iter().map(|known| known.name);
                let first = names().find(|name| *name == "id").or_else(|| names().next());
                self.example = self.example.take().or_else(|| first.map(str::to_string));
            }
            Type::Any
            | Type::Fields
            | Type::String
            | Type::Integer
            | Type::Number
            | Type::Boolean
            | Type::DateTime
            | Type::Date
            | Type::Uri
            | Type::Base64 => {}
        }
    }
}

/// The attribute of a shape, or below one, that is most similar to an unknown path.
pub(crate) fn likely(types: TypeSet, shape: &'static str, path: &[String]) -> Option<String> {
    let (name, rest) = path.split_first()?;
    let below: Vec<&'static str> = types
        .attributes(shape, name)
        .flat_map(|attribute| attribute.kinds.iter().filter_map(|kind| kind.item().object()))
        .collect();
    if !below.is_empty() {
        let meant = below.into_iter().find_map(|shape| likely(types, shape, rest))?;
        return Some(format!("{name}.{meant}"));
    }
    let known = types.alternatives(shape).into_iter().filter_map(|name| types.object(name));
    let names = known.flat_map(|shape| shape.attributes.iter().map(|known| known.name));
    let meant = nearest(name, names)?;
    Some([meant].into_iter().chain(rest.iter().map(String::as_str)).collect::<Vec<_>>().join("."))
}
