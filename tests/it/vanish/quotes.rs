//! A quote is ordered once, also where the client that ordered it is gone before it is taken.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::operations::Asked;
use super::vanish;
use crate::world::{Disk, Request, Settings, Vanish, World, text};

/// Quotes that are ordered.
const QUOTES: usize = 60;

/// When clients vanish: while the order is on its way to the disk.
const MOMENTS: [Vanish; 5] = [
    Vanish::AfterMs(2),
    Vanish::AfterMs(5),
    Vanish::AfterMs(10),
    Vanish::AfterMs(15),
    Vanish::AfterMs(20),
];

/// The content of an order for a quote, with the id of the quote in it.
async fn template(world: &World) -> (String, Value) {
    let quote = world.accepted_quote().await;
    let path = format!("/orchestration/v1/quotes/{quote}/order");
    let ordered = world.http.post(&path, &json!({})).await;
    assert_eq!(ordered.status, 201, "{}", ordered.text);
    let mut order = crate::world::pack_order("superfibre/gpon");
    for name in ["productOrderItem", "quote"] {
        order[name] = ordered.body[name].clone();
    }
    // The product that came of it is not that of the next order.
    for name in ["id", "href"] {
        order["productOrderItem"][0]["product"].as_object_mut().unwrap().remove(name);
    }
    (quote, order)
}

/// How many orders there are of each quote.
async fn orders(world: &World) -> BTreeMap<String, usize> {
    let mut orders = BTreeMap::new();
    for order in world.http.list(tmf::table::path("productOrder")).await {
        *orders.entry(text(&order["quote"][0]["id"])).or_default() += 1;
    }
    orders
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_ordered_once_though_its_clients_vanish() {
    let world = World::with(Settings { disk: Disk::Forgetful, ..Settings::default() }).await;
    let (of, order) = template(&world).await;
    let mut asked = Vec::new();
    for _ in 0..QUOTES {
        let quote = world.accepted_quote().await;
        let order = serde_json::from_str(&order.to_string().replace(&of, &quote)).unwrap();
        let request = Request::post(tmf::table::path("productOrder"), &order);
        asked.push(Asked { request, about: quote });
    }
    // One quote after the other: who waits for another order's turn is gone before its own.
    for one in asked.chunks(1) {
        vanish(&world, one, &MOMENTS).await;
    }
    let before = orders(&world).await;
    let twice = before.values().filter(|count| **count > 1).count();
    assert_eq!(twice, 0, "quotes of {QUOTES} that were ordered more than once: {before:?}");
    // Who asks again and stays is told of it, or orders it.
    for one in &asked {
        let answer = world.http.ask(&one.request).await.unwrap();
        let is_ordered = before.contains_key(&one.about);
        let expected: &[u16] = if is_ordered { &[409, 422] } else { &[201, 409, 422] };
        assert!(expected.contains(&answer.status), "{}: {}", answer.status, answer.text);
    }
    let after = orders(&world).await;
    for one in &asked {
        assert_eq!(after.get(&one.about), Some(&1), "{}", one.about);
    }
}
