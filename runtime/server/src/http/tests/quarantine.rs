use engine::keys;
use engine::store::{Batch, Store as _};
use serde_json::json;

use super::bench::Bench;

#[tokio::test]
async fn a_journal_that_cannot_be_read_is_reported_and_everything_else_is_served() {
    let first = Bench::new();
    let id = first.run(1, "k").await;
    let other = first.run(1, "other").await;
    first.waiting(&id).await;
    let store = first.store.clone();
    let key = keys::journal(&id, 1);
    let whole = store.get(&key).unwrap();
    let epoch = store.claim().unwrap();
    let damaged = Batch::of(epoch, vec![(key.clone(), Some(b"{\"v\":1".to_vec()))]);
    store.append(damaged).await.unwrap();

    let bench = Bench::on(store.clone());
    let ready = bench.get("/readyz").await;
    assert_eq!((ready.status.as_u16(), &ready.body["status"]), (200, &json!("degraded")));
    assert_eq!(ready.body["setAside"], 1);
    assert_eq!(bench.get("/healthz").await.body["status"], "degraded");
    assert!(bench.get("/metrics").await.text.contains("ferrule_set_aside 1\n"));
    let list = bench.get("/orchestration/v1/quarantine").await.body;
    assert_eq!((&list[0]["id"], &list[0]["record"]), (&json!(id), &json!(1)));
    assert!(list[0]["reason"].as_str().unwrap().contains("record 1"), "{list}");
    let shown = bench.get(&format!("/orchestration/v1/fulfilments/{id}")).await;
    assert_eq!((shown.status.as_u16(), &shown.body["reason"]), (500, &json!("set aside")));
    assert!(shown.body["message"].as_str().unwrap().contains("quarantine"), "{}", shown.text);
    let well = bench.get(&format!("/orchestration/v1/fulfilments/{other}")).await;
    assert_eq!((well.status.as_u16(), &well.body["id"]), (200, &json!(other)));
    let flows = bench.get("/tmf-api/processFlowManagement/v4/processFlow").await;
    assert_eq!((flows.status.as_u16(), flows.body.as_array().unwrap().len()), (200, 1));

    let path = format!("/orchestration/v1/quarantine/{id}");
    let again = bench.post(&format!("{path}/retry"), &json!({})).await;
    assert_eq!(again.status, 409, "{}", again.text);
    bench.services.engine.append(vec![(key, whole)], Vec::new()).await.unwrap();
    let again = bench.post(&format!("{path}/retry"), &json!({})).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!(bench.get("/readyz").await.body["status"], "ready");
    assert_eq!(bench.get("/orchestration/v1/quarantine").await.body, json!([]));
    let given_up = bench.post(&format!("{path}/give-up"), &json!({})).await;
    assert_eq!(given_up.status, 404, "it is not set aside any more");
}
