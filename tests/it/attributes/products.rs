//! Additional results of a product order: services that face the customer, prices
//! that hold, and a warning about items that are billed to no account.

use serde_json::{Value, json};

use super::table::pack;
use super::{PRODUCT, send};
use crate::world::{Request, Settings, World, text};

async fn world() -> (World, tempfile::TempDir) {
    let packs = pack::folder();
    let workflows = Some(packs.path().into());
    (World::with(Settings { workflows, ..Settings::default() }).await, packs)
}

fn add(offering: &str) -> Value {
    json!({ "id": "1", "action": "add", "productOffering": { "id": offering } })
}

fn order(items: &[Value]) -> Value {
    json!({ "relatedParty": [{ "id": "C-1", "role": "Customer" }], "productOrderItem": items })
}

fn about(action: &str, id: &str, with: &Value) -> Value {
    let mut product = with.clone();
    product["id"] = json!(id);
    order(&[json!({ "id": "1", "action": action, "product": product })])
}

async fn completed(world: &World, order: &Value) -> String {
    let id = world.submit(order).await;
    world.completed(&id).await;
    id
}

/// The states of the services of an order's service order, by their specifications.
async fn services(world: &World, id: &str) -> Vec<String> {
    let order = world.order("serviceOrder", id).await;
    let mut states = Vec::new();
    for item in order["serviceOrderItem"].as_array().unwrap() {
        let service = text(&item["service"]["id"]);
        let path = format!("{}/{service}", tmf::table::path("service"));
        let service = world.http.get(&path).await;
        let spec = text(&service["serviceSpecification"]["id"]);
        states.push(format!("{spec} {} {}", text(&item["state"]), text(&service["state"])));
    }
    states
}

#[tokio::test]
async fn services_that_face_the_customer_are_there_until_they_end() {
    let (world, _packs) = world().await;
    let first = completed(&world, &order(&[add("PO-FACE")])).await;
    let product = format!("{first}-1");
    let all =
        |state: &str| ["CFS-WORKS", "CFS-IDLE"].map(|spec| format!("{spec} completed {state}"));
    assert_eq!(services(&world, &first).await, all("active"));
    assert_eq!(world.network.state().await.len(), 1);
    let level =
        |value: u8| json!({ "productCharacteristic": [{ "name": "level", "value": value }] });
    let steps = [
        ("modify", level(2), "active"),
        ("modify", json!({ "status": "suspended" }), "inactive"),
        ("modify", json!({ "status": "active" }), "active"),
        ("modify", json!({ "name": "Mine" }), "active"),
    ];
    for (action, with, state) in steps {
        let id = completed(&world, &about(action, &product, &with)).await;
        let is_named = world.http.get(&format!("{PRODUCT}/{product}")).await;
        for service in is_named["realizingService"].as_array().unwrap() {
            let path = format!("{}/{}", tmf::table::path("service"), text(&service["id"]));
            assert_eq!(world.http.get(&path).await["state"], state, "{id} {with}");
        }
        assert_eq!(world.network.state().await.len(), 1, "{with}");
        assert_eq!(world.findings(&json!({})).await, Vec::<String>::new(), "{with}");
    }
    let ended = completed(&world, &about("delete", &product, &json!({}))).await;
    let mut states = services(&world, &ended).await;
    states.sort();
    let mut expected = all("terminated");
    expected.sort();
    assert_eq!(states, expected);
    assert_eq!(world.http.get(&format!("{PRODUCT}/{product}")).await["status"], "terminated");
    assert!(world.network.state().await.is_empty());
    assert_eq!(world.findings(&json!({})).await, Vec::<String>::new());
    let rows = world.http.list(tmf::table::path("service")).await;
    assert!(rows.iter().all(|row| row["state"] == "terminated"), "{rows:#?}");
}

#[tokio::test]
async fn a_product_that_is_billed_to_no_account_is_told() {
    let (world, _packs) = world().await;
    let account = json!({ "id": "ACC-1" });
    let mut own = add("PO-LINE");
    own["billingAccount"] = account.clone();
    let mut within = add("PO-LINE");
    within["product"] = json!({ "billingAccount": account });
    let mut whole = order(&[add("PO-LINE")]);
    whole["billingAccount"] = account;
    let mut noted = add("PO-LINE");
    noted["note"] = json!([{ "id": "mine", "author": "Ann", "text": "ring twice" }]);
    let rows = [
        (order(&[add("PO-LINE")]), true),
        (order(&[noted]), true),
        (order(&[own]), false),
        (order(&[within]), false),
        (whole, false),
        // It has no prices.
        (order(&[add("PO-PART")]), false),
    ];
    for (order, is_told) in rows {
        let asked = world.http.post("/orchestration/v1/simulate/productOrder", &order).await;
        let warnings = asked.body["warnings"].to_string();
        assert_eq!(warnings.contains("billed to no account"), is_told, "{order}: {warnings}");
        let id = completed(&world, &order).await;
        for version in ["v4", "v5"] {
            let path = tmf::table::path("productOrder").replace("v4", version);
            let done = world.http.get(&format!("{path}/{id}")).await;
            let item = &done["productOrderItem"][0];
            let notes = item["note"].to_string();
            assert_eq!(notes.contains("billed to no account"), is_told, "{version}: {item:#}");
            let sent = order["productOrderItem"][0]["note"].is_array();
            assert_eq!(notes.contains("ring twice"), sent, "{version}: {item:#}");
        }
    }
}

