//! Schemas: of responses, where `fields` may leave out anything but the attributes that identify
//! a document, and of requests, where null counts as absent.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Notes, root};
use crate::check::value::ID_BYTES_MAX;
use crate::resource::{Lifecycle, Operation, Owner, Words};
use crate::shape::{Attribute, Kind, Shape, Type, TypeSet};
use crate::version::View;

/// The use of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// Responses.
    Answer,
    /// Requests that create a document.
    Create,
    /// Requests that change one.
    Update,
}

/// The shapes that schemas refer to, each for responses or for requests, with their
/// notes.
pub(super) struct Needed<'a> {
    pub(super) shapes: BTreeSet<(TypeSet, &'static str, Direction)>,
    pub(super) notes: &'a dyn Notes,
}

/// Whether a shape is sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    Out,
    In,
}

impl From<Side> for Direction {
    fn from(side: Side) -> Self {
        match side {
            Side::Answer => Self::Out,
            Side::Create | Side::Update => Self::In,
        }
    }
}

/// Adds the schemas of a resource.
pub(super) fn add_root(view: &View, schemas: &mut Map<String, Value>, needed: &mut Needed<'_>) {
    let creates = view.resource.takes(Operation::Create) || view.resource.takes(Operation::Replace);
    let patches = view.resource.takes(Operation::Patch);
    let sides =
        [Some(Side::Answer), creates.then_some(Side::Create), patches.then_some(Side::Update)];
    for side in sides.into_iter().flatten() {
        schemas.insert(root(view, side), root_schema(view, side, needed));
    }
}

fn root_schema(view: &View, side: Side, needed: &mut Needed<'_>) -> Value {
    let types = view.types();
    let Some(shape) = types.object(view.shape()) else { return json!({ "type": "object" }) };
    let required = match side {
        Side::Answer => {
            let names = ["id", "href"].into_iter();
            names.filter(|name| shape.attribute(name).is_some()).collect()
        }
        Side::Create => view.mandatory(),
        Side::Update => Vec::new(),
    };
    let is_left_out = |name: &str| match side {
        Side::Answer => false,
        Side::Create => view.sets(name),
        Side::Update => view.fixes(name) || is_decided(view, needed.notes, name),
    };
    let mut properties = Map::new();
    for attribute in shape.attributes.iter().filter(|known| !is_left_out(known.name)) {
        let is_required = required.contains(&attribute.name);
        let mut schema = attribute_schema(types, attribute, side.into(), is_required, needed);
        if is_required && side == Side::Create {
            not_empty(&mut schema);
        }
        properties.insert(attribute.name.into(), schema);
    }
    if side == Side::Create {
        add_notes(types, view.shape(), needed.notes, &mut properties);
    }
    add_states(view, shape, side, &mut properties);
    add_classes(side.into(), &mut properties);
    properties.retain(|name, _| !is_left_out(name));
    object(properties, required.iter().map(|name| json!(name)).collect())
}

/// Adds the notes to the schemas of a shape.
fn add_notes(
    types: TypeSet,
    shape: &'static str,
    notes: &dyn Notes,
    properties: &mut Map<String, Value>,
) {
    for (name, schema) in properties.iter_mut().filter(|(name, _)| !name.starts_with('@')) {
        let Some(note) = notes.describe(types, shape, name) else { continue };
        // Keywords beside a reference are not read.
        if schema.get("$ref").is_some() {
            *schema = json!({ "allOf": [schema.take()] });
        }
        schema[note.extension] = json!(note.words);
        if let Some(description) = note.description {
            schema["description"] = description.into();
        }
    }
}

/// Whether an attribute of an order cannot be patched.
fn is_decided(view: &View, notes: &dyn Notes, name: &str) -> bool {
    let is_order = view.resource.owner == Owner::Order;
    let kept = view.kept_path(name);
    is_order && !name.starts_with('@') && !notes.may_change(kept.as_deref().unwrap_or(name))
}

