//! The examples in the packs are carried out, not only planned.

use serde_json::{Value, json};

use super::catalog::PACKS;
use super::walk::Tour;
use crate::world::{PAST, World, orders_of, pack_order, repository};

/// An order of a pack beside its plan.
struct Example {
    path: String,
    order: Value,
    plan: String,
}

impl Example {
    fn of(pack: &str, name: &str) -> Self {
        let path = format!("{pack}/{name}");
        let file = repository().join(format!("workflows/{pack}/orders/{name}.plan"));
        let plan = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { order: pack_order(&path), path, plan: at_once(&plan) }
    }

    /// The order that made what this one changes, by the name of its file.
    fn made_by(&self) -> String {
        let product = self.order["productOrderItem"][0]["product"]["id"].as_str().unwrap();
        product.rsplit_once('-').unwrap().0.into()
    }

    /// The order, about what another one made.
    fn about(&self, made_by: &str, id: &str) -> Value {
        let text = self.order.to_string().replace(&format!("\"{made_by}-"), &format!("\"{id}-"));
        serde_json::from_str(&text).unwrap()
    }
}

/// The plan with its times in the past, as the tests order.
fn at_once(plan: &str) -> String {
    let mut plain = String::new();
    for line in plan.lines() {
        let line = match line.split_once("portWindow = ") {
            Some((start, _)) => format!("{start}portWindow = \"{PAST}\""),
            None => line.into(),
        };
        let line = match line.split_once(" not before ") {
            Some((start, _)) => format!("{start} not before {}", PAST.replace('Z', ".000Z")),
            None => line,
        };
        plain.push_str(&line);
        plain.push('\n');
    }
    plain
}

#[tokio::test]
async fn every_order_of_a_pack_is_carried_out_as_its_plan() {
    let tour = Tour::new(World::start().await);
    let mut carried_out = 0;
    for (pack, name) in PACKS.iter().flat_map(|pack| orders_of(pack, "orders")) {
        let example = Example::of(&pack, &name);
        let id = tour.completed(&example.order).await.unwrap();
        assert_eq!(
            tour.world.plan(&id).await.trim_end(),
            example.plan.trim_end(),
            "{}",
            example.path
        );
        carried_out += 1;
    }
    assert!(carried_out >= 12);
    let books = tour.world.books().await;
    books.check_pools();
    books.check_once();
    assert_eq!(tour.world.findings(&json!({})).await, [""; 0]);
}

#[tokio::test]
async fn every_change_of_a_pack_is_carried_out_as_its_plan() {
    let tour = Tour::new(World::start().await);
    let mut carried_out = 0;
    for (pack, name) in PACKS.iter().flat_map(|pack| orders_of(pack, "orders/changes")) {
        let example = Example::of(&pack, &format!("changes/{name}"));
        let made_by = example.made_by();
        let first = tour.completed(&pack_order(&format!("{pack}/{made_by}"))).await.unwrap();
        let id = tour.completed(&example.about(&made_by, &first)).await;
        let id = id.unwrap_or_else(|why| panic!("{}: {why}", example.path));
        let plan = tour.world.plan(&id).await.replace(&first, &made_by);
        assert_eq!(plan.trim_end(), example.plan.trim_end(), "{}", example.path);
        assert_eq!(tour.world.findings(&json!({})).await, [""; 0], "{}", example.path);
        carried_out += 1;
    }
    assert!(carried_out >= 12);
}

/// Otherwise the tests that send them would fail from a day on.
#[test]
fn orders_of_the_packs_are_to_be_completed_by_a_day_that_is_far_away() {
    for (pack, name) in PACKS.iter().flat_map(|pack| orders_of(pack, "orders")) {
        let order = pack_order(&format!("{pack}/{name}"));
        let date = order["requestedCompletionDate"].as_str();
        assert!(date.is_none_or(|date| date > "2099"), "{pack}/{name}: {date:?}");
    }
}
