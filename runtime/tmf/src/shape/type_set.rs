//! The shapes of a version in an API.

use serde_json::{Map, Value};

use super::{Attribute, Kind, Shape, Type, shapes, shapes_v5};
use crate::number;

/// The shapes of a version: an API may override shapes of version 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TypeSet {
    /// Version 4, including attributes that only version 5 has.
    V4,
    /// Version 5 of an API, by its number.
    V5(u16),
}

impl TypeSet {
    /// The shape of this name.
    pub fn object(self, name: &str) -> Option<&'static Shape> {
        match self {
            Self::V4 => shapes().object(name),
            Self::V5(api) => own(api, name).or_else(|| shapes_v5().object(name)),
        }
    }

    /// The values that a text may have, by the name of the list.
    pub fn choice(self, name: &str) -> &'static [&'static str] {
        match self {
            Self::V4 => shapes().choice(name),
            Self::V5(_) => shapes_v5().choice(name),
        }
    }

    /// The alternatives of a shape; the shape itself if it has none.
    pub fn alternatives(self, name: &'static str) -> Vec<&'static str> {
        match self.object(name) {
            Some(shape) if !shape.alternatives.is_empty() => shape.alternatives.clone(),
            _ => vec![name],
        }
    }

    /// The shape of an object with alternatives: the one in its `@type`, or
    /// the one that it looks like.
    pub fn meant(self, name: &'static str, fields: &Map<String, Value>) -> &'static str {
        let Some(shape) = self.object(name).filter(|shape| !shape.alternatives.is_empty()) else {
            return name;
        };
        let said = fields.get("@type").and_then(Value::as_str);
        let said = shape.alternatives.iter().copied().find(|name| Some(*name) == said);
        said.unwrap_or_else(|| self.likened(shape, fields).unwrap_or(name))
    }

    /// The shape that an object looks like, regardless of its `@type`.
    pub fn likely(self, name: &'static str, fields: &Map<String, Value>) -> &'static str {
        let shape = self.object(name).filter(|shape| !shape.alternatives.is_empty());
        shape.and_then(|shape| self.likened(shape, fields)).unwrap_or(name)
    }

    /// Whether an attribute of an object has a value that its shape does not allow.
    pub fn misfits(self, name: &str, fields: &Map<String, Value>) -> bool {
        let Some(shape) = self.object(name) else { return false };
        fields.iter().filter(|(_, value)| !value.is_null()).any(|(name, value)| {
            let attribute = shape.attribute(name);
            attribute.is_some_and(|known| !known.kinds.iter().any(|kind| holds(*kind, value)))
        })
    }

    /// Whether a dotted path from an object of a shape is possible: below a value of any
    /// type everything is.
    pub fn may_have(self, shape: &'static str, path: &str) -> bool {
        let (name, rest) =
            path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        if name.starts_with('@') {
            return rest.is_none();
        }
        self.attributes(shape, name).any(|attribute| {
            let Some(rest) = rest else { return true };
            attribute.kinds.iter().any(|kind| match kind.item() {
                Type::Object(shape) => self.may_have(shape, rest),
                Type::Any | Type::Fields => true,
                Type::String
                | Type::Integer
                | Type::Number
                | Type::Boolean
                | Type::DateTime
                | Type::Date
                | Type::Uri
                | Type::Base64
                | Type::Choice(_) => false,
            })
        })
    }

    /// An attribute in each of the alternatives of a shape.
    pub fn attributes(
        self,
        shape: &'static str,
        name: &str,
    ) -> impl Iterator<Item = &'static Attribute> {
        let shapes = self.alternatives(shape).into_iter().filter_map(move |name| self.object(name));
        shapes.filter_map(move |shape| shape.attribute(name))
    }

    /// The first of the alternatives that knows the most attributes of an object. A
    /// reference has an id.
    fn likened(self, shape: &Shape, fields: &Map<String, Value>) -> Option<&'static str> {
        let is_reference = |name: &str| name.ends_with("Ref");
        let able = shape
            .alternatives
            .iter()
            .copied()
            .filter(|name| !is_reference(name) || fields.contains_key("id"));
        let known = |name: &str| {
            let Some(shape) = self.object(name) else { return 0 };
            let is_known = |(name, value): &(&String, &Value)| {
                let attribute = shape.attribute(name);
                attribute.is_some_and(|found| found.kinds.iter().any(|kind| holds(*kind, value)))
            };
            fields.iter().filter(is_known).count()
        };
        let mut best = None;
        for name in able {
            let count = known(name);
            if best.is_none_or(|(most, _)| count > most) {
                best = Some((count, name));
            }
        }
        best.map(|(_, name)| name)
    }
}

fn own(api: u16, name: &str) -> Option<&'static Shape> {
    shapes_v5().own.get(&api)?.get(name)
}

/// Whether a value is of a kind, judged by its JSON type.
fn holds(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::One(item) => is(item, value),
        Kind::Many(item) => {
            value.as_array().is_some_and(|entries| entries.iter().all(|entry| is(item, entry)))
        }
    }
}

fn is(item: Type, value: &Value) -> bool {
    match item {
        Type::Any => true,
        Type::Object(_) | Type::Fields => value.is_object(),
        Type::Boolean => value.is_boolean(),
        Type::Integer => matches!(value, Value::Number(number) if number::is_integer(number)),
        Type::Number => value.is_number(),
        Type::String | Type::DateTime | Type::Date | Type::Uri | Type::Base64 | Type::Choice(_) => {
            value.is_string()
        }
    }
}
