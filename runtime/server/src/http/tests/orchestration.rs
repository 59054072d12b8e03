use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::bench::{Bench, order};

const RUNS: &str = "/orchestration/v1/workflows/six-steps/runs";
const JSON: (&str, &str) = ("content-type", "application/json");

/// The data of each event of a stream that has ended.
fn events(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn types(records: &[Value]) -> Vec<&str> {
    let events = records.iter().flat_map(|record| record["events"].as_array().unwrap());
    events.map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn any_json_object_starts_a_run() {
    let bench = Bench::new();
    let created = bench.post(RUNS, &json!({ "any": ["thing"] })).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.body["input"], json!({ "any": ["thing"] }));
    let location = created.header("location").strip_prefix("http://127.0.0.1:8080").unwrap();
    let run = bench.get(location).await;
    assert_eq!((run.status.as_u16(), &run.body["state"]), (200, &json!("held")));
    assert_eq!(run.body["failures"][0]["code"], "PLUGIN_MISSING");
    let empty = bench.send(&format!("POST {RUNS}"), &[], Body::empty()).await;
    assert_eq!((empty.status.as_u16(), &empty.body["input"]), (201, &json!({})));
}

#[tokio::test]
async fn a_client_may_wait_for_the_end_of_a_run() {
    let bench = Bench::new();
    let ended = bench.run(0, "ended").await;
    let waiting = bench.run(1, "waiting").await;
    for (key, wait, id, status, state) in
        [("ended", "60s", &ended, 200, "completed"), ("waiting", "0s", &waiting, 202, "running")]
    {
        let headers = [JSON, ("idempotency-key", key)];
        let line = format!("POST {RUNS}?wait={wait}");
        let answer = bench.send(&line, &headers, Body::from("{}")).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.body["id"], json!(id));
        assert_eq!(answer.body["state"], state);
    }
}

