//! What conformance kits ask: of every resource that is listed, in each version, the documents with an
//! attribute as it was answered, and one attribute of a document.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tmf::resource::{Api, Operation, Resource, Served};
use tmf::shape::{Attribute, Kind, Type, shapes};
use tmf::table;
use tmf::table::of_key;
use tmf::version::Version;

use super::bad_table::{refer, smallest};
use super::bench::Bench;
use crate::http::resources::Served as View;

/// A text with what has a meaning in URLs and in filters.
const AWKWARD: &str = "A, B & C; 50% + 1 \"x\" (é)/#?";

/// How deep attributes are asked for.
const DEPTH_MAX: usize = 4;

#[tokio::test]
async fn documents_are_found_by_what_is_answered_of_them() {
    let bench = Bench::new();
    let (mut findings, mut questions, mut resources) = (Vec::new(), 0, 0);
    for api in table::APIS {
        for resource in api.resources.iter().filter(|found| found.takes(Operation::List)) {
            if resource.takes(Operation::Create) {
                fill(&bench, api, resource).await;
            }
            for version in [Version::V4, Version::V5] {
                let is_served = match version {
                    Version::V4 => resource.served != Served::V5,
                    Version::V5 => api.v5.is_some() && resource.served != Served::V4,
                };
                if !is_served {
                    continue;
                }
                let view = View { api, resource, version };
                let rows = bench.get(&view.path()).await;
                assert_eq!(rows.status, StatusCode::OK, "{}", view.path());
                let Some(row) = rows.body.as_array().and_then(|rows| rows.last()) else { continue };
                let mut kit = Kit { bench: &bench, path: view.path(), row, findings: Vec::new() };
                questions += kit.ask().await;
                resources += 1;
                findings.extend(kit.findings);
            }
        }
    }
    assert!(findings.is_empty(), "{} of {questions}:\n{}", findings.len(), findings.join("\n"));
    assert!(questions > 3_000 && resources > 80, "{questions} questions, {resources} resources");
}

/// Creates documents of a resource; the last has each attribute that is taken.
async fn fill(bench: &Bench, api: &Api, resource: &'static Resource) {
    let path = api.path(resource);
    let mut body = smallest(resource);
    for reference in resource.references {
        let to = target(bench, reference.to[0]).await;
        refer(&mut body, resource.shape, reference.path, &to);
    }
    let shape = shapes().object(resource.shape);
    let is_free = |attribute: &&Attribute| {
        body.get(attribute.name).is_none() && !resource.server.contains(&attribute.name)
    };
    let attributes = shape.into_iter().flat_map(|shape| &shape.attributes);
    let attributes: Vec<&Attribute> = attributes.filter(is_free).collect();
    let mut whole = body.clone();
    for attribute in &attributes {
        whole[attribute.name] = value(attribute, AWKWARD, 1);
    }
    if bench.post(&path, &whole).await.status == StatusCode::CREATED {
        return;
    }
    for attribute in attributes {
        for text in [AWKWARD, "x"] {
            let mut more = body.clone();
            more[attribute.name] = value(attribute, text, 1);
            if bench.post(&path, &more).await.status == StatusCode::CREATED {
                body = more;
                break;
            }
        }
    }
    bench.post(&path, &body).await;
}

async fn target(bench: &Bench, key: &str) -> String {
    let (_, resource) = of_key(key).unwrap();
    let made = bench.post(tmf::table::path(key), &smallest(resource)).await;
    made.body["id"].as_str().unwrap_or("1").to_string()
}

