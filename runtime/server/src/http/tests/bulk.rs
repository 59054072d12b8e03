//! Imports and exports over HTTP.

use std::sync::Arc;

use axum::body::Body;
use serde_json::{Value, json};

use super::bench::{Answer, BODY_BYTES_MAX, Bench};
use crate::bulk::jobs::Jobs;

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

async fn put(bench: &Bench, path: &str, lines: &str) -> Answer {
    let line = format!("PUT /orchestration/v1/imports/{path}");
    bench.send(&line, &[NDJSON], Body::from(lines.to_string())).await
}

async fn export(bench: &Bench, path: &str) -> String {
    bench.get(&format!("/orchestration/v1/exports/{path}")).await.text
}

/// A product on a line.
fn product(id: &str, name: &str) -> String {
    format!("{}\n", json!({ "id": id, "name": name, "status": "active" }))
}

fn counts(answer: &Answer) -> [u64; 5] {
    ["lines", "created", "replaced", "kept", "refused"].map(|name| {
        let body = &answer.body;
        body[name].as_u64().unwrap_or_else(|| panic!("{name} in {body}"))
    })
}

#[tokio::test]
async fn rows_become_documents_with_their_ids_and_without_events() {
    let bench = Bench::new();
    let lines: String = (0..1_203).map(|n| product(&format!("p{n:04}"), "a")).collect();
    let taken = put(&bench, "first?resource=product", &lines).await;
    assert_eq!((taken.status.as_u16(), counts(&taken)), (200, [1_203, 1_203, 0, 0, 0]));
    assert_eq!(taken.body["state"], "completed");
    let path = "/tmf-api/productInventory/v4/product";
    let list = bench.get(&format!("{path}?status=active&limit=1")).await;
    assert_eq!(list.header("x-total-count"), "1203");
    let one = bench.get(&format!("{path}/p0007")).await.body;
    assert_eq!(one["href"], format!("http://127.0.0.1:8080{path}/p0007"));
    assert_eq!(bench.get("/orchestration/v1/events").await.body, json!([]));
    let told = bench.get("/orchestration/v1/imports/first").await.body;
    assert_eq!(told, taken.body);
    let all = bench.get("/orchestration/v1/imports").await;
    assert_eq!((all.header("x-total-count"), &all.body[0]), ("1", &told));
}

#[tokio::test]
async fn previously_imported_rows_are_kept() {
    let bench = Bench::new();
    let lines: String = (0..700).map(|n| product(&format!("p{n}"), "a")).collect();
    put(&bench, "first?resource=product", &lines).await;
    let facts = bench.facts();
    let again = put(&bench, "first?resource=product", &lines).await;
    assert_eq!(counts(&again), [700, 700, 0, 0, 0]);
    assert_eq!(bench.facts(), facts);
    let other = put(&bench, "second?resource=product", &lines).await;
    assert_eq!(counts(&other), [700, 0, 0, 700, 0]);
}

#[tokio::test]
async fn an_import_stops_before_a_wrong_line_and_goes_on_once_it_is_right() {
    let bench = Bench::new();
    let (a, b) = (product("a", "one"), product("b", "two"));
    let wrong = r#"{"id":"x","name":5,"status":"active"}"#;
    let path = "it?resource=product";
    let stopped = put(&bench, path, &format!("{a}\n{wrong}\n{b}")).await;
    assert_eq!(stopped.status, 422);
    assert_eq!(stopped.body["referenceError"], "line 3: name");
    let told = bench.get("/orchestration/v1/imports/it").await.body;
    assert_eq!(
        (&told["state"], &told["lines"], &told["created"]),
        (&json!("stopped"), &json!(2), &json!(1))
    );
    assert_eq!(told["wrongLines"][0]["line"], 3);
    let fixed = put(&bench, path, &format!("{a}\n{}{b}", product("x", "five"))).await;
    assert_eq!(counts(&fixed), [4, 3, 0, 0, 0], "{}", fixed.body);
    assert_eq!(fixed.body["wrongLines"], json!([]));
}

#[tokio::test]
async fn the_rest_of_a_file_is_enough() {
    let bench = Bench::new();
    let wrong = format!("{}nonsense\n", product("a", "one"));
    let path = "it?resource=product";
    assert_eq!(put(&bench, path, &wrong).await.status, 422);
    let gap = put(&bench, &format!("{path}&from=2"), &product("c", "three")).await;
    assert_eq!((gap.status.as_u16(), &gap.body["referenceError"]), (409, &json!("from")));
    let rest = put(&bench, &format!("{path}&from=1"), &product("b", "two")).await;
    assert_eq!(counts(&rest), [2, 2, 0, 0, 0]);
}

