//! Templates such as `Dear {customer.name}, order {order} is done.`. A name is a path of keys and
//! indices with dots; `{{` and `}}` stand for the braces themselves.

use std::fmt;

use serde_json::{Map, Value};

/// Max bytes of a text.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Why a template cannot be filled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// A brace without its partner.
    Brace,
    /// A name that has no value.
    Missing(String),
    /// A name whose value is a list or an object.
    NotText(String),
    /// The text is too long.
    TooLong,
}

/// Puts values into a template.
pub(crate) fn render(template: &str, values: &Map<String, Value>) -> Result<String, Error> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        let after = &rest[at + 1..];
        if let Some(after) = after.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}').filter(|_| brace == "{").ok_or(Error::Brace)?;
        put(&mut text, name.trim(), values)?;
        rest = after;
        if text.len() > TEXT_BYTES_MAX {
            return Err(Error::TooLong);
        }
    }
    text.push_str(rest);
    if text.len() > TEXT_BYTES_MAX { Err(Error::TooLong) } else { Ok(text) }
}

fn put(text: &mut String, name: &str, values: &Map<String, Value>) -> Result<(), Error> {
    let missing = || Error::Missing(name.to_owned());
    let mut path = name.split('.');
    let mut value = values.get(path.next().unwrap_or_default()).ok_or_else(missing)?;
    for key in path {
        let inner = match value {
            Value::Object(fields) => fields.get(key),
            Value::Array(list) => key.parse().ok().and_then(|index: usize| list.get(index)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        value = inner.ok_or_else(missing)?;
    }
    match value {
        Value::String(value) => text.push_str(value),
        Value::Number(value) => text.push_str(&value.to_string()),
        Value::Bool(value) => text.push_str(&value.to_string()),
        Value::Null => return Err(missing()),
        Value::Array(_) | Value::Object(_) => return Err(Error::NotText(name.to_owned())),
    }
    Ok(())
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brace => {
                write!(formatter, "a brace has no partner; write `{{{{` for a brace itself")
            }
            Self::Missing(name) => write!(formatter, "there is no value for `{name}`"),
            Self::NotText(name) => write!(formatter, "the value for `{name}` is no text or number"),
            Self::TooLong => write!(formatter, "the text is longer than {TEXT_BYTES_MAX} bytes"),
        }
    }
}
