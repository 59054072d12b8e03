//! What a delivered product stands on, and who it is for, cannot be removed while it lives.

use serde_json::json;

use crate::world::{World, pack_order, text};

async fn delete(world: &World, path: &str) -> (u16, String) {
    let answer = world.http.send("DELETE", path, &[], "").await.unwrap();
    (answer.status, answer.text)
}

#[tokio::test]
async fn nothing_that_a_delivered_line_needs_is_removed_until_it_has_ceased() {
    let world = World::start().await;
    let person = json!({ "givenName": "Ann", "familyName": "Walker" });
    let person = world.http.post(tmf::table::path("individual"), &person).await;
    let party = text(&person.body["id"]);
    let account =
        json!({ "name": "Ann", "relatedParty": [{ "id": party, "@referredType": "Individual" }] });
    let account = world.http.post(tmf::table::path("billingAccount"), &account).await;
    let account = text(&account.body["id"]);
    let mut order = pack_order("superfibre/gpon");
    order["relatedParty"] =
        json!([{ "id": party, "role": "Customer", "@referredType": "Individual" }]);
    order["billingAccount"] = json!({ "id": account });
    let id = world.submit(&order).await;
    world.completed(&id).await;
    let books = world.books().await;
    let kept: Vec<String> = [("resource", books.resources(&id)), ("service", books.services(&id))]
        .into_iter()
        .flat_map(|(key, rows)| {
            rows.into_iter()
                .map(move |row| format!("{}/{}", tmf::table::path(key), text(&row["id"])))
        })
        .chain([
            format!("{}/{id}-1", tmf::table::path("product")),
            format!("{}/{party}", tmf::table::path("individual")),
            format!("{}/{account}", tmf::table::path("billingAccount")),
        ])
        .collect();
    assert!(kept.len() > 15, "{kept:?}");
    for path in &kept {
        let (status, told) = delete(&world, path).await;
        assert_eq!(status, 409, "{path}: {told}");
        assert!(told.contains(&id) || told.contains("billingAccount"), "{path}: {told}");
    }
    let cease = json!({ "productOrderItem": [
        { "id": "1", "action": "delete", "product": { "id": format!("{id}-1") } },
    ] });
    let ceased = world.submit(&cease).await;
    world.completed(&ceased).await;
    for path in kept.iter().filter(|path| !path.contains("Management/v4/billing")) {
        let (status, told) = delete(&world, path).await;
        // The resources of a value go with the reservation, or stay as history.
        let is_party = path.contains("individual") && told.contains("billingAccount");
        assert!(status == 204 || status == 404 || is_party, "{path}: {status} {told}");
    }
}
