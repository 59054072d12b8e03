//! The API definitions (Swagger 2), as far as the walk needs them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

/// An API definition.
pub(super) struct Definition {
    /// The name of its file.
    pub(super) file: String,
    pub(super) resources: Vec<Resource>,
    definitions: Value,
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

/// All definitions of version 4; nothing where they are not there.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(super) fn all() -> Option<Vec<Definition>> {
    let folder = crate::world::repository().join("../shared/tmf/v4");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        assert!(std::env::var_os("FERRULE_CI").is_none(), "the API definitions are not there");
        eprintln!("SKIPPED: the API definitions are not there");
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    Some(paths.iter().map(Definition::read).collect())
}

impl Definition {
    fn read(path: &PathBuf) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        let base = document["basePath"].as_str().unwrap().trim_end_matches('/').to_string();
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
            for (method, says) in methods.as_object().unwrap() {
                let Some(operation) = operation(method, pieces.len()) else { continue };
                resource.answers.insert(operation, answer(&says["responses"]));
                if operation == Operation::Create {
                    let body = says["parameters"].as_array().unwrap().iter();
                    let mut body = body.filter(|parameter| parameter["in"] == "body");
                    resource.create_schema = body.next().map(|body| body["schema"].clone());
                }
            }
        }
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let resources = resources.into_values().collect();
        Self { file, resources, definitions: document["definitions"].clone() }
    }

    /// What a definition is called by a schema, or the schema itself.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => &self.definitions[name.rsplit('/').next().unwrap()],
            None => schema,
        }
    }

    /// Holds a document against a definition by name.
    pub(super) fn check(&self, name: &str, document: &Value) -> Result<(), String> {
        self.check_against(&json!({ "$ref": format!("#/definitions/{name}") }), document)
    }

    /// Holds a document against a schema: of what schemas can say, the definitions use this much.
    pub(super) fn check_against(&self, schema: &Value, document: &Value) -> Result<(), String> {
        let mut wrong = Vec::new();
        self.compare(schema, document, "", &mut wrong);
        wrong.truncate(5);
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    fn compare(&self, schema: &Value, value: &Value, path: &str, wrong: &mut Vec<String>) {
        let schema = self.resolve(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.compare(part, value, path, wrong);
        }
        if let Some(values) = schema["enum"].as_array()
            && !values.iter().any(|known| text(known).trim() == text(value).trim())
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
            self.compare(&schema["items"], entry, &format!("{path}[{position}]"), wrong);
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            if value.get(text(name)).is_none() {
                wrong.push(format!("{path}: `{}` is missing", text(name)));
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                self.compare(property, value, &format!("{path}.{name}"), wrong);
            }
        }
    }
}

/// Whether a text is what its format says.
fn is_formatted(schema: &Value, text: &str) -> bool {
    match schema["format"].as_str() {
        Some("date-time") => model::Timestamp::parse(text).is_some(),
        Some("date") => model::Timestamp::parse(&format!("{text}T00:00:00Z")).is_some(),
        _ => true,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Resource {
    /// The schema of the answer to an operation; nothing where there is no such operation.
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

/// The schema of the answer when all goes well.
fn answer(responses: &Value) -> Option<Value> {
    let good = ["200", "201", "204"].iter().find_map(|code| responses.get(*code)?.get("schema"));
    good.cloned()
}
