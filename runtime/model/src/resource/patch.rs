//! Changing attributes of a document as a client asks.

use serde_json::{Map, Value};

/// How a patch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The attributes that are to be otherwise; null removes one (RFC 7396).
    Merge,
}

/// Why a patch cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// It is no object.
    #[error("a merge patch is a JSON object with the attributes that are to change")]
    NotAnObject,
}

/// The document after a patch.
pub fn apply(format: Format, document: &Value, patch: &Value) -> Result<Value, PatchError> {
    match (format, patch) {
        (Format::Merge, Value::Object(fields)) => {
            let mut document = document.clone();
            merge(&mut document, fields);
            Ok(document)
        }
        (Format::Merge, _) => Err(PatchError::NotAnObject),
    }
}

fn merge(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        match value {
            Value::Null => drop(target.remove(name)),
            Value::Object(fields) => {
                merge(target.entry(name.as_str()).or_insert(Value::Null), fields)
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}
