//! Attributes that no definition knows. They are stored, as the standard allows, and reported:
//! otherwise a misspelt name would go unnoticed.

use std::fmt;

use serde_json::{Map, Value};

use super::shape::{Type, TypeSet, shapes, shapes_v5};
use super::version::View;
use crate::nearest::nearest;

/// Max reported attributes of a document.
pub const TOLD_MAX: usize = 16;

/// Max characters of a name in a report.
const NAME_CHARS_MAX: usize = 80;

/// An attribute that no definition knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The path to it.
    pub path: String,
    /// The shape of the object that has it.
    pub shape: &'static str,
    /// The most similar known name.
    pub meant: Option<&'static str>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no attribute of {}, it is kept and has no effect",
            self.path, self.shape
        )?;
        match self.meant {
            Some(meant) => write!(f, ": is `{meant}` meant?"),
            None => Ok(()),
        }
    }
}

impl View {
    /// The attributes of a client's document that no definition knows. An object with a type or a
    /// schema of its own may have any.
    pub fn unknown(&self, document: &Value) -> Vec<Unknown> {
        let mut found = Vec::new();
        if let Value::Object(fields) = document {
            walk(self.types(), self.shape(), fields, "", &mut found);
        }
        found.truncate(TOLD_MAX);
        found
    }
}

fn walk(
    types: TypeSet,
    shape: &'static str,
    fields: &Map<String, Value>,
    place: &str,
    found: &mut Vec<Unknown>,
) {
    let said = fields.get("@type").and_then(Value::as_str).unwrap_or(shape);
    if fields.contains_key("@schemaLocation") || (said != shape && types.object(said).is_none()) {
        return;
    }
    let shape = types.meant(shape, fields);
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with('@')) {
        if found.len() >= TOLD_MAX {
            return;
        }
        let path = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        let kinds: Vec<Type> = types
            .attributes(shape, name)
            .chain(types.attributes(said_shape(types, said, shape), name))
            .flat_map(|attribute| attribute.kinds.iter().map(|kind| kind.item()))
            .collect();
        if kinds.is_empty() {
            let known = types.alternatives(shape).into_iter().filter_map(|name| types.object(name));
            let known = known.flat_map(|shape| shape.attributes.iter().map(|known| known.name));
            let meant = nearest(name, known);
            let path = path.chars().take(NAME_CHARS_MAX).collect();
            found.push(Unknown { path, shape, meant });
            continue;
        }
        if kinds.iter().any(|kind| matches!(kind, Type::Any | Type::Fields)) {
            continue;
        }
        below(types, &kinds, value, &path, found);
    }
}

/// The unknown attributes below one with several shapes: those of the shape that fits
/// best.
fn below(types: TypeSet, kinds: &[Type], value: &Value, path: &str, found: &mut Vec<Unknown>) {
    let entries = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    for (index, entry) in entries.iter().enumerate() {
        let Value::Object(fields) = entry else { continue };
        let place = if value.is_array() { format!("{path}[{index}]") } else { path.to_string() };
        let shapes = kinds.iter().filter_map(|kind| kind.object());
        let unknown = shapes.map(|shape| {
            let mut unknown = Vec::new();
            walk(types, shape, fields, &place, &mut unknown);
            unknown
        });
        found.extend(unknown.min_by_key(Vec::len).unwrap_or_default());
        if found.len() >= TOLD_MAX {
            return;
        }
    }
}

/// The shape in an object's `@type`, if there is one of that name.
fn said_shape(types: TypeSet, said: &str, shape: &'static str) -> &'static str {
    let all = match types {
        TypeSet::V4 => shapes(),
        TypeSet::V5(_) => shapes_v5(),
    };
    all.objects.get_key_value(said).map_or(shape, |(name, _)| name)
}

#[cfg(test)]
mod tests;
