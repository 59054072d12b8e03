//! Patches of documents. The result is checked by
//! [`super::check`] before it counts.

mod query;

use json_patch::{PatchErrorKind, PatchOperation};
use serde_json::Value;

use super::json_path::JsonPathError;
use crate::number::same_value;

/// Max operations of a patch.
pub const OPERATIONS_MAX: usize = 1_000;

/// Max values that a patch may copy within a document, or put into several places of it, in all: without a limit, a
/// document could double with each operation.
pub const COPIED_MAX: usize = 100_000;

/// Max places that the paths of a patch may select, in all.
const PLACES_MAX: usize = 10_000;

/// Max values that are looked at or moved for a patch, in all: a path that selects looks at the whole document, and an entry
/// of an array moves those behind it.
const LOOKED_AT_MAX: usize = 10_000_000;

/// Max nesting that a patch may make on its way; what it makes in the end is checked as any document. Without a limit each
/// operation could put its value into the last one's.
const NESTING_MAX: usize = 128;

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
    /// It nests too deep on its way.
    #[error("operation {position}: what it makes is nested more than {NESTING_MAX} deep")]
    TooDeep {
        /// The operation's index, from 0.
        position: usize,
    },
    /// It exceeds a limit.
    #[error(
        "a patch has at most {OPERATIONS_MAX} operations, selects {PLACES_MAX} places, copies {COPIED_MAX} values and \
         looks at {LOOKED_AT_MAX}"
    )]
    TooLarge,
}

/// Applies a patch to a document.
pub fn apply(format: Format, document: &Value, patch: &Value) -> Result<Value, PatchError> {
    match format {
        Format::Merge => merged(document, patch),
        Format::Operations => operated(document, patch, Paths::Pointers),
        Format::Query => operated(document, patch, Paths::Queries),
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

/// How the paths of a patch are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paths {
    Pointers,
    /// Pointers, or queries that select several places.
    Queries,
}

/// What is left for a patch.
struct Budget {
    copied: usize,
    places: usize,
    looked_at: usize,
}

impl Budget {
    fn whole() -> Self {
        Self { copied: COPIED_MAX, places: PLACES_MAX, looked_at: LOOKED_AT_MAX }
    }

    fn copy(&mut self, values: usize) -> Result<(), PatchError> {
        take(&mut self.copied, values)
    }

    fn select(&mut self, places: usize) -> Result<(), PatchError> {
        take(&mut self.places, places)
    }

    fn look_at(&mut self, values: usize) -> Result<(), PatchError> {
        take(&mut self.looked_at, values)
    }
}

fn take(left: &mut usize, count: usize) -> Result<(), PatchError> {
    *left = left.checked_sub(count).ok_or(PatchError::TooLarge)?;
    Ok(())
}

/// Why an operation cannot be resolved; the caller adds its index.
#[derive(Debug, PartialEq, Eq)]
enum Unresolved {
    NoTarget,
    Malformed(&'static str),
    Path(JsonPathError),
}

fn operated(document: &Value, patch: &Value, paths: Paths) -> Result<Value, PatchError> {
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
    let mut budget = Budget::whole();
    for (position, operation) in operations.iter().enumerate() {
        let Value::Object(operation) = operation else {
            return Err(PatchError::Malformed(format!("operation {position} is no object")));
        };
        match paths {
            Paths::Pointers => operate(&mut document, operation.clone(), position, &mut budget)?,
            Paths::Queries => operate_all(&mut document, operation, position, &mut budget)?,
        }
    }
    match document.is_object() {
        true => Ok(document),
        false => Err(PatchError::Malformed("what it makes of the document is no object".into())),
    }
}

/// Carries out an operation at all places that its path selects.
fn operate_all(
    document: &mut Value,
    operation: &Operation,
    position: usize,
    budget: &mut Budget,
) -> Result<(), PatchError> {
    let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
    if query::selects(path) {
        budget.look_at(size(document))?;
    }
    let places = query::places(document, operation).map_err(|unresolved| match unresolved {
        Unresolved::NoTarget => PatchError::NoTarget { position, path: path.into() },
        Unresolved::Malformed(what) => {
            PatchError::Malformed(format!("operation {position} {what}"))
        }
        Unresolved::Path(source) => PatchError::Path { position, source },
    })?;
    budget.select(places.len())?;
    if places.len() > 1 {
        let values = operation.get("value").map_or(1, size);
        budget.copy(values.saturating_mul(places.len()))?;
    }
    for place in places {
        let mut operation = operation.clone();
        operation.insert("path".into(), place.into());
        operate(document, operation, position, budget)?;
    }
    Ok(())
}

fn operate(
    document: &mut Value,
    operation: Operation,
    position: usize,
    budget: &mut Budget,
) -> Result<(), PatchError> {
    let malformed = |error| PatchError::Malformed(format!("operation {position}: {error}"));
    let operation = read(operation).map_err(malformed)?;
    let path = operation.path().to_string();
    let source = |from: &str| document.pointer(from).map_or(0, size);
    match &operation {
        PatchOperation::Copy(copy) => budget.copy(source(copy.from.as_str()))?,
        PatchOperation::Move(moved) => {
            let from = moved.from.as_str();
            budget.look_at(source(from) + beside(document, from))?;
        }
        PatchOperation::Add(_)
        | PatchOperation::Replace(_)
        | PatchOperation::Remove(_)
        | PatchOperation::Test(_) => {}
    }
    budget.look_at(beside(document, &path))?;
    let put = match &operation {
        PatchOperation::Add(add) => Some(&add.value),
        PatchOperation::Replace(replace) => Some(&replace.value),
        PatchOperation::Move(moved) => document.pointer(moved.from.as_str()),
        PatchOperation::Copy(copy) => document.pointer(copy.from.as_str()),
        PatchOperation::Remove(_) | PatchOperation::Test(_) => None,
    };
    if put.is_some_and(|put| path.matches('/').count() + nesting(put) > NESTING_MAX) {
        return Err(PatchError::TooDeep { position });
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

/// The number of entries beside the place of a pointer, if it is in an array.
fn beside(document: &Value, pointer: &str) -> usize {
    let above = pointer.rsplit_once('/').and_then(|(above, _)| document.pointer(above));
    above.and_then(Value::as_array).map_or(0, Vec::len)
}

/// How many arrays and objects of a value are within each other.
fn nesting(value: &Value) -> usize {
    match value {
        Value::Array(entries) => 1 + entries.iter().map(nesting).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(nesting).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
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
