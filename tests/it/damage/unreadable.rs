//! One record that cannot be read is set aside and reported; everything else goes on.

use engine::keys;
use engine::store::{Batch, Store as _};
use model::FulfilmentId;
use serde_json::{Value, json};
use store::{Options, Sled};

use crate::world::{Request, World, fresh, pack_order, text, with_characteristic};

/// Puts something else in the place of a fact, while the server is down.
async fn overwrite(world: &World, key: Vec<u8>) {
    let store = Sled::open(world.data().join("store"), &Options::default()).unwrap();
    assert!(store.get(&key).unwrap().is_some(), "there is no such fact");
    let epoch = store.claim().unwrap();
    let batch = Batch::of(epoch, vec![(key, Some(b"{\"no\":\"record\"".to_vec()))]);
    store.append(batch).await.unwrap();
}

/// An order that waits for its date.
async fn open_order(world: &World, name: &str) -> String {
    let mut order = fresh(&pack_order("mobile-4g/port-in"), name);
    with_characteristic(&mut order, "portWindow", &"2099-01-01T00:00:00Z".into());
    let id = world.submit(&order).await;
    let some = |now: &Value| now["tasksDone"].as_u64() >= Some(3);
    world.until(&id, "it waits for its date", some).await;
    id
}

async fn cancel(world: &World, id: &str) -> crate::world::Answer {
    let body = json!({ "productOrder": { "id": id }, "cancellationReason": "moving" });
    world.http.post(tmf::table::path("cancelProductOrder"), &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_order_is_set_aside_and_the_others_go_on() {
    let mut world = World::start().await;
    let ids = [
        open_order(&world, "one").await,
        open_order(&world, "other").await,
        open_order(&world, "third").await,
    ];
    world.kill().await;
    overwrite(&world, keys::journal(&FulfilmentId::new(&ids[1]), 1)).await;
    world.restart().await;

    let health = world.http.ask(&Request::get("/healthz")).await.unwrap();
    assert_eq!(health.status, 200, "{}", health.text);
    assert_eq!(health.body["setAside"], 1, "{}", health.text);
    let aside = world.http.get("/orchestration/v1/quarantine").await;
    assert_eq!(aside.as_array().map(Vec::len), Some(1), "{aside:#}");
    assert_eq!(aside[0]["id"], json!(ids[1]), "{aside:#}");
    assert!(aside[0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{aside:#}");
    let refused = cancel(&world, &ids[1]).await;
    assert!(refused.status >= 400, "{}", refused.text);

    // The others, and a new one, are carried on.
    for id in [&ids[0], &ids[2]] {
        let cancelled = cancel(&world, id).await;
        assert_eq!(cancelled.status, 201, "{}", cancelled.text);
        assert_eq!(world.ended(id).await.end, "cancelled");
    }
    let new = world.submit(&pack_order("mobile-4g/new-number")).await;
    world.completed(&new).await;
    // It is still aside after the next start.
    world.kill().await;
    world.restart().await;
    let aside = world.http.get("/orchestration/v1/quarantine").await;
    assert_eq!(aside[0]["id"], json!(ids[1]), "{aside:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_document_is_reported_and_the_others_are_served() {
    let mut world = World::start().await;
    let path = tmf::table::path("individual");
    let mut ids = Vec::new();
    for number in 0..3 {
        let person = json!({ "givenName": "Ann", "familyName": format!("Walker-{number}") });
        ids.push(text(&world.http.post(path, &person).await.body["id"]));
    }
    world.kill().await;
    overwrite(&world, keys::document("individual", &ids[1])).await;
    world.restart().await;

    let read = world.http.ask(&Request::get(&format!("{path}/{}", ids[1]))).await.unwrap();
    assert_eq!(read.status, 500, "{}", read.text);
    let listed = world.http.list_of(path).await;
    let listed: Vec<String> = listed.iter().map(|person| text(&person["id"])).collect();
    assert_eq!(listed, [ids[0].clone(), ids[2].clone()]);
    let health = world.http.ask(&Request::get("/healthz")).await.unwrap();
    assert_eq!(health.status, 200, "{}", health.text);
    assert!(health.text.contains(&ids[1]), "{}", health.text);
    // The others can be changed, and new ones made.
    let patch = Request::patch(&format!("{path}/{}", ids[0]), &json!({ "title": "Dr" }));
    assert_eq!(world.http.ask(&patch).await.unwrap().status, 200);
    let made = world.http.post(path, &json!({ "givenName": "A", "familyName": "B" })).await;
    assert_eq!(made.status, 201, "{}", made.text);
}
