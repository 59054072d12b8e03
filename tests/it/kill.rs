//! The process is killed, again and again, while orders are in flight. Every acknowledged order is
//! delivered in the end, once.

mod bills;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{Clients, Dice, World, fresh, pack_order, soaked, text};

/// So often the server is killed while orders are in flight.
const KILLS: u64 = 20;

/// Orders in flight at one time.
const IN_FLIGHT: usize = 50;

/// Max records between two kills, over all orders.
const RECORDS_MAX: u64 = 120;

const ORDERS: [&str; 9] = [
    "superfibre/gpon",
    "superfibre/hfc",
    "superfibre/static-ip",
    "mobile-4g/new-number",
    "mobile-4g/port-in",
    "mobile-4g/family",
    "triple-play/nested",
    "triple-play/flat",
    "triple-play/two-lines",
];

/// Elements that are slow, that lose answers, that fail now and then and that call back twice.
pub(crate) fn troubles() -> Value {
    json!([
        { "fault": "error", "every": 97 },
        { "fault": "lost", "every": 61 },
        { "element": "bng-1", "fault": "async", "delayMs": 60, "duplicate": true, "every": 2 },
        { "element": "hss", "fault": "async", "delayMs": 90, "every": 3 },
        { "element": "olt-1", "fault": "slow", "delayMs": 120, "every": 2 },
        { "element": "acs", "fault": "slow", "delayMs": 80, "every": 3 },
        { "element": "ipam", "fault": "async", "delayMs": 40, "every": 4 },
    ])
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_done_twice_whenever_it_is_killed() {
    let mut dice = Dice::from_environment();
    let mut world = World::start().await;
    world.network.fail(troubles()).await;
    let orders = ORDERS.map(pack_order).to_vec();
    let clients = Clients::begin(&world.http, orders, IN_FLIGHT);
    let mut kills = 0;
    while kills < soaked(KILLS) {
        clients.see_records(dice.up_to(RECORDS_MAX)).await;
        let acknowledged = clients.in_flight();
        world.kill().await;
        world.restart().await;
        // Only what the server itself carries on counts: clients hear of an end a little late.
        let open = world.http.get(&still_open()).await.as_array().unwrap().len();
        if acknowledged > 0 && open > 0 {
            kills += 1;
        }
    }
    clients.stop_ordering();
    let ids = clients.all_ended().await;
    report(kills, ids.len(), dice.seed());
    assert!(ids.len() >= IN_FLIGHT);
    let books = world.books().await;
    check_one_each(&books.of("productOrder").values().collect::<Vec<_>>(), &ids);
    ids.values().for_each(|id| books.check_delivered(id));
    books.check_once();
    books.check_pools();
    books.check_outbox();
}

#[expect(clippy::print_stdout, reason = "the output shows how hard it was")]
fn report(kills: u64, orders: usize, seed: u64) {
    println!("{kills} kills, {orders} orders, FERRULE_SEED={seed}");
}

fn still_open() -> String {
    let path = tmf::table::path("productOrder");
    format!("{path}?state=acknowledged,inProgress&fields=id&limit=1")
}

/// Each client's order is there once, under the id that the client was told.
pub(crate) fn check_one_each(orders: &[&Value], ids: &BTreeMap<String, String>) {
    let found: Vec<(String, String)> =
        orders.iter().map(|order| (text(&order["externalId"]), text(&order["id"]))).collect();
    let by_name: BTreeMap<_, _> = found.iter().cloned().collect();
    assert_eq!(found.len(), by_name.len(), "an order was taken twice");
    assert_eq!(&by_name, ids);
}

/// The answer to a POST is what counts: a 201 that was received holds, whatever happens next.
#[tokio::test]
async fn a_kill_during_the_post_neither_loses_nor_doubles_an_order() {
    const POSTS: u64 = 40;
    let mut dice = Dice::from_environment();
    let mut world = World::start().await;
    let order = pack_order("mobile-4g/new-number");
    let mut ids = BTreeMap::new();
    for round in 0..5 {
        let first = Clients::post_all(&world.http, &order, round, POSTS);
        let acknowledged = first.answers(dice.up_to(POSTS - 1)).await;
        world.kill().await;
        let acknowledged = first.rest(acknowledged).await;
        world.restart().await;
        let second = Clients::post_all(&world.http, &order, round, POSTS);
        let all = second.answers(POSTS).await;
        for (name, id) in &acknowledged {
            assert_eq!(all[name], *id, "`{name}` was acknowledged under another id before");
        }
        ids.extend(all);
    }
    for id in ids.values() {
        world.completed(id).await;
    }
    let books = world.books().await;
    check_one_each(&books.of("productOrder").values().collect::<Vec<_>>(), &ids);
    ids.values().for_each(|id| books.check_delivered(id));
    books.check_once();
    books.check_pools();
}

/// The plugins of open orders are taken in again first, as on a node that takes over from another.
#[tokio::test]
async fn a_server_whose_compiled_plugins_are_gone_carries_on_when_they_are_back() {
    let mut world = World::start().await;
    world.network.fail(json!([{ "fault": "slow", "delayMs": 300, "every": 1 }])).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let order = fresh(&pack_order("triple-play/nested"), &format!("without-{number}"));
        ids.push(world.submit(&order).await);
    }
    world.kill().await;
    std::fs::remove_dir_all(world.data().join("plugins")).unwrap();
    world.restart().await;
    for id in &ids {
        world.completed(id).await;
    }
    world.books().await.check_once();
}

/// Kills that follow each other before anything was carried on are no worse than one.
#[tokio::test]
async fn killed_at_once_after_each_start() {
    let mut world = World::start().await;
    // One less than a step has attempts.
    world.network.fail(json!([{ "fault": "lost", "times": 5 }])).await;
    let mut ids = Vec::new();
    for number in 0..6 {
        let order = fresh(&pack_order("triple-play/nested"), &format!("again-{number}"));
        ids.push(world.submit(&order).await);
        world.kill().await;
        world.restart().await;
    }
    for id in &ids {
        world.completed(id).await;
    }
    let books = world.books().await;
    ids.iter().for_each(|id| books.check_delivered(id));
    books.check_once();
    books.check_pools();
    books.check_outbox();
}
