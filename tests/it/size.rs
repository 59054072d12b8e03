//! Large orders: they are carried out like any other, and others do not wait for them. No test here
//! measures time: a busy machine is slow for every test.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Request, Settings, World, copied_packs};

/// The lines of a large order, as many as a test without optimisations has the time for.
const LINES: usize = 2_500;

/// Small runs that are done beside it at the least; each takes six steps.
const SMALL_MIN: usize = 12;

/// No small run takes this part of the time that an order of many lines takes: half of it. Of one line
/// that becomes many items the document of the service that they are parts of is written at once, so
/// there the small runs are only counted.
const PART_MAX: u32 = 2;

/// A pack whose orders can be large.
const PACK: [(&str, &str); 4] = [
    ("pack.yaml", include_str!("size/pack.yaml")),
    ("catalog.json", include_str!("size/catalog.json")),
    ("rules.yaml", include_str!("size/rules.yaml")),
    ("workflows.yaml", include_str!("size/workflows.yaml")),
];

/// The packs of the repository, and one whose orders can be large.
fn packs() -> TempDir {
    let packs =
        copied_packs("bench/pack.yaml", |text| format!("{text}\n# Beside a large order.\n"));
    let folder = packs.path().join("large");
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in PACK {
        std::fs::write(folder.join(name), text).unwrap();
    }
    packs
}

async fn world(packs: &TempDir) -> World {
    let workflows = Some(packs.path().to_path_buf());
    World::with(Settings { workflows, ..Settings::default() }).await
}

fn line(id: usize, action: &str, product: &Value) -> Value {
    json!({ "id": id.to_string(), "action": action, "quantity": 1, "product": product })
}

/// An order of many lines.
fn lines() -> Value {
    let lines = (1..=LINES).map(|id| {
        let mut line = line(id, "add", &json!({}));
        line["productOffering"] = json!({ "id": "PO-LINE" });
        line
    });
    json!({ "productOrderItem": lines.collect::<Vec<_>>() })
}

/// An order of one line that becomes many items.
fn many() -> Value {
    let count = json!([{ "name": "count", "valueType": "number", "value": LINES }]);
    let mut line = line(1, "add", &json!({ "productCharacteristic": count }));
    line["productOffering"] = json!({ "id": "PO-MANY" });
    json!({ "productOrderItem": [line] })
}

/// How many documents of a resource meet a condition.
async fn count(world: &World, resource: &str, condition: &str) -> usize {
    let path = format!("{}?{condition}&limit=1", tmf::table::path(resource));
    let answer = world.http.ask(&Request::get(&path)).await.unwrap();
    answer.headers["x-total-count"].to_str().unwrap().parse().unwrap()
}

/// Has an order carried out, and small runs beside it all the while.
async fn beside(world: &World, order: &Value, is_of_lines: bool) -> String {
    let over = AtomicBool::new(false);
    let large = async {
        let began = Instant::now();
        let id = world.submit(order).await;
        world.completed(&id).await;
        over.store(true, Ordering::Relaxed);
        (id, began.elapsed())
    };
    let small = async {
        let (mut count, mut longest) = (0, Duration::ZERO);
        while !over.load(Ordering::Relaxed) {
            let began = Instant::now();
            let path = "/orchestration/v1/workflows/six-steps/runs?wait=100s";
            let answer = world.http.ask(&Request::post(path, &json!({}))).await.unwrap();
            assert_eq!(answer.body["state"], "completed", "{}", answer.text);
            longest = longest.max(began.elapsed());
            count += 1;
        }
        (count, longest)
    };
    let ((id, whole), (count, longest)) = tokio::join!(large, small);
    assert!(count >= SMALL_MIN, "{count} small runs were done in {whole:?}");
    let is_fair = longest < whole / PART_MAX;
    assert!(is_fair || !is_of_lines, "one took {longest:?} of {whole:?}");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_order_is_delivered_and_small_ones_are_done_meanwhile() {
    let packs = packs();
    let world = world(&packs).await;
    let id = beside(&world, &lines(), true).await;
    let order = world.order("productOrder", &id).await;
    let items = order["productOrderItem"].as_array().unwrap();
    assert_eq!(items.len(), LINES);
    assert!(items.iter().all(|item| item["state"] == "completed"), "every line is completed");
    assert_eq!(count(&world, "product", "status=active").await, LINES);
    assert_eq!(count(&world, "service", "state=active").await, 2 * LINES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_of_many_parts_comes_and_goes_and_small_runs_are_done_meanwhile() {
    let packs = packs();
    let world = world(&packs).await;
    let id = beside(&world, &many(), false).await;
    let delete = line(1, "delete", &json!({ "id": format!("{id}-1") }));
    beside(&world, &json!({ "productOrderItem": [delete] }), false).await;
    assert_eq!(count(&world, "service", "state=terminated").await, LINES + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_order_survives_kills_while_it_is_written() {
    let packs = packs();
    let mut world = world(&packs).await;
    let id = world.submit(&lines()).await;
    for _ in 0..3 {
        let looked = format!("/orchestration/v1/fulfilments/{id}");
        world.http.get(&looked).await;
        world.kill().await;
        world.restart().await;
    }
    world.completed(&id).await;
    assert_eq!(count(&world, "product", "status=active").await, LINES);
}
