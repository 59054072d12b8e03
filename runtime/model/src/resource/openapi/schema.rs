//! Schemas: of what is answered, where `fields` may leave out anything but what names a document,
//! and of what a client may send, where null is as good as absent.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::root;
use crate::resource::check::value::ID_BYTES_MAX;
use crate::resource::shape::{Attribute, Kind, Shape, Type, shapes};
use crate::resource::{Api, Operation, Resource};

/// What a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// What the server answers with.
    Answer,
    /// What a client sends to create a document.
    Create,
    /// What a client sends to change one.
    Update,
}

/// The shapes that schemas refer to, each for what is answered or for what is sent.
pub(super) type Needed = BTreeSet<(&'static str, Direction)>;

/// In which direction a shape goes.
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
pub(super) fn add_root(
    api: &Api,
    resource: &Resource,
    schemas: &mut Map<String, Value>,
    needed: &mut Needed,
) {
    let creates = resource.takes(Operation::Create) || resource.takes(Operation::Replace);
    let patches = resource.takes(Operation::Patch);
    let sides =
        [Some(Side::Answer), creates.then_some(Side::Create), patches.then_some(Side::Update)];
    for side in sides.into_iter().flatten() {
        schemas.insert(root(api, resource, side), root_schema(resource, side, needed));
    }
}

fn root_schema(resource: &Resource, side: Side, needed: &mut Needed) -> Value {
    let Some(shape) = shapes().object(resource.shape) else { return json!({ "type": "object" }) };
    let (left_out, required): (&[&str], &[&str]) = match side {
        Side::Answer if shape.attribute("href").is_some() => (&[], &["id", "href"]),
        Side::Answer if shape.attribute("id").is_some() => (&[], &["id"]),
        Side::Answer => (&[], &[]),
        Side::Create => (resource.server, resource.mandatory),
        Side::Update => (resource.fixed, &[]),
    };
    let mut properties = Map::new();
    for attribute in shape.attributes.iter().filter(|known| !left_out.contains(&known.name)) {
        let is_required = required.contains(&attribute.name);
        let mut schema = attribute_schema(attribute, side.into(), is_required, needed);
        if is_required && side == Side::Create {
            not_empty(&mut schema);
        }
        properties.insert(attribute.name.into(), schema);
    }
    add_states(resource, side, &mut properties);
    add_classes(side.into(), &mut properties);
    if let Some(only) = resource.only_type {
        properties.insert("@type".into(), json!({ "type": "string", "enum": [only] }));
    }
    for name in left_out {
        properties.remove(*name);
    }
    object(properties, required.iter().map(|name| json!(name)).collect())
}

/// A state that stands in the table is one of those there, even where its shape says any text.
fn add_states(resource: &Resource, side: Side, properties: &mut Map<String, Value>) {
    let Some(life) = resource.life.filter(|life| !life.next.is_empty()) else { return };
    if !properties.contains_key(life.attribute) {
        return;
    }
    let states = life.next.iter().map(|(state, _)| json!(state));
    let mut schema = json!({ "type": "string", "enum": states.collect::<Vec<_>>() });
    let may_be_null = side == Side::Create && !resource.mandatory.contains(&life.attribute);
    if may_be_null {
        nullable(&mut schema);
    }
    properties.insert(life.attribute.into(), schema);
}

/// Adds every shape that is referred to, and what those refer to.
pub(super) fn add_needed(mut needed: Needed, schemas: &mut Map<String, Value>) {
    while let Some((name, direction)) = needed.pop_first() {
        let key = component(name, direction);
        let Some(shape) = shapes().object(name).filter(|_| !schemas.contains_key(&key)) else {
            continue;
        };
        // Holds the place, so that a shape within itself ends.
        schemas.insert(key.clone(), Value::Null);
        let schema = shape_schema(shape, direction, &mut needed);
        schemas.insert(key, schema);
    }
}

fn shape_schema(shape: &Shape, direction: Direction, needed: &mut Needed) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for attribute in &shape.attributes {
        let is_required = attribute.required && direction == Direction::In;
        if is_required {
            required.push(json!(attribute.name));
        }
        let schema = attribute_schema(attribute, direction, is_required, needed);
        properties.insert(attribute.name.into(), schema);
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

/// What every object may say of its class goes without saying in the shapes.
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
    attribute: &Attribute,
    direction: Direction,
    is_required: bool,
    needed: &mut Needed,
) -> Value {
    let schemas: Vec<Value> =
        attribute.kinds.iter().map(|kind| kind_schema(*kind, direction, needed)).collect();
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
        // An object that is sent may be null, unless it must be there.
        (true, true) => json!({ "type": "object", "allOf": [schema] }),
        (true, false) | (false, true) => schema,
        (false, false) => {
            nullable(&mut schema);
            schema
        }
    }
}

fn kind_schema(kind: Kind, direction: Direction, needed: &mut Needed) -> Value {
    match kind {
        Kind::One(item) => item_schema(item, direction, needed),
        Kind::Many(item) => {
            json!({ "type": "array", "items": item_schema(item, direction, needed) })
        }
    }
}

fn item_schema(item: Type, direction: Direction, needed: &mut Needed) -> Value {
    match item {
        Type::Any => json!({}),
        Type::String | Type::Uri | Type::Base64 => json!({ "type": "string" }),
        Type::Integer => json!({ "type": "integer" }),
        Type::Number => json!({ "type": "number" }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::DateTime => json!({ "type": "string", "format": "date-time" }),
        Type::Date => json!({ "type": "string", "format": "date" }),
        Type::Choice(name) => json!({ "type": "string", "enum": shapes().choice(name) }),
        Type::Object(name) => {
            needed.insert((name, direction));
            json!({ "$ref": format!("#/components/schemas/{}", component(name, direction)) })
        }
    }
}

fn component(name: &str, direction: Direction) -> String {
    match direction {
        Direction::Out => name.to_string(),
        Direction::In => format!("{name}_Input"),
    }
}

/// Lets null stand as well; what may be anything lets it stand already.
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

/// What a client is told when it does not get what it asked for.
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
