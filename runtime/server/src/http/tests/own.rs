//! Our own API: what the table lists is served and nothing else, and the page is made of it.

use std::path::Path;

use axum::body::Body as Bytes;
use serde_json::{Value, json};

use super::bench::{Answer, Bench};
use crate::http::orchestration::OPERATIONS;
use crate::http::orchestration::operation::{Attribute, Body, Kind, Operation};

const BASE: &str = "/orchestration/v1";

/// Set to write the page anew.
const BLESS: &str = "FERRULE_BLESS";

/// The page of our own API.
fn page() -> String {
    let mut page = String::from(
        "# Our own API\n\n\
         What the standards leave out, under `/orchestration/v1`. This page is made of the table that\n\
         requests are checked by. `GET /openapi.json` describes it together with the standards,\n\
         `GET /orchestration/v1/openapi.json` alone. A parameter or an attribute that is not listed is\n\
         rejected with 400 and its name in `referenceError`; so is a parameter that is given twice.\n\n\
         | operation | what it does |\n|---|---|\n",
    );
    for operation in OPERATIONS {
        let Operation { method, summary, .. } = operation;
        page.push_str(&format!("| `{method} {}` | {summary} |\n", operation.template()));
    }
    page.push_str("\n## Parameters and bodies\n");
    for operation in OPERATIONS {
        page.push_str(&details(operation));
    }
    page
}

fn details(operation: &Operation) -> String {
    let mut rows = String::new();
    for parameter in operation.query {
        let (name, kind, what) = (parameter.name, named(parameter.kind), parameter.what);
        rows.push_str(&format!("| `?{name}` | {kind} | {what} |\n"));
    }
    if operation.is_filtered {
        rows.push_str("| `?attribute` | filter | as in lists, see [filters.md](filters.md) |\n");
    }
    if operation.is_keyed {
        rows.push_str("| `Idempotency-Key` | header | the same key has one effect |\n");
    }
    match operation.body {
        Body::None => {}
        Body::Any => rows.push_str("| body | object | any, or none |\n"),
        Body::Order => rows.push_str("| body | object | an order of the standard |\n"),
        Body::Lines => {
            rows.push_str("| body | `application/x-ndjson` | a document on each line |\n");
        }
        Body::Component => rows.push_str("| body | `application/wasm` | the plugin |\n"),
        Body::Attributes { known, is_open, .. } => {
            for Attribute { name, kind, is_mandatory, what } in known {
                let must = if *is_mandatory { ", mandatory" } else { "" };
                rows.push_str(&format!("| `{name}` | {}{must} | {what} |\n", named(*kind)));
            }
            if is_open {
                rows.push_str("| any other | | kept |\n");
            }
        }
    }
    for (status, what) in operation.others {
        rows.push_str(&format!("| {status} | | {what} |\n"));
    }
    if rows.is_empty() {
        return rows;
    }
    let title = format!("\n### {} {}\n\n", operation.method, operation.template());
    format!("{title}| name | type | |\n|---|---|---|\n{rows}")
}

/// What something is, for people.
fn named(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Texts => "list of texts".into(),
        Kind::Choice(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Number => "number".into(),
        Kind::Boolean => "`true`, `false`".into(),
        Kind::Day => "day".into(),
        Kind::Time => "time".into(),
        Kind::Object => "object".into(),
        Kind::Reference => "reference".into(),
        Kind::Money => "amount".into(),
    }
}

#[test]
fn the_page_is_made_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/orchestration-api.md");
    let page = page();
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "run this test with {BLESS}=1");
}

/// Where an operation is, with something in the place of each name.
fn place(operation: &Operation) -> String {
    let mut place = operation.template();
    for (name, value) in [("step", "hold"), ("order", "productOrder"), ("resource", "product")] {
        place = place.replace(&format!("{{{name}}}"), value);
    }
    place = place.replace("/catalog/product/", "/catalog/productOffering/");
    let names: Vec<_> = operation.names().collect();
    names
        .iter()
        .fold(format!("{BASE}{place}"), |place, name| place.replace(&format!("{{{name}}}"), "1"))
}

/// A value of a kind, and one of none.
fn samples(kind: Kind) -> (Value, Value) {
    match kind {
        Kind::Text => (json!("text"), json!(1)),
        Kind::Texts => (json!(["text"]), json!([1])),
        Kind::Choice(words) => (json!(words[0]), json!("none")),
        Kind::Number => (json!(1), json!(-1)),
        Kind::Boolean => (json!(true), json!("true")),
        Kind::Day => (json!("2026-01-01"), json!(20260101)),
        Kind::Time => (json!("2026-01-01T00:00:00Z"), json!(1)),
        Kind::Reference => (json!({ "id": "1" }), json!(1)),
        Kind::Money => (json!({ "unit": "EUR", "value": 1 }), json!(1)),
        Kind::Object => (json!({}), json!([])),
    }
}

fn sample(known: &[Attribute]) -> Value {
    let mandatory = known.iter().filter(|attribute| attribute.is_mandatory);
    mandatory.map(|attribute| (attribute.name.to_string(), samples(attribute.kind).0)).collect()
}

fn body(operation: &Operation) -> Value {
    match operation.body {
        Body::Attributes { known, .. } => sample(known),
        Body::None | Body::Any | Body::Order | Body::Lines | Body::Component => json!({}),
    }
}

