//! Validates a value by its shape, recursively.

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Map, Value};

use super::{Invalid, InvalidKind, missing};
use crate::number;
use crate::shape::{Attribute, Kind, Type, TypeSet};

/// Max nesting of a document: an object within an object is two.
pub(super) const DEPTH_MAX: usize = 32;

/// Max length of an id, in bytes: keys of the store contain it.
pub(crate) const ID_BYTES_MAX: usize = 200;

/// The criteria of a search: its attributes are compared, so none of them is mandatory.
const CRITERIA: &str = "searchCriteria";

/// Max characters of a wrong value that a message repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// Whether a document is nested within the limit; all other checks rely on it.
pub(crate) fn check_depth(document: &Value) -> Result<(), Invalid> {
    // Without recursion: the nesting is limited only by the parser.
    let mut level: Vec<&Value> = vec![document];
    for _ in 0..=DEPTH_MAX {
        let below = level.iter().flat_map(|value| children(value)).collect::<Vec<_>>();
        if below.is_empty() && !level.iter().any(|value| is_container(value)) {
            return Ok(());
        }
        level = below;
    }
    let message = format!("a document is nested at most {DEPTH_MAX} deep");
    Err(Invalid::new(InvalidKind::TooDeep, "", message))
}

fn is_container(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(entries) => entries.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Whether an attribute of a document has its shape. Null counts as absent.
pub(crate) fn check_attribute(
    types: TypeSet,
    shape: &'static str,
    name: &str,
    value: &Value,
) -> Result<(), Invalid> {
    let known = types.object(shape).and_then(|shape| shape.attribute(name));
    check_field(types, known, name, name, value)
}

fn check_field(
    types: TypeSet,
    known: Option<&Attribute>,
    name: &str,
    path: &str,
    value: &Value,
) -> Result<(), Invalid> {
    if value.is_null() {
        return Ok(());
    }
    if name.starts_with('@') && !value.is_string() && known.is_none() {
        return Err(wrong(path, "a string"));
    }
    match known {
        Some(attribute) => check_kinds(types, &attribute.kinds, path, value),
        None => check_unknown(path, value),
    }?;
    if name == "id" { check_id(path, value) } else { Ok(()) }
}

/// If an attribute may have several types, the one of the value's JSON type is used.
fn check_kinds(types: TypeSet, kinds: &[Kind], path: &str, value: &Value) -> Result<(), Invalid> {
    let meant = kinds.iter().find(|kind| is_meant(**kind, value));
    match meant.or_else(|| kinds.first()) {
        Some(kind) => check_kind(types, *kind, path, value),
        None => Ok(()),
    }
}

fn is_meant(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Many(_) => value.is_array(),
        Kind::One(Type::Any) => true,
        Kind::One(Type::Object(_) | Type::Fields) => value.is_object(),
        Kind::One(Type::Boolean) => value.is_boolean(),
        Kind::One(Type::Integer | Type::Number) => value.is_number(),
        Kind::One(
            Type::String | Type::DateTime | Type::Date | Type::Uri | Type::Base64 | Type::Choice(_),
        ) => value.is_string(),
    }
}

fn check_kind(types: TypeSet, kind: Kind, path: &str, value: &Value) -> Result<(), Invalid> {
    match kind {
        Kind::One(item) => check_item(types, item, path, value),
        Kind::Many(item) => {
            let entries = value.as_array().ok_or_else(|| wrong(path, "an array"))?;
            for (position, entry) in
                entries.iter().enumerate().filter(|(_, entry)| !entry.is_null())
            {
                check_item(types, item, &format!("{path}[{position}]"), entry)?;
            }
            Ok(())
        }
    }
}

fn check_item(types: TypeSet, item: Type, path: &str, value: &Value) -> Result<(), Invalid> {
    match item {
        Type::Any => check_unknown(path, value),
        Type::Fields => holds(value.is_object(), path, "an object"),
        Type::String | Type::Uri | Type::Base64 => text(path, value).map(drop),
        // A number in a characteristic may have any number of digits.
        Type::Integer => holds(is_whole(value) || is_long(path, value), path, "a whole number"),
        Type::Number => holds(value.is_number(), path, "a number"),
        Type::Boolean => holds(value.is_boolean(), path, "true or false"),
        Type::DateTime => holds(is_date_time(text(path, value)?), path, "a date-time"),
        Type::Date => holds(is_date(text(path, value)?), path, "a date"),
        Type::Choice(name) => {
            let (text, values) = (text(path, value)?, types.choice(name));
            if values.contains(&text) { Ok(()) } else { Err(unlisted(path, text, values)) }
        }
        Type::Object(shape) => {
            let fields = value.as_object().ok_or_else(|| wrong(path, "an object"))?;
            check_fields(types, types.meant(shape, fields), path, fields)
        }
    }
}

