//! Dates of an order: nothing with an effect is done before it begins, nothing ends before its end.

use serde_json::{Value, json};

use crate::world::{World, eventually, pack_order, text};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const FAR: &str = "2999-01-01T00:00:00Z";

mod levels;

/// A time that a test can wait for. The state until then is asserted of orders that begin at
/// [`FAR`]: a busy machine may take longer to look than this date is away.
fn soon() -> String {
    seconds_ahead(5)
}

/// A time this many seconds from now.
pub(crate) fn seconds_ahead(seconds: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = tmf::time::Timestamp(i64::try_from(now.as_millis()).unwrap());
    now.plus_ms(seconds * 1_000).to_string()
}

fn change(action: &str, product: &Value) -> Value {
    json!({ "productOrderItem": [{ "id": "1", "action": action, "product": product }] })
}

async fn state(world: &World, id: &str) -> String {
    world.order("productOrder", id).await["state"].as_str().unwrap().into()
}

async fn cancel(world: &World, id: &str) {
    let path = tmf::table::path("cancelProductOrder");
    let answer = world.http.post(path, &json!({ "productOrder": { "id": id } })).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test]
async fn a_new_product_waits_for_its_date_and_can_be_cancelled() {
    let mut world = World::start().await;
    let mut order = pack_order("superfibre/hfc");
    order["requestedStartDate"] = json!(FAR);
    order["requestedCompletionDate"] = json!(FAR);
    let id = world.submit(&order).await;
    let product = format!("{PRODUCT}/{id}-1");
    for _ in 0..2 {
        assert_eq!(state(&world, &id).await, "pending");
        assert_eq!(world.http.get(&product).await["status"], "pendingActive");
        let books = world.books().await;
        assert!(books.effects.is_empty() && books.state.is_empty(), "{:#?}", books.effects);
        assert!(books.of("service").is_empty() && books.of("resource").is_empty());
        world.kill().await;
        world.restart().await;
    }
    cancel(&world, &id).await;
    world.ended(&id).await;
    assert_eq!(state(&world, &id).await, "cancelled");
    assert_eq!(world.http.get(&product).await["status"], "cancelled");
    assert!(world.books().await.effects.is_empty());
}

