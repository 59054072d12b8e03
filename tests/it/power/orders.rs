//! The power fails while orders are in flight.

use serde_json::json;

use crate::kill::{check_one_each, troubles};
use crate::world::{Clients, Dice, Disk, Settings, Survivors, World, pack_order, soaked};

const FAILURES: u64 = 6;

/// Orders in flight at one time.
const IN_FLIGHT: usize = 16;

/// Max records that are seen between two failures, over all orders.
const RECORDS_MAX: u64 = 60;

const ORDERS: [&str; 4] =
    ["superfibre/gpon", "mobile-4g/new-number", "mobile-4g/port-in", "triple-play/flat"];

#[tokio::test]
async fn acknowledged_orders_are_delivered_once_however_often_the_power_fails() {
    let mut dice = Dice::from_environment();
    let mut world = World::with(Settings { disk: Disk::Forgetful, ..Settings::default() }).await;
    world.network.fail(troubles()).await;
    let orders = ORDERS.map(pack_order).to_vec();
    let clients = Clients::begin(&world.http, orders, IN_FLIGHT);
    for failure in 0..soaked(FAILURES) {
        // The first ones widen the gap between what is written and what is synced.
        world.power().slow_syncs(if failure % FAILURES < FAILURES / 2 { 20 } else { 0 });
        clients.see_records(dice.up_to(RECORDS_MAX)).await;
        let survivors = match failure % 2 {
            0 => Survivors::None,
            _ => Survivors::Some(&mut dice),
        };
        world.fail_power(survivors).await;
        world.restart().await;
    }
    clients.stop_ordering();
    let ids = clients.all_ended().await;
    assert!(ids.len() >= IN_FLIGHT);
    let books = world.books().await;
    check_one_each(&books.of("productOrder").values().collect::<Vec<_>>(), &ids);
    ids.values().for_each(|id| books.check_delivered(id));
    books.check_once();
    books.check_pools();
    books.check_outbox();
}

/// A plan names its plugins by digest: they are there after a failure, also if the operator took
/// the file away.
#[tokio::test]
async fn a_plugin_that_a_plan_pins_survives_a_power_failure() {
    let plugins = tempfile::tempdir().unwrap();
    let folder = crate::world::plugins_dir().await;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, plugins.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let plugins_dir = Some(plugins.path().to_path_buf());
    let settings = Settings { disk: Disk::Forgetful, plugins: plugins_dir, ..Settings::default() };
    let mut world = World::with(settings).await;
    world.network.fail(json!([{ "fault": "error", "times": 3 }])).await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    world.fail_power(Survivors::None).await;
    for entry in std::fs::read_dir(plugins.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    world.restart().await;
    world.completed(&id).await;
    world.books().await.check_delivered(&id);
}