/// A state with a lifecycle in the table is one of the states there, even if its shape allows any
/// text, unless the definitions leave the words to clients.
fn add_states(view: &View, shape: &Shape, side: Side, properties: &mut Map<String, Value>) {
    let is_listed =
        |lifecycle: &Lifecycle| !lifecycle.next.is_empty() && lifecycle.words == Words::Listed;
    let Some(lifecycle) = view.resource.lifecycle.filter(is_listed) else { return };
    let is_listed =
        shape.attribute(lifecycle.attribute).is_some_and(|known| match known.kinds[..] {
            // The states of version 5 have names of their own.
            [Kind::One(Type::Choice(_))] => view.types() != TypeSet::V4,
            _ => false,
        });
    if is_listed || !properties.contains_key(lifecycle.attribute) {
        return;
    }
    let states = lifecycle.next.iter().map(|(state, _)| json!(state));
    let mut schema = json!({ "type": "string", "enum": states.collect::<Vec<_>>() });
    let may_be_null = side == Side::Create && !view.mandatory().contains(&lifecycle.attribute);
    if may_be_null {
        nullable(&mut schema);
    }
    properties.insert(lifecycle.attribute.into(), schema);
}

/// Adds every shape that is referred to, recursively.
pub(super) fn add_needed(mut needed: Needed<'_>, schemas: &mut Map<String, Value>) {
    while let Some((types, name, direction)) = needed.shapes.pop_first() {
        let key = component(types, name, direction);
        let Some(shape) = types.object(name).filter(|_| !schemas.contains_key(&key)) else {
            continue;
        };
        // A placeholder, so that a recursive shape ends.
        schemas.insert(key.clone(), Value::Null);
        let schema = shape_schema(types, name, shape, direction, &mut needed);
        schemas.insert(key, schema);
    }
}

fn shape_schema(
    types: TypeSet,
    name: &'static str,
    shape: &Shape,
    direction: Direction,
    needed: &mut Needed<'_>,
) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for attribute in &shape.attributes {
        let is_required = attribute.required && direction == Direction::In;
        if is_required {
            required.push(json!(attribute.name));
        }
        let schema = attribute_schema(types, attribute, direction, is_required, needed);
        properties.insert(attribute.name.into(), schema);
    }
    if direction == Direction::In {
        add_notes(types, name, needed.notes, &mut properties);
    }
    add_classes(direction, &mut properties);
    let mut schema = object(properties, required);
    if direction == Direction::In {
        nullable(&mut schema);
    }
    schema
}

fn object(properties: Map<String, Value>, required: Vec<Value>) -> Value {
    let mut fields = Map::new();
    fields.insert("type".into(), "object".into());
    fields.insert("properties".into(), properties.into());
    if !required.is_empty() {
        fields.insert("required".into(), required.into());
    }
    Value::Object(fields)
}

/// Every object may have its class, which the shapes leave out.
fn add_classes(direction: Direction, properties: &mut Map<String, Value>) {
    for name in ["@type", "@baseType", "@schemaLocation", "@referredType"] {
        let mut schema = json!({ "type": "string" });
        if direction == Direction::In {
            nullable(&mut schema);
        }
        properties.entry(name).or_insert(schema);
    }
}

fn attribute_schema(
    types: TypeSet,
    attribute: &Attribute,
    direction: Direction,
    is_required: bool,
    needed: &mut Needed<'_>,
) -> Value {
    let schemas: Vec<Value> =
        attribute.kinds.iter().map(|kind| kind_schema(types, *kind, direction, needed)).collect();
    let mut schema = match <[Value; 1]>::try_from(schemas) {
        Ok([schema]) => schema,
        Err(schemas) => json!({ "anyOf": schemas }),
    };
    if direction == Direction::Out {
        return schema;
    }
    if attribute.name == "id" {
        bound_id(&mut schema);
    }
    let is_object = attribute.kinds.iter().all(|kind| matches!(kind, Kind::One(Type::Object(_))));
    match (is_required, is_object) {
        // An object in a request may be null, unless it is mandatory.
        (true, true) => json!({ "type": "object", "allOf": [schema] }),
        (true, false) | (false, true) => schema,
        (false, false) => {
            nullable(&mut schema);
            schema
        }
    }
}

