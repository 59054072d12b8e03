//! `ferrule rules test` and `rules plan --after`: the examples of packs are their tests, changes of what
//! other orders make included.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Output, ferrule, repository};

/// A line with a port of a pool, and a lamp for those who want one.
const CATALOG: &str = r#"{
  "productOffering": [
    { "id": "PO-LINE", "name": "Line", "productSpecification": { "id": "PS-LINE" } }
  ],
  "productSpecification": [
    {
      "id": "PS-LINE",
      "name": "Line",
      "productSpecCharacteristic": [
        {
          "name": "speed",
          "valueType": "number",
          "productSpecCharacteristicValue": [{ "value": 100, "isDefault": true }, { "value": 200 }]
        },
        {
          "name": "lamp",
          "valueType": "boolean",
          "productSpecCharacteristicValue": [{ "value": true }, { "value": false, "isDefault": true }]
        }
      ],
      "serviceSpecification": [{ "id": "RFS-PORT" }, { "id": "RFS-LAMP" }]
    }
  ],
  "serviceSpecification": [
    {
      "id": "RFS-PORT",
      "@type": "ResourceFacingServiceSpecification",
      "name": "Port",
      "specCharacteristic": [{ "name": "speed", "valueType": "number" }],
      "resourceSpecification": [{ "id": "RS-PORT" }]
    },
    { "id": "RFS-LAMP", "@type": "ResourceFacingServiceSpecification", "name": "Lamp" }
  ],
  "resourceSpecification": [
    {
      "id": "RS-PORT",
      "@type": "LogicalResourceSpecification",
      "name": "Port",
      "resourceSpecCharacteristic": [{ "name": "port", "valueType": "string" }]
    }
  ]
}
"#;

const RULES: &str = "decompose:
  - rule: a lamp when asked for
    from: PS-LINE
    to: RFS-LAMP
    when: item.char.lamp
deliver:
  - { spec: RFS-PORT, workflow: port }
  - { spec: RFS-LAMP, workflow: lamp, needs: [RFS-PORT] }
";

const WORKFLOWS: &str = "workflows:
  - workflow: port
    steps:
      - { step: take, plugin: pool-allocator, input: { pool: ports, name: port } }
      - { step: light, plugin: noop, input: { port: =steps.take.port, speed: =item.char.speed } }
  - workflow: lamp
    steps:
      - { step: hang, plugin: noop, input: { port: '=upstream[\"RFS-PORT\"].port' } }
";

const POOLS: &str = "pools:
  - { pool: ports, resource: RS-PORT, characteristic: port, values: 'port-{1..3}' }
";

/// A folder with the pack `mine`, and in it an order with a change of what it makes.
struct Mine {
    folder: TempDir,
}