/// Something that an attribute may hold, with a text of this kind.
fn value(attribute: &Attribute, text: &str, depth: usize) -> Value {
    let kind = attribute.kinds[0];
    let item = match kind.item() {
        Type::Any | Type::String if attribute.name == "action" => json!("add"),
        Type::Any | Type::String if attribute.name == "id" => json!("id 1/é,;"),
        Type::Any | Type::String => json!(text),
        Type::Base64 => json!("eHg/Pj4="),
        Type::Integer => json!(4_294_967_296_u64),
        Type::Number => json!(0.1),
        Type::Boolean => json!(true),
        Type::DateTime => json!("2026-03-10T10:00:00.5+02:00"),
        Type::Date => json!("2026-03-10"),
        Type::Uri => json!("http://example.com/x?a=1,2;b&c=%20#d"),
        Type::Choice(list) => json!(shapes().choice(list)[0]),
        Type::Fields => json!({ "own": text }),
        Type::Object(name) => {
            let attributes = shapes().object(name).map(|shape| shape.attributes.as_slice());
            let mut fields = json!({});
            for below in attributes.unwrap_or_default() {
                if below.required || depth < 2 {
                    fields[below.name] = value(below, text, depth + 1);
                }
            }
            fields
        }
    };
    match kind {
        Kind::One(_) => item,
        Kind::Many(_) => json!([item]),
    }
}

/// A resource in a version, a document of it, and what was found wrong.
struct Kit<'a> {
    bench: &'a Bench,
    path: String,
    row: &'a Value,
    findings: Vec<String>,
}

impl Kit<'_> {
    /// Asks for the document by all that it has; how many questions that were.
    async fn ask(&mut self) -> usize {
        let mut leaves = Vec::new();
        gather(self.row, "", 0, &mut leaves);
        for (path, value) in &leaves {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
            let encoded = encoded(&text);
            let quoted = encoded_all(&tmf::filter::quoted(&text));
            let mut forms = vec![encoded, quoted];
            if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/@".contains(&byte)) {
                forms.push(text);
            }
            for form in forms {
                self.find(path, &form).await;
            }
        }
        let names: Vec<&String> = self.row.as_object().unwrap().keys().collect();
        for name in &names {
            self.pick(name).await;
        }
        for (query, found) in [("id=no-such-thing", 0), ("limit=0", 0), ("limit=1", 1)] {
            let list = self.bench.get(&format!("{}?{query}", self.path)).await;
            if list.status != StatusCode::OK || list.body.as_array().map(Vec::len) != Some(found) {
                self.findings.push(format!("{}?{query}: {} {}", self.path, list.status, list.text));
            }
        }
        leaves.len() + names.len()
    }

    async fn find(&mut self, path: &str, form: &str) {
        let question = format!("{}?{path}={form}", self.path);
        let list = self.bench.get(&question).await;
        let is_there = |rows: &Vec<Value>| rows.iter().any(|row| row["id"] == self.row["id"]);
        if list.status != StatusCode::OK || !list.body.as_array().is_some_and(is_there) {
            let text: String = list.text.chars().take(160).collect();
            self.findings.push(format!("{question}: {} {text}", list.status));
        }
    }

    /// Asks for one attribute of the document.
    async fn pick(&mut self, name: &str) {
        let id = encoded_all(self.row["id"].as_str().unwrap());
        let question = format!("{}/{id}?fields={name}", self.path);
        let one = self.bench.get(&question).await;
        let always = ["id", "href", "@type"];
        let is_right = one.body.as_object().is_some_and(|fields| {
            let is_asked =
                |(known, _): (&String, &Value)| known == name || always.contains(&known.as_str());
            fields.iter().all(is_asked) && fields.get(name) == self.row.get(name)
        });
        if one.status != StatusCode::OK || !is_right {
            self.findings.push(format!("{question}: {} {}", one.status, one.text));
        }
    }
}

/// The values in a document that are no objects, with their paths.
fn gather(value: &Value, path: &str, depth: usize, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) if depth < DEPTH_MAX => {
            for (name, value) in fields {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                gather(value, &below, depth + 1, leaves);
            }
        }
        Value::Array(entries) => {
            entries.iter().for_each(|entry| gather(entry, path, depth, leaves));
        }
        Value::Object(_) | Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            leaves.push((path.to_string(), value.clone()));
        }
    }
}

/// As a client encodes the parts of a URL.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn encoded_all(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
