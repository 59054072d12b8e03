//! What waits for what: items for items, orders for orders, and orders without a plan for what they
//! lack.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Settings, World, plugins_dir};

const CATALOG: &str = r#"{
  "productOffering": [
    { "id": "PO-HUB", "name": "Hub", "productSpecification": { "id": "PS-HUB" } },
    { "id": "PO-TAIL", "name": "Tail", "productSpecification": { "id": "PS-TAIL" } },
    { "id": "PO-ODD", "name": "Odd", "productSpecification": { "id": "PS-ODD" } }
  ],
  "productSpecification": [
    { "id": "PS-HUB", "name": "Hub", "serviceSpecification": [{ "id": "CFS-HUB" }] },
    { "id": "PS-TAIL", "name": "Tail", "serviceSpecification": [{ "id": "CFS-TAIL" }],
      "productSpecCharacteristic": [{ "name": "odd", "valueType": "boolean" }] },
    { "id": "PS-ODD", "name": "Odd", "serviceSpecification": [{ "id": "RFS-ODD" }] }
  ],
  "serviceSpecification": [
    { "id": "CFS-HUB", "name": "Hub", "@type": "CustomerFacingServiceSpecification",
      "serviceSpecRelationship": [{ "relationshipType": "reliesOn", "id": "RFS-HUB" }] },
    { "id": "CFS-TAIL", "name": "Tail", "@type": "CustomerFacingServiceSpecification",
      "specCharacteristic": [{ "name": "odd", "valueType": "boolean" }],
      "serviceSpecRelationship": [{ "relationshipType": "reliesOn", "id": "RFS-TAIL" }] },
    { "id": "RFS-HUB", "name": "Hub port", "@type": "ResourceFacingServiceSpecification" },
    { "id": "RFS-TAIL", "name": "Tail", "@type": "ResourceFacingServiceSpecification" },
    { "id": "RFS-ODD", "name": "Odd", "@type": "ResourceFacingServiceSpecification" }
  ]
}"#;

const WORKFLOWS: &str = r#"
workflows:
  - workflow: hub
    steps:
      - { step: port, plugin: noop, input: { port: hub-7 } }
      - { step: open, plugin: noop, input: {} }
  - workflow: tail
    steps:
      - step: join
        plugin: noop
        input: { port: '="RFS-HUB" in upstream ? upstream["RFS-HUB"].port : "none"' }
  - workflow: odd
    steps:
      - { step: send, plugin: notifier, input: { template: hello, channel: sms, to: "1" } }
"#;

const RULES: &str = "
decompose:
  - { rule: odd, from: CFS-TAIL, to: RFS-ODD, when: has(item.char.odd) && item.char.odd }
deliver:
  - { spec: RFS-HUB, workflow: hub }
  - { spec: RFS-TAIL, workflow: tail }
";

const ODD: &str = "  - { spec: RFS-ODD, workflow: odd }\n";

fn write_rules(packs: &Path, rules: &str) {
    std::fs::write(packs.join("ties/rules.yaml"), rules).unwrap();
}

/// A world with one pack, whose rules and plugins can be changed, and the folders of both.
async fn world(rules: &str, without: &str) -> (World, TempDir, TempDir) {
    let (packs, plugins) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::create_dir(packs.path().join("ties")).unwrap();
    let files =
        [("pack.yaml", "pack: ties\n"), ("catalog.json", CATALOG), ("workflows.yaml", WORKFLOWS)];
    for (name, text) in files {
        std::fs::write(packs.path().join("ties").join(name), text).unwrap();
    }
    write_rules(packs.path(), rules);
    for entry in std::fs::read_dir(plugins_dir().await).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_file() && !name.starts_with(without) {
            std::fs::copy(&path, plugins.path().join(name)).unwrap();
        }
    }
    let settings = Settings {
        workflows: Some(packs.path().into()),
        plugins: Some(plugins.path().into()),
        ..Settings::default()
    };
    (World::with(settings).await, packs, plugins)
}

fn order(items: &[Value]) -> Value {
    json!({ "relatedParty": [{ "id": "C-1", "role": "Customer" }], "productOrderItem": items })
}

fn add(id: &str, offering: &str) -> Value {
    json!({ "id": id, "action": "add", "productOffering": { "id": offering } })
}

async fn post(world: &World, order: &Value) -> (u16, Value) {
    let answer = world.http.post(tmf::table::path("productOrder"), order).await;
    (answer.status, answer.body)
}

/// Submits an order that waits for another.
async fn after(world: &World, items: &[Value], other: &str) -> String {
    let mut waiting = order(items);
    waiting["orderRelationship"] = json!([{ "relationshipType": "dependency", "id": other }]);
    let (status, body) = post(world, &waiting).await;
    assert_eq!(status, 201, "{body}");
    let id = body["id"].as_str().unwrap().to_string();
    assert_eq!(world.order("productOrder", &id).await["state"], "pending");
    id
}

