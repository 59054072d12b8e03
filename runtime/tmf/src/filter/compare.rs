//! How an attribute compares to a value of a filter.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::number::Exact;
use crate::time::instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    Regex,
}

/// Operators in words, after an attribute's name.
pub(super) const WORDS: [(&str, Operator); 7] = [
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("regex", Operator::Regex),
];

/// Operators in signs; the longer ones first.
pub(super) const SIGNED: [(&str, Operator); 9] = [
    (">=", Operator::Gte),
    ("<=", Operator::Lte),
    ("!=", Operator::Ne),
    ("=~", Operator::Regex),
    ("*=", Operator::Regex),
    ("==", Operator::Eq),
    (">", Operator::Gt),
    ("<", Operator::Lt),
    ("=", Operator::Eq),
];

/// The type by which an attribute is compared, if its text is ambiguous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum As {
    /// The type that both look like.
    #[default]
    Looks,
    Text,
    Number,
    Time,
    Boolean,
}

/// A value of a filter, with its possible readings.
#[derive(Clone, Debug)]
pub(super) struct Sought {
    pub(super) text: String,
    pub(super) number: Option<Exact>,
    pub(super) time: Option<DateTime<Utc>>,
}

impl Sought {
    /// Reads a value; `plain` is its spelling if a plus is a plus.
    pub(super) fn new(text: String, plain: &str) -> Self {
        let time = instant(plain).or_else(|| instant(&text)).or_else(|| year_or_month(&text));
        Self { number: Exact::parse(text.trim()), time, text }
    }

    /// How an attribute is ordered against the value; `None` if they cannot be compared.
    fn order(&self, found: &Value, compared: As) -> Option<Ordering> {
        match (found, compared) {
            (Value::Number(number), _) => {
                Some(Exact::parse(&number.to_string())?.cmp(self.number.as_ref()?))
            }
            (Value::Bool(found), _) => Some(found.cmp(&boolean(&self.text)?)),
            (Value::String(found), As::Text | As::Boolean) => {
                Some(found.as_str().cmp(self.text.as_str()))
            }
            (Value::String(found), As::Number) => {
                Some(Exact::parse(found.trim())?.cmp(self.number.as_ref()?))
            }
            (Value::String(found), As::Time) => Some(instant(found)?.cmp(self.time.as_ref()?)),
            (Value::String(found), As::Looks) => {
                let times = self.time.and_then(|wanted| Some(instant(found)?.cmp(&wanted)));
                times.or_else(|| Some(found.as_str().cmp(self.text.as_str())))
            }
            (Value::Null | Value::Array(_) | Value::Object(_), _) => None,
        }
    }
}

/// The first moment of a year or a month.
fn year_or_month(text: &str) -> Option<DateTime<Utc>> {
    match text.trim() {
        year if year.len() == 4 => instant(&format!("{year}-01-01")),
        month if month.len() == 7 => instant(&format!("{month}-01")),
        _ => None,
    }
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    text.trim().parse().ok()
}

impl Operator {
    /// Whether an attribute compares to a value by the operator.
    pub(super) fn holds(self, found: &Value, wanted: &Sought, compared: As) -> bool {
        let Some(order) = wanted.order(found, compared) else { return false };
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

/// A value to order documents by: numbers as numbers, times as times, before them `false` and `true`,
/// after them all else as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Ranked);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ranked {
    Boolean(bool),
    Number(Exact),
    Time(DateTime<Utc>),
    Text(String),
}

impl Key {
    /// The key of a value; `None` if it has no order.
    pub fn of(value: &Value) -> Option<Self> {
        Some(Self(match value {
            Value::Bool(value) => Ranked::Boolean(*value),
            Value::Number(number) => Ranked::Number(Exact::parse(&number.to_string())?),
            Value::String(text) => match instant(text) {
                Some(time) => Ranked::Time(time),
                None => Ranked::Text(text.clone()),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        }))
    }
}

/// A value as a text, for a search in it; `None` for objects and arrays.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(_) | Value::Number(_) => Some(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
