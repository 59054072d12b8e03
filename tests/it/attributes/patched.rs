//! A patch of an open order takes effect when its attribute is due, or is refused: no patch is
//! accepted without an effect.

use serde_json::{Value, json};

use super::PRODUCT;
use super::table::pack;
use crate::dates::seconds_ahead;
use crate::world::{Request, Settings, World, text};

const FAR: &str = "2999-01-01T00:00:00Z";

/// An order that begins at a time.
fn order(start: &str) -> Value {
    json!({
        "relatedParty": [{ "id": "C-1", "role": "Customer", "@referredType": "Customer" }],
        "billingAccount": { "id": "ACC-1" },
        "requestedStartDate": start,
        "productOrderItem": [
            { "id": "1", "action": "add", "productOffering": { "id": "PO-LINE" } },
        ],
    })
}

#[tokio::test]
async fn attributes_that_decided_the_plan_are_not_changed_by_a_patch() {
    let packs = pack::folder();
    let workflows = Some(packs.path().into());
    let world = World::with(Settings { workflows, ..Settings::default() }).await;
    let id = world.submit(&order(FAR)).await;
    let other = world.submit(&order(FAR)).await;
    let rows = [
        ("requestedStartDate", json!("2998-01-01T00:00:00Z"), "send it anew"),
        (
            "orderRelationship",
            json!([{ "id": other, "relationshipType": "dependency" }]),
            "send it anew",
        ),
        ("quote", json!([{ "id": "Q-1" }]), "send it anew"),
        ("requestedInitialState", json!("acknowledged"), "send it anew"),
        ("requestedCompletionDate", json!("2998-01-01T00:00:00Z"), "later date"),
        ("productOrderItem", json!([]), ""),
    ];
    for version in ["v4", "v5"] {
        let path = tmf::table::path("productOrder").replace("v4", version);
        let path = format!("{path}/{id}");
        let before = world.http.get(&path).await;
        for (name, value, advice) in &rows {
            let patch = Request::patch(&path, &json!({ *name: value }));
            let answer = world.http.ask(&patch).await.unwrap();
            assert!(matches!(answer.status, 400 | 422), "{version} {name}: {}", answer.text);
            assert_eq!(answer.body["referenceError"], *name, "{version}: {}", answer.text);
            assert!(answer.text.contains(advice), "{version} {name}: {}", answer.text);
            assert_eq!(world.http.get(&path).await, before, "{version} {name}");
        }
    }
}

#[tokio::test]
async fn who_pays_and_whom_a_product_names_is_as_the_order_has_it_when_it_completes() {
    let packs = pack::folder();
    let workflows = Some(packs.path().into());
    let world = World::with(Settings { workflows, ..Settings::default() }).await;
    let id = world.submit(&order(&seconds_ahead(15))).await;
    let path = format!("{}/{id}", tmf::table::path("productOrder"));
    let parties = json!([
        { "id": "C-1", "role": "Customer", "@referredType": "Customer" },
        { "id": "U-1", "role": "user", "@referredType": "Individual" },
    ]);
    let patch = json!({
        "billingAccount": { "id": "ACC-2" }, "relatedParty": parties, "description": "changed",
    });
    let answer = world.http.ask(&Request::patch(&path, &patch)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.completed(&id).await;
    let product = world.http.get(&format!("{PRODUCT}/{id}-1")).await;
    assert_eq!(product["billingAccount"]["id"], "ACC-2", "{product:#}");
    let names = |document: &Value| -> Vec<String> {
        let parties = document["relatedParty"].as_array().unwrap().iter();
        parties.map(|party| text(&party["id"])).collect()
    };
    assert_eq!(names(&product), ["C-1", "U-1"]);
    let books = world.books().await;
    for row in books.services(&id).into_iter().chain(books.resources(&id)) {
        assert_eq!(names(row), ["C-1", "U-1"], "{row:#}");
    }
    assert_eq!(world.http.get(&path).await["description"], "changed");
}