#[tokio::test]
async fn an_item_waits_for_the_item_that_it_relies_on_and_reads_its_outputs() {
    let (world, _packs, _plugins) = world(RULES, "-").await;
    let mut tail = add("1", "PO-TAIL");
    tail["productOrderItemRelationship"] = json!([{ "relationshipType": "reliesOn", "id": "2" }]);
    let story = {
        let id = world.submit(&order(&[tail.clone(), add("2", "PO-HUB")])).await;
        world.completed(&id).await
    };
    let done = story.positions("succeeded");
    assert!(done["RFS-HUB.open"] < done["RFS-TAIL.join"], "{story}");
    let join = story
        .events
        .iter()
        .find(|event| event["type"] == "succeeded" && event["task"] == "RFS-TAIL.join");
    assert_eq!(join.unwrap()["outputs"]["port"], "hub-7", "{story}");

    tail["productOrderItemRelationship"][0]["id"] = json!("1");
    let (status, body) = post(&world, &order(&[tail, add("2", "PO-HUB")])).await;
    assert_eq!(status, 422, "{body}");
    assert!(body.to_string().contains("productOrderItem[0].productOrderItemRelationship[0]"));
}

#[tokio::test]
async fn an_order_waits_for_another_through_a_crash_and_what_it_lacks_comes_by_itself() {
    let (mut world, _packs, plugins) = world(&format!("{RULES}{ODD}"), "notifier").await;
    let first = world.submit(&order(&[add("1", "PO-ODD")])).await;
    let held = world.held(&first).await;
    assert!(held.to_string().contains("PLUGIN_MISSING"), "{held:#}");
    let second = after(&world, &[add("1", "PO-TAIL")], &first).await;
    let third = after(&world, &[add("1", "PO-HUB")], &second).await;
    world.kill().await;
    world.restart().await;
    for waiting in [&second, &third] {
        assert_eq!(world.order("productOrder", waiting).await["state"], "pending");
    }
    let notifier = plugins_dir().await;
    let notifier = std::fs::read_dir(notifier).unwrap().map(|entry| entry.unwrap().path());
    let is_it = |path: &std::path::PathBuf| {
        path.is_file() && path.file_name().unwrap().to_str().unwrap().starts_with("notifier")
    };
    let notifier = notifier.into_iter().find(is_it).unwrap();
    std::fs::copy(&notifier, plugins.path().join(notifier.file_name().unwrap())).unwrap();
    for id in [&first, &second, &third] {
        world.completed(id).await;
    }
    // One that has completed long ago is waited for no more.
    let mut late = order(&[add("1", "PO-HUB")]);
    late["orderRelationship"] = json!([{ "relationshipType": "dependency", "id": first }]);
    world.completed(&world.submit(&late).await).await;
    late["orderRelationship"][0]["id"] = json!("unknown");
    let (status, body) = post(&world, &late).await;
    assert_eq!(status, 422, "{body}");
    assert!(body.to_string().contains("orderRelationship[0].id"), "{body}");
}

#[tokio::test]
async fn an_order_whose_other_is_cancelled_is_held_until_a_person_decides() {
    let (world, _packs, _plugins) = world(RULES, "-").await;
    let first = world.submit(&order(&[add("1", "PO-ODD")])).await;
    world.held(&first).await;
    let second = after(&world, &[add("1", "PO-TAIL")], &first).await;
    let cancel = json!({ "productOrder": { "id": first } });
    let answer = world.http.post(tmf::table::path("cancelProductOrder"), &cancel).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let held = world.held(&second).await;
    let told = held.to_string();
    assert!(told.contains("ORDER_NOT_COMPLETED") && told.contains(&first), "{held:#}");
    world.retry(&second).await;
    world.completed(&second).await;
}

#[tokio::test]
async fn orders_held_without_a_plan_are_planned_again() {
    let (mut world, packs, _plugins) = world(RULES, "-").await;
    let tail = world.submit(&order(&[add("1", "PO-TAIL")])).await;
    world.completed(&tail).await;
    let held = world.submit(&order(&[add("1", "PO-ODD")])).await;
    assert!(world.held(&held).await.to_string().contains("DECOMP_NO_RULE"));
    // A retry that changes nothing leaves it held.
    world.retry(&held).await;
    assert_eq!(world.order("productOrder", &held).await["state"], "held");
    // A change of a product that is held does not outlive the product.
    let product = format!("{tail}-1");
    let about = |action: &str, product_of: Value| {
        let mut item = add("1", "PO-TAIL");
        item["action"] = json!(action);
        item["product"] = product_of;
        order(&[item])
    };
    let odd = json!([{ "name": "odd", "value": true }]);
    let change = world
        .submit(&about("modify", json!({ "id": product, "productCharacteristic": odd })))
        .await;
    world.held(&change).await;
    let end = world.submit(&about("delete", json!({ "id": product }))).await;
    world.completed(&end).await;
    let story = world.ended(&change).await;
    assert_eq!(story.end, "rejected", "{story}");

    write_rules(packs.path(), &format!("{RULES}{ODD}"));
    world.kill().await;
    world.restart().await;
    world.completed(&held).await;
}
