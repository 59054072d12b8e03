//! JSON and texts of cases, with names in double braces that stand for what is known when a case is played.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Matches any value.
pub(super) const ANY: &str = "{{any}}";

/// A JSON value of a case, or of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::cli::plugin) struct Json(pub(in crate::cli::plugin) Value);

/// The texts that names stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Each name without its braces, and its text.
    pub(super) known: Arc<Vec<(String, String)>>,
    /// The same of one message; these come first.
    pub(super) own: Vec<(&'static str, String)>,
    /// The ids that the element has given; `{{id}}` of a pattern matches any of them.
    pub(super) ids: Vec<String>,
}

impl Names {
    /// A text with the names in it replaced. A name that is not known stays.
    pub(super) fn fill(&self, text: &str) -> String {
        if !text.contains("{{") {
            return text.into();
        }
        let own = self.own.iter().map(|(name, value)| (*name, value.as_str()));
        let known = self.known.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        own.chain(known).fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{{name}}}}}"), value)
        })
    }

    /// Whether a text matches a pattern.
    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        let pattern = self.fill(pattern);
        if !pattern.contains("{{id}}") {
            return glob(&pattern, text);
        }
        self.ids.iter().any(|id| glob(&pattern.replace("{{id}}", id), text))
    }
}

/// Whether a text matches a pattern in which each name in braces stands for any text. Each literal between two
/// names is taken where it comes first, so the time is that of a search, however many names there are.
fn glob(pattern: &str, text: &str) -> bool {
    let literals = literals(pattern);
    let [first, between @ .., last] = literals.as_slice() else { return pattern == text };
    let inner = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
    let Some(mut rest) = inner else { return false };
    for literal in between {
        let Some((_, after)) = rest.split_once(literal) else { return false };
        rest = after;
    }
    true
}

/// The texts of a pattern between the names in braces.
fn literals(pattern: &str) -> Vec<&str> {
    let mut literals = Vec::new();
    let mut rest = pattern;
    while let Some((before, name)) = rest.split_once("{{")
        && let Some((_, after)) = name.split_once("}}")
    {
        literals.push(before);
        rest = after;
    }
    literals.push(rest);
    literals
}

impl Json {
    /// The value of these bytes; `None` if they are no JSON.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The value with each of its texts replaced.
    pub(in crate::cli::plugin) fn replaced(&self, replace: &dyn Fn(&str) -> String) -> Self {
        let mut made = Self(self.0.clone());
        let mut left = vec![&mut made.0];
        while let Some(value) = left.pop() {
            match value {
                Value::String(text) => *text = replace(text),
                Value::Array(items) => left.extend(items),
                Value::Object(fields) => left.extend(fields.values_mut()),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        made
    }

    /// The value with each text that stands for a value replaced by that.
    pub(super) fn with_values(&self, value_of: &dyn Fn(&str) -> Option<Self>) -> Self {
        let mut made = Self(self.0.clone());
        let mut left = vec![&mut made.0];
        while let Some(value) = left.pop() {
            let found = value.as_str().and_then(value_of);
            match (found, value) {
                (Some(found), value) => *value = found.0,
                (None, Value::Array(items)) => left.extend(items),
                (None, Value::Object(fields)) => left.extend(fields.values_mut()),
                (None, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {}
            }
        }
        made
    }

    /// The part of a body that `{{body}}` or `{{body.a.b}}` names; null if it is not there.
    pub(super) fn named(&self, text: &str) -> Option<Self> {
        let path = text.strip_prefix("{{body")?.strip_suffix("}}")?;
        let found = match path.strip_prefix('.') {
            Some(path) => self.0.pointer(&format!("/{}", path.replace('.', "/"))),
            None => path.is_empty().then_some(&self.0),
        };
        Some(Self(found.cloned().unwrap_or_default()))
    }

    /// The members of both, where both are objects; else the other.
    pub(super) fn merged(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Value::Object(mut one), Value::Object(other)) => {
                one.extend(other);
                Self(Value::Object(one))
            }
            (_, other) => Self(other),
        }
    }

    /// The text, or the number, at a JSON pointer.
    pub(in crate::cli::plugin) fn text_at(&self, pointer: &str) -> Option<String> {
        match self.0.pointer(pointer)? {
            Value::String(text) => Some(text.to_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The first place at which a value differs from this pattern.
    pub(super) fn difference(&self, found: &Self, names: &Names) -> Option<String> {
        let mut left = vec![(String::new(), &self.0, &found.0)];
        while let Some((path, expected, found)) = left.pop() {
            let shown = || if path.is_empty() { "the body".into() } else { format!("`{path}`") };
            match (expected, found) {
                (Value::String(pattern), _) if pattern == ANY => {}
                (Value::String(pattern), Value::String(text)) if names.matches(pattern, text) => {}
                (Value::Number(one), Value::Number(other)) if is_same(one, other) => {}
                (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                    let pairs = one.iter().zip(other).enumerate();
                    left.extend(
                        pairs.map(|(at, (one, other))| (format!("{path}/{at}"), one, other)),
                    );
                }
                (Value::Object(one), Value::Object(other)) => {
                    if let Some(extra) = other.keys().find(|name| !one.contains_key(*name)) {
                        return Some(format!("`{path}/{extra}` is not expected"));
                    }
                    for (name, expected) in one {
                        let path = format!("{path}/{name}");
                        let Some(found) = other.get(name) else {
                            return Some(format!("`{path}` is missing"));
                        };
                        left.push((path, expected, found));
                    }
                }
                (expected, found) if expected == found => {}
                (expected, found) => {
                    let found = cut(&found.to_string());
                    return Some(format!("{} is {found}, expected {expected}", shown()));
                }
            }
        }
        None
    }

    /// All texts of it.
    pub(in crate::cli::plugin) fn texts(&self) -> Vec<String> {
        let (mut texts, mut left) = (Vec::new(), vec![&self.0]);
        while let Some(value) = left.pop() {
            match value {
                Value::String(text) => texts.push(text.clone()),
                Value::Array(items) => left.extend(items),
                Value::Object(fields) => left.extend(fields.values()),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        texts
    }

    /// Whether any text of it begins with `=`, which workflows evaluate.
    pub(super) fn has_expression(&self) -> bool {
        let mut left = vec![&self.0];
        while let Some(value) = left.pop() {
            match value {
                Value::String(text) if text.starts_with('=') => return true,
                Value::Array(items) => left.extend(items),
                Value::Object(fields) => left.extend(fields.values()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        false
    }
}

/// Whether two numbers are the same; 200 and 200.0 are.
fn is_same(one: &serde_json::Number, other: &serde_json::Number) -> bool {
    one == other || one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one == other)
}

/// The beginning of a text, on one line.
pub(super) fn cut(text: &str) -> String {
    const CHARS_MAX: usize = 160;
    let line = |char: char| if char.is_control() { ' ' } else { char };
    let mut short: String = text.chars().take(CHARS_MAX).map(line).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
