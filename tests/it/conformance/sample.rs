//! A document that a schema allows, with every attribute that it names down to some depth: what a
//! client could send.

use model::resource::table;
use serde_json::{Map, Value, json};

use super::definition::{Definition, Resource};

/// Below this depth only what is required is filled in.
const DEPTH: usize = 4;

/// Attributes that say what a document is: they are sent where the schema wants them.
const SKIPPED: [&str; 4] = ["@schemaLocation", "@baseType", "@referredType", "href"];

/// A document to create one of a resource with.
pub(super) fn of(definition: &Definition, resource: &Resource, schema: &Value) -> Value {
    let mut body = value(definition, schema, "", 0);
    let name = resource.path.rsplit('/').next().unwrap_or_default();
    let known = table::APIS.iter().flat_map(|api| api.resources).find(|r| r.name == name);
    if let (Some(known), Some(fields)) = (known, body.as_object_mut()) {
        fields.remove("@type");
        // A new document is in its first state.
        if let Some(life) = known.life {
            match life.initial {
                "" => {
                    let first = life.next.first().map_or("new", |(state, _)| *state);
                    fields.insert(life.attribute.into(), json!(first));
                }
                _ => drop(fields.remove(life.attribute)),
            }
        }
        // A quote is priced, so what it is for must be sold.
        if known.key == "quote" {
            fields.insert(
                "quoteItem".into(),
                json!([{ "id": "1", "productOffering": { "id": "PO-SF200H" } }]),
            );
        }
    }
    body
}

/// Makes what a path through a document leads to a reference to this id.
pub(super) fn refer(body: &mut Value, path: &str, id: &str) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(below) = body.get_mut(name) else { return };
    let each = match below.as_array_mut() {
        Some(entries) => entries.iter_mut().collect(),
        None => vec![&mut body[name]],
    };
    for one in each {
        match rest {
            Some(rest) => refer(one, rest, id),
            None => one["id"] = json!(id),
        }
    }
}

fn value(definition: &Definition, schema: &Value, name: &str, depth: usize) -> Value {
    let schema = definition.resolve(schema);
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    match schema["type"].as_str() {
        Some("string") => match schema["format"].as_str() {
            Some("date-time") => json!("2026-03-01T10:00:00.000Z"),
            Some("date") => json!("2026-03-01"),
            Some("uri") => json!("https://example.com/walked"),
            Some("base64" | "byte") => json!("d2Fsaw=="),
            _ => json!(format!("{name} walked")),
        },
        Some("integer") => json!(1),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("array") => json!([value(definition, &schema["items"], name, depth + 1)]),
        _ => object(definition, schema, depth),
    }
}

fn object(definition: &Definition, schema: &Value, depth: usize) -> Value {
    let mut fields = Map::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if let Value::Object(more) = value(definition, part, "", depth) {
            fields.extend(more);
        }
    }
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = required.iter().any(|known| known == name);
        if !is_required && (SKIPPED.contains(&name.as_str()) || depth >= DEPTH) {
            continue;
        }
        fields.insert(name.clone(), value(definition, property, name, depth + 1));
    }
    Value::Object(fields)
}
