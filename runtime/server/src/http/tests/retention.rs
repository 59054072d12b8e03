use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use engine::documents::Put;
use engine::keys;
use engine::store::{Scan, Store as _};
use model::{Digest, Event, Fulfilment, FulfilmentId, Kind, Plan};
use serde_json::json;
use tmf::time::Timestamp;

use super::bench::Bench;
use crate::config::Retention;
use crate::retention::{Retainer, sweep_all};

/// The retention of everything is over at once.
const NOTHING: Retention = Retention {
    orders_days: 0,
    runs_days: 0,
    logs_days: 0,
    exchanges_days: 0,
    submissions_days: 0,
    callbacks_minutes: 0,
    audit_days: None,
};

fn retainer(bench: &Bench, keep: Retention) -> Retainer {
    let documents = bench.services.documents.clone();
    let act = bench.services.audit.job("retention");
    Retainer { documents, removed: Arc::clone(&bench.services.removed), keep, act }
}

fn has_journal(bench: &Bench, id: &FulfilmentId) -> bool {
    let scan = Scan::prefix(keys::journal_prefix(id), 1);
    !bench.store.scan(&scan).unwrap().is_empty()
}

#[tokio::test]
async fn ended_documents_are_removed_and_open_ones_stay() {
    let bench = Bench::new();
    let ended = bench.run(0, "ended").await;
    let open = bench.run(1, "open").await;
    bench.waiting(&open).await;
    sweep_all(&retainer(&bench, Retention::default())).await.unwrap();
    assert!(has_journal(&bench, &ended), "it is kept for some days");
    sweep_all(&retainer(&bench, NOTHING)).await.unwrap();
    assert!(!has_journal(&bench, &ended));
    assert!(has_journal(&bench, &open));
    assert_eq!(bench.services.removed.runs.load(Ordering::Relaxed), 1);
    assert_eq!(bench.get(&format!("/orchestration/v1/runs/{ended}")).await.status, 404);
    assert!(bench.get("/metrics").await.text.contains("ferrule_removed_runs_total 1\n"));

    let line = format!("DELETE /orchestration/v1/runs/{open}");
    assert_eq!(bench.send(&line, &[], Body::empty()).await.status, 409);
    let callback = "/orchestration/v1/callbacks/patient/answer%2F0";
    assert_eq!(bench.post(callback, &json!({})).await.status, 200);
    bench.services.engine.ended(&open).await.unwrap();
    assert_eq!(bench.send(&line, &[], Body::empty()).await.status, 204);
    assert!(!has_journal(&bench, &open));
    let logs = Scan::prefix(keys::logs(&open), 1);
    assert!(bench.store.scan(&logs).unwrap().is_empty());
    assert_eq!(bench.send(&line, &[], Body::empty()).await.status, 404);
    let headers = [("content-type", "application/json"), ("idempotency-key", "open")];
    let line = "POST /orchestration/v1/workflows/six-steps/runs";
    let again = bench.send(line, &headers, Body::from("{}")).await;
    assert_eq!(again.status, 409, "the key made what was removed: {}", again.text);
}

#[tokio::test]
async fn exchanges_go_before_logs_and_logs_before_the_journal() {
    let bench = Bench::new();
    let id = bench.run(1, "ended").await;
    bench.waiting(&id).await;
    bench.post("/orchestration/v1/callbacks/patient/answer%2F0", &json!({})).await;
    bench.services.engine.ended(&id).await.unwrap();
    let kept = || {
        let prefixes = [keys::all_exchanges(&id), keys::telemetries(&id), keys::logs(&id)];
        prefixes.map(|prefix| bench.store.scan(&Scan::prefix(prefix, 9)).unwrap().len())
    };
    assert_eq!(kept(), [2, 2, 2], "the call and the resumption have facts of their own");
    let days = Retention::default();
    sweep_all(&retainer(&bench, days)).await.unwrap();
    assert_eq!(kept(), [2, 2, 2]);
    sweep_all(&retainer(&bench, Retention { exchanges_days: 0, ..days })).await.unwrap();
    assert_eq!(kept(), [0, 2, 2]);
    sweep_all(&retainer(&bench, Retention { logs_days: 0, ..days })).await.unwrap();
    assert_eq!(kept(), [0, 0, 0]);
    assert!(has_journal(&bench, &id));
}

#[tokio::test]
async fn the_journal_of_an_order_stays_while_what_it_made_is_in_use() {
    let bench = Bench::new();
    let id = FulfilmentId::new("order-1");
    let document = json!({ "productOrderItem": [] });
    let order = Fulfilment::new(id.clone(), Kind::ProductOrder, document, Timestamp(1));
    let planned = vec![Event::Planned { plan: Arc::new(Plan::default()) }];
    bench.services.engine.submit(order, planned, None, None).await.unwrap();
    bench.services.engine.ended(&id).await.unwrap();
    for (status, stays) in [("active", true), ("suspended", true), ("terminated", false)] {
        let product = json!({
            "id": "p-1", "status": status, "productOrderItem": [{ "productOrderId": id }],
        });
        bench.services.documents.write(vec![Put::set("product", "p-1", product)]).await.unwrap();
        sweep_all(&retainer(&bench, NOTHING)).await.unwrap();
        assert_eq!(has_journal(&bench, &id), stays, "{status}");
    }
    let order =
        bench.get(&format!("/tmf-api/productOrderingManagement/v4/productOrder/{id}")).await;
    assert_eq!(order.status, 200, "the document stays");
}

#[tokio::test]
async fn versions_of_plugins_are_needed_until_the_runs_that_began_with_them_end() {
    let bench = Bench::new();
    let needed = || crate::serve::plugins::needed(&bench.store);
    assert_eq!(needed(), Some([].into()));
    let id = bench.run(1, "a").await;
    bench.waiting(&id).await;
    assert_eq!(needed(), Some([Digest::of(b"patient")].into()));
    let answered = bench.post("/orchestration/v1/callbacks/patient/answer%2F0", &json!({})).await;
    assert!(answered.status.is_success(), "{}", answered.text);
    let mut watch = bench.services.engine.watch();
    while bench.services.engine.get(&id).await.unwrap().unwrap().ended_at().is_none() {
        watch.recv().await.ok();
    }
    assert_eq!(needed(), Some([].into()));
}