#[tokio::test]
async fn errors_are_reported_before_the_date() {
    let world = World::start().await;
    let mut order = pack_order("superfibre/hfc");
    order["requestedStartDate"] = json!(FAR);
    order["requestedCompletionDate"] = json!(FAR);
    order.as_object_mut().unwrap().remove("billingAccount");
    let id = world.submit(&order).await;
    eventually("it is refused", async || {
        let order = world.order("productOrder", &id).await;
        (order["state"] != "pending" && order["state"] != "acknowledged").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_order_begins_on_its_date_and_is_charged_from_then() {
    let world = World::start().await;
    let mut order = pack_order("superfibre/hfc");
    let date = soon();
    order["productOrderItem"][0]["product"]["startDate"] = json!(date);
    let id = world.submit(&order).await;
    world.completed(&id).await;
    let product = world.http.get(&format!("{PRODUCT}/{id}-1")).await;
    assert_eq!(product["status"], "active", "{product:#}");
    assert!(product["startDate"].as_str().unwrap() >= date.as_str(), "{product:#}");
}

#[tokio::test]
async fn a_product_is_there_until_its_end() {
    let world = World::start().await;
    let first = world.submit(&pack_order("superfibre/hfc")).await;
    world.completed(&first).await;
    let (id, path) = (format!("{first}-1"), format!("{PRODUCT}/{first}-1"));
    let before = world.books().await;
    let delete = change("delete", &json!({ "id": id, "terminationDate": FAR }));
    let waiting = world.submit(&delete).await;
    assert_eq!(state(&world, &waiting).await, "pending");
    assert_eq!(world.http.get(&path).await["status"], "pendingTerminate");
    assert_eq!(world.books().await.state, before.state);
    // Another order about it is rejected while this one is open.
    let other = world.submit(&change("modify", &json!({ "id": id, "name": "mine" }))).await;
    let other = world.order("productOrder", &other).await;
    assert_eq!(other["productOrderErrorMessage"][0]["code"], "INSTANCE_BUSY", "{other:#}");
    cancel(&world, &waiting).await;
    world.ended(&waiting).await;
    assert_eq!(world.http.get(&path).await["status"], "active");
    assert_eq!(world.books().await.state, before.state);
    let date = soon();
    let mut delete = change("delete", &json!({ "id": id }));
    delete["requestedStartDate"] = json!(date);
    let ending = world.submit(&delete).await;
    world.completed(&ending).await;
    let product = world.http.get(&path).await;
    assert_eq!(product["status"], "terminated");
    assert!(product["terminationDate"].as_str().unwrap() >= date.as_str(), "{product:#}");
    assert!(world.books().await.state.is_empty());
}

/// The statuses of the products that an order made.
async fn statuses(world: &World, order: &str) -> Vec<String> {
    let books = world.books().await;
    let products = books.products(order).into_iter();
    let mut all: Vec<String> = products.map(|product| text(&product["status"])).collect();
    all.dedup();
    all
}

#[tokio::test]
async fn a_bundle_begins_and_ends_with_all_of_its_parts() {
    let world = World::start().await;
    let mut order = pack_order("triple-play/nested");
    order["productOrderItem"][0]["product"]["startDate"] = json!(FAR);
    order.as_object_mut().unwrap().remove("requestedCompletionDate");
    let waiting = world.submit(&order).await;
    assert_eq!(state(&world, &waiting).await, "pending");
    assert_eq!(statuses(&world, &waiting).await, ["pendingActive"]);
    cancel(&world, &waiting).await;
    world.ended(&waiting).await;
    assert!(world.books().await.effects.is_empty());

    let first = world.submit(&pack_order("triple-play/nested")).await;
    world.completed(&first).await;
    let before = world.books().await;
    let end = |date: &str| {
        change("delete", &json!({ "id": format!("{first}-1"), "terminationDate": date }))
    };
    let waiting = world.submit(&end(FAR)).await;
    assert_eq!(state(&world, &waiting).await, "pending");
    assert_eq!(statuses(&world, &first).await, ["pendingTerminate"]);
    cancel(&world, &waiting).await;
    world.ended(&waiting).await;
    assert_eq!(statuses(&world, &first).await, ["active"]);
    assert_eq!(world.books().await.effects, before.effects);
    let date = soon();
    let ending = world.submit(&end(&date)).await;
    world.completed(&ending).await;
    assert_eq!(statuses(&world, &first).await, ["terminated"]);
    let product = world.http.get(&format!("{PRODUCT}/{first}-1")).await;
    assert!(product["terminationDate"].as_str().unwrap() >= date.as_str(), "{product:#}");
    assert!(world.books().await.state.is_empty());
}

#[tokio::test]
async fn a_suspended_product_that_is_to_end_is_suspended_again_when_that_is_cancelled() {
    let world = World::start().await;
    let first = world.submit(&pack_order("superfibre/hfc")).await;
    world.completed(&first).await;
    let (id, path) = (format!("{first}-1"), format!("{PRODUCT}/{first}-1"));
    let suspend = change("modify", &json!({ "id": id, "status": "suspended" }));
    world.completed(&world.submit(&suspend).await).await;
    let end = change("delete", &json!({ "id": id, "terminationDate": FAR }));
    let waiting = world.submit(&end).await;
    assert_eq!(world.http.get(&path).await["status"], "pendingTerminate");
    cancel(&world, &waiting).await;
    world.ended(&waiting).await;
    assert_eq!(world.http.get(&path).await["status"], "suspended");
}

#[tokio::test]
async fn a_change_without_any_work_waits_too() {
    let world = World::start().await;
    let first = world.submit(&pack_order("superfibre/hfc")).await;
    world.completed(&first).await;
    let (id, path) = (format!("{first}-1"), format!("{PRODUCT}/{first}-1"));
    let mut order = change("modify", &json!({ "id": id, "name": "Later" }));
    order["requestedStartDate"] = json!(FAR);
    let before = world.http.get(&path).await;
    let waiting = world.submit(&order).await;
    assert_eq!(state(&world, &waiting).await, "pending");
    assert_eq!(world.http.get(&path).await["name"], before["name"]);
    cancel(&world, &waiting).await;
    world.ended(&waiting).await;
    assert_eq!(world.http.get(&path).await["name"], before["name"]);
    let date = soon();
    order["requestedStartDate"] = json!(date);
    let order = world.submit(&order).await;
    world.completed(&order).await;
    assert_eq!(world.http.get(&path).await["name"], "Later");
    let order = world.order("productOrder", &order).await;
    assert!(order["completionDate"].as_str().unwrap() >= date.as_str(), "{order:#}");
}

#[tokio::test]
async fn a_date_that_passed_is_rejected_with_its_path() {
    let world = World::start().await;
    let mut order = pack_order("superfibre/hfc");
    order["requestedStartDate"] = json!("2020-01-01T00:00:00Z");
    let id = world.submit(&order).await;
    let order = world.order("productOrder", &id).await;
    assert_eq!(order["state"], "rejected", "{order:#}");
    let error = &order["productOrderErrorMessage"][0];
    assert_eq!(error["referenceError"], "requestedStartDate", "{error:#}");
    assert_eq!(error["code"], "DATE_PASSED", "{error:#}");
    let mut order = pack_order("superfibre/hfc");
    order["requestedStartDate"] = json!("2999-01-02T00:00:00Z");
    order["requestedCompletionDate"] = json!("2999-01-01T00:00:00Z");
    let answer = world.http.post(tmf::table::path("productOrder"), &order).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert_eq!(answer.body["referenceError"], "requestedCompletionDate");
}
