//! A document that a schema allows, with every attribute that it names down to some depth: what a
//! client could send.

use serde_json::{Map, Value, json};
use tmf::version::Version;
use tmf::version::View;

use super::definition::Definition;

/// Below this depth only what is required is filled in.
const DEPTH: usize = 4;

/// Attributes that say what a document is: they are sent where the schema wants them. Beside an amount
/// there is no percentage.
const SKIPPED: [&str; 5] = ["@schemaLocation", "@baseType", "@referredType", "href", "percentage"];

/// A text for an attribute: one that is acted on has a word that means something.
fn word(name: &str) -> String {
    match name {
        "priceType" => "recurring".into(),
        "recurringChargePeriod" | "recurringChargePeriodType" => "month".into(),
        "frequency" | "billingPeriod" => "monthly".into(),
        "unit" => "EUR".into(),
        _ => format!("{name} walked"),
    }
}

/// A document to create one of a resource with.
pub(super) fn of(definition: &Definition, view: &View, schema: &Value) -> Value {
    let mut body = value(definition, schema, "", 0);
    let Some(fields) = body.as_object_mut() else { return body };
    if view.version == Version::V4 {
        fields.remove("@type");
    }
    // The server rates a usage; a client may name its product.
    for rated in
        fields.get_mut("ratedProductUsage").and_then(Value::as_array_mut).into_iter().flatten()
    {
        if let Some(rated) = rated.as_object_mut() {
            rated.retain(|name, _| ["productRef", "@type"].contains(&name.as_str()));
        }
    }
    // A new document is in its first state.
    if let Some(lifecycle) = view.resource.lifecycle {
        let first = lifecycle.next.first().map_or("new", |(state, _)| *state);
        let state = if lifecycle.initial.is_empty() { first } else { lifecycle.initial };
        let is_said =
            lifecycle.initial.is_empty() || view.mandatory().contains(&lifecycle.attribute);
        match is_said {
            true => drop(fields.insert(lifecycle.attribute.into(), json!(state))),
            false => drop(fields.remove(lifecycle.attribute)),
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
    if let Some((name, meant)) = one_of(definition, schema) {
        let mut one = value(definition, meant, name, depth);
        one["@type"] = json!(name);
        return one;
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    match schema["type"].as_str() {
        Some("string") => match schema["format"].as_str() {
            Some("date-time") => json!("2026-03-01T10:00:00.000Z"),
            Some("date") => json!("2026-03-01"),
            Some("uri") => json!("https://example.com/walked"),
            Some("base64" | "byte") => json!("d2Fsaw=="),
            _ => json!(word(name)),
        },
        Some("integer") => json!(1),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("array") => json!([value(definition, &schema["items"], name, depth + 1)]),
        _ => object(definition, schema, depth, &required(definition, schema)),
    }
}

/// The mandatory attributes, from every part of a schema.
fn required(definition: &Definition, schema: &Value) -> Vec<String> {
    let schema = definition.resolve(schema);
    let own = schema["required"].as_array().into_iter().flatten();
    let mut all: Vec<String> = own.filter_map(|name| name.as_str().map(str::to_string)).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        all.extend(required(definition, part));
    }
    // What is shown of a reference has an id, so none is sent without.
    if schema["properties"]["@referredType"].is_object() {
        // The item of an agreement is named by two, which one part of TMF679 wants and another not.
        all.extend(["id", "agreementId", "agreementItemId"].map(String::from));
    }
    all
}

fn object(definition: &Definition, schema: &Value, depth: usize, required: &[String]) -> Value {
    let mut fields = Map::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let part = definition.resolve(part);
        if let Value::Object(more) = object(definition, part, depth, required) {
            fields.extend(more);
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        // An amount of money is whole, and a price has one.
        let is_money = name == "unit" && !schema["properties"]["value"].is_null()
            || name == "value" && !schema["properties"]["unit"].is_null();
        let is_required =
            is_money || name == "dutyFreeAmount" || required.iter().any(|known| known == name);
        if !is_required && (SKIPPED.contains(&name.as_str()) || depth >= DEPTH) {
            continue;
        }
        fields.insert(name.clone(), value(definition, property, name, depth + 1));
    }
    // Of what has one type in all versions, or several, the first is meant.
    let own = definition.types(schema).into_iter().find(|(_, meant)| *meant == schema);
    if let Some((name, _)) = own {
        fields.insert("@type".into(), json!(name));
    }
    Value::Object(fields)
}

/// The first of several schemas of which one is meant.
fn one_of<'a>(definition: &'a Definition, schema: &'a Value) -> Option<(&'a str, &'a Value)> {
    schema.get("oneOf")?;
    definition.types(schema).into_iter().next()
}