fn kind_schema(types: TypeSet, kind: Kind, direction: Direction, needed: &mut Needed<'_>) -> Value {
    match kind {
        Kind::One(item) => item_schema(types, item, direction, needed),
        Kind::Many(item) => {
            json!({ "type": "array", "items": item_schema(types, item, direction, needed) })
        }
    }
}

fn item_schema(types: TypeSet, item: Type, direction: Direction, needed: &mut Needed<'_>) -> Value {
    match item {
        Type::Any => json!({}),
        Type::Fields => json!({ "type": "object" }),
        Type::String | Type::Uri | Type::Base64 => json!({ "type": "string" }),
        Type::Integer => json!({ "type": "integer" }),
        Type::Number => json!({ "type": "number" }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::DateTime => json!({ "type": "string", "format": "date-time" }),
        Type::Date => json!({ "type": "string", "format": "date" }),
        Type::Choice(name) => json!({ "type": "string", "enum": types.choice(name) }),
        Type::Object(name) => {
            let alternatives = types.alternatives(name).into_iter();
            let mut schemas: Vec<Value> = alternatives
                .map(|name| {
                    needed.shapes.insert((types, name, direction));
                    let to = format!("#/components/schemas/{}", component(types, name, direction));
                    json!({ "$ref": to })
                })
                .collect();
            match schemas.len() {
                1 => schemas.swap_remove(0),
                _ => json!({ "anyOf": schemas }),
            }
        }
    }
}

/// The name of a shape's schema. In version 5, each API has shapes of its own.
fn component(types: TypeSet, name: &str, direction: Direction) -> String {
    let name = match types {
        TypeSet::V4 => name.to_string(),
        TypeSet::V5(number) => format!("{name}_{number}v5"),
    };
    match direction {
        Direction::Out => name,
        Direction::In => format!("{name}_Input"),
    }
}

/// Allows null as well; a value of any type allows it already.
fn nullable(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    if let Some(Value::Array(any)) = fields.get_mut("anyOf") {
        any.iter_mut().for_each(nullable);
    } else if fields.contains_key("type") {
        fields.insert("nullable".into(), true.into());
        if let Some(Value::Array(values)) = fields.get_mut("enum") {
            values.push(Value::Null);
        }
    }
}

fn not_empty(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    let bound = match fields.get("type").and_then(Value::as_str) {
        Some("array") => "minItems",
        Some("string") => "minLength",
        _ => return,
    };
    fields.insert(bound.into(), 1.into());
}

fn bound_id(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    fields.insert("maxLength".into(), ID_BYTES_MAX.into());
    fields.insert("pattern".into(), r"^[^\u0000-\u001f\u007f-\u009f]*$".into());
}

pub(super) fn error() -> Value {
    json!({
        "type": "object",
        "required": ["code", "reason"],
        "properties": {
            "code": { "type": "string" },
            "reason": { "type": "string" },
            "message": { "type": "string" },
            "status": { "type": "string" },
            "referenceError": { "type": "string" },
            "@type": { "type": "string" },
            "@baseType": { "type": "string" },
            "@schemaLocation": { "type": "string" },
        },
    })
}

/// A list of operations, RFC 6902.
pub(super) fn json_patch() -> Value {
    let ops = ["add", "remove", "replace", "move", "copy", "test"];
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["op", "path"],
            "properties": {
                "op": { "type": "string", "enum": ops },
                "path": { "type": "string" },
                "from": { "type": "string" },
                "value": {},
            },
        },
    })
}
