//! How an attribute compares to the text of a filter.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::Timestamp;
use serde_json::Value;

/// How to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    Regex,
}

/// The operators after an attribute's name: in words, and in signs as they are left when a query is
/// cut at its first `=`.
const SUFFIXES: [(&str, Operator); 12] = [
    (".eq", Operator::Eq),
    (".ne", Operator::Ne),
    (".gte", Operator::Gte),
    (".gt", Operator::Gt),
    (".lte", Operator::Lte),
    (".lt", Operator::Lt),
    (".regex", Operator::Regex),
    (">", Operator::Gte),
    ("<", Operator::Lte),
    ("!", Operator::Ne),
    ("*", Operator::Regex),
    ("=", Operator::Eq),
];

/// Operators in signs, with all of the parameter in its name: `dateTime%3E2013`.
const INFIXES: [(&str, Operator); 8] = [
    (">=", Operator::Gte),
    ("<=", Operator::Lte),
    ("!=", Operator::Ne),
    ("=~", Operator::Regex),
    ("*=", Operator::Regex),
    ("==", Operator::Eq),
    (">", Operator::Gt),
    ("<", Operator::Lt),
];

impl Operator {
    /// The attribute, the operator and the value of a parameter.
    pub(crate) fn split<'a>(name: &'a str, value: &'a str) -> (&'a str, Self, &'a str) {
        if let Some((attribute, operator)) = SUFFIXES
            .iter()
            .find_map(|(suffix, operator)| Some((name.strip_suffix(suffix)?, *operator)))
        {
            return (attribute, operator, value);
        }
        if value.is_empty() {
            let infix = INFIXES.iter().find_map(|(infix, operator)| {
                name.split_once(infix).map(|(attribute, value)| (attribute, *operator, value))
            });
            if let Some(split) = infix {
                return split;
            }
        }
        match value.strip_prefix('~') {
            // `name=~expression` is cut after the equals sign.
            Some(expression) => (name, Self::Regex, expression),
            None => (name, Self::Eq, value),
        }
    }

    /// Whether an attribute compares so to a text.
    pub(crate) fn holds(self, found: &Value, wanted: &str) -> bool {
        let Some(order) = order(found, wanted) else {
            return self == Self::Ne;
        };
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Gt => order.is_gt(),
            Self::Gte => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Lte => order.is_le(),
            Self::Regex => false,
        }
    }
}

/// A value as a text, to look into.
pub(crate) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed(""),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Cow::Owned(value.to_string())
        }
    }
}

/// Compares: numbers as numbers, times as times however they are written, all else as text.
fn order(found: &Value, wanted: &str) -> Option<Ordering> {
    match found {
        Value::Number(number) => number.as_f64()?.partial_cmp(&wanted.trim().parse().ok()?),
        Value::Bool(value) => Some(value.to_string().as_str().cmp(wanted)),
        Value::String(found) => match (Timestamp::parse(found), Timestamp::parse(wanted)) {
            (Some(found), Some(wanted)) => Some(found.cmp(&wanted)),
            _ => Some(found.as_str().cmp(wanted)),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