#[tokio::test]
async fn wrong_lines_are_noted_where_that_is_asked() {
    let bench = Bench::new();
    let lines = format!(
        "{}nonsense\n{}{{\"id\":\"c\"}}\n[]\n{}",
        product("a", "one"),
        product("a\u{7}", "two"),
        product("b", "three")
    );
    let taken = put(&bench, "it?resource=product&wrong=skip", &lines).await;
    assert_eq!(counts(&taken), [6, 2, 0, 0, 4], "{}", taken.body);
    let paths: Vec<&Value> =
        taken.body["wrongLines"].as_array().unwrap().iter().map(|wrong| &wrong["path"]).collect();
    assert_eq!(paths, [&json!("$"), &json!("id"), &json!("status"), &json!("$")]);
}

#[tokio::test]
async fn existing_documents_that_differ_are_refused_kept_or_replaced() {
    let bench = Bench::new();
    put(&bench, "first?resource=product", &product("a", "one")).await;
    let path = "/tmf-api/productInventory/v4/product/a";
    let other = product("a", "two");
    let refused = put(&bench, "refused?resource=product", &other).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["referenceError"]),
        (422, &json!("line 1: id"))
    );
    let kept = put(&bench, "kept?resource=product&existing=keep", &other).await;
    assert_eq!(counts(&kept), [1, 0, 0, 1, 0]);
    assert_eq!(bench.get(path).await.body["name"], "one");
    let replaced = put(&bench, "replaced?resource=product&existing=replace", &other).await;
    assert_eq!(counts(&replaced), [1, 0, 1, 0, 0]);
    assert_eq!(bench.get(path).await.body["name"], "two");
    // A product that has ended does not come to life again.
    let ended = json!({ "id": "a", "name": "two", "status": "terminated" }).to_string();
    put(&bench, "ended?resource=product&existing=replace", &ended).await;
    let revived = put(&bench, "revived?resource=product&existing=replace", &other).await;
    assert_eq!(
        (revived.status.as_u16(), &revived.body["referenceError"]),
        (422, &json!("line 1: status"))
    );
}

#[tokio::test]
async fn rows_of_one_id_are_seen_one_after_the_other() {
    let bench = Bench::new();
    let (one, two) = (product("a", "one"), product("a", "two"));
    let path = "it?resource=product&existing=replace";
    let taken = put(&bench, path, &format!("{one}{one}{two}")).await;
    assert_eq!(counts(&taken), [3, 1, 1, 1, 0]);
}

#[tokio::test]
async fn an_exported_catalog_can_be_imported_again() {
    let bench = Bench::new();
    let all = export(&bench, "productOffering").await;
    assert!(all.lines().count() > 3);
    let again = put(&bench, "again?resource=productOffering", &all).await;
    assert_eq!(again.body["kept"], json!(all.lines().count()), "{}", again.body);
}

#[tokio::test]
async fn refused_imports_change_nothing() {
    let bench = Bench::new();
    put(&bench, "taken?resource=customer", "").await;
    let facts = bench.facts();
    for (path, status, about) in [
        ("it", 400, "resource"),
        ("it?resource=nothing", 400, "resource"),
        ("it?resource=productOrder", 422, "resource"),
        ("it?resource=appliedCustomerBillingRate", 422, "resource"),
        ("it?resource=product&existing=maybe", 400, "existing"),
        ("it?resource=product&wrong=maybe", 400, "wrong"),
        ("it?resource=product&from=-1", 400, "from"),
        ("it?resource=product&from=7", 200, ""),
        ("taken?resource=product", 409, "id"),
        ("it/below?resource=product", 404, ""),
    ] {
        let answer = put(&bench, path, "").await;
        if status == 200 {
            continue;
        }
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        if !about.is_empty() {
            assert_eq!(answer.body["referenceError"], about, "{path}");
        }
    }
    let json = ("content-type", "application/json");
    let line = "PUT /orchestration/v1/imports/other?resource=product";
    assert_eq!(bench.send(line, &[json], Body::from("{}")).await.status, 415);
    let long = format!("{}\"{}\"", product("a", "one"), "x".repeat(BODY_BYTES_MAX));
    let answer = put(&bench, "long?resource=product", &long).await;
    assert_eq!(answer.body["referenceError"], "line 2: $", "{}", answer.body);
    assert!(bench.facts() > facts, "the row before is in");
}

