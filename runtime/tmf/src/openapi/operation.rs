//! Paths and operations with their requests and responses.

use serde_json::{Map, Value, json};

use super::schema::Side;
use super::{place, root, tag};
use crate::resource::{Operation, Owner};
use crate::version::View;

/// The error responses, each with its status.
const PROBLEMS: &[(&str, &str)] = &[
    ("400", "Something in the request is wrong; the error names it"),
    ("401", "The request does not prove who makes it"),
    ("403", "No role of the client allows it"),
    ("404", "There is nothing here, or nothing that the client may see"),
    ("405", "The path does not take this method"),
    ("409", "The document is not in a state for it, or others rely on it"),
    ("412", "The document is not the one that the client took it for"),
    ("413", "The request is too large"),
    ("415", "The content is of another type than can be read"),
    ("422", "The request is well formed, and a rule is against it"),
    ("429", "There is too much of it at one time"),
    ("500", "The server failed"),
    ("503", "The server cannot take it now"),
];

/// Adds the paths of a resource.
pub(super) fn add(view: &View, paths: &mut Map<String, Value>) {
    for operation in view.resource.operations {
        let (path, method) = place(view, *operation);
        let parameters = path_item(&path);
        let item = paths.entry(path).or_insert(parameters);
        if let Some(methods) = item.as_object_mut() {
            methods.insert(method.to_lowercase(), described(view, *operation));
        }
    }
}

/// The parameters in a path.
fn path_item(path: &str) -> Value {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<Value> = names
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        })
        .collect();
    match parameters.is_empty() {
        true => json!({}),
        false => json!({ "parameters": parameters }),
    }
}

fn described(view: &View, operation: Operation) -> Value {
    let mut described = json!({
        "tags": [tag(view.api, view.version)],
        "operationId": format!("{}_{}_{}", verb(operation), tag(view.api, view.version), plain(view.name())),
        "responses": responses(view, operation),
    });
    let Some(fields) = described.as_object_mut() else { return described };
    let parameters = parameters_of(operation);
    if !parameters.is_empty() {
        let references = parameters.iter().map(|name| reference("parameters", name));
        fields.insert("parameters".into(), references.collect());
    }
    if let Some(body) = body(view, operation) {
        fields.insert("requestBody".into(), body);
    }
    described
}

fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::List => "list",
        Operation::Get => "retrieve",
        Operation::Create => "create",
        Operation::Patch => "patch",
        Operation::Replace => "replace",
        Operation::Delete => "delete",
    }
}

/// The name of a subresource, as one word.
fn plain(name: &str) -> String {
    let parts = name.split('/').filter(|part| !part.starts_with('{'));
    parts.collect::<Vec<_>>().join("_")
}

fn parameters_of(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::List => &["fields", "offset", "limit", "sort", "filter", "attributes"],
        Operation::Get => &["fields"],
        Operation::Create => &["idempotencyKey"],
        Operation::Patch | Operation::Replace | Operation::Delete => &["ifMatch"],
    }
}

fn body(view: &View, operation: Operation) -> Option<Value> {
    let schema = |side| reference("schemas", &root(view, side));
    let content = match operation {
        Operation::Create | Operation::Replace => {
            json!({ "application/json": { "schema": schema(Side::Create) } })
        }
        Operation::Patch => json!({
            "application/merge-patch+json": { "schema": schema(Side::Update) },
            "application/json": { "schema": schema(Side::Update) },
            "application/json-patch+json": { "schema": reference("schemas", "JsonPatch") },
            "application/json-patch-query+json": { "schema": reference("schemas", "JsonPatch") },
        }),
        Operation::List | Operation::Get | Operation::Delete => return None,
    };
    Some(json!({ "required": true, "content": content }))
}

