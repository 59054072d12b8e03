//! A store that an earlier version wrote has no records of what is installed.

use std::sync::Arc;

use engine::keys;
use engine::store::documents::{Change, Expected};
use engine::store::installation::upgrade;
use engine::store::{Document, Put, Scan, Store as _};
use model::installed::INSTALLED;
use model::{Event, Fulfilment, FulfilmentId, Kind, Plan};
use serde_json::{Value, json};
use tmf::time::Timestamp;

use super::bench::Bench;

fn records(bench: &Bench) -> Vec<Value> {
    let scan = Scan::prefix(keys::documents(INSTALLED), 100);
    let facts = bench.store.scan(&scan).unwrap().into_iter();
    facts.map(|(_, bytes)| Document::read(&bytes).unwrap().body).collect()
}

/// A product, and a service that it is made of.
fn plan() -> Plan {
    let item = |name: &str, level: &str, parents: &[u32]| {
        json!({
            "name": name, "level": level, "line": "1", "spec": name, "title": name,
            "action": "add", "parents": parents,
        })
    };
    let items = json!([item("P", "product", &[]), item("S", "resourceService", &[0])]);
    Plan { items: serde_json::from_value(items).unwrap(), ..Plan::default() }
}

#[tokio::test]
async fn installed_specifications_are_derived_from_the_orders_once() {
    let bench = Bench::new();
    let engine = &bench.app.engine;
    upgrade(engine).await.unwrap();
    for id in ["order-1", "order-2"].map(FulfilmentId::new) {
        let document = json!({ "productOrderItem": [] });
        let order = Fulfilment::new(id.clone(), Kind::ProductOrder, document, Timestamp(1));
        let planned = vec![Event::Planned { plan: Arc::new(plan()) }];
        engine.submit(order, planned, None, None).await.unwrap();
        engine.ended(&id).await.unwrap();
    }
    let before = records(&bench);
    assert_eq!(before.len(), 4);
    assert_eq!(before[2]["users"], json!({ "product/order-1-1": true }), "{before:#?}");
    let gone = before.iter().map(|record| {
        let id = record["id"].as_str().unwrap();
        Put::new(INSTALLED, id, Change::Forget, Expected::Anything).quiet()
    });
    engine.append(Vec::new(), gone.collect()).await.unwrap();
    upgrade(engine).await.unwrap();
    assert_eq!(records(&bench), [] as [Value; 0], "it was worked out before");
    engine.append(vec![(keys::INSTALLED.to_vec(), None)], Vec::new()).await.unwrap();
    upgrade(engine).await.unwrap();
    assert_eq!(records(&bench), before);
}
