//! The texts of an answer, at any depth, of which parts are masked.

use serde_json::Value;

/// Stands in the place of what is masked.
pub(super) const MASK: &str = "***";

/// Replaces each text for which there is another one, names of fields too.
pub(super) fn replace(value: &mut Value, other: &impl Fn(&str) -> Option<String>) {
    match value {
        Value::String(shown) => {
            if let Some(other) = other(shown) {
                *shown = other;
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| replace(entry, other)),
        Value::Object(fields) => {
            if fields.keys().any(|name| other(name).is_some()) {
                let named = std::mem::take(fields).into_iter();
                *fields =
                    named.map(|(name, field)| (other(&name).unwrap_or(name), field)).collect();
            }
            fields.values_mut().for_each(|field| replace(field, other));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces texts in the fields of these names only, at any depth.
pub(super) fn replace_under(
    value: &mut Value,
    names: &[&str],
    other: &impl Fn(&str) -> Option<String>,
) {
    match value {
        Value::Array(entries) => {
            entries.iter_mut().for_each(|entry| replace_under(entry, names, other));
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                match names.contains(&name.as_str()) {
                    true => replace(field, other),
                    false => replace_under(field, names, other),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
