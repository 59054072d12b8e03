//! Changes that cannot be are rejected, and change nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::picture::Instances;
use super::sold::Sold;
use super::walk::Tour;
use crate::world::{World, pack_order, text};

fn changed(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_string(), value)])
}

#[tokio::test]
async fn a_change_is_validated_with_what_is_known_of_its_product() {
    let tour = Tour::new(World::start().await);
    let mut sold = tour.sell(&pack_order("mobile-4g/new-number")).await.unwrap();
    let before = Instances::of(&tour.world, &sold).await.picture(&tour.world, &sold).await;

    // A number is to be ported in, and the order does not say which.
    let id = tour.world.submit(&sold.modify("1", &changed("portIn", json!(true)))).await;
    let now = tour.world.settled(&id).await;
    assert_eq!(now["state"], "rejected", "{now:#}");
    let failure = now["failures"].to_string();
    assert!(failure.contains("ORDER_INVALID"), "{failure}");
    assert!(failure.contains("portNumber") && failure.contains("donorOperator"), "{failure}");
    let after = Instances::of(&tour.world, &sold).await.picture(&tour.world, &sold).await;
    assert_eq!(after.differences(&before), "");

    // What an earlier order said need not be said again.
    for (name, value) in [
        ("portNumber", json!("+61491570006")),
        ("donorOperator", json!("OtherTel")),
        ("portWindow", json!("2020-01-01T00:00:00Z")),
        ("portIn", json!(true)),
    ] {
        tour.change(&mut sold, "1", &changed(name, value)).await.unwrap();
    }
    tour.agree(&sold, &mut BTreeSet::new()).await.unwrap();
}

/// A change needs no customer and no account: both are known.
#[tokio::test]
async fn a_change_that_names_neither_customer_nor_account_is_carried_out() {
    let tour = Tour::new(World::start().await);
    for (name, line, characteristic, value) in [
        ("mobile-4g/new-number", "1", "dataQuota", json!(50)),
        ("superfibre/gpon", "1", "downstreamSpeed", json!(500)),
        ("triple-play/nested", "1.2", "lines", json!(2)),
    ] {
        let sold = tour.sell(&pack_order(name)).await.unwrap();
        let mut order = sold.modify(line, &changed(characteristic, value));
        let fields = order.as_object_mut().unwrap();
        fields.retain(|name, _| name == "productOrderItem");
        tour.completed(&order).await.unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

/// The card of a customer who wants another kind of SIM is another card.
#[tokio::test]
async fn another_kind_of_sim_is_another_sim() {
    let tour = Tour::new(World::start().await);
    let mut sold = tour.sell(&pack_order("mobile-4g/new-number")).await.unwrap();
    let other = if sold.characteristics("1")["simType"] == "eSIM" { "physical" } else { "eSIM" };
    let before = profiles(&tour, &sold).await;
    tour.change(&mut sold, "1", &changed("simType", json!(other))).await.unwrap();
    let after = profiles(&tour, &sold).await;
    assert_eq!((before.len(), after.len()), (1, 1), "{before:?} {after:?}");
    assert_ne!(before, after);
    tour.end(&mut sold, &BTreeSet::new()).await.unwrap();
    tour.nothing_left().await.unwrap();
}

async fn profiles(tour: &Tour, sold: &Sold) -> Vec<String> {
    let state = tour.world.network.state().await;
    let ours = state.iter().filter(|entry| {
        let key = text(&entry["idempotencyKey"]);
        sold.orders.iter().any(|order| key.starts_with(order.as_str()))
    });
    let profiles = ours.filter(|entry| entry["collection"] == "profiles");
    profiles.map(|entry| text(&entry["id"])).collect()
}
