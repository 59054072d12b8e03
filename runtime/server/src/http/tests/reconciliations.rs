//! Reconciliations over HTTP: what is refused, and what can be read of them.

use axum::body::Body;
use engine::documents::Put;
use serde_json::{Value, json};

use super::bench::Bench;
use crate::reconcile;

const PATH: &str = "/orchestration/v1/reconciliations";

async fn import(bench: &Bench, resource: &str, lines: &str) {
    let line = format!("PUT /orchestration/v1/imports/{resource}?resource={resource}");
    let headers = [("content-type", "application/x-ndjson")];
    let taken = bench.send(&line, &headers, Body::from(lines.to_string())).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
}

/// Services that no order of ours made.
async fn foreign(bench: &Bench, count: usize) {
    let service = |number| {
        json!({ "id": format!("s{number:03}"), "state": "active", "name": "a",
            "serviceSpecification": { "id": if number % 2 == 0 { "EVEN" } else { "ODD" } } })
    };
    let lines: String = (0..count).map(|number| format!("{}\n", service(number))).collect();
    import(bench, "service", &lines).await;
}

/// Carries out what was asked for, and reads it.
async fn carried_out(bench: &Bench, scope: &Value) -> Value {
    let asked = bench.post(PATH, scope).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    ended(bench, asked.body["id"].as_str().unwrap()).await
}

async fn ended(bench: &Bench, id: &str) -> Value {
    let path = format!("{PATH}/{id}");
    let running =
        tokio::spawn(reconcile::run(bench.services.reconciler.clone(), std::future::pending()));
    loop {
        let now = bench.get(&path).await.body;
        if now["state"] == "completed" {
            running.abort();
            return now;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn errors_name_the_attribute_and_nothing_is_written() {
    let bench = Bench::new();
    for (body, status, about) in [
        (json!([]), 400, "$"),
        (json!({ "sevice": {} }), 400, "sevice"),
        (json!({ "service": "s1" }), 400, "service"),
        (json!({ "service": { "id": 1 } }), 400, "service.id"),
        (json!({ "service": { "id": "none" } }), 422, "service.id"),
        (json!({ "resource": { "id": "none" } }), 422, "resource.id"),
        (json!({ "service": {}, "resource": {} }), 400, "resource"),
        (json!({ "query": 1 }), 400, "query"),
        (json!({ "query": "colour=red" }), 400, "query"),
        (json!({ "service": { "id": "s1" }, "query": "state=active" }), 400, "service"),
    ] {
        let refused = bench.post(PATH, &body).await;
        assert_eq!(refused.status.as_u16(), status, "{body}: {}", refused.text);
        assert_eq!(refused.body["referenceError"], about, "{body}: {}", refused.text);
    }
    assert_eq!(bench.facts(), 0);
    assert_eq!(bench.get(&format!("{PATH}/none")).await.status, 404);
    let repair = format!("{PATH}/none/findings/1/repair");
    assert_eq!(bench.post(&repair, &json!({})).await.status, 404);
    assert_eq!(bench.get(&repair).await.status, 405);
}

#[tokio::test]
async fn instances_without_prior_work_are_unknown_and_counted() {
    let bench = Bench::new();
    foreign(&bench, 150).await;
    let facts = bench.facts();
    let all = carried_out(&bench, &json!({})).await;
    assert_eq!((&all["checked"], &all["asked"]), (&json!(150), &json!(0)), "{all}");
    assert_eq!(all["found"]["unknown"], 150);
    assert_eq!(all["findings"][149]["id"], "s149");
    assert_eq!(all["findings"][0]["code"], "INSTANCE_FOREIGN");
    let odd = carried_out(&bench, &json!({ "serviceSpecification": { "id": "ODD" } })).await;
    assert_eq!(odd["checked"], 75);
    let one = carried_out(&bench, &json!({ "service": { "id": "s007" } })).await;
    assert_eq!((&one["checked"], &one["findings"][0]["id"]), (&json!(1), &json!("s007")));
    let resources = carried_out(&bench, &json!({ "resource": {} })).await;
    assert_eq!(resources["checked"], 0);
    let repair = format!("{PATH}/{}/findings/1/repair", one["id"].as_str().unwrap());
    assert_eq!(bench.post(&repair, &json!({})).await.status, 422);

    // What a stop cut off goes on after the last instance that is on disk.
    let mut cut = all.clone();
    let id = all["id"].as_str().unwrap();
    for (name, value) in [("state", json!("running")), ("after", json!("s099"))] {
        cut[name] = value;
    }
    (cut["checked"], cut["findings"]) = (json!(100), json!([]));
    cut["found"]["unknown"] = json!(100);
    bench
        .services
        .documents
        .write(vec![Put::set(reconcile::RECONCILIATIONS, id, cut)])
        .await
        .unwrap();
    let whole = ended(&bench, id).await;
    assert_eq!((&whole["checked"], &whole["found"]["unknown"]), (&json!(150), &json!(150)));
    assert_eq!(whole["findings"].as_array().unwrap().len(), 50);
    assert_eq!(whole["findings"][0]["id"], "s100");

    let list = bench.get(&format!("{PATH}?limit=3")).await;
    assert_eq!((list.header("x-total-count"), list.body.as_array().unwrap().len()), ("4", 3));
    assert_eq!((&list.body[0]["id"], &list.body[0]["findings"]), (&all["id"], &Value::Null));
    for row in bench.get(PATH).await.body.as_array().unwrap() {
        let line = format!("DELETE {PATH}/{}", row["id"].as_str().unwrap());
        assert_eq!(bench.send(&line, &[], Body::empty()).await.status, 204);
    }
    assert_eq!(bench.facts(), facts, "nothing else was written");
}
