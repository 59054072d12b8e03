//! Orders that fail for good: their work is rolled back, last first.

use serde_json::json;

use crate::world::{World, pack_order};

/// No device can be registered, and trying again will not help.
fn no_device() -> serde_json::Value {
    json!({ "element": "acs", "operation": "createDevice", "fault": "error", "rpcCode": -32602 })
}

#[tokio::test]
async fn a_failure_for_good_is_unwound_in_reverse_order() {
    let world = World::start().await;
    world.network.fail(json!([no_device()])).await;
    let id = world.submit(&pack_order("superfibre/static-ip")).await;
    let story = world.ended(&id).await;
    assert_eq!(story.end, "failed", "{story}");
    let undone = story.positions("undone");
    assert!(undone.len() >= 10, "{story}");
    let fulfilment = world.http.get(&format!("/orchestration/v1/fulfilments/{id}")).await;
    for task in fulfilment["tasks"].as_array().unwrap() {
        let Some(position) = undone.get(task["name"].as_str().unwrap()) else { continue };
        for need in task["needs"].as_array().unwrap() {
            let before = undone.get(need.as_str().unwrap());
            assert!(before.is_none_or(|before| before > position), "{story}");
        }
    }
    let books = world.books().await;
    books.check_nothing_left(&id);
    assert!(books.state.is_empty(), "{:#?}", books.state);
    let pooled: Vec<_> = books.of("resource").values().collect();
    assert!(pooled.len() >= 6);
    for resource in pooled {
        assert_eq!(resource["resourceStatus"], "available", "{resource:#}");
        assert_eq!(resource["usageState"], "idle", "{resource:#}");
    }
    for effect in books.effects.iter().filter(|effect| effect.element != "acs") {
        assert_eq!(effect.applied, 1, "{effect:?}");
    }
    let (undone, done) = books.effects.iter().partition::<Vec<_>, _>(|e| e.key.ends_with(":undo"));
    let applied = done.iter().filter(|effect| effect.applied == 1).count();
    assert_eq!(undone.iter().filter(|effect| effect.applied == 1).count(), applied);
    let told = books.told("productOrder", &id);
    assert_eq!(told.last().unwrap(), "ProductOrderStateChangeEvent failed");
    assert_eq!(
        books.of("productOrder")[&id]["productOrderErrorMessage"][0]["code"],
        "ELEMENT_REFUSED"
    );
}

#[tokio::test]
async fn released_values_can_be_reserved_again() {
    let world = World::start().await;
    world.network.fail(json!([no_device()])).await;
    let first = world.submit(&pack_order("superfibre/gpon")).await;
    assert_eq!(world.ended(&first).await.end, "failed");
    let before = world.books().await;
    world.network.heal().await;
    let second = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&second).await;
    let after = world.books().await;
    after.check_delivered(&second);
    after.check_pools();
    assert!(before.effects.len() < after.effects.len());
    let left = after
        .state
        .iter()
        .filter(|entry| entry["idempotencyKey"].as_str().unwrap().starts_with(&first));
    assert_eq!(left.count(), 0);
}

/// The rollback itself meets an element that fails, loses answers and is killed in the middle.
#[tokio::test]
async fn rollback_survives_failures_and_a_kill() {
    let mut world = World::start().await;
    let busy =
        json!({ "element": "bng-1", "operation": "delete vlans", "fault": "error", "times": 2 });
    let lost =
        json!({ "element": "olt-1", "operation": "delete onus", "fault": "lost", "times": 1 });
    let slow = json!({ "element": "warehouse", "fault": "slow", "delayMs": 200 });
    world.network.fail(json!([no_device(), busy, lost, slow])).await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    world.until(&id, "it is rolling back", |now| now["state"] == "rollingBack").await;
    world.kill().await;
    world.restart().await;
    let story = world.ended(&id).await;
    assert_eq!(story.end, "failed", "{story}");
    let books = world.books().await;
    books.check_nothing_left(&id);
    for effect in &books.effects {
        assert!(effect.applied <= 1, "{effect:?}");
    }
}

/// The order itself is wrong, which only a plugin notices: nothing was begun outside.
#[tokio::test]
async fn an_order_that_a_validator_refuses_is_rejected() {
    let world = World::start().await;
    let mut order = pack_order("superfibre/gpon");
    order.as_object_mut().unwrap().remove("billingAccount");
    let id = world.submit(&order).await;
    let story = world.ended(&id).await;
    assert_eq!(story.end, "rejected", "{story}");
    let order = world.order("productOrder", &id).await;
    assert_eq!(order["state"], "rejected");
    assert_eq!(order["productOrderErrorMessage"][0]["code"], "ORDER_INVALID");
    let books = world.books().await;
    assert!(books.effects.is_empty() && books.of("resource").is_empty());
    assert_eq!(books.products(&id)[0]["status"], "cancelled");
}
