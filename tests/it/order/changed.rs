//! Orders about prior work, and orders that are cancelled.

use serde_json::{Value, json};

use crate::world::{Books, World, pack_order, with_characteristic};

/// An order about the product that line 1 of an order made.
fn change(action: &str, made_by: &str, characteristics: &Value) -> Value {
    let mut order = pack_order("superfibre/gpon");
    order["productOrderItem"] = json!([{
        "id": "1",
        "action": action,
        "product": { "id": format!("{made_by}-1"), "productCharacteristic": characteristics },
    }]);
    order
}

#[tokio::test]
async fn a_product_that_ceases_leaves_nothing_behind() {
    let world = World::start().await;
    let first = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&first).await;
    let before = world.books().await;
    let id = world.submit(&change("delete", &first, &json!([]))).await;
    world.completed(&id).await;
    let books = world.books().await;
    let product = &books.of("product")[&format!("{first}-1")];
    assert_eq!(product["status"], "terminated", "{product:#}");
    assert!(product["terminationDate"].is_string(), "{product:#}");
    for service in books.of("service").values() {
        assert_eq!(service["state"], "terminated", "{service:#}");
    }
    for resource in books.of("resource").values() {
        assert_eq!(resource["resourceStatus"], "available", "{resource:#}");
        assert_eq!(resource["usageState"], "idle", "{resource:#}");
    }
    assert!(books.state.is_empty(), "{:#?}", books.state);
    for effect in &books.effects {
        assert_eq!(effect.applied, 1, "{effect:?}");
    }
    // What it held can be taken again.
    let again = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&again).await;
    let after = world.books().await;
    after.check_delivered(&again);
    let pooled = |books: &Books, id: &str| -> Vec<String> {
        let rows = books.resources(id).into_iter().map(|row| row["id"].as_str().unwrap());
        rows.filter(|row| !row.starts_with(id)).map(Into::into).collect()
    };
    assert_eq!(pooled(&after, &again), pooled(&before, &first));
}

#[tokio::test]
async fn a_product_that_changes_keeps_what_it_holds() {
    let world = World::start().await;
    let first = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&first).await;
    let before = world.books().await;
    let faster = json!([
        { "name": "downstreamSpeed", "value": 500 },
        { "name": "upstreamSpeed", "value": 100 },
    ]);
    let id = world.submit(&change("modify", &first, &faster)).await;
    world.completed(&id).await;
    let books = world.books().await;
    let product = &books.of("product")[&format!("{first}-1")];
    assert_eq!(product["status"], "active", "{product:#}");
    let links = product["productOrderItem"].as_array().unwrap();
    let orders: Vec<_> =
        links.iter().map(|link| link["productOrderId"].as_str().unwrap()).collect();
    assert_eq!(orders, [&first, &id]);
    let speed = product["productCharacteristic"].as_array().unwrap().iter();
    let speed = speed.clone().find(|entry| entry["name"] == "downstreamSpeed").unwrap();
    assert_eq!(speed["value"], 500);
    let keys = |books: &Books| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let entries = books.state.iter();
        entries.map(|entry| (text(&entry["element"]), text(&entry["id"]))).collect()
    };
    assert_eq!(keys(&books), keys(&before), "the same places, with other content");
    let effects = books.effects_of(&id);
    assert_eq!(effects.len(), 2, "{effects:?}");
    let charges = |books: &Books| books.charges(&format!("{first}-1")).len();
    // Its price is the same, and these days are paid.
    assert_eq!(charges(&books), charges(&before));
    // What was changed ceases as a whole.
    let last = world.submit(&change("delete", &first, &json!([]))).await;
    world.completed(&last).await;
    let books = world.books().await;
    assert!(books.state.is_empty(), "{:#?}", books.state);
}

#[tokio::test]
async fn an_order_that_is_cancelled_leaves_nothing_behind() {
    let world = World::start().await;
    let mut order = pack_order("mobile-4g/port-in");
    with_characteristic(&mut order, "portWindow", &"2099-01-01T00:00:00Z".into());
    let id = world.submit(&order).await;
    let some = |now: &Value| now["tasksDone"].as_u64() >= Some(3);
    world.until(&id, "something is done", some).await;
    let path = tmf::table::path("cancelProductOrder");
    let body = json!({ "productOrder": { "id": id }, "cancellationReason": "moving abroad" });
    let answer = world.http.post(path, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.body["state"], "done", "{}", answer.body);
    let story = world.ended(&id).await;
    assert_eq!(story.end, "cancelled", "{story}");
    let order = world.order("productOrder", &id).await;
    assert_eq!(order["state"], "cancelled", "{order:#}");
    assert_eq!(order["cancellationReason"], "moving abroad", "{order:#}");
    let books = world.books().await;
    assert!(books.state.is_empty(), "{:#?}", books.state);
    assert_eq!(books.products(&id)[0]["status"], "cancelled");
    for resource in books.of("resource").values() {
        assert_eq!(resource["resourceStatus"], "available", "{resource:#}");
    }
}