fn check_fields(
    types: TypeSet,
    shape: &str,
    path: &str,
    fields: &Map<String, Value>,
) -> Result<(), Invalid> {
    let Some(shape) = types.object(shape) else { return Ok(()) };
    let is_demanded = |attribute: &&Attribute| attribute.required && !path.starts_with(CRITERIA);
    for attribute in shape.attributes.iter().filter(is_demanded) {
        if fields.get(attribute.name).is_none_or(Value::is_null) {
            return Err(missing(&format!("{path}.{}", attribute.name)));
        }
    }
    for (name, value) in fields {
        check_field(types, shape.attribute(name), name, &format!("{path}.{name}"), value)?;
    }
    Ok(())
}

/// A value without a shape is kept as it is; only its ids are checked, since keys contain them.
fn check_unknown(path: &str, value: &Value) -> Result<(), Invalid> {
    match value {
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .try_for_each(|(position, entry)| check_unknown(&format!("{path}[{position}]"), entry)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            let path = format!("{path}.{name}");
            let is_id = name == "id" && value.is_string();
            if is_id { check_id(&path, value) } else { check_unknown(&path, value) }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn check_id(path: &str, value: &Value) -> Result<(), Invalid> {
    let id = value.as_str().unwrap_or_default();
    if id.len() <= ID_BYTES_MAX && !id.chars().any(char::is_control) {
        return Ok(());
    }
    let message = format!("`{path}`: an id has at most {ID_BYTES_MAX} bytes, and none are control");
    Err(Invalid::new(InvalidKind::BadId, path, message))
}

/// The error for a value that is not in a list.
pub(super) fn unlisted(path: &str, value: &str, values: &[&str]) -> Invalid {
    let shown: String = value.chars().take(SHOWN_CHARS_MAX).collect();
    let message = format!("`{path}` is one of `{}`, not `{shown}`", values.join("`, `"));
    Invalid::new(InvalidKind::UnknownValue, path, message)
}

fn text<'a>(path: &str, value: &'a Value) -> Result<&'a str, Invalid> {
    value.as_str().ok_or_else(|| wrong(path, "a string"))
}

fn holds(condition: bool, path: &str, what: &str) -> Result<(), Invalid> {
    if condition { Ok(()) } else { Err(wrong(path, what)) }
}

fn wrong(path: &str, what: &str) -> Invalid {
    Invalid::new(InvalidKind::WrongType, path, format!("`{path}` is not {what}"))
}

/// Whether a value in a characteristic is a whole number of any length.
fn is_long(path: &str, value: &Value) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default();
    let name = name.split('[').next().unwrap_or_default();
    name == "value" && matches!(value, Value::Number(number) if number::is_integer(number))
}

/// Whether a number is whole and fits into the type used for computations.
fn is_whole(value: &Value) -> bool {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let is_exact = |number: f64| number.fract() == 0.0 && number.abs() <= EXACT_MAX;
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(is_exact)
}

/// RFC 3339, and common deviations: without seconds, without a zone, a day alone.
fn is_date_time(text: &str) -> bool {
    let (day, time) =
        text.split_once(['T', 't', ' ']).map_or((text, None), |(day, time)| (day, Some(time)));
    is_date(day) && time.is_none_or(is_time)
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_time(text: &str) -> bool {
    let zone = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (time, zone) = text.split_at(zone);
    let digits = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").is_ok();
    let is_zone = match zone.strip_prefix(['+', '-']) {
        Some(offset) => {
            digits(offset)
                || (offset.len() == 4 && NaiveTime::parse_from_str(offset, "%H%M").is_ok())
        }
        None => zone.is_empty() || zone.eq_ignore_ascii_case("z"),
    };
    is_zone && (digits(time) || NaiveTime::parse_from_str(time, "%H:%M:%S%.f").is_ok())
}
