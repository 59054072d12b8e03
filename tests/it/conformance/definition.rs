//! The API definitions (Swagger 2 in version 4, OpenAPI 3 in version 5), as far as the walk needs
//! them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use tmf::table;
use tmf::version::Version;

pub(super) struct Definition {
    /// The name of its file.
    pub(super) file: String,
    /// The number of the API.
    pub(super) number: u16,
    pub(super) version: Version,
    pub(super) resources: Vec<Resource>,
    definitions: Value,
    bodies: Value,
    responses: Value,
}

/// A resource of it.
pub(super) struct Resource {
    /// Its path on the server.
    pub(super) path: String,
    /// What is sent to create one.
    pub(super) create_schema: Option<Value>,
    /// The schema of the answer to each operation, where it has one.
    answers: BTreeMap<Operation, Option<Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    List,
    Get,
    Create,
    Patch,
    Delete,
}

/// All definitions of a version; `None` if they are not there.
#[expect(clippy::print_stderr, reason = "a skipped test prints why")]
pub(super) fn all(version: Version) -> Option<Vec<Definition>> {
    let folder = crate::world::repository().join(format!("../shared/tmf/{version}"));
    let Ok(entries) = std::fs::read_dir(&folder) else {
        assert!(std::env::var_os("FERRULE_CI").is_none(), "the API definitions are not there");
        eprintln!("SKIPPED: the API definitions are not there");
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    Some(paths.iter().map(|path| Definition::read(path, version)).collect())
}

impl Definition {
    fn read(path: &PathBuf, version: Version) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let number = file.trim_start_matches("TMF").get(..3).unwrap().parse().unwrap();
        let document: Value = match version {
            Version::V4 => serde_json::from_str(&text).unwrap(),
            Version::V5 => serde_saphyr::from_str(&text).unwrap(),
        };
        let (definitions, bodies, responses) = match version {
            Version::V4 => (document["definitions"].clone(), Value::Null, Value::Null),
            Version::V5 => {
                let components = &document["components"];
                let part = |name: &str| components[name].clone();
                (part("schemas"), part("requestBodies"), part("responses"))
            }
        };
        let resources = Vec::new();
        let mut definition =
            Self { file, number, version, resources, definitions, bodies, responses };
        definition.resources = definition.read_resources(&document);
        definition
    }

    fn read_resources(&self, document: &Value) -> Vec<Resource> {
        let base = match self.version {
            Version::V4 => document["basePath"].as_str().unwrap().trim_end_matches('/').to_string(),
            // The definitions of version 5 do not agree on how a path begins.
            Version::V5 => {
                let api = table::APIS.iter().find(|api| api.number == self.number).unwrap();
                format!("/tmf-api/{}/v5", api.v5.as_ref().unwrap().base)
            }
        };
        let mut resources: BTreeMap<String, Resource> = BTreeMap::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            let pieces: Vec<&str> = path.split('/').filter(|piece| !piece.is_empty()).collect();
            // Hubs and what listens to them are no documents; what lies below a document has tests
            // of its own.
            if pieces[0] == "hub" || pieces[0] == "listener" || pieces.len() > 2 {
                continue;
            }
            let resource = resources.entry(pieces[0].to_string()).or_insert_with(|| Resource {
                path: format!("{base}/{}", pieces[0]),
                create_schema: None,
                answers: BTreeMap::new(),
            });
            for (method, operation_definition) in methods.as_object().unwrap() {
                let Some(operation) = operation(method, pieces.len()) else { continue };
                resource.answers.insert(operation, self.answer(&operation_definition["responses"]));
                if operation == Operation::Create {
                    resource.create_schema = self.body(operation_definition);
                }
            }
        }
        resources.into_values().collect()
    }

    /// The schema of what is sent.
    fn body(&self, operation: &Value) -> Option<Value> {
        if self.version == Version::V5 {
            let body = named(&self.bodies, &operation["requestBody"]);
            return Some(body["content"]["application/json"]["schema"].clone());
        }
        let mut parameters = operation["parameters"].as_array().unwrap().iter();
        let body = parameters.find(|parameter| parameter["in"] == "body");
        body.map(|body| body["schema"].clone())
    }

    /// The schema of the answer when all goes well.
    fn answer(&self, responses: &Value) -> Option<Value> {
        let mut good = ["200", "201", "204"].iter().filter_map(|code| responses.get(*code));
        good.find_map(|response| match self.version {
            Version::V4 => response.get("schema").cloned(),
            Version::V5 => {
                let content = named(&self.responses, response).get("content")?;
                let schema = content.pointer("/application~1json/schema");
                schema.or(content.as_object()?.values().next()?.get("schema")).cloned()
            }
        })
    }

    /// The definition that a schema refers to, or the schema itself.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => &self.definitions[last(name)],
            None => schema,
        }
    }

    /// What the objects of a schema call their type, each with its schema.
    pub(super) fn types<'a>(&'a self, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let mapping = self.resolve(schema)["discriminator"]["mapping"].as_object();
        let types = mapping.into_iter().flatten();
        types.map(|(name, to)| (name.as_str(), &self.definitions[last(text(to))])).collect()
    }

    /// Validates a document by a definition's name.
    pub(super) fn check(&self, name: &str, document: &Value) -> Result<(), String> {
        self.check_against(&json!({ "$ref": format!("#/definitions/{name}") }), document)
    }

    /// Validates a document by a schema: of the schema language, the definitions use this much.
    pub(super) fn check_against(&self, schema: &Value, document: &Value) -> Result<(), String> {
        let mut wrong = Vec::new();
        self.compare_typed(schema, document, "", &mut wrong);
        wrong.truncate(5);
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// Validates a value by the schema that its `@type` chooses, if several may be meant.
    fn compare_typed(&self, schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
        let schema = self.resolve(schema);
        let types = self.types(schema);
        // An object that has no place for the state that it is: a text is meant.
        if types.iter().any(|(name, _)| *name == "ServiceOrderItemStateType") && value.is_string() {
            return;
        }
        self.compare(schema, value, path, wrong);
        if types.is_empty() {
            let one_of = schema["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
            let fits = |schema: &Value| self.check_against(schema, value).is_ok();
            if !one_of.is_empty() && !one_of.iter().any(fits) {
                wrong.push(format!("{path}: {value} is none of what it may be"));
            }
            return;
        }
        let said = text(&value["@type"]);
        match types.iter().find(|(name, _)| *name == said) {
            Some((_, meant)) if *meant != schema => self.compare(meant, value, path, wrong),
            Some(_) => {}
            None => {
                let names: Vec<&str> = types.iter().map(|(name, _)| *name).collect();
                wrong.push(format!("{path}: `@type` is `{said}`, and none of {names:?}"));
            }
        }
    }

    fn compare(&self, schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
        let schema = self.resolve(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.compare(part, value, path, wrong);
        }
        if let Some(values) = schema["enum"].as_array()
            && !values.iter().any(|known| text(known).trim() == text(value).trim())
            && !is_contradicted(values, path)
        {
            wrong.push(format!("{path}: {value} is none of {values:?}"));
        }
        let is_object = schema["properties"].is_object() || schema["type"] == "object";
        let fits = match schema["type"].as_str() {
            Some("string") => value.is_string() && is_formatted(schema, text(value)),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            _ => !is_object || value.is_object(),
        };
        if !fits {
            wrong.push(format!("{path}: {value} is no {}", schema["type"]));
            return;
        }
        for (position, entry) in value.as_array().into_iter().flatten().enumerate() {
            self.compare_typed(&schema["items"], entry, &format!("{path}[{position}]"), wrong);
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            if value.get(text(name)).is_none() {
                wrong.push(format!("{path}: `{}` is missing", text(name)));
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                self.compare_typed(property, value, &format!("{path}.{name}"), wrong);
            }
        }
    }
}

/// Whether a text has its format.
fn is_formatted(schema: &Value, text: &str) -> bool {
    match schema["format"].as_str() {
        Some("date-time") => tmf::time::Timestamp::parse(text).is_some(),
        Some("date") => tmf::time::Timestamp::parse(&format!("{text}T00:00:00Z")).is_some(),
        _ => true,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Resource {
    /// The schema of the answer to an operation; `None` if there is no such operation.
    pub(super) fn find(&self, operation: Operation) -> Option<&Option<Value>> {
        self.answers.get(&operation)
    }
}

fn operation(method: &str, pieces: usize) -> Option<Operation> {
    match (method, pieces) {
        ("get", 1) => Some(Operation::List),
        ("get", 2) => Some(Operation::Get),
        ("post", 1) => Some(Operation::Create),
        ("patch", 2) => Some(Operation::Patch),
        ("delete", 2) => Some(Operation::Delete),
        _ => None,
    }
}

/// What a reference leads to, or the thing itself.
fn named<'a>(all: &'a Value, one: &'a Value) -> &'a Value {
    match one["$ref"].as_str() {
        Some(name) => &all[last(name)],
        None => one,
    }
}

/// The last piece of a reference.
fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}

/// The type of a `GeographicLocation` is one of GeoJSON's by its own schema, and `GeographicLocation`
/// by the discriminator of what holds it: nothing is both.
fn is_contradicted(values: &[Value], path: &str) -> bool {
    path.ends_with(".@type") && values.iter().any(|known| known == "GeoJsonPoint")
}