#[tokio::test]
async fn an_import_is_forgotten_and_what_it_brought_stays() {
    let bench = Bench::new();
    put(&bench, "it?resource=product", &product("a", "one")).await;
    let line = "DELETE /orchestration/v1/imports/it";
    assert_eq!(bench.send(line, &[], Body::empty()).await.status, 204);
    assert_eq!(bench.send(line, &[], Body::empty()).await.status, 404);
    assert_eq!(bench.get("/tmf-api/productInventory/v4/product/a").await.status, 200);
    // Its name is free again.
    let again = put(&bench, "it?resource=customer", "").await;
    assert_eq!(again.status, 200, "{}", again.body);
    let more = put(&bench, "it?resource=customer", "").await;
    assert_eq!(more.status, 200, "{}", more.body);
}

#[tokio::test]
async fn an_export_has_every_row_that_matches_and_goes_on_after_an_id() {
    let bench = Bench::new();
    let lines: String = (0..900)
        .map(|n| product(&format!("p{n:03}"), if n % 3 == 0 { "a" } else { "b" }))
        .collect();
    put(&bench, "it?resource=product", &lines).await;
    let all = export(&bench, "product").await;
    assert_eq!(all.lines().count(), 900);
    assert_eq!(export(&bench, "product?name=a").await.lines().count(), 300);
    let rest = export(&bench, "product?after=p449").await;
    assert_eq!(rest.lines().count(), 450);
    assert!(all.ends_with(&rest));
    let rest = export(&bench, "product?name=a&after=p449").await;
    assert_eq!(rest.lines().count(), 150);
    // Elsewhere it becomes the same.
    let other = Bench::new();
    let taken = put(&other, "it?resource=product", &all).await;
    assert_eq!(counts(&taken), [900, 900, 0, 0, 0]);
    assert_eq!(export(&other, "product").await, all);
    assert_eq!(bench.get("/orchestration/v1/exports/nothing").await.status, 404);
    assert_eq!(bench.get("/orchestration/v1/exports/product?colour=a").await.status, 400);
    assert_eq!(bench.get("/orchestration/v1/exports/processFlow").await.status, 422);
}

/// Waits for the end of a job; returns its document.
async fn job(bench: &Bench, path: &str, body: &Value) -> Value {
    let created = bench.post(path, body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let place = format!("{path}/{}", created.body["id"].as_str().unwrap());
    let mut changed = bench.services.engine.store().changed();
    loop {
        let now = bench.get(&place).await.body;
        if now["completionDate"].is_string() {
            return now;
        }
        changed.changed().await.unwrap();
    }
}

#[tokio::test]
async fn jobs_take_a_catalog_out_and_bring_it_in() {
    const CATALOG: &str = "/tmf-api/productCatalogManagement/v4";
    let bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    let never = std::future::pending();
    let jobs = Jobs {
        importer: bench.services.importer(),
        arrived: Arc::clone(&bench.services.jobs),
        folder: folder.path().into(),
    };
    tokio::spawn(crate::bulk::jobs::run(jobs, never));
    let body = json!({ "url": "file:out.ndjson", "path": format!("{CATALOG}/category") });
    bench.post(&format!("{CATALOG}/category"), &json!({ "name": "fast" })).await;
    let out = job(&bench, &format!("{CATALOG}/exportJob"), &body).await;
    assert_eq!(out["status"], "Succeeded", "{out}");
    let written = std::fs::read_to_string(folder.path().join("out.ndjson")).unwrap();
    assert_eq!(written, export(&bench, "category").await);
    let renamed = written.replace("\"fast\"", "\"faster\"");
    std::fs::write(folder.path().join("out.ndjson"), &renamed).unwrap();
    let come = job(&bench, &format!("{CATALOG}/importJob"), &body).await;
    assert_eq!(come["status"], "Succeeded", "{come}");
    assert!(export(&bench, "category").await.contains("\"faster\""));

    std::fs::write(folder.path().join("wrong.ndjson"), "{\"id\":\"a\"}\n").unwrap();
    for (url, path, said) in [
        ("wrong.ndjson", "category", "line 1: `name` is missing"),
        ("missing.ndjson", "category", "cannot read `missing.ndjson`"),
        ("/etc/passwd", "category", "`url` is the name of a file"),
        ("wrong.ndjson", "nothing", "`path` must name a collection"),
    ] {
        let body = json!({ "url": url, "path": path });
        let failed = job(&bench, &format!("{CATALOG}/importJob"), &body).await;
        assert_eq!(failed["status"], "Failed", "{failed}");
        assert!(failed["errorLog"].as_str().unwrap().contains(said), "{failed}");
    }
    let body = json!({ "url": "x.ndjson", "path": "category", "query": "colour=a" });
    let failed = job(&bench, &format!("{CATALOG}/exportJob"), &body).await;
    assert!(failed["errorLog"].as_str().unwrap().contains("no attribute `colour`"), "{failed}");
}
