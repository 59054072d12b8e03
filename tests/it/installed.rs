//! Current users of an instance: a shared service is undone once, when its last user goes, and
//! values that workflows read of a product are changed with it.

use serde_json::{Value, json};

use crate::world::{Books, World, pack_order};

/// An order of one item about each of these products.
fn about(action: &str, products: &[String], with: &Value) -> Value {
    let items = products.iter().enumerate().map(|(index, product)| {
        let mut subject = with.clone();
        subject["id"] = json!(product);
        json!({ "id": (index + 1).to_string(), "action": action, "product": subject })
    });
    json!({
        "relatedParty": [{ "id": "C-1", "name": "Ann", "role": "Customer" }],
        "productOrderItem": items.collect::<Vec<_>>(),
    })
}

fn suspended(status: &str) -> Value {
    json!({ "status": status })
}

fn entries<'a>(books: &'a Books, element: &str) -> Vec<&'a Value> {
    books.state.iter().filter(|entry| entry["element"] == element).collect()
}

#[tokio::test]
async fn a_port_that_two_parts_share_is_given_back_once() {
    let world = World::start().await;
    let first = world.submit(&pack_order("triple-play/nested")).await;
    world.completed(&first).await;
    let part = format!("{first}-1.2");
    let changed = world.submit(&about("modify", &[part], &suspended("suspended"))).await;
    world.completed(&changed).await;
    let ends = world.submit(&about("delete", &[format!("{first}-1")], &json!({}))).await;
    world.completed(&ends).await;
    let plan = world.plan(&ends).await;
    let allocations = plan.matches("undo allocate of").count();
    let keys: std::collections::BTreeSet<&str> = plan
        .lines()
        .filter_map(|line| line.trim().strip_prefix("undo "))
        .filter_map(|rest| rest.split(" of ").nth(1))
        .collect();
    let all = plan.lines().filter(|line| line.trim().starts_with("undo ")).count();
    assert!(allocations > 0);
    assert_eq!(keys.len(), all, "no step is undone twice:\n{plan}");
    let books = world.books().await;
    assert!(books.state.is_empty(), "{:#?}", books.state);
    books.check_pools();
    // Two customers never have one port.
    let [a, b] = [pack_order("triple-play/nested"), pack_order("triple-play/nested")];
    let [a, b] = [world.submit(&a).await, world.submit(&b).await];
    world.completed(&a).await;
    world.completed(&b).await;
    world.books().await.check_pools();
}

#[tokio::test]
async fn a_bundle_that_was_suspended_is_ended_with_all_of_its_parts() {
    let world = World::start().await;
    let first = world.submit(&pack_order("triple-play/nested")).await;
    world.completed(&first).await;
    let bundle = format!("{first}-1");
    let statuses = async || {
        let books = world.books().await;
        let products = books.products(&first).into_iter();
        let mut found: Vec<String> =
            products.map(|product| product["status"].as_str().unwrap().to_string()).collect();
        found.dedup();
        found
    };
    for (with, status) in [("suspended", "suspended"), ("active", "active")] {
        let order = about("modify", std::slice::from_ref(&bundle), &suspended(with));
        let id = world.submit(&order).await;
        world.completed(&id).await;
        assert_eq!(statuses().await, [status]);
    }
    let ends = world.submit(&about("delete", &[bundle], &json!({}))).await;
    world.completed(&ends).await;
    assert_eq!(statuses().await, ["terminated"]);
    let books = world.books().await;
    assert!(books.state.is_empty(), "{:#?}", books.state);
    let in_use = books.of("service").values().filter(|service| service["state"] == "active");
    assert_eq!(in_use.count(), 0);
}

#[tokio::test]
async fn values_that_a_workflow_reads_are_changed_in_the_network() {
    let world = World::start().await;
    let first = world.submit(&pack_order("superfibre/hfc")).await;
    world.completed(&first).await;
    let down = async || {
        let books = world.books().await;
        let modems = entries(&books, "cmts-1");
        assert_eq!(modems.len(), 1, "{modems:#?}");
        modems[0]["config"]["down"].clone()
    };
    assert_eq!(down().await, 200);
    for speed in [500, 200] {
        let with =
            json!({ "productCharacteristic": [{ "name": "downstreamSpeed", "value": speed }] });
        let id = world.submit(&about("modify", &[format!("{first}-1")], &with)).await;
        world.completed(&id).await;
        assert_eq!(down().await, speed);
    }
}

#[tokio::test]
async fn two_ends_in_quick_succession_leave_nothing_of_what_they_share() {
    let world = World::start().await;
    for _ in 0..10 {
        let first = world.submit(&pack_order("triple-play/nested")).await;
        world.completed(&first).await;
        let parts = ["1.2", "1.3"].map(|part| format!("{first}-{part}"));
        let [one, two] = &parts;
        let orders = [
            about("delete", std::slice::from_ref(one), &json!({})),
            about("delete", std::slice::from_ref(two), &json!({})),
        ];
        let (a, b) = tokio::join!(world.submit(&orders[0]), world.submit(&orders[1]));
        world.ended(&a).await;
        world.ended(&b).await;
        for (id, order) in [(a, &orders[0]), (b, &orders[1])] {
            let ended = world.order("productOrder", &id).await;
            // One of them may have found the other at work.
            if ended["state"] == "rejected" {
                assert_eq!(
                    ended["productOrderErrorMessage"][0]["code"], "INSTANCE_BUSY",
                    "{ended:#}"
                );
                let again = world.submit(order).await;
                world.completed(&again).await;
            }
        }
        let ends = world.submit(&about("delete", &[format!("{first}-1")], &json!({}))).await;
        world.completed(&ends).await;
        let books = world.books().await;
        assert!(books.state.is_empty(), "{:#?}", books.state);
        books.check_pools();
    }
}
