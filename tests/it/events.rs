//! Subscribers hear of everything that concerns them, in order, whenever the server is killed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{Receiver, World, fresh, pack_order};

const PRODUCT_ORDERS: &str = "/tmf-api/productOrderingManagement/v4/hub";
const SERVICE_ORDERS: &str = "/tmf-api/serviceOrdering/v5/hub";
const PRODUCTS: &str = "/tmf-api/productInventory/v4/hub";

/// So often the server is killed.
const KILLS: usize = 4;

/// Orders submitted between two kills.
const ORDERS: usize = 5;

async fn subscribe(world: &World, hub: &str, callback: &str) {
    let answer = world.http.post(hub, &json!({ "callback": callback })).await;
    assert_eq!(answer.status, 201, "{hub}: {}", answer.text);
    assert_eq!(answer.body["callback"], callback);
}

/// The ids of the events of some resources, in the order of the outbox.
fn told(events: &[Value], resources: &[&str]) -> Vec<String> {
    let is_told = |event: &&Value| resources.contains(&event["resource"].as_str().unwrap());
    events.iter().filter(is_told).map(id_of).collect()
}

fn id_of(event: &Value) -> String {
    event["eventId"].as_str().unwrap().to_string()
}

/// What a subscriber took, each event once, at its first time.
fn firsts(taken: &[(String, Value)]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let ids = taken.iter().map(|(_, event)| id_of(event));
    ids.filter(|id| seen.insert(id.clone())).collect()
}

#[tokio::test]
async fn every_event_comes_in_order_at_least_once_whenever_the_server_is_killed() {
    let mut world = World::start().await;
    let (steady, moody, other) =
        (Receiver::start().await, Receiver::refusing(3).await, Receiver::start().await);
    subscribe(&world, PRODUCT_ORDERS, &steady.url("/a/listener")).await;
    subscribe(&world, SERVICE_ORDERS, &moody.url("/b")).await;
    subscribe(&world, PRODUCTS, &other.url("/c")).await;
    let mut ids = Vec::new();
    for round in 0..KILLS {
        for number in 0..ORDERS {
            let order = fresh(&pack_order("mobile-4g/new-number"), &format!("{round}-{number}"));
            ids.push(world.submit(&order).await);
        }
        // In the middle: some of what these orders tell is on its way.
        let enough = round * ORDERS * 2 + ORDERS;
        steady.until("some events came", |taken| taken.len() >= enough).await;
        world.kill().await;
        world.restart().await;
    }
    for id in &ids {
        world.completed(id).await;
    }
    let events = world.books().await.events;
    for (receiver, resources, path) in [
        (&steady, &["productOrder", "cancelProductOrder"][..], "/a/listener/productOrder"),
        (&moody, &["serviceOrder", "cancelServiceOrder"], "/b"),
        (&other, &["product"], "/c"),
    ] {
        let expected = told(&events, resources);
        assert!(expected.len() >= ids.len(), "{resources:?}");
        let taken =
            receiver.until("all events came", |taken| firsts(taken).len() >= expected.len());
        let taken = taken.await;
        assert_eq!(firsts(&taken), expected, "{resources:?}");
        for (at, event) in &taken {
            assert!(at.starts_with(path), "{at}: {event:#}");
        }
        // Only what was on its way when the server was killed may come again.
        assert!(taken.len() <= expected.len() + KILLS * 8, "{} {}", taken.len(), expected.len());
    }
    for stands in world.http.get("/orchestration/v1/subscriptions").await.as_array().unwrap() {
        assert_eq!((&stands["state"], &stands["deadLetters"]), (&json!("active"), &json!(0)));
        assert_eq!(stands["missed"], 0, "{stands:#}");
    }
}
