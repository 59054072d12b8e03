//! A decomposer plugin that takes long delays only the order that asks it.

use serde_json::{Value, json};

use crate::plugin::Folders;
use crate::plugin::guest::{guest, with_world};
use crate::world::{Settings, World, eventually};

const PACK: &str = "pack: answers\n";

const CATALOG: &str = r#"{
  "serviceSpecification": [
    {
      "id": "CFS-ANSWER",
      "@type": "CustomerFacingServiceSpecification",
      "name": "Answer",
      "specCharacteristic": [{ "name": "sleepMs", "valueType": "number" }]
    },
    {
      "id": "CFS-ANSWER-A",
      "@type": "ResourceFacingServiceSpecification",
      "name": "Part",
      "specCharacteristic": [{ "name": "sleepMs", "valueType": "number" }]
    },
    { "id": "CFS-ANSWER-B", "@type": "ResourceFacingServiceSpecification", "name": "Part" }
  ]
}"#;

const RULES: &str = "\
decompose:
  - { rule: ask, from: CFS-ANSWER, plugin: answer }
deliver:
  - { spec: CFS-ANSWER-A, workflow: answer-part }
  - { spec: CFS-ANSWER-B, workflow: answer-part }
";

const WORKFLOWS: &str = "\
workflows:
  - workflow: answer-part
    steps:
      - { step: do, plugin: noop }
";

/// Longer than the test takes, so that the plugin is stopped at its limit.
const SLEEP_MS: u32 = 600_000;

const GRANTS: &str = "
[plugins.answer]
limits = { wall-ms = 20000 }
";

fn order(sleep_ms: u32) -> Value {
    json!({ "serviceOrderItem": [{
        "id": "1", "action": "add",
        "service": {
            "serviceSpecification": { "id": "CFS-ANSWER" },
            "serviceCharacteristic": [{ "name": "sleepMs", "value": sleep_ms }],
        },
    }] })
}

async fn world() -> World {
    let folders = Folders::new().await;
    let pack = folders.workflows().join("answers");
    std::fs::create_dir(&pack).unwrap();
    for (file, text) in [
        ("pack.yaml", PACK),
        ("catalog.json", CATALOG),
        ("rules.yaml", RULES),
        ("workflows.yaml", WORKFLOWS),
    ] {
        std::fs::write(pack.join(file), text).unwrap();
    }
    folders.drop_in("answer.wasm", &with_world(&guest("pure"), "answer", "decomposer"));
    World::with(Settings {
        plugins: Some(folders.plugins()),
        workflows: Some(folders.workflows()),
        tail: GRANTS.into(),
        ..Settings::default()
    })
    .await
}

/// The instances of plugins that calls have now.
async fn instances(world: &World) -> u64 {
    let metrics = world.http.send("GET", "/metrics", &[], "").await.unwrap().text;
    let line = metrics.lines().find_map(|line| line.strip_prefix("ferrule_plugin_instances "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_slow_decomposer_delays_no_other_order() {
    let world = world().await;
    let path = tmf::table::path("serviceOrder");
    let http = world.http.clone();
    let slow = tokio::spawn(async move { http.post(path, &order(SLEEP_MS)).await });
    let is_asked = async || (instances(&world).await > 0).then_some(());
    eventually("the plugin is asked", is_asked).await;
    for _ in 0..3 {
        let quick = world.http.post(path, &order(0)).await;
        assert_eq!(quick.status, 201, "{}", quick.text);
        world.completed(quick.body["id"].as_str().unwrap()).await;
    }
    assert!(!slow.is_finished(), "the plugin is still asked");
    let slow = slow.await.unwrap();
    assert_eq!(slow.status, 201, "{}", slow.text);
    let held = world.held(slow.body["id"].as_str().unwrap()).await;
    assert_eq!(held["failures"][0]["code"], "PLUGIN_TIMEOUT", "{held:#}");
}
