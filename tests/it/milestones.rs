//! What an order shows of its way: milestones that were reached, that it is late, who must act.

use serde_json::{Value, json};

use crate::world::{Settings, World, copied_packs, pack_order};

fn names(milestones: &Value) -> Vec<(&str, &str)> {
    let entries = milestones.as_array().unwrap().iter();
    entries.map(|one| (one["name"].as_str().unwrap(), one["status"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn milestones_are_reached_and_told() {
    let world = World::start().await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&id).await;
    let order = world.order("productOrder", &id).await;
    let reached =
        [("order checked", "reached"), ("line ready", "reached"), ("router shipped", "reached")];
    let mut shown = names(&order["productOrderMilestone"]);
    shown.sort_unstable();
    let mut expected = reached;
    expected.sort_unstable();
    assert_eq!(shown, expected, "{order:#}");
    for milestone in order["productOrderMilestone"].as_array().unwrap() {
        assert!(milestone["milestoneDate"].is_string(), "{milestone:#}");
    }
    let service = world.order("serviceOrder", &id).await;
    let lit = service["milestone"].as_array().unwrap().iter();
    let lit = lit.clone().find(|one| one["name"] == "line ready").unwrap();
    let line = &lit["serviceOrderItem"][0]["itemId"];
    let items = service["serviceOrderItem"].as_array().unwrap();
    let item = items.iter().find(|item| item["id"] == *line).unwrap();
    assert_eq!(item["service"]["serviceSpecification"]["id"], "RFS-GPON-BEARER");
    let books = world.books().await;
    for (resource, event) in [
        ("productOrder", "ProductOrderMilestoneEvent completed"),
        ("serviceOrder", "ServiceOrderMilestoneEvent inProgress"),
    ] {
        let told = books.told(resource, &id);
        let prefix = event.split(' ').next().unwrap();
        assert!(told.iter().any(|told| told.starts_with(prefix)), "{event}: {told:?}");
    }
}

#[tokio::test]
async fn an_order_that_waits_for_an_operator_is_reported() {
    let world = World::start().await;
    // A rule reads a characteristic that it lacks.
    let service = json!({ "serviceSpecification": { "id": "CFS-INTERNET-ACCESS" } });
    let item = json!({ "id": "1", "action": "add", "service": service });
    let path = tmf::table::path("serviceOrder");
    let answer = world.http.post(path, &json!({ "serviceOrderItem": [item] })).await;
    let id = answer.body["id"].as_str().unwrap();
    assert_eq!(world.order("serviceOrder", id).await["state"], "held");
    let told = world.books().await.told("serviceOrder", id);
    assert_eq!(told.last().unwrap(), "ServiceOrderInformationRequiredEvent held", "{told:?}");
}

#[tokio::test]
async fn an_order_that_is_late_is_reported_once() {
    let packs = copied_packs("superfibre/workflows.yaml", |text| {
        text.replace(
            "        milestone: line ready\n",
            "        milestone: line ready\n        expected: 1h\n",
        )
    });
    let workflows = Some(packs.path().to_path_buf());
    let world = World::with(Settings { workflows, ..Settings::default() }).await;
    let mut order = pack_order("superfibre/gpon");
    order["requestedCompletionDate"] = json!("2020-01-01T00:00:00Z");
    let id = world.submit(&order).await;
    world.completed(&id).await;
    let order = world.order("productOrder", &id).await;
    let alerts = order["productOrderJeopardyAlert"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "{order:#}");
    assert_eq!(alerts[0]["jeopardyType"], "Critical");
    let told = world.books().await.told("productOrder", &id);
    let late = told.iter().filter(|told| told.starts_with("ProductOrderJeopardyEvent"));
    assert_eq!(late.count(), 1, "{told:?}");
}