async fn send(bench: &Bench, line: &str, body: &Value) -> Answer {
    let header = [("content-type", "application/json")];
    bench.send(line, &header, Bytes::from(body.to_string())).await
}

#[tokio::test]
async fn every_operation_of_the_table_is_served_and_nothing_else() {
    let bench = Bench::new();
    for operation in OPERATIONS {
        let (method, place) = (operation.method, place(operation));
        let answer = if matches!(operation.body, Body::Lines) {
            let header = [("content-type", "application/x-ndjson")];
            bench.send(&format!("PUT {place}?resource=product"), &header, Bytes::empty()).await
        } else if matches!(operation.body, Body::Component) {
            let header = [("content-type", "application/wasm")];
            bench.send(&format!("PUT {place}"), &header, Bytes::empty()).await
        } else if method == "GET" {
            bench.get(&place).await
        } else {
            send(&bench, &format!("{method} {place}"), &body(operation)).await
        };
        let is_missing = answer.text.contains("nothing is served at this path");
        assert!(!is_missing && answer.status != 405, "{method} {place}: {}", answer.text);
        for other in ["PATCH", "TRACE"] {
            let refused = send(&bench, &format!("{other} {place}"), &json!({})).await;
            assert_eq!(refused.status, 405, "{other} {place}");
            assert!(refused.header("allow").contains(method), "{other} {place}");
        }
    }
    for path in ["/fulfilments", "/fulfilments/1/none", "/runs", "/nothing", "/pools/1", "/billing"]
    {
        let answer = bench.get(&format!("{BASE}{path}")).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn unknown_attributes_of_an_operation_are_named_and_change_nothing() {
    let bench = Bench::new();
    let facts = bench.facts();
    let expect = |answer: &Answer, name: &str| {
        assert_eq!(answer.status, 400, "{name}: {}", answer.text);
        assert_eq!(answer.body["referenceError"], name, "{}", answer.text);
    };
    for operation in OPERATIONS {
        // A wrong address is refused before anything else is looked at.
        if operation.is_proven_by_path {
            continue;
        }
        let (method, place) = (operation.method, place(operation));
        let line = |query: &str| format!("{method} {place}?{query}");
        let sent = body(operation);
        if !operation.is_filtered {
            expect(&send(&bench, &line("whatever=1"), &sent).await, "whatever");
        }
        for parameter in operation.query {
            let name = parameter.name;
            expect(&send(&bench, &line(&format!("{name}=&{name}=")), &sent).await, name);
            if let Kind::Boolean | Kind::Choice(_) = parameter.kind {
                let query = format!("{}=perhaps", parameter.name);
                expect(&send(&bench, &line(&query), &sent).await, parameter.name);
            }
        }
        match operation.body {
            Body::None if method != "GET" => {
                expect(&send(&bench, &line(""), &json!({ "a": 1 })).await, "$");
            }
            Body::Attributes { known, is_open, .. } => {
                if !is_open {
                    let mut more = sent.clone();
                    more["whatever"] = json!(1);
                    expect(&send(&bench, &line(""), &more).await, "whatever");
                }
                for attribute in known {
                    let mut wrong = sent.clone();
                    wrong[attribute.name] = samples(attribute.kind).1;
                    expect(&send(&bench, &line(""), &wrong).await, attribute.name);
                    wrong.as_object_mut().unwrap().remove(attribute.name);
                    if attribute.is_mandatory {
                        expect(&send(&bench, &line(""), &wrong).await, attribute.name);
                    }
                }
            }
            Body::None | Body::Any | Body::Order | Body::Lines | Body::Component => {}
        }
    }
    assert_eq!(bench.facts(), facts);
}

#[tokio::test]
async fn a_header_with_one_value_that_comes_twice_is_named() {
    let bench = Bench::new();
    let place = format!("PUT {BASE}/plugins/noop");
    for name in [
        "Content-Type",
        "Idempotency-Key",
        "Last-Event-ID",
        "Plugin-Signature",
        "Plugin-Certificate",
    ] {
        let twice = [(name, "application/wasm"); 2];
        let answer = bench.send(&place, &twice, Bytes::empty()).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text);
        assert_eq!(answer.body["referenceError"], name, "{}", answer.text);
    }
}

#[tokio::test]
async fn one_document_describes_all_that_is_served() {
    let bench = Bench::new();
    let all = bench.get("/openapi.json").await.body;
    let own = bench.get(&format!("{BASE}/openapi.json")).await.body;
    for operation in OPERATIONS {
        let path = format!("{BASE}{}", operation.template());
        let method = operation.method.to_lowercase();
        for document in [&all, &own] {
            assert!(document["paths"][&path][&method].is_object(), "{method} {path}");
        }
    }
    for api in tmf::table::APIS {
        for version in ["", "v5/"] {
            let one = format!("/tmf-api/{}/{version}openapi.json", api.number);
            let one = bench.get(&one).await;
            let paths = one.body["paths"].as_object().into_iter().flatten();
            for (path, operations) in paths {
                assert_eq!(all["paths"][path], *operations, "{path}");
            }
        }
    }
    let ids = all["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap());
    let ids: Vec<&Value> = ids.map(|(_, operation)| &operation["operationId"]).collect();
    let ids: Vec<&str> = ids.into_iter().filter_map(Value::as_str).collect();
    let once: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(once.len(), ids.len());
}
