//! The API definitions (Swagger 2), as far as the walk needs them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jsonschema::{Draft, Validator};
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
        let mut definitions = document["definitions"].clone();
        loosen(&mut definitions);
        Self { file, resources, definitions }
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

    /// Holds a document against a schema.
    pub(super) fn check_against(&self, schema: &Value, document: &Value) -> Result<(), String> {
        let mut schema = schema.clone();
        schema["definitions"] = self.definitions.clone();
        let schema = json!({ "allOf": [schema], "definitions": self.definitions });
        let validator: Validator = jsonschema::options()
            .with_draft(Draft::Draft4)
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| format!("the schema itself is wrong: {error}"))?;
        let wrong = validator.iter_errors(document);
        let wrong: Vec<String> =
            wrong.map(|error| format!("{}: {error}", error.instance_path())).take(5).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
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

/// Takes out what the definitions have that is no JSON schema: an `Any` without a type, and known
/// slips of the pen in their enums.
fn loosen(definitions: &mut Value) {
    match definitions {
        Value::Object(fields) => {
            fields.remove("discriminator");
            fields.remove("example");
            if let Some(Value::Array(values)) = fields.get_mut("enum") {
                let trimmed = values.iter().filter_map(|value| Some(json!(value.as_str()?.trim())));
                let trimmed: Vec<Value> = trimmed.collect();
                values.extend(trimmed);
                values.dedup();
            }
            fields.values_mut().for_each(loosen);
        }
        Value::Array(values) => values.iter_mut().for_each(loosen),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
