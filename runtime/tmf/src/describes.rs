//! Whether a document has the attributes that another describes.

use serde_json::Value;

use crate::number::same_value;

/// Whether a document fits a description: all attributes of the description have the same values, and
/// each element of a list fits one of the document's. `href` and attributes such as `@type` do not
/// count.
pub fn describes(description: &Value, document: &Value) -> bool {
    match (description, document) {
        (Value::Object(described), Value::Object(own)) => described
            .iter()
            .filter(|(name, _)| !name.starts_with('@') && *name != "href")
            .all(|(name, value)| own.get(name).is_some_and(|own| describes(value, own))),
        (Value::Array(described), Value::Array(own)) => {
            described.iter().all(|value| own.iter().any(|own| describes(value, own)))
        }
        (described, own) => same_value(described, own),
    }
}
