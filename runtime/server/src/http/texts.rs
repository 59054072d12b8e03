//! The texts of an answer, at any depth, of which parts are masked.

use serde_json::Value;

/// Stands in the place of what is masked.
pub(super) const MASK: &str = "***";

/// Replaces each text for which there is another one.
pub(super) fn replace(value: &mut Value, other: &impl Fn(&str) -> Option<String>) {
    match value {
        Value::String(shown) => {
            if let Some(other) = other(shown) {
                *shown = other;
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| replace(entry, other)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, other)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
