//! Our own API in OpenAPI, and as a page: both are generated from the table.

use serde_json::{Map, Value, json};

use super::BASE;
use super::operation::{Attribute, Body, Content, Kind, Operation};
use super::table::OPERATIONS;

/// The tag of our own operations.
const TAG: &str = "orchestration";

/// Adds our own operations to a description.
pub(in crate::http) fn describe(document: &mut Value) {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = format!("{BASE}{}", operation.template());
        let item = paths.entry(path).or_insert_with(|| path_item(operation));
        item[operation.method.to_lowercase()] = described(operation);
    }
    if let Some(known) = document["paths"].as_object_mut() {
        known.extend(paths);
    }
    if let Some(tags) = document["tags"].as_array_mut() {
        let what = "What the standards leave out: workflows, fulfilments, billing runs, imports";
        tags.push(json!({ "name": TAG, "description": what }));
    }
}

fn path_item(operation: &Operation) -> Value {
    let names = operation.names().map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    let names: Vec<Value> = names.collect();
    if names.is_empty() { json!({}) } else { json!({ "parameters": names }) }
}

fn described(operation: &Operation) -> Value {
    let mut described = json!({
        "tags": [TAG],
        "operationId": operation_id(operation),
        "summary": operation.summary,
        "responses": responses(operation),
    });
    let mut parameters: Vec<Value> = operation.query.iter().map(parameter).collect();
    if operation.is_filtered {
        parameters.push(json!({ "$ref": "#/components/parameters/attributes" }));
        parameters.push(json!({ "$ref": "#/components/parameters/filter" }));
    }
    if operation.is_keyed {
        parameters.push(json!({ "$ref": "#/components/parameters/idempotencyKey" }));
    }
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = body(operation.body) {
        described["requestBody"] = body;
    }
    described
}

fn operation_id(operation: &Operation) -> String {
    let plain = |piece: &str| piece.replace(['{', '}', '.'], "").replace('-', "_");
    let pieces = operation.path.split('/').filter(|piece| !piece.is_empty()).map(plain);
    let pieces: Vec<String> = pieces.collect();
    format!("{}_{}", operation.method.to_lowercase(), pieces.join("_"))
}

fn parameter(parameter: &super::operation::Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": "query",
        "description": parameter.what,
        "schema": parameter.kind.schema(),
    })
}

fn body(body: Body) -> Option<Value> {
    let json = |schema: Value| json!({ "application/json": { "schema": schema } });
    let (content, required) = match body {
        Body::None => return None,
        Body::Any => (json(json!({ "type": "object" })), false),
        Body::Order => (json(json!({ "type": "object" })), true),
        Body::Lines => {
            let lines = json!({ "application/x-ndjson": { "schema": { "type": "string" } } });
            (lines, true)
        }
        Body::Component => {
            let bytes = json!({ "type": "string", "format": "binary" });
            (json!({ "application/wasm": { "schema": bytes } }), true)
        }
        Body::Attributes { known, may_be_empty, is_open } => {
            (json(object(known, is_open)), !may_be_empty)
        }
    };
    Some(json!({ "required": required, "content": content }))
}

fn object(known: &[Attribute], is_open: bool) -> Value {
    let properties = known.iter().map(|attribute| {
        let mut schema = attribute.kind.schema();
        schema["description"] = json!(attribute.what);
        if !attribute.is_mandatory {
            schema["nullable"] = json!(true);
        }
        (attribute.name.to_string(), schema)
    });
    let mandatory = known.iter().filter(|attribute| attribute.is_mandatory);
    let mandatory: Vec<&str> = mandatory.map(|attribute| attribute.name).collect();
    let mut object = json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "additionalProperties": is_open,
    });
    if !mandatory.is_empty() {
        object["required"] = json!(mandatory);
    }
    object
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Self::Choice(words) => json!({ "type": "string", "enum": words }),
            Self::Number => json!({ "type": "integer", "minimum": 0 }),
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Day => json!({ "type": "string", "format": "date" }),
            Self::Time => json!({ "type": "string", "format": "date-time" }),
            Self::Object => json!({ "type": "object" }),
            Self::Reference => json!({
                "type": "object",
                "required": ["id"],
                "properties": { "id": { "type": "string", "minLength": 1 } },
            }),
            Self::Money => json!({
                "type": "object",
                "required": ["unit", "value"],
                "properties": { "unit": { "type": "string" }, "value": { "type": "number" } },
            }),
        }
    }
}

/// Problems of every operation, and of those that change something.
const PROBLEMS: [&str; 5] = ["400", "404", "405", "500", "503"];
const PROBLEMS_OF_CHANGES: [&str; 5] = ["409", "413", "415", "422", "429"];

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    let (status, content) = operation.answer;
    responses.insert(status.to_string(), response(content, "What was asked for"));
    for (status, what) in operation.others {
        let content = if *status == 204 { Content::Nothing } else { content };
        responses.insert(status.to_string(), response(content, what));
    }
    let changes = operation.method != "GET";
    let more = PROBLEMS_OF_CHANGES.iter().filter(|_| changes);
    for status in PROBLEMS.iter().chain(more) {
        let to = format!("#/components/responses/Error{status}");
        responses.insert((*status).into(), json!({ "$ref": to }));
    }
    // A read may break a rule too: a document that cannot be drawn, say.
    let rule = json!({ "$ref": "#/components/responses/Error422" });
    responses.entry("422").or_insert(rule);
    Value::Object(responses)
}

fn response(content: Content, what: &str) -> Value {
    let one = |media_type: &str, schema: Value| json!({ media_type: { "schema": schema } });
    let object = || json!({ "type": "object" });
    let text = || json!({ "type": "string" });
    let binary = || json!({ "type": "string", "format": "binary" });
    let content = match content {
        Content::Nothing => return json!({ "description": what }),
        Content::Object => one("application/json", object()),
        Content::Array => {
            one("application/json", json!({ "type": "array", "items": { "type": "object" } }))
        }
        Content::ArrayOrObject => {
            let array = json!({ "type": "array", "items": { "type": "object" } });
            one("application/json", json!({ "anyOf": [array, object()] }))
        }
        Content::Text => one("text/plain", text()),
        Content::Lines => one("application/x-ndjson", text()),
        Content::Events => one("text/event-stream", text()),
        Content::Pdf => one("application/pdf", binary()),
        Content::File => one("application/octet-stream", binary()),
        Content::Document => json!({
            "text/html": { "schema": text() }, "application/pdf": { "schema": binary() },
        }),
        Content::ObjectOrText => json!({
            "application/json": { "schema": object() }, "text/plain": { "schema": text() },
        }),
    };
    json!({ "description": what, "content": content })
}
