//! Bounds on the outputs that are taken from an element's answer. The host has the same: an answer beyond them
//! is refused here, where it is known which element gave it.

use serde_json::Value;

/// Max levels of arrays and objects of outputs.
pub(super) const DEPTH_MAX: usize = 32;

/// Max bytes of outputs, written as JSON.
pub(super) const BYTES_MAX: usize = 256 * 1024;

/// The bound that outputs exceed, and by how much.
pub(super) fn exceeded(outputs: &Value) -> Option<String> {
    let levels = depth(outputs);
    if levels > DEPTH_MAX {
        return Some(format!("{levels} levels, the limit is {DEPTH_MAX}"));
    }
    let bytes = outputs.to_string().len();
    (bytes > BYTES_MAX).then(|| format!("{bytes} bytes, the limit is {BYTES_MAX}"))
}

/// How many levels of arrays and objects a value has.
fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut left = vec![(value, 1)];
    while let Some((value, level)) = left.pop() {
        match value {
            Value::Array(items) => left.extend(items.iter().map(|item| (item, level + 1))),
            Value::Object(fields) => left.extend(fields.values().map(|field| (field, level + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => continue,
        }
        deepest = deepest.max(level);
    }
    deepest
}