#[tokio::test]
async fn an_element_answers_and_watchers_see_it() {
    let bench = Bench::new();
    let id = bench.run(1, "k").await;
    bench.waiting(&id).await;
    let path = format!("/orchestration/v1/fulfilments/{id}");
    let stream = bench.open(&format!("GET {path}/events"), &[], Body::empty()).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let watching = tokio::spawn(stream.into_body().collect());
    let shown = bench.get(&path).await.body;
    assert_eq!(shown["tasks"][0]["state"], "waiting");
    assert_eq!(shown["tasks"][0]["waitsFor"], json!(["answer/0"]));
    let address = "http://127.0.0.1:8080/orchestration/v1/callbacks/patient/answer/0";
    assert_eq!(shown["tasks"][0]["answersAt"], json!([address]));
    // The key has a slash, sent as it is or escaped.
    let callback = "/orchestration/v1/callbacks/patient/answer%2F0";
    let delivered = bench.post(callback, &json!({ "ok": true })).await;
    assert_eq!((delivered.status.as_u16(), &delivered.body["state"]), (200, &json!("delivered")));
    let bytes = watching.await.unwrap().unwrap().to_bytes();
    let records = events(std::str::from_utf8(&bytes).unwrap());
    let wanted = ["submitted", "planned", "started", "waiting", "calledBack", "succeeded", "ended"];
    assert_eq!(types(&records), wanted);
    let numbers: Vec<_> = records.iter().map(|record| record["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..records.len() as u64).collect::<Vec<_>>());
    let done = bench.get(&format!("{path}?journal=true")).await.body;
    assert_eq!(done["state"], "completed");
    assert_eq!(done["tasks"][0]["outputs"]["answered"], json!({ "ok": true }));
    assert_eq!(done["tasks"][0]["attempt"], 1);
    assert!(done["tasks"][0]["durationMs"].is_u64());
    assert_eq!(done["journal"], json!(records));
    let logs = bench.get(&format!("{path}/logs")).await.body;
    assert_eq!(logs[0]["lines"], json!(["called"]));
    let own = bench.services.engine.addresses().of("run-k:0");
    let late = bench.post(&format!("/orchestration/v1/callbacks/{own}"), &json!({})).await;
    assert!(late.body["state"].as_str().unwrap().starts_with("ignored"));
    for guessed in ["run-k:0", "no-task-yet", &own[..own.len() - 1], &own.replace(":0", ":1")] {
        let guessed = format!("/orchestration/v1/callbacks/{guessed}");
        assert_eq!(bench.post(&guessed, &json!({})).await.status, 404, "{guessed}");
    }
    let early = bench.post("/orchestration/v1/callbacks/patient/no-task-yet", &json!({})).await;
    assert_eq!(early.status, 202);
    let long = json!({ "text": "x".repeat(64 << 10) });
    let long = bench.post("/orchestration/v1/callbacks/patient/long", &long).await;
    assert_eq!(long.status, 413);
    let retried = bench.post(&format!("{path}/retry"), &json!({})).await;
    assert_eq!(retried.status, 409);
}

#[tokio::test]
async fn a_stream_goes_on_where_it_was_cut_off() {
    let bench = Bench::new();
    let id = bench.run(0, "k").await;
    let line = format!("GET /orchestration/v1/fulfilments/{id}/events");
    let all = bench.send(&line, &[], Body::empty()).await;
    let records = events(&all.text);
    assert_eq!(types(&records).last(), Some(&"ended"));
    for seen in 0..records.len() - 1 {
        let last = [("last-event-id", &*seen.to_string())];
        let rest = bench.send(&line, &last, Body::empty()).await;
        assert_eq!(events(&rest.text), records[seen + 1..]);
    }
    let over = (records.len() - 1).to_string();
    let none = bench.send(&line, &[("last-event-id", &over)], Body::empty()).await;
    assert_eq!((none.status.as_u16(), none.text.as_str()), (204, ""));
}

#[tokio::test]
async fn failed_tasks_are_retried_only_while_the_fulfilment_is_open() {
    let bench = Bench::new();
    let id = bench.run(1, "k").await;
    let answer = bench.post(&format!("/orchestration/v1/fulfilments/{id}/retry"), &json!({})).await;
    assert_eq!((answer.status.as_u16(), &answer.body["reopened"]), (200, &json!(0)));
}

#[tokio::test]
async fn a_simulation_leaves_nothing_behind() {
    let bench = Bench::new();
    let path = "/orchestration/v1/simulate/productOrder";
    let held = bench.post(path, &order("A")).await;
    assert_eq!((held.status.as_u16(), &held.body["state"]), (200, &json!("held")));
    let mut unknown = order("A");
    unknown["productOrderItem"][0]["productOffering"]["id"] = json!("PO-NONE");
    assert_eq!(bench.post(path, &unknown).await.body["state"], "rejected");
    let headers = [JSON, ("accept", "text/plain")];
    let body = Body::from(unknown.to_string());
    let text = bench.send(&format!("POST {path}"), &headers, body).await;
    assert!(text.text.starts_with("rejected: "), "{}", text.text);
    assert_eq!(bench.facts(), 0);
}

#[tokio::test]
async fn the_server_lists_its_contents_and_its_state() {
    let bench = Bench::new();
    bench.post("/tmf-api/productOrderingManagement/v4/productOrder", &order("A")).await;
    assert_eq!(bench.get("/healthz").await.status, 200);
    assert_eq!(bench.get("/readyz").await.body["status"], "ready");
    assert_eq!(bench.get("/orchestration/v1/plugins").await.body, json!([]));
    let packs = bench.get("/orchestration/v1/packs").await.body;
    assert!(packs.as_array().unwrap().iter().any(|pack| pack["name"] == "superfibre"), "{packs}");
    let workflows = bench.get("/orchestration/v1/workflows").await.body;
    assert!(workflows.as_array().unwrap().iter().any(|known| known["runs"] == RUNS));
    let outbox = bench.get("/orchestration/v1/events?limit=1").await;
    assert_eq!(outbox.body[0]["eventType"], "ProductOrderCreateEvent");
    assert_eq!(outbox.body[0]["sequence"], 0);
    assert!(outbox.header("link").contains("after=0"));
    let next = bench.get("/orchestration/v1/events?after=0").await.body;
    assert_eq!(next[0]["eventType"], "ProductOrderStateChangeEvent");
    let metrics = bench.get("/metrics").await.text;
    assert!(metrics.contains("ferrule_submitted_total 1\n"), "{metrics}");
    let series =
        "ferrule_http_requests_total{route=\"productOrder\",method=\"POST\",status=\"201\"} 1";
    assert!(metrics.contains(series), "{metrics}");
}
