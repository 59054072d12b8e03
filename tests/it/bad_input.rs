//! Bad input is answered with the right status and the name of the attribute, and leaves
//! nothing behind.

use serde_json::{Value, json};

use crate::world::{Http, Settings, World, example, items_of, pack_order, with_characteristic};

const PRODUCT_ORDER: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const SERVICE_ORDER: &str = "/tmf-api/serviceOrdering/v4/serviceOrder";
const RUNS: &str = "/orchestration/v1/workflows/six-steps/runs";

/// The limit of bodies in these tests.
const BODY_BYTES_MAX: usize = 64 << 10;

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

async fn small() -> World {
    let head = format!("body-bytes-max = {BODY_BYTES_MAX}");
    World::with(Settings { head, ..Settings::default() }).await
}

/// One line for an answer: its status, the attribute that it names, and its message.
async fn told(
    http: &Http,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> String {
    let answer = http.send(method, path, headers, body.to_string()).await.unwrap();
    let error = &answer.body;
    assert_eq!(answer.headers["content-type"], "application/json", "{}", answer.text);
    assert_eq!(error["code"].as_str(), Some(answer.status.to_string().as_str()), "{}", answer.text);
    assert!(error["reason"].is_string(), "{error}");
    let about = error["referenceError"].as_str().unwrap_or("-");
    format!("{} {about}: {}", answer.status, error["message"].as_str().unwrap())
}

/// Answers to product orders, each a change of one that is right.
async fn changed(http: &Http, changes: &[fn(&mut Value)]) -> String {
    let mut lines = Vec::new();
    for change in changes {
        let mut order = pack_order("superfibre/gpon");
        change(&mut order);
        lines.push(told(http, "POST", PRODUCT_ORDER, JSON, &order.to_string()).await);
    }
    lines.join("\n")
}

fn item(order: &mut Value) -> &mut Value {
    &mut order["productOrderItem"][0]
}

fn second(order: &mut Value, id: &str) {
    let mut item = item(order).clone();
    item["id"] = id.into();
    order["productOrderItem"].as_array_mut().unwrap().push(item);
}

fn relate(item: &mut Value, to: &str) {
    item["productOrderItemRelationship"] = json!([{ "relationshipType": "reliesOn", "id": to }]);
}

/// There are no effects: no documents, no open orders, no events.
async fn check_empty(world: &World) {
    let books = world.books().await;
    assert!(books.is_empty());
    assert!(books.events.is_empty() && books.effects.is_empty());
    let metrics = world.http.send("GET", "/metrics", &[], "").await.unwrap().text;
    assert!(metrics.contains("\nferrule_open_fulfilments 0\n"), "{metrics}");
    assert!(metrics.contains("\nferrule_submitted_total 0\n"), "{metrics}");
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let world = small().await;
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let large = format!("{{\"description\": \"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    let bodies = ["", "{", "{\"a\": 1,}", "[]", "7", "null", &nested, &large];
    let mut lines = Vec::new();
    for body in bodies {
        lines.push(told(&world.http, "POST", PRODUCT_ORDER, JSON, body).await);
    }
    for media_type in ["text/plain", "application/xml", ""] {
        let header = [("content-type", media_type)];
        lines.push(told(&world.http, "POST", PRODUCT_ORDER, &header, "{}").await);
    }
    for body in ["[]", "7", "\"text\"", "{", &nested, &large] {
        lines.push(told(&world.http, "POST", RUNS, JSON, body).await);
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    400 $: the body is empty: send a JSON document
    400 $: no JSON: EOF while parsing an object at line 1 column 1
    400 $: no JSON: trailing comma at line 1 column 9
    400 $: a document is a JSON object
    400 $: a document is a JSON object
    400 $: a document is a JSON object
    400 $: objects and arrays may nest 64 deep
    413 -: a body may have 65536 bytes: `body-bytes-max`
    415 Content-Type: send JSON, as `application/json`
    415 Content-Type: send JSON, as `application/json`
    415 Content-Type: send JSON, as `application/json`
    400 $: the input of a run is a JSON object
    400 $: the input of a run is a JSON object
    400 $: the input of a run is a JSON object
    400 $: no JSON: EOF while parsing an object at line 1 column 1
    400 $: objects and arrays may nest 64 deep
    413 -: a body may have 65536 bytes: `body-bytes-max`
    ");
    check_empty(&world).await;
}

#[tokio::test]
async fn orders_that_are_malformed() {
    let world = small().await;
    insta::assert_snapshot!(changed(&world.http, &[
        |order| drop(order.as_object_mut().unwrap().remove("productOrderItem")),
        |order| order["productOrderItem"] = json!([]),
        |order| order["productOrderItem"] = json!("one"),
        |order| order["productOrderItem"] = json!([1]),
        |order| drop(item(order).as_object_mut().unwrap().remove("id")),
        |order| item(order)["id"] = json!(1),
        |order| item(order)["id"] = json!("x".repeat(300)),
        |order| drop(item(order).as_object_mut().unwrap().remove("action")),
        |order| item(order)["action"] = json!("create"),
        |order| item(order)["action"] = json!(true),
        |order| item(order)["quantity"] = json!(0),
        |order| item(order)["quantity"] = json!("two"),
        |order| item(order)["product"] = json!([]),
        |order| item(order)["product"]["productCharacteristic"] = json!({}),
        |order| item(order)["product"]["productCharacteristic"][0] = json!({ "name": "speed" }),
        |order| item(order)["productOrderItemRelationship"] = json!([{ "id": "1" }]),
        |order| item(order)["productOrderItemRelationship"] = json!([{ "relationshipType": "bundles" }]),
    ]).await, @"
    400 productOrderItem: `productOrderItem` is missing
    400 productOrderItem: `productOrderItem` is missing
    400 productOrderItem: `productOrderItem` is not an array
    400 productOrderItem[0]: `productOrderItem[0]` is not an object
    400 productOrderItem[0].id: `productOrderItem[0].id` is missing
    400 productOrderItem[0].id: `productOrderItem[0].id` is not a string
    400 productOrderItem[0].id: `productOrderItem[0].id`: an id has at most 200 bytes, and none are control
    400 productOrderItem[0].action: `productOrderItem[0].action` is missing
    400 productOrderItem[0].action: `productOrderItem[0].action` is one of `add`, `modify`, `delete`, `noChange`, not `create`
    400 productOrderItem[0].action: `productOrderItem[0].action` is not a string
    400 productOrderItem[0].quantity: productOrderItem[0].quantity: is a whole number from 1
    400 productOrderItem[0].quantity: `productOrderItem[0].quantity` is not a whole number
    400 productOrderItem[0].product: `productOrderItem[0].product` is not an object
    400 productOrderItem[0].product.productCharacteristic: `productOrderItem[0].product.productCharacteristic` is not an array
    400 productOrderItem[0].product.productCharacteristic[0].value: productOrderItem[0].product.productCharacteristic[0].value: is mandatory
    400 productOrderItem[0].productOrderItemRelationship[0].relationshipType: productOrderItem[0].productOrderItemRelationship[0].relationshipType: is mandatory, a text
    400 productOrderItem[0].productOrderItemRelationship[0]: productOrderItem[0].productOrderItemRelationship[0]: names no item: an `id` is mandatory
    ");
    check_empty(&world).await;
}

#[tokio::test]
async fn orders_that_contradict_themselves() {
    let world = small().await;
    insta::assert_snapshot!(changed(&world.http, &[
        |order| second(order, "1"),
        |order| relate(item(order), "7"),
        |order| relate(item(order), "1"),
        |order| {
            second(order, "2");
            relate(&mut order["productOrderItem"][0], "2");
            relate(&mut order["productOrderItem"][1], "1");
        },
        |order| {
            let twice = item(order)["product"]["productCharacteristic"][0].clone();
            let all = &mut item(order)["product"]["productCharacteristic"];
            all.as_array_mut().unwrap().push(twice);
        },
        |order| item(order)["action"] = json!("modify"),
        |order| item(order)["action"] = json!("delete"),
        |order| {
            item(order)["action"] = json!("modify");
            item(order)["product"]["id"] = json!("P-404");
        },
        |order| {
            item(order)["action"] = json!("delete");
            item(order)["product"]["id"] = json!("P-404");
        },
    ]).await, @"
    422 productOrderItem[1].id: productOrderItem[1].id: the item id `1` occurs twice
    422 productOrderItem[0].productOrderItemRelationship[0]: productOrderItem[0].productOrderItemRelationship[0]: no item `7` in this order
    422 productOrderItem[0].productOrderItemRelationship[0]: productOrderItem[0].productOrderItemRelationship[0]: the item `1` relates to itself: name another item, or leave it out
    422 productOrderItem[0].productOrderItemRelationship: productOrderItem[0].productOrderItemRelationship: the relations of item `1` run in a circle
    422 productOrderItem[0].product.productCharacteristic[6]: productOrderItem[0].product.productCharacteristic[6]: the characteristic `downstreamSpeed` occurs twice
    422 productOrderItem[0].product.id: productOrderItem[0].product.id: is mandatory for `modify`: what is it about?
    422 productOrderItem[0].product.id: productOrderItem[0].product.id: is mandatory for `delete`: what is it about?
    422 productOrderItem[0].product.id: productOrderItem[0].product.id: the inventory has no product `P-404`
    422 productOrderItem[0].product.id: productOrderItem[0].product.id: the inventory has no product `P-404`
    ");
    check_empty(&world).await;
}

/// Method, path, headers and body of a request.
type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

#[tokio::test]
async fn requests_that_lead_nowhere() {
    let world = small().await;
    let order = pack_order("superfibre/gpon").to_string();
    let rows: [Row<'_>; 19] = [
        ("GET", "/nowhere", &[], ""),
        ("GET", "/tmf-api/resourceOrdering/v5/resourceOrder", &[], ""),
        ("GET", "/tmf-api/productOrderingManagement/v4/cancelOrder", &[], ""),
        ("GET", "/tmf-api/productOrderingManagement/v4/productOrder/none", &[], ""),
        ("GET", "/tmf-api/productInventory/v4/product/none", &[], ""),
        ("PUT", PRODUCT_ORDER, JSON, "{}"),
        ("DELETE", "/tmf-api/productInventory/v4/product/none", &[], ""),
        ("POST", "/tmf-api/productInventory/v4/product", JSON, "{}"),
        ("GET", "/orchestration/v1/runs/none", &[], ""),
        ("GET", "/orchestration/v1/fulfilments/none", &[], ""),
        ("GET", "/orchestration/v1/fulfilments/none/events", &[], ""),
        ("POST", "/orchestration/v1/fulfilments/none/retry", &[], ""),
        ("POST", "/orchestration/v1/workflows/none/runs", JSON, "{}"),
        ("GET", RUNS, &[], ""),
        ("POST", "/orchestration/v1/workflows/six-steps/runs?wait=soon", JSON, "{}"),
        ("POST", "/orchestration/v1/workflows/six-steps/runs?wait=10m", JSON, "{}"),
        ("GET", "/tmf-api/productInventory/v4/product?limit=many", &[], ""),
        ("POST", SERVICE_ORDER, JSON, "{}"),
        ("GET", "/tmf-api/productInventory/v4/product?status.like=a", &[], ""),
    ];
    let mut lines = Vec::new();
    for (method, path, headers, body) in rows {
        lines.push(told(&world.http, method, path, headers, body).await);
    }
    let long = "k".repeat(256);
    for key in ["", " ", "a b", &long] {
        let headers = [JSON[0], ("idempotency-key", key)];
        lines.push(told(&world.http, "POST", PRODUCT_ORDER, &headers, &order).await);
    }
    for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example")] {
        let headers = [JSON[0], (name, value)];
        lines.push(told(&world.http, "POST", PRODUCT_ORDER, &headers, &order).await);
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    404 -: nothing is served at this path
    404 -: nothing is served at this path
    404 -: nothing is served at this path
    404 id: there is no productOrder `none`
    404 id: there is no product `none`
    405 -: this path takes GET, HEAD, POST
    404 id: there is no product `none`
    400 status: `status` is missing
    404 id: there is no fulfilment `none`
    404 id: there is no fulfilment `none`
    404 id: there is no fulfilment `none`
    404 id: there is no fulfilment `none`
    404 workflow: no pack has a workflow `none`: see /orchestration/v1/workflows
    405 -: this path takes POST
    400 wait: `wait` is a time such as `30s`, at most `300s`
    400 wait: `wait` is a time such as `30s`, at most `300s`
    400 limit: `limit` is a whole number from 0
    400 serviceOrderItem: `serviceOrderItem` is missing
    400 status.like: `status.like` has the unknown operator `.like`: there are `=`, `!=`, `>`, `>=`, `<`, `<=`, `=~`, `.eq`, `.ne`, `.gt`, `.gte`, `.lt`, `.lte` and `.regex`; a value that begins with such a sign stands in quotes
    400 Idempotency-Key: is 1 to 255 visible ASCII characters
    400 Idempotency-Key: is 1 to 255 visible ASCII characters
    400 Idempotency-Key: is 1 to 255 visible ASCII characters
    400 Idempotency-Key: is 1 to 255 visible ASCII characters
    421 Host: this server does not answer under that name
    421 Origin: requests of pages of another site are not taken
    ");
    check_empty(&world).await;
}

/// Sends an order that is accepted and then rejected by the catalog; returns its reason.
async fn rejected(world: &World, order: &Value) -> String {
    let id = world.submit(order).await;
    let story = world.ended(&id).await;
    assert_eq!(story.end, "rejected", "{story}");
    let order = world.order("productOrder", &id).await;
    assert_eq!(order["state"], "rejected");
    for item in items_of(&order, "productOrderItem") {
        assert_eq!(item["state"], "rejected");
    }
    let message = &order["productOrderErrorMessage"][0];
    format!("{}: {}", message["code"].as_str().unwrap(), message["message"].as_str().unwrap())
}

#[tokio::test]
async fn orders_for_what_the_catalog_does_not_have_are_rejected() {
    let world = small().await;
    let mut lines = Vec::new();
    let mut order = pack_order("superfibre/gpon");
    item(&mut order)["productOffering"]["id"] = json!("PO-NONE");
    lines.push(rejected(&world, &order).await);
    let mut order = pack_order("superfibre/gpon");
    with_characteristic(&mut order, "downstreamSpeed", &json!(333));
    lines.push(rejected(&world, &order).await);
    let mut order = pack_order("mobile-4g/port-in");
    let all = &mut item(&mut order)["product"]["productCharacteristic"];
    all.as_array_mut().unwrap().retain(|entry| entry["name"] != "portWindow");
    lines.push(rejected(&world, &order).await);
    insta::assert_snapshot!(lines.join("\n"), @"
    OFFERING_UNKNOWN: item `1`: the catalog has no productOffering `PO-NONE`
    CHARACTERISTIC_VALUE: item `1`: `downstreamSpeed` cannot be 333; allowed are 100, 200, 500
    ORDER_INVALID: item `1`: characteristic `portWindow` of `PS-MPA-01` is missing where `portIn` is true
    ");
    if let Some(order) = example("01-superfibre-200/product-order-invalid-speed.json") {
        assert_eq!(rejected(&world, &order).await, lines[1]);
    }
    let books = world.books().await;
    assert!(books.effects.is_empty() && books.of("service").is_empty());
    assert!(books.of("resource").is_empty());
}

#[tokio::test]
async fn missing_attributes_with_a_default_are_filled_in() {
    let world = small().await;
    let mut order = pack_order("superfibre/gpon");
    let all = &mut item(&mut order)["product"]["productCharacteristic"];
    all.as_array_mut().unwrap().retain(|entry| entry["name"] != "cpeModel");
    let orders = [Some(order), example("01-superfibre-200/product-order-missing-mandatory.json")];
    for order in orders.into_iter().flatten() {
        let id = world.submit(&order).await;
        world.completed(&id).await;
        let books = world.books().await;
        let characteristics = books.products(&id)[0]["productCharacteristic"].clone();
        let model = characteristics.as_array().unwrap().iter().find(|c| c["name"] == "cpeModel");
        assert_eq!(model.unwrap()["value"], "Huawei HG8245H");
    }
}
