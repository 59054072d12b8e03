//! The shapes of a version, as an API has them.

use serde_json::{Map, Value};

use super::{Attribute, Kind, Shape, Type, shapes, shapes_v5};
use crate::number;

/// The shapes of a version: of version 5 an API may have its own under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TypeSet {
    /// Those of version 4, which know what is only in version 5 as well.
    V4,
    /// Those of version 5, of an API by its number.
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

    /// The shapes that may stand for one; itself where there is no other.
    pub fn alternatives(self, name: &'static str) -> Vec<&'static str> {
        match self.object(name) {
            Some(shape) if !shape.alternatives.is_empty() => shape.alternatives.clone(),
            _ => vec![name],
        }
    }

    /// The shape that an object is of, where several may stand: the one that its `@type` names, or
    /// that it looks like.
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

    /// Whether an object has an attribute whose value a shape does not hold.
    pub fn misfits(self, name: &str, fields: &Map<String, Value>) -> bool {
        let Some(shape) = self.object(name) else { return false };
        fields.iter().filter(|(_, value)| !value.is_null()).any(|(name, value)| {
            let attribute = shape.attribute(name);
            attribute.is_some_and(|known| !known.kinds.iter().any(|kind| holds(*kind, value)))
        })
    }

    /// Whether a dotted path from an object of a shape may lead to something: below a value of any
    /// kind everything may be.
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

    /// What an attribute of a shape is, in each of the shapes that may stand for it.
    pub fn attributes(
        self,
        shape: &'static str,
        name: &str,
    ) -> impl Iterator<Item = &'static Attribute> {
        let shapes = self.alternatives(shape).into_iter().filter_map(move |name| self.object(name));
        shapes.filter_map(move |shape| shape.attribute(name))
    }

    /// Of the shapes that may stand for one, the first that knows the most of an object. A
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
