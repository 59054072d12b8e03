//! What an order asks for of a product shows in the inventory when the order is complete.

use serde_json::{Value, json};

use super::{PRODUCT, delivered, order_of, send};
use crate::world::{World, pack_order};

const REFUSED: [(&str, &str); 6] = [
    ("product", r#"[{ "id": "x" }]"#),
    ("productOffering", r#"{ "id": "PO-MOBILE" }"#),
    (
        "productPrice",
        r#"[{ "name": "mine", "priceType": "oneTime",
        "price": { "dutyFreeAmount": { "unit": "USD", "value": 1 } } }]"#,
    ),
    ("productSpecification", r#"{ "id": "PS-OTHER" }"#),
    ("startDate", r#""2999-01-01T00:00:00Z""#),
    ("terminationDate", r#""2999-01-01T00:00:00Z""#),
];

#[tokio::test]
async fn a_new_product_is_as_it_was_ordered() {
    let world = World::start().await;
    let mut order = pack_order("superfibre/hfc");
    let item = &mut order["productOrderItem"][0];
    item["billingAccount"] = json!({ "id": "FIRM-1" });
    item["productOffering"]["name"] = json!("SuperFibre 200 over cable");
    item["itemTerm"] = json!([{ "name": "24 months" }]);
    let shown = json!({
        "name": "Line of the shop",
        "description": "behind the counter",
        "productSerialNumber": "SN-1",
        "isCustomerVisible": false,
    });
    item["product"].as_object_mut().unwrap().extend(shown.as_object().unwrap().clone());
    item["product"]["relatedParty"] =
        json!([{ "id": "U", "role": "user", "@referredType": "Individual" }]);
    let id = world.submit(&order).await;
    world.completed(&id).await;
    let product = world.http.get(&format!("{PRODUCT}/{id}-1")).await;
    for (name, value) in shown.as_object().unwrap() {
        assert_eq!(&product[name], value, "{name}");
    }
    assert_eq!(product["billingAccount"]["id"], "FIRM-1");
    assert_eq!(product["place"][0]["name"], "7 Elm Street");
    assert_eq!(product["productOffering"]["name"], "SuperFibre 200 over cable");
    assert_eq!(product["productTerm"][0]["name"], "24 months");
    let parties = product["relatedParty"].as_array().unwrap();
    assert_eq!(parties.len(), 2, "{parties:#?}");
    let rates = "/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate";
    let rates = world.http.get(&format!("{rates}?product.id={id}-1")).await;
    let rates = rates.as_array().unwrap();
    assert!(!rates.is_empty());
    assert!(rates.iter().all(|rate| rate["billingAccount"]["id"] == "FIRM-1"), "{rates:#?}");
    for resource in world.books().await.resources(&id) {
        let spec = &resource["resourceSpecification"];
        assert_ne!(spec["name"], spec["id"], "{resource:#}");
    }
}

#[tokio::test]
async fn a_product_becomes_what_a_modify_asks_for_and_no_more() {
    let world = World::start().await;
    let first = delivered(&world).await;
    let (id, path) = (format!("{first}-1"), format!("{PRODUCT}/{first}-1"));
    let asked: [(&str, Value); 8] = [
        ("name", json!("New name")),
        ("description", json!("moved")),
        ("place", json!([{ "id": "NEW-HOME", "role": "installation", "name": "1 Oak Lane" }])),
        ("productSerialNumber", json!("SN-2")),
        ("isCustomerVisible", json!(false)),
        ("relatedParty", json!([{ "id": "U", "role": "user" }])),
        ("productTerm", json!([{ "name": "12 months" }])),
        ("billingAccount", json!({ "id": "NEW-ACC" })),
    ];
    for (name, value) in asked {
        let before = world.http.get(&path).await;
        let line = json!({ "id": "1", "action": "modify", "product": { "id": id, name: value } });
        let mut order = order_of(&json!([line]));
        order["billingAccount"] = json!({ "id": "ANOTHER" });
        let order = world.submit(&order).await;
        world.completed(&order).await;
        let mut after = world.http.get(&path).await;
        if name == "relatedParty" {
            let parties = after[name].as_array().unwrap();
            assert_eq!(parties[0]["id"], "U", "{parties:#?}");
            assert!(parties.iter().any(|party| party["id"] == "CUST-1001"), "{parties:#?}");
        } else if name == "billingAccount" {
            assert_eq!(after[name]["id"], "NEW-ACC");
        } else {
            let first = value.get(0).map_or_else(|| value.clone(), Clone::clone);
            let shown = after[name].get(0).map_or_else(|| after[name].clone(), Clone::clone);
            let same = first.as_object().map_or(first == shown, |fields| {
                fields.iter().all(|(name, value)| shown[name] == *value)
            });
            assert!(same, "{name}: {shown:#}");
        }
        let mut before = before;
        for other in [name, "productOrderItem"] {
            after[other] = Value::Null;
            before[other] = Value::Null;
        }
        assert_eq!(after, before, "a change of `{name}` changed more");
    }
}

#[tokio::test]
async fn attributes_that_an_order_cannot_change_are_refused_with_their_path() {
    let world = World::start().await;
    let first = delivered(&world).await;
    let (id, path) = (format!("{first}-1"), format!("{PRODUCT}/{first}-1"));
    let before = world.http.get(&path).await;
    for (name, value) in REFUSED {
        let value: Value = serde_json::from_str(value).unwrap();
        let line = json!({ "id": "1", "action": "modify", "product": { "id": id, name: value } });
        let answer = send(&world, "productOrder", &order_of(&json!([line]))).await;
        assert_eq!(answer.status, 422, "{name}: {}", answer.text);
        let at = format!("productOrderItem[0].product.{name}");
        assert_eq!(answer.body["referenceError"], at, "{}", answer.text);
    }
    let own = before["href"].clone();
    let nothing = own.as_str().unwrap().replace(&id, "NOTHING");
    let relations = [
        (json!({ "id": id }), "itself"),
        (json!({ "id": id, "href": own }), "itself"),
        (json!({ "id": "NOTHING" }), "has no product"),
        (json!({ "id": "NOTHING", "href": nothing }), "has no product"),
    ];
    for (to, told) in relations {
        let relation = json!([{ "relationshipType": "reliesOn", "product": to }]);
        let product = json!({ "id": id, "productRelationship": relation });
        let line = json!({ "id": "1", "action": "modify", "product": product });
        let answer = send(&world, "productOrder", &order_of(&json!([line]))).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        let at = "productOrderItem[0].product.productRelationship[0].product.id";
        assert_eq!(answer.body["referenceError"], at, "{}", answer.text);
        assert!(answer.body["message"].as_str().unwrap().contains(told), "{}", answer.text);
    }
    assert_eq!(world.http.get(&path).await, before);
    // An empty list names no place.
    let line = json!({ "id": "1", "action": "modify", "product": { "id": id, "place": [] } });
    let same = world.submit(&order_of(&json!([line]))).await;
    world.completed(&same).await;
    assert_eq!(world.http.get(&path).await["place"], before["place"]);
    // The product as it is may be sent as it is.
    let line = json!({ "id": "1", "action": "modify", "product": before });
    let same = world.submit(&order_of(&json!([line]))).await;
    world.completed(&same).await;
}