/// The amounts of a product's prices, by their names.
async fn prices(world: &World, product: &str) -> String {
    let product = world.http.get(&format!("{PRODUCT}/{product}")).await;
    let prices = product["productPrice"].as_array().unwrap().iter();
    let shown = prices.map(|price| {
        let amount = price["price"]["dutyFreeAmount"]["value"].as_f64().unwrap();
        format!("{} {amount}", text(&price["name"]))
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn a_modify_changes_no_price_but_those_that_depend_on_what_it_changes() {
    let (world, _packs) = world().await;
    let mut whole = order(&[add("PO-LINE")]);
    whole["billingAccount"] = json!({ "id": "ACC-1" });
    let product = format!("{}-1", completed(&world, &whole).await);
    assert_eq!(prices(&world, &product).await, "Line monthly 10");
    let path = format!("{PRODUCT}/{product}");
    let mut agreed = world.http.get(&path).await["productPrice"][0].clone();
    agreed["price"]["dutyFreeAmount"]["value"] = json!(7.0);
    let patch = Request::patch(&path, &json!({ "productPrice": [agreed] }));
    assert_eq!(world.http.ask(&patch).await.unwrap().status, 200);
    let speed =
        |value: u8| json!({ "productCharacteristic": [{ "name": "speed", "value": value }] });
    let steps = [
        (json!({ "name": "Mine" }), "Line monthly 7"),
        (json!({ "place": [{ "id": "HOME", "role": "installation" }] }), "Line monthly 7"),
        (json!({ "billingAccount": { "id": "ACC-2" } }), "Line monthly 7"),
        (json!({ "status": "suspended" }), "Line monthly 7"),
        (json!({ "status": "active" }), "Line monthly 7"),
        (speed(2), "Line monthly 7"),
        (speed(3), "Line monthly 7, Fast 5"),
        (json!({ "name": "Yours" }), "Line monthly 7, Fast 5"),
        (speed(1), "Line monthly 7"),
    ];
    for (with, expected) in steps {
        completed(&world, &about("modify", &product, &with)).await;
        assert_eq!(prices(&world, &product).await, expected, "{with}");
    }
    // A price that the order wishes is not one that it gets.
    let wish = json!([{ "name": "mine", "priceType": "oneTime",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 1.0 } } }]);
    let refused =
        send(&world, "productOrder", &about("modify", &product, &json!({ "productPrice": wish })))
            .await;
    assert_eq!(refused.status, 422, "{}", refused.text);
}

#[tokio::test]
async fn a_bundle_names_the_products_that_are_in_it_now() {
    let (world, _packs) = world().await;
    let part =
        |line: &str| json!({ "id": line, "action": "add", "productOffering": { "id": "PO-PART" } });
    let mut bundle = add("PO-LINE");
    bundle["productOrderItem"] = json!([part("1.1")]);
    let first = completed(&world, &order(&[bundle])).await;
    let path = format!("{PRODUCT}/{first}-1");
    let parts = async || {
        let bundle = world.http.get(&path).await;
        let all = bundle["productRelationship"].as_array().unwrap().iter();
        let all = all.filter(|relation| relation["relationshipType"] == "bundles");
        let mut ids: Vec<String> = all.map(|relation| text(&relation["product"]["id"])).collect();
        ids.sort();
        (ids, bundle["isBundle"].clone())
    };
    let own = |line: &str| format!("{first}-{line}");
    assert_eq!(parts().await, (vec![own("1.1")], json!(true)));
    // The bundle is named for what is in it, with or without a change of its own.
    let mut expected = vec![own("1.1")];
    for (action, with) in [("modify", json!({ "name": "Mine" })), ("noChange", json!({}))] {
        let mut order = about(action, &own("1"), &with);
        order["productOrderItem"][0]["productOrderItem"] = json!([part("1.1")]);
        let id = completed(&world, &order).await;
        expected.push(format!("{id}-1.1"));
        expected.sort();
        assert_eq!(parts().await, (expected.clone(), json!(true)), "{action}");
    }
    // What else it relates to stays.
    let other = completed(&world, &order(&[add("PO-PART")])).await;
    let related =
        json!([{ "relationshipType": "reliesOn", "product": { "id": format!("{other}-1") } }]);
    completed(&world, &about("modify", &own("1"), &json!({ "productRelationship": related })))
        .await;
    assert_eq!(parts().await, (expected.clone(), json!(true)));
    // So is what leaves it.
    while let Some(gone) = expected.pop() {
        let mut order = about("modify", &own("1"), &json!({}));
        order["productOrderItem"][0]["productOrderItem"] =
            json!([{ "id": "1.1", "action": "delete", "product": { "id": gone } }]);
        completed(&world, &order).await;
        assert_eq!(parts().await, (expected.clone(), json!(!expected.is_empty())));
    }
    let bundle = world.http.get(&path).await;
    assert_eq!(bundle["productRelationship"][0]["relationshipType"], "reliesOn", "{bundle:#}");
}

#[tokio::test]
async fn a_modify_leaves_the_characteristics_that_it_does_not_name() {
    let (world, _packs) = world().await;
    let product = format!("{}-1", completed(&world, &order(&[add("PO-LINE")])).await);
    let path = format!("{PRODUCT}/{product}");
    let mut noted = world.http.get(&path).await["productCharacteristic"].clone();
    noted.as_array_mut().unwrap().push(json!({ "name": "remark", "value": "by hand" }));
    let patch = Request::patch(&path, &json!({ "productCharacteristic": noted }));
    assert_eq!(world.http.ask(&patch).await.unwrap().status, 200);
    completed(&world, &about("modify", &product, &json!({ "name": "Mine" }))).await;
    assert_eq!(world.http.get(&path).await["productCharacteristic"], noted);
}
