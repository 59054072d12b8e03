//! Patches of documents. The result is checked by
//! [`super::check`] before it counts.

mod query;

use json_patch::{PatchErrorKind, PatchOperation};
use serde_json::Value;

use super::json_path::JsonPathError;
use crate::number::same_value;

/// Max operations of a patch.
pub const OPERATIONS_MAX: usize = 1_000;

/// Max values that a patch may copy within a document, in all: without a limit, a document could
/// double with each operation.
pub const COPIED_MAX: usize = 100_000;

/// The notation of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// New values, with null for removed ones (RFC 7396).
    Merge,
    /// Operations at JSON pointers (RFC 6902).
    Operations,
    /// The same, with paths that select entries of arrays by their content (TMF630, part 5).
    Query,
}

impl Format {
    /// The notation of a content type, without its parameters; plain JSON is a merge patch.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "application/json" | "application/merge-patch+json" => Some(Self::Merge),
            "application/json-patch+json" => Some(Self::Operations),
            "application/json-patch-query+json" => Some(Self::Query),
            _ => None,
        }
    }
}

/// Why a patch was not applied; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The patch is malformed.
    #[error("not a patch: {0}")]
    Malformed(String),
    /// A path of the patch is invalid.
    #[error("operation {position}: the path is refused")]
    Path {
        /// The operation's index, from 0.
        position: usize,
        /// The reason.
        #[source]
        source: JsonPathError,
    },
    /// A `test` failed: the document is not as the client expected.
    #[error("operation {position}: what is at `{path}` is not the tested value")]
    TestFailed {
        /// The operation's index, from 0.
        position: usize,
        path: String,
    },
    /// The target of an operation is missing.
    #[error("operation {position}: there is nothing to change at `{path}`")]
    NoTarget {
        /// The operation's index, from 0.
        position: usize,
        path: String,
    },
    /// It exceeds a limit.
    #[error("a patch has at most {OPERATIONS_MAX} operations, and copies {COPIED_MAX} values")]
    TooLarge,
}

/// Applies a patch to a document.
pub fn apply(format: Format, document: &Value, patch: &Value) -> Result<Value, PatchError> {
    match format {
        Format::Merge => merged(document, patch),
        Format::Operations => operated(document, patch, |_, operation| Ok(vec![operation.clone()])),
        Format::Query => operated(document, patch, query::resolved),
    }
}

fn merged(document: &Value, patch: &Value) -> Result<Value, PatchError> {
    if !patch.is_object() {
        return Err(PatchError::Malformed("a merge-patch is a JSON object".into()));
    }
    let mut document = document.clone();
    merge(&mut document, patch);
    Ok(document)
}

/// Merges a patch into a value (RFC 7396).
pub fn merge(value: &mut Value, patch: &Value) {
    json_patch::merge(value, patch);
}

/// An operation as it was sent.
type Operation = serde_json::Map<String, Value>;

/// Why an operation cannot be resolved; the caller adds its index.
#[derive(Debug, PartialEq, Eq)]
enum Unresolved {
    NoTarget,
    Malformed(&'static str),
    Path(JsonPathError),
}

fn operated(
    document: &Value,
    patch: &Value,
    resolve: impl Fn(&Value, &Operation) -> Result<Vec<Operation>, Unresolved>,
) -> Result<Value, PatchError> {
    let one = std::slice::from_ref(patch);
    // The definitions send a lone operation instead of an array.
    let operations = match patch {
        Value::Object(_) => one,
        Value::Array(operations) => operations,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(PatchError::Malformed("a JSON-patch is an array of operations".into()));
        }
    };
    if operations.len() > OPERATIONS_MAX {
        return Err(PatchError::TooLarge);
    }
    let mut document = document.clone();
    let mut budget = COPIED_MAX;
    for (position, operation) in operations.iter().enumerate() {
        let Value::Object(operation) = operation else {
            return Err(PatchError::Malformed(format!("operation {position} is no object")));
        };
        let path = operation.get("path").and_then(Value::as_str).unwrap_or_default().to_string();
        let resolved = resolve(&document, operation).map_err(|unresolved| match unresolved {
            Unresolved::NoTarget => PatchError::NoTarget { position, path },
            Unresolved::Malformed(what) => {
                PatchError::Malformed(format!("operation {position} {what}"))
            }
            Unresolved::Path(source) => PatchError::Path { position, source },
        })?;
        for operation in resolved {
            operate(&mut document, operation, position, &mut budget)?;
        }
    }
    match document.is_object() {
        true => Ok(document),
        false => Err(PatchError::Malformed("what it makes of the document is no object".into())),
    }
}

fn operate(
    document: &mut Value,
    operation: Operation,
    position: usize,
    budget: &mut usize,
) -> Result<(), PatchError> {
    let malformed = |error| PatchError::Malformed(format!("operation {position}: {error}"));
    let operation = read(operation).map_err(malformed)?;
    let path = operation.path().to_string();
    if let PatchOperation::Copy(copy) = &operation {
        let copied = document.pointer(copy.from.as_str()).map_or(0, size);
        *budget = budget.checked_sub(copied).ok_or(PatchError::TooLarge)?;
    }
    if let PatchOperation::Test(test) = &operation {
        // `1.0` is the number that `1` is (RFC 6902, 4.6).
        return match document.pointer(test.path.as_str()) {
            Some(found) if same_value(found, &test.value) => Ok(()),
            Some(_) => Err(PatchError::TestFailed { position, path }),
            None => Err(PatchError::NoTarget { position, path }),
        };
    }
    json_patch::patch(document, &[operation]).map_err(|error| {
        if matches!(error.kind, PatchErrorKind::TestFailed) {
            PatchError::TestFailed { position, path }
        } else {
            PatchError::NoTarget { position, path }
        }
    })
}

/// Reads an operation. Its value is added afterwards: serde's tagged enums would lose the digits
/// of long numbers.
fn read(mut operation: Operation) -> Result<PatchOperation, serde_json::Error> {
    let value = operation.get_mut("value").map(Value::take);
    let mut read = serde_json::from_value(Value::Object(operation))?;
    match (&mut read, value) {
        (PatchOperation::Add(add), Some(value)) => add.value = value,
        (PatchOperation::Replace(replace), Some(value)) => replace.value = value,
        (PatchOperation::Test(test), Some(value)) => test.value = value,
        (
            PatchOperation::Add(_)
            | PatchOperation::Replace(_)
            | PatchOperation::Test(_)
            | PatchOperation::Remove(_)
            | PatchOperation::Move(_)
            | PatchOperation::Copy(_),
            _,
        ) => {}
    }
    Ok(read)
}

/// The number of values in a value.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(entries) => 1 + entries.iter().map(size).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(size).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

#[cfg(test)]
mod tests;
