//! The description matches the table, and every reference in it resolves.

use super::*;

struct NoNotes;

impl Notes for NoNotes {
    fn describe(&self, _: TypeSet, _: &'static str, _: &str) -> Option<Note> {
        None
    }

    fn may_change(&self, _: &str) -> bool {
        true
    }
}

const NONE: NoNotes = NoNotes;

const ORIGIN: &str = "http://localhost:8080";

/// Every `$ref` in a document.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("$ref", Value::String(to)) => found.push(to),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| references(entry, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let later = APIS.iter().filter(|api| api.v5.is_some()).map(|api| (api, Version::V5));
    let all = APIS.iter().map(|api| (api, Version::V4)).chain(later);
    let all = all
        .map(|(api, version)| describe_api(api.number, version, ORIGIN, &NONE).unwrap())
        .chain([describe(ORIGIN, &NONE)]);
    for document in all {
        let mut found = Vec::new();
        references(&document, &mut found);
        for to in &found {
            let pointer = to.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some_and(Value::is_object), "{to}");
        }
        let is_patched = document["paths"].to_string().contains("\"patch\"");
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            let to = format!("#/components/schemas/{name}");
            let is_used = found.contains(&to.as_str());
            assert!(is_used || (name == "JsonPatch" && !is_patched), "`{name}` is not used");
        }
    }
}

#[test]
fn every_operation_is_described_once() {
    let both = [Version::V4, Version::V5];
    let all = APIS.iter().flat_map(|api| both.map(|version| (*api, version)));
    let all = all.filter(|(api, version)| *version == Version::V4 || api.v5.is_some());
    let mut expected = 0;
    for (api, version) in all {
        let document = describe_api(api.number, version, ORIGIN, &NONE).unwrap();
        let own: usize = served(api, version).map(|view| view.resource.operations.len()).sum();
        assert_eq!(described(&document).len(), own, "{} {version}", api.number);
        expected += own;
    }
    let document = describe(ORIGIN, &NONE);
    assert_eq!(described(&document).len(), expected);
    // Each version of a path of both is there.
    for path in ["/tmf-api/productInventory/v4/product", "/tmf-api/productInventory/v5/product"] {
        assert!(document["paths"][path]["post"].is_object(), "{path}");
    }
}

/// The names of the operations of a description, each once.
fn described(document: &Value) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if method == "parameters" {
                continue;
            }
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "`{name}` at {path}");
            assert!(operation["responses"]["500"].is_object(), "{path}");
            let is_missed = operation["responses"]["404"].is_object();
            assert!(is_missed || !path.contains('{'), "{method} {path} can lead nowhere");
        }
    }
    names
}

#[test]
fn the_schema_of_a_request_has_exactly_the_attributes_that_are_checked() {
    for api in APIS {
        for version in [Version::V4, Version::V5] {
            let Some(document) = describe_api(api.number, version, ORIGIN, &NONE) else { continue };
            served(api, version).for_each(|view| check_sent(&view, &document));
        }
    }
}

fn check_sent(view: &View, document: &Value) {
    let (schemas, name) = (&document["components"]["schemas"], view.name());
    let create = &schemas[root(view, Side::Create)];
    if let Some(properties) = create["properties"].as_object() {
        assert_eq!(properties.keys().find(|name| view.sets(name)), None, "{name}");
        for mandatory in view.mandatory() {
            assert!(create["properties"][mandatory].is_object(), "{name} `{mandatory}`");
            assert!(create["required"].as_array().unwrap().contains(&json!(mandatory)));
        }
    }
    let update = &schemas[root(view, Side::Update)];
    assert_eq!(update.is_object(), view.resource.takes(Operation::Patch), "{name}");
    let properties = update["properties"].as_object().into_iter().flatten();
    assert_eq!(properties.map(|(name, _)| name).find(|name| view.fixes(name)), None, "{name}");
}

#[test]
fn one_resource_is_described_as_it_is_served() {
    let document = describe_api(637, Version::V4, ORIGIN, &NONE).unwrap();
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    let base = "/tmf-api/productInventory/v4";
    let expected = ["hub", "hub/{id}", "product", "product/{id}"];
    assert_eq!(paths, expected.map(|name| format!("{base}/{name}")).iter().collect::<Vec<_>>());
    let create = &document["components"]["schemas"]["TMF637_Product_Create"];
    assert_eq!(create["required"], json!(["status"]));
    let patch = &document["paths"][format!("{base}/product/{{id}}")]["patch"];
    let kinds: Vec<&String> = patch["requestBody"]["content"].as_object().unwrap().keys().collect();
    let expected = [
        "application/json",
        "application/json-patch+json",
        "application/json-patch-query+json",
        "application/merge-patch+json",
    ];
    assert_eq!(kinds, expected);
    for kind in kinds {
        assert!(crate::patch::Format::of_content_type(kind).is_some());
    }
    assert!(describe_api(1, Version::V4, ORIGIN, &NONE).is_none());
    assert!(describe_api(652, Version::V5, ORIGIN, &NONE).is_none());
}

#[test]
fn the_description_is_no_larger_than_a_client_can_read() {
    let bytes = describe(ORIGIN, &NONE).to_string().len();
    assert!(bytes < 3_000_000, "{bytes}");
}
