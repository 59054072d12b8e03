//! Orders with values that are not allowed are refused at submission, with the attribute and a
//! hint. Nothing changes.

use serde_json::{Value, json};

use super::{PRODUCT, delivered, order_of, send};
use crate::world::{World, pack_order};

/// Holds that an order is refused with a status, at a path, with a word of advice.
async fn assert_refused(world: &World, resource: &str, order: &Value, path: &str, advice: &str) {
    let answer = send(world, resource, order).await;
    assert_eq!(answer.status, 422, "{order}: {}", answer.text);
    assert_eq!(answer.body["referenceError"], path, "{order}: {}", answer.text);
    let message = answer.body["message"].as_str().unwrap();
    assert!(message.contains(advice), "{order}: {message}");
}

#[tokio::test]
async fn an_add_takes_no_id_that_is_in_use() {
    let world = World::start().await;
    let first = delivered(&world).await;
    let product = format!("{PRODUCT}/{first}-1");
    let before = world.http.get(&product).await;
    let books = world.books().await;
    let mut theirs = pack_order("superfibre/hfc");
    theirs["relatedParty"][0]["id"] = json!("CUST-2002");
    theirs["billingAccount"]["id"] = json!("ACC-2002");
    theirs["productOrderItem"][0]["product"]["id"] = json!(format!("{first}-1"));
    let at = "productOrderItem[0].product.id";
    assert_refused(&world, "productOrder", &theirs, at, "leave the id out").await;
    let service = before["realizingService"][0]["id"].as_str().unwrap();
    let line = json!({ "id": "1", "action": "add", "service": {
        "id": service, "serviceSpecification": { "id": "RFS-CPE-PROVISION" } } });
    let order = json!({ "serviceOrderItem": [line] });
    let at = "serviceOrderItem[0].service.id";
    assert_refused(&world, "serviceOrder", &order, at, "leave the id out").await;
    let resources = books.resources(&first);
    let resource = resources[0]["id"].as_str().unwrap();
    let line = json!({ "id": "1", "action": "add", "resource": { "id": resource,
        "resourceSpecification": { "id": "RS-MODEM" } } });
    let order = json!({ "orderItem": [line] });
    let at = "orderItem[0].resource.id";
    assert_refused(&world, "resourceOrder", &order, at, "leave the id out").await;
    assert_eq!(world.http.get(&product).await, before);
    assert_eq!(world.http.total(&format!("{PRODUCT}?billingAccount.id=ACC-2002")).await, 0);
}

#[tokio::test]
async fn one_order_is_about_an_instance_once() {
    let world = World::start().await;
    let first = delivered(&world).await;
    let id = format!("{first}-1");
    let before = world.http.get(&format!("{PRODUCT}/{id}")).await;
    let line =
        |line: &str, action: &str| json!({ "id": line, "action": action, "product": { "id": id } });
    let at = "productOrderItem[1].product.id";
    for (one, other) in [("delete", "modify"), ("modify", "delete"), ("modify", "modify")] {
        let order = order_of(&json!([line("1", one), line("2", other)]));
        assert_refused(&world, "productOrder", &order, at, "one item").await;
    }
    let mut twice = pack_order("superfibre/hfc");
    let mut line = twice["productOrderItem"][0].clone();
    line["product"]["id"] = json!("mine");
    let mut other = line.clone();
    other["id"] = json!("2");
    twice["productOrderItem"] = json!([line, other]);
    assert_refused(&world, "productOrder", &twice, at, "one item").await;
    assert_eq!(world.http.get(&format!("{PRODUCT}/{id}")).await, before);
}

#[tokio::test]
async fn a_product_that_no_catalog_has_is_rejected_with_its_path() {
    let world = World::start().await;
    for spec in ["unknown", "RFS-CPE-PROVISION"] {
        let product = json!({ "productSpecification": { "id": spec } });
        let line = json!({ "id": "1", "action": "add", "product": product });
        let id = world.submit(&order_of(&json!([line]))).await;
        let order = world.order("productOrder", &id).await;
        assert_eq!(order["state"], "rejected", "{order:#}");
        let error = &order["productOrderErrorMessage"][0];
        assert_eq!(error["code"], "SPEC_UNKNOWN", "{order:#}");
        assert_eq!(error["referenceError"], "productOrderItem[0].product.productSpecification");
        assert!(error["message"].as_str().unwrap().contains(spec), "{error:#}");
    }
    assert_eq!(world.http.total(PRODUCT).await, 0);
}

#[tokio::test]
async fn a_key_stands_for_the_body_that_it_was_first_used_with() {
    let world = World::start().await;
    let (first, mut second) = (pack_order("superfibre/hfc"), pack_order("superfibre/hfc"));
    second["description"] = json!("another");
    let (run, other) = (json!({ "orderId": "1" }), json!({ "orderId": "2" }));
    let product = |name: &str| json!({ "name": name, "status": "created" });
    let order = tmf::table::path("productOrder");
    for (path, first, second) in [
        (order, first, second),
        ("/orchestration/v1/workflows/six-steps/runs", run, other),
        (PRODUCT, product("first"), product("second")),
    ] {
        let headers = [("content-type", "application/json"), ("idempotency-key", "once")];
        let send = async |body: &Value| {
            world.http.send("POST", path, &headers, body.to_string()).await.unwrap()
        };
        let made = send(&first).await;
        assert_eq!(made.status, 201, "{path}: {}", made.text);
        assert_eq!(send(&first).await.body["id"], made.body["id"], "{path}");
        let refused = send(&second).await;
        assert_eq!(refused.status, 422, "{path}: {}", refused.text);
        assert_eq!(refused.body["referenceError"], "Idempotency-Key", "{path}");
    }
}

#[tokio::test]
async fn two_orders_at_one_time_take_a_new_id_once() {
    let world = World::start().await;
    let path = tmf::table::path("productOrder");
    for number in 0..5 {
        let (mut ours, mut theirs) = (pack_order("superfibre/hfc"), pack_order("superfibre/hfc"));
        theirs["billingAccount"]["id"] = json!("ACC-2002");
        for order in [&mut ours, &mut theirs] {
            order["productOrderItem"][0]["product"]["id"] = json!(format!("mine-{number}"));
        }
        let answers = tokio::join!(world.http.post(path, &ours), world.http.post(path, &theirs));
        let mut delivered = Vec::new();
        for (answer, order) in [(answers.0, &ours), (answers.1, &theirs)] {
            if answer.status == 422 {
                assert_eq!(answer.body["referenceError"], "productOrderItem[0].product.id");
                continue;
            }
            let id = answer.body["id"].as_str().unwrap();
            let end = world.ended(id).await.end;
            if end == "completed" {
                delivered.push(order["billingAccount"]["id"].clone());
            } else {
                assert_eq!(end, "rejected");
            }
        }
        let product = world.http.get(&format!("{PRODUCT}/mine-{number}")).await;
        assert_eq!(delivered, [product["billingAccount"]["id"].clone()]);
    }
    assert_eq!(world.http.total(PRODUCT).await, 5);
}
