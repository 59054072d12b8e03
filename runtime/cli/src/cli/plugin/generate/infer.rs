//! Kinds of values of which only examples are known.

use std::collections::BTreeMap;

use super::json::Json;
use super::kind::{Kind, Property, Shape};

/// Max levels of objects that have types of their own.
const LEVELS_MAX: usize = 4;

/// Max properties that have types of their own.
const PROPERTIES_MAX: usize = 600;

/// The kind of a value; nothing of it is mandatory.
pub(super) fn kind(name: &str, value: &Json) -> Kind {
    let levels = (1..=LEVELS_MAX).rev();
    let mut kinds = levels.map(|levels| of(name, value, levels));
    kinds.find(|kind| kind.size() <= PROPERTIES_MAX).unwrap_or(Kind::Any)
}

/// The kind of its first level.
pub(super) fn top(value: &Json) -> Kind {
    of("answer", value, 1)
}

/// The kind of two values of the same thing.
pub(super) fn merged(left: Kind, right: Kind) -> Kind {
    match (left, right) {
        (left, right) if left == right => left,
        (Kind::Integer, Kind::Number) | (Kind::Number, Kind::Integer) => Kind::Number,
        (Kind::List(left), Kind::List(right)) => Kind::List(Box::new(merged(*left, *right))),
        (Kind::Object(left), Kind::Object(right)) => {
            let mut all: BTreeMap<String, Property> = BTreeMap::new();
            for property in left.properties.into_iter().chain(right.properties) {
                let name = property.name.as_str().to_owned();
                let property = match all.remove(&name) {
                    Some(known) => Property { kind: merged(known.kind, property.kind), ..property },
                    None => property,
                };
                all.insert(name, property);
            }
            Kind::Object(Shape { name: left.name, properties: all.into_values().collect() })
        }
        _ => Kind::Any,
    }
}

fn of(name: &str, value: &Json, levels: usize) -> Kind {
    let value = &value.0;
    if value.is_string() {
        return Kind::Text;
    }
    if value.is_boolean() {
        return Kind::Boolean;
    }
    if value.is_i64() {
        return Kind::Integer;
    }
    if value.is_number() {
        return Kind::Number;
    }
    if let Some(items) = value.as_array() {
        let kinds = items.iter().map(|item| of(name, &Json(item.clone()), levels));
        return Kind::List(Box::new(kinds.reduce(merged).unwrap_or(Kind::Any)));
    }
    let Some(members) = value.as_object().filter(|members| levels > 0 && !members.is_empty())
    else {
        return Kind::Any;
    };
    let properties = members.iter().map(|(name, value)| Property {
        name: name.into(),
        kind: of(name, &Json(value.clone()), levels - 1),
        is_mandatory: false,
        about: None,
    });
    Kind::Object(Shape { name: name.into(), properties: properties.collect() })
}