fn responses(view: &View, operation: Operation) -> Value {
    let schema = reference("schemas", &root(view, Side::Answer));
    let one = |what: &str, headers: &[&str]| answer(what, &schema, headers);
    let list = json!({ "type": "array", "items": &schema });
    let (status, response, problems): (_, _, &[&str]) = match operation {
        Operation::List => {
            let counts = ["X-Total-Count", "X-Result-Count", "Content-Range", "Link"];
            let below_another = view.name().contains('{');
            let problems: &[&str] = if below_another { &["400", "404"] } else { &["400"] };
            ("200", answer("The documents", &list, &counts), problems)
        }
        Operation::Get => ("200", one("The document", &["ETag"]), &["400", "404"]),
        Operation::Create => (
            "201",
            one("The new document", &["Location", "ETag"]),
            &["400", "404", "409", "413", "415", "422"],
        ),
        Operation::Patch | Operation::Replace => {
            let problems = &["400", "404", "409", "412", "413", "415", "422"];
            ("200", one("The document as it is now", &["ETag"]), problems)
        }
        Operation::Delete => {
            let gone = json!({ "description": "There is no such document any more" });
            let problems: &[&str] = match view.resource.owner {
                Owner::Activation => &["400", "404", "409", "412", "422"],
                Owner::Client | Owner::Order | Owner::Computed => &["400", "404", "409", "412"],
            };
            ("204", gone, problems)
        }
    };
    let mut responses = Map::new();
    responses.insert(status.into(), response);
    for status in problems.iter().chain(&["405", "500"]) {
        responses.insert((*status).into(), reference("responses", &problem(status)));
    }
    Value::Object(responses)
}

fn answer(what: &str, schema: &Value, headers: &[&str]) -> Value {
    let headers = headers.iter().map(|name| ((*name).to_string(), reference("headers", name)));
    json!({
        "description": what,
        "headers": headers.collect::<Map<_, _>>(),
        "content": { "application/json": { "schema": schema } },
    })
}

fn reference(section: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{section}/{name}") })
}

fn problem(status: &str) -> String {
    format!("Error{status}")
}

/// The responses that are problems.
pub(super) fn problems() -> Value {
    let schema = reference("schemas", "Error");
    let problems =
        PROBLEMS.iter().map(|(status, what)| (problem(status), answer(what, &schema, &[])));
    Value::Object(problems.collect())
}

/// The headers of responses.
pub(super) fn headers() -> Value {
    let text = |what: &str| json!({ "description": what, "schema": { "type": "string" } });
    let count = |what: &str| json!({ "description": what, "schema": { "type": "integer" } });
    json!({
        "ETag": text("What the document is like, for `If-Match`"),
        "Location": text("Where the new document is"),
        "X-Total-Count": count("The number of documents in all"),
        "X-Result-Count": count("The number of documents in this response"),
        "Content-Range": text("Which documents these are, as in `items 1-10/25`"),
        "Link": text("Where the first, previous, next and last pages are"),
    })
}

/// The parameters of requests.
pub(super) fn parameters() -> Value {
    let query = |name: &str, what: &str, schema: Value| json!({ "name": name, "in": "query", "description": what, "schema": schema });
    let header = |name: &str, what: &str| json!({ "name": name, "in": "header", "description": what, "schema": { "type": "string" } });
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "integer", "minimum": 0 });
    let mut attributes = query(
        "attributes",
        "Attributes by dotted path and what they must be, as in `relatedParty.id=42`, with \
         `.eq .ne .gt .gte .lt .lte .regex` after the path",
        json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    );
    attributes["style"] = json!("form");
    attributes["explode"] = json!(true);
    json!({
        "fields": query("fields", "Attributes to answer with, besides id and href", text()),
        "offset": query("offset", "How many documents to pass over", number()),
        "limit": query("limit", "Max documents in the response", number()),
        "sort": query("sort", "Attributes to sort by; `-` before one for the other way", text()),
        "filter": query("filter", "A JSONPath that selects documents", text()),
        "attributes": attributes,
        "idempotencyKey": header("Idempotency-Key", "The same key makes the same document once"),
        "ifMatch": header("If-Match", "The ETag of the document that the client has seen"),
    })
}