impl Mine {
    fn new() -> Self {
        let mine = Self { folder: tempfile::tempdir().unwrap() };
        for (file, text) in [
            ("pack.yaml", "pack: mine\n"),
            ("catalog.json", CATALOG),
            ("rules.yaml", RULES),
            ("workflows.yaml", WORKFLOWS),
            ("pools.yaml", POOLS),
        ] {
            mine.write(file, text);
        }
        mine.write("orders/line.json", &add(&[]).to_string());
        let lamp = json!([{ "name": "lamp", "value": true }]);
        let lamp = change("modify", "line-1", &json!({ "productCharacteristic": lamp }));
        mine.write("orders/changes/lamp.json", &lamp.to_string());
        mine
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join("mine").join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    async fn test(&self, more: &[&str]) -> Output {
        let mut all = vec!["rules", "test", self.folder.path().to_str().unwrap()];
        all.extend(more);
        ferrule(&all).await
    }

    async fn plan(&self, order: &str, after: &[&str]) -> Output {
        let folder = self.folder.path().to_str().unwrap();
        let text = |file: &str| self.path(file).to_str().unwrap().to_string();
        let mut all = vec!["rules".into(), "plan".into(), folder.into(), text(order)];
        for one in after {
            all.extend(["--after".into(), text(one)]);
        }
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        ferrule(&all).await
    }
}

fn add(characteristics: &[(&str, Value)]) -> Value {
    let all = characteristics.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    let all: Vec<Value> = all.collect();
    json!({ "productOrderItem": [{
        "id": "1", "action": "add", "productOffering": { "id": "PO-LINE" },
        "product": { "productCharacteristic": all },
    }] })
}

fn change(action: &str, instance: &str, product: &Value) -> Value {
    let mut product = product.clone();
    product["id"] = instance.into();
    json!({ "productOrderItem": [{ "id": "1", "action": action, "product": product }] })
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_string()
}

#[tokio::test]
async fn plans_are_written_once_and_then_hold() {
    let mine = Mine::new();
    let none = mine.test(&[]).await;
    assert_eq!(none.code, Some(1), "{}", none.out);
    for plan in ["orders/line.plan", "orders/changes/lamp.plan"] {
        let told = format!("{}: there is none", mine.path(plan).display());
        assert!(none.out.contains(&told), "{told}: {}", none.out);
        assert!(!mine.path(plan).exists(), "{plan} is not asked for");
    }
    assert!(none.err.contains("2 of 2 orders are wrong"), "{}", none.err);

    let written = mine.test(&["--write"]).await;
    assert_eq!(written.code, Some(0), "{}", written.err);
    assert_eq!(written.out.matches(" is written").count(), 2, "{}", written.out);
    let plan = mine.read("orders/changes/lamp.plan");
    for line in ["noChange RFS-PORT", "add RFS-LAMP", "task hang by noop"] {
        assert!(plan.contains(line), "{line}: {plan}");
    }

    for more in [&[][..], &["--write"]] {
        let good = mine.test(more).await;
        assert_eq!(good.code, Some(0), "{}", good.err);
        assert_eq!(good.out, "2 orders become the plans next to them\n");
    }
}

#[tokio::test]
async fn the_shipped_packs_become_their_plans() {
    let workflows = repository().join("workflows");
    let mut orders = 0;
    for pack in std::fs::read_dir(&workflows).unwrap() {
        for folder in ["orders", "orders/changes"] {
            let folder = pack.as_ref().unwrap().path().join(folder);
            let files = std::fs::read_dir(folder).into_iter().flatten();
            orders += files
                .filter(|file| name(&file.as_ref().unwrap().path()).ends_with(".json"))
                .count();
        }
    }
    assert!(orders > 20, "{orders} orders");
    let output = ferrule(&["rules", "test", workflows.to_str().unwrap()]).await;
    assert_eq!(output.code, Some(0), "{}{}", output.out, output.err);
    assert_eq!(output.out, format!("{orders} orders become the plans next to them\n"));
}

#[tokio::test]
async fn a_plan_that_differs_is_shown_at_its_first_line() {
    let mine = Mine::new();
    mine.test(&["--write"]).await;
    let right = mine.read("orders/changes/lamp.plan");
    let wrong = right.replace("add RFS-LAMP", "delete RFS-LAMP");
    assert_ne!(wrong, right);
    mine.write("orders/changes/lamp.plan", &wrong);
    let at = right.lines().position(|line| line.contains("add RFS-LAMP")).unwrap() + 1;

    let found = mine.test(&[]).await;
    assert_eq!(found.code, Some(1), "{}", found.out);
    let told =
        format!("{}: differs from line {at}", mine.path("orders/changes/lamp.plan").display());
    for told in [&told, "delete RFS-LAMP", "+     add RFS-LAMP"] {
        assert!(found.out.contains(told), "{told}: {}", found.out);
    }
    assert!(!found.out.contains("line.plan"), "the other is right: {}", found.out);
    assert!(found.err.contains("1 of 2 orders are wrong"), "{}", found.err);
    assert_eq!(mine.read("orders/changes/lamp.plan"), wrong, "it is shown, and not written");

    // A rule that changes shows in the same way.
    mine.test(&["--write"]).await;
    assert_eq!(mine.read("orders/changes/lamp.plan"), right);
    mine.write("rules.yaml", &RULES.replace("item.char.lamp", "item.char.speed == 200"));
    let other = mine.test(&[]).await;
    assert_eq!(other.code, Some(1), "{}", other.out);
    assert!(other.out.contains("lamp.plan: differs from line"), "{}", other.out);
}

#[tokio::test]
async fn a_plan_without_an_order_is_found() {
    let mine = Mine::new();
    mine.test(&["--write"]).await;
    for left in ["orders/old.plan", "orders/changes/old.plan"] {
        mine.write(left, "items\n");
        let found = mine.test(&[]).await;
        assert_eq!(found.code, Some(1), "{}", found.out);
        let told = format!("{}: there is no order of this plan", mine.path(left).display());
        assert!(found.out.contains(&told), "{told}: {}", found.out);
        std::fs::remove_file(mine.path(left)).unwrap();
    }
}

/// Orders that have no plan, by what has to be said of them.
#[tokio::test]
async fn orders_that_have_no_plan_are_told_with_their_file() {
    let unknown = add(&[("colour", json!("red"))]);
    let absent = change("delete", "elsewhere-1", &json!({}));
    let wrong: [(&str, &str, &str); 5] = [
        (
            "orders/broken.json",
            "{\n  \"productOrderItem\": [\n    {,}\n  ]\n}\n",
            "line 3 column 6",
        ),
        ("orders/none.json", "[]", "none.json: "),
        ("orders/unknown.json", &unknown.to_string(), "CHARACTERISTIC_UNKNOWN"),
        ("orders/changes/absent.json", &absent.to_string(), "has no product `elsewhere-1`"),
        ("orders/changes/broken.json", "{", "line 1 column 1"),
    ];
    for (file, text, told) in wrong {
        let mine = Mine::new();
        mine.test(&["--write"]).await;
        mine.write(file, text);
        for more in [&[][..], &["--write"]] {
            let found = mine.test(more).await;
            assert_eq!(found.code, Some(1), "{file}: {}", found.out);
            let place = format!("{}: ", mine.path(file).display());
            assert!(found.out.contains(&place), "{place}: {}", found.out);
            assert!(found.out.contains(told), "{told}: {}", found.out);
            assert!(found.err.contains("1 of 3 orders are wrong"), "{}", found.err);
            assert!(!mine.path(file).with_extension("plan").exists(), "{file} has no plan");
        }
    }
}

#[tokio::test]
async fn a_pack_with_a_mistake_is_not_tested() {
    let mine = Mine::new();
    mine.write("rules.yaml", &RULES.replace("item.char.lamp", "itm.char.lamp"));
    for output in [mine.test(&[]).await, mine.plan("orders/line.json", &[]).await] {
        assert_eq!(output.code, Some(1), "{}", output.out);
        assert_eq!(output.out, "");
        assert!(output.err.contains("rules.yaml:5:11: unknown variable `itm`"), "{}", output.err);
    }
}

#[tokio::test]
async fn a_wrong_command_ends_with_2_and_help_with_0() {
    let mine = Mine::new();
    let folder = mine.folder.path().to_str().unwrap();
    let text = |file: &str| mine.path(file).to_str().unwrap().to_string();
    let (order, lamp) = (text("orders/line.json"), text("orders/changes/lamp.json"));
    let (gone, gone_change) = (text("orders/gone.json"), text("orders/changes/gone.json"));
    for wrong in [
        &["rules", "test", "/nowhere"][..],
        &["rules", "test", "--what"],
        &["rules", "test", folder, "more"],
        &["rules", "plan", folder],
        &["rules", "plan", folder, &gone],
        &["rules", "plan", folder, &gone_change],
        &["rules", "plan", folder, &lamp, "--after", &gone],
        &["rules", "plan", folder, &lamp, "--after"],
        &["rules", "plan", folder, &lamp, "--after", &order, "--workflow", "lamp"],
        &["rules", "plan", "/nowhere", &order],
    ] {
        let output = ferrule(wrong).await;
        assert_eq!(output.code, Some(2), "{wrong:?}: {}{}", output.out, output.err);
        assert_ne!(output.err, "", "{wrong:?}");
    }
    let empty = Mine::new();
    std::fs::remove_dir_all(empty.path("orders")).unwrap();
    let none = empty.test(&[]).await;
    assert_eq!(none.code, Some(1), "{}", none.out);
    assert!(none.err.contains("there are no orders"), "{}", none.err);
    for (command, told) in [("test", "--write"), ("plan", "--after <ORDER>")] {
        let help = ferrule(&["rules", command, "--help"]).await;
        assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
        assert!(help.out.contains(told), "{}", help.out);
    }
}

#[tokio::test]
async fn a_change_is_planned_after_the_orders_that_it_is_about() {
    let mine = Mine::new();
    mine.test(&["--write"]).await;
    // In a folder `changes` the order is found by its name; elsewhere it is given.
    let known = mine.plan("orders/changes/lamp.json", &[]).await;
    assert_eq!(known.code, Some(0), "{}", known.err);
    assert_eq!(known.out, mine.read("orders/changes/lamp.plan"));
    mine.write("lamp.json", &mine.read("orders/changes/lamp.json"));
    let given = mine.plan("lamp.json", &["orders/line.json"]).await;
    assert_eq!((given.code, &given.out), (Some(0), &known.out), "{}", given.err);
    let alone = mine.plan("lamp.json", &[]).await;
    assert_eq!(alone.code, Some(1), "{}", alone.out);
    assert!(alone.err.contains("product `line-1`; give that with `--after`"), "{}", alone.err);

    // Several go one after the other: a change too is what the next is about.
    mine.write("end.json", &change("delete", "line-1", &json!({})).to_string());
    let end = mine.plan("end.json", &["orders/line.json", "lamp.json"]).await;
    assert_eq!(end.code, Some(0), "{}", end.err);
    for line in ["delete PS-LINE", "delete RFS-PORT", "delete RFS-LAMP"] {
        assert!(end.out.contains(line), "{line}: {}", end.out);
    }
    // The lamp goes before the port that it needed.
    let tasks = end.out.split_once("tasks\n").unwrap().1;
    let at = |task: &str| tasks.lines().position(|line| line.trim().starts_with(task)).unwrap();
    assert!(at("RFS-LAMP.hang") < at("RFS-PORT.take"), "{tasks}");
    let after_end = mine.plan("lamp.json", &["orders/line.json", "end.json"]).await;
    assert_eq!(after_end.code, Some(1), "{}", after_end.out);
    assert!(after_end.err.contains("INSTANCE_STATE"), "{}", after_end.err);

    // The plan is what a second order of the same becomes, too: nothing is left of a run before.
    let again = mine.plan("orders/changes/lamp.json", &[]).await;
    assert_eq!(again.out, known.out);
}

#[tokio::test]
async fn an_order_that_does_not_complete_before_another_is_told() {
    let mine = Mine::new();
    mine.write("pools.yaml", &POOLS.replace("{1..3}", "{1..1}"));
    mine.write("second.json", &add(&[]).to_string());
    let found = mine.plan("orders/changes/lamp.json", &["second.json", "orders/line.json"]).await;
    assert_eq!(found.code, Some(1), "{}", found.out);
    for told in ["line.json` does not complete", "RFS-PORT.take", "POOL_EXHAUSTED"] {
        assert!(found.err.contains(told), "{told}: {}", found.err);
    }
    let refused = mine.plan("second.json", &["orders/changes/lamp.json"]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    for told in ["lamp.json` does not complete", "has no product `line-1`"] {
        assert!(refused.err.contains(told), "{told}: {}", refused.err);
    }
}
