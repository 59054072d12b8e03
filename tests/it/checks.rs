//! Checks of an order before any work is done: credit, places, duplicates.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Settings, World, copied_packs, pack_order};

const CUSTOMERS: &str = "/tmf-api/customerManagement/v4/customer";

/// A customer with a credit score; answers with the id.
async fn customer(world: &World, score: u32) -> String {
    let person = json!({ "givenName": "Ann", "familyName": "Walker" });
    let person = world.http.post(tmf::table::path("individual"), &person).await;
    let engaged = json!({ "id": person.body["id"], "@referredType": "Individual" });
    let profile = json!({
        "creditProfileDate": "2026-01-01T00:00:00Z",
        "creditScore": score,
        "validFor": { "startDateTime": "2026-01-01T00:00:00Z" },
    });
    let body = json!({ "name": "Ann", "engagedParty": engaged, "creditProfile": [profile] });
    let answer = world.http.post(CUSTOMERS, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.body["id"].as_str().unwrap().to_string()
}

fn order_of(customer: &str) -> Value {
    let mut order = pack_order("superfibre/gpon");
    order["relatedParty"][0]["id"] = json!(customer);
    order
}

/// How an order ended that was not carried out, and why.
async fn refused(world: &World, order: &Value) -> (String, String) {
    let id = world.submit(order).await;
    let story = world.ended(&id).await;
    assert_eq!(story.end, "rejected", "{story}");
    let error = &world.order("productOrder", &id).await["productOrderErrorMessage"][0];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_string();
    assert!(world.network.state().await.is_empty() || text("code") == "ORDER_DUPLICATE");
    (text("code"), text("message"))
}

#[tokio::test]
async fn credit_decides_who_is_delivered_to() {
    let world = World::start().await;
    let poor = order_of(&customer(&world, 299).await);
    let (code, message) = refused(&world, &poor).await;
    assert_eq!(code, "CREDIT_LOW", "{message}");
    assert!(message.contains("`creditProfile.creditScore` is 299"), "{message}");
    let good = world.submit(&order_of(&customer(&world, 300).await)).await;
    world.completed(&good).await;
}

#[tokio::test]
async fn a_place_that_is_not_served_is_refused() {
    let world = World::start().await;
    let mut far = pack_order("superfibre/gpon");
    far["productOrderItem"][0]["product"]["place"][0]["postcode"] = json!("9999");
    let (code, message) = refused(&world, &far).await;
    assert_eq!(code, "ADDRESS_NOT_SERVED", "{message}");
    assert!(message.starts_with("item `1`: `product.place` `ADDR-ELM-7`"), "{message}");
    far["productOrderItem"][0]["product"]["place"][0]["postcode"] = json!("8004");
    let near = world.submit(&far).await;
    world.completed(&near).await;
}

/// The packs of the repository, SuperFibre so that a duplicate is refused.
fn strict() -> TempDir {
    copied_packs("superfibre/workflows.yaml", |text| {
        text.replace("duplicate: { otherwise: note }", "duplicate: { otherwise: refuse }")
    })
}

#[tokio::test]
async fn the_same_for_the_same_place_is_ordered_once() {
    let packs = strict();
    let workflows = Some(packs.path().to_path_buf());
    let world = World::with(Settings { workflows, ..Settings::default() }).await;
    let first = world.submit(&order_of("CUST-2")).await;
    world.completed(&first).await;
    let (code, message) = refused(&world, &order_of("CUST-2")).await;
    assert_eq!(code, "ORDER_DUPLICATE", "{message}");
    assert!(message.ends_with(&format!("already: product `{first}-1`")), "{message}");
    let mut elsewhere = order_of("CUST-2");
    elsewhere["productOrderItem"][0]["product"]["place"][0]["id"] = json!("ADDR-OAK-9");
    let second = world.submit(&elsewhere).await;
    world.completed(&second).await;
    let other = world.submit(&order_of("CUST-3")).await;
    world.completed(&other).await;
    // Another that is open counts too.
    let open = order_of("CUST-4");
    let offline = json!({ "element": "olt-1", "operation": "put onus", "fault": "error" });
    world.network.fail(json!([offline])).await;
    let id = world.submit(&open).await;
    let (code, message) = refused(&world, &order_of("CUST-4")).await;
    assert_eq!(code, "ORDER_DUPLICATE", "{message}");
    assert!(message.contains(&format!("order `{id}`")), "{message}");
    world.network.heal().await;
    world.ended(&id).await;
}
