//! What a customer's orders share: they agree on it, and one waits for the other that makes it.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Settings, World, text};

const FULFILMENTS: &str = "/orchestration/v1/fulfilments";

const CATALOG: &str = r#"{
  "productOffering": [
    { "id": "PO-A", "name": "A", "productSpecification": { "id": "PS-A" } }
  ],
  "productSpecification": [
    { "id": "PS-A", "name": "A",
      "serviceSpecification": [{ "id": "RFS-OWN" }, { "id": "RFS-ROUTER" }],
      "productSpecCharacteristic": [
        { "name": "stuck", "valueType": "boolean",
          "productSpecCharacteristicValue": [{ "value": false, "isDefault": true }, { "value": true }] },
        { "name": "speed", "valueType": "number",
          "productSpecCharacteristicValue": [{ "value": 1, "isDefault": true }, { "value": 2 }] }
      ] }
  ],
  "serviceSpecification": [
    { "id": "RFS-OWN", "name": "Own", "@type": "ResourceFacingServiceSpecification" },
    { "id": "RFS-ROUTER", "name": "Router", "@type": "ResourceFacingServiceSpecification",
      "specCharacteristic": [{ "name": "speed", "valueType": "number" }] }
  ]
}"#;

const WORKFLOWS: &str = "
workflows:
  - workflow: own
    steps:
      - { step: do, plugin: noop }
  - workflow: router
    steps:
      - { step: build, plugin: noop, input: { x: '=product.char.stuck ? order.none : 1' } }
";

const RULES: &str = "
deliver:
  - { spec: RFS-OWN, workflow: own }
  - { spec: RFS-ROUTER, workflow: router, scope: customer }
";

async fn world() -> (World, TempDir) {
    let packs = tempfile::tempdir().unwrap();
    let files = [
        ("pack.yaml", "pack: shared\n"),
        ("catalog.json", CATALOG),
        ("workflows.yaml", WORKFLOWS),
        ("rules.yaml", RULES),
    ];
    std::fs::create_dir(packs.path().join("shared")).unwrap();
    for (name, text) in files {
        std::fs::write(packs.path().join("shared").join(name), text).unwrap();
    }
    let settings = Settings { workflows: Some(packs.path().into()), ..Settings::default() };
    (World::with(settings).await, packs)
}

/// An order of the customer: each item has an action, the id of its product, and characteristics.
fn order(items: &[(&str, Option<&str>, Value)]) -> Value {
    let items = items.iter().enumerate().map(|(index, (action, product, values))| {
        let values = values.as_object().unwrap().iter();
        let values = values.map(|(name, value)| json!({ "name": name, "value": value }));
        let mut subject = json!({ "productCharacteristic": values.collect::<Vec<_>>() });
        if let Some(product) = product {
            subject["id"] = json!(product);
        }
        json!({
            "id": (index + 1).to_string(), "action": action,
            "productOffering": { "id": "PO-A" }, "product": subject,
        })
    });
    json!({
        "relatedParty": [{ "id": "C-1", "role": "Customer" }],
        "productOrderItem": items.collect::<Vec<_>>(),
    })
}

fn add(values: Value) -> Value {
    order(&[("add", None, values)])
}

async fn post(world: &World, path: &str, body: &Value) -> Value {
    let answer = world.http.post(path, body).await;
    assert!(answer.status < 300, "{path}: {}", answer.text);
    answer.body
}

async fn routers(world: &World) -> Vec<Value> {
    let books = world.books().await;
    let routers = books.of("service").values().filter(|service| {
        service["serviceSpecification"]["id"] == "RFS-ROUTER" && service["state"] == "active"
    });
    routers.cloned().collect()
}

#[tokio::test]
async fn an_order_does_not_change_what_another_product_shares() {
    let (world, _packs) = world().await;
    let first = world.submit(&add(json!({}))).await;
    world.completed(&first).await;
    let second = world.submit(&add(json!({}))).await;
    world.completed(&second).await;
    let before = routers(&world).await;
    assert_eq!(before.len(), 1);
    let (one, other) = (format!("{first}-1"), format!("{second}-1"));
    let refused = [
        (order(&[("modify", Some(&one), json!({ "speed": 2 }))]), "1", &other),
        (order(&[("modify", Some(&other), json!({ "speed": 2 }))]), "1", &one),
        (add(json!({ "speed": 2 })), "1", &one),
    ];
    for (refused, item, by) in &refused {
        let id = world.submit(refused).await;
        assert_eq!(world.ended(&id).await.end, "rejected");
        let shown = world.order("productOrder", &id).await;
        let error = &shown["productOrderErrorMessage"][0];
        assert_eq!(error["code"], "DECOMP_CONFLICT", "{error:#}");
        let told = error.to_string();
        for part in [
            &format!("item `{item}`"),
            "productOrderItem[0].product.productCharacteristic",
            "`speed`",
            "would be 2 and is 1",
            &format!("the product `{by}`"),
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(routers(&world).await, before, "nothing changes");
    }
    let both = order(&[
        ("modify", Some(&one), json!({ "speed": 2 })),
        ("modify", Some(&other), json!({ "speed": 2 })),
    ]);
    let both = world.submit(&both).await;
    world.completed(&both).await;
    let now = routers(&world).await;
    assert_eq!((now.len(), &now[0]["serviceCharacteristic"][0]["value"]), (1, &json!(2)));
}

/// The first order of a customer makes what the second shares. It waits, through a crash, and is
/// planned by itself when the first has ended, in whichever way.
#[tokio::test]
async fn an_order_waits_for_another_that_makes_what_it_shares() {
    for way in ["complete", "cancel"] {
        let (mut world, _packs) = world().await;
        let first = world.submit(&add(json!({ "stuck": true }))).await;
        world.held(&first).await;
        let second = world.submit(&add(json!({}))).await;
        assert_eq!(world.order("productOrder", &second).await["state"], "pending");
        let shown = world.http.get(&format!("{FULFILMENTS}/{second}")).await;
        assert_eq!(shown["waitsFor"], json!([first]), "{shown:#}");
        // A retry does not help it, and harms nothing.
        world.retry(&second).await;
        world.kill().await;
        world.restart().await;
        assert_eq!(world.order("productOrder", &second).await["state"], "pending");
        if way == "complete" {
            let task = json!({ "task": "RFS-ROUTER.build" });
            post(&world, &format!("{FULFILMENTS}/{first}/complete"), &task).await;
            world.completed(&first).await;
        } else {
            let cancel = json!({ "productOrder": { "id": first } });
            post(&world, tmf::table::path("cancelProductOrder"), &cancel).await;
            assert_eq!(world.ended(&first).await.end, "cancelled");
        }
        world.completed(&second).await;
        let routers = routers(&world).await;
        let maker = if way == "complete" { &first } else { &second };
        assert_eq!(routers.len(), 1, "{way}: {routers:#?}");
        assert!(text(&routers[0]["id"]).starts_with(maker.as_str()), "{way}: {routers:#?}");
        // What was done by hand, though its input could not be made, locks nothing.
        let end = order(&[("delete", Some(&format!("{second}-1")), json!({}))]);
        world.completed(&world.submit(&end).await).await;
        if way == "complete" {
            let end = order(&[("delete", Some(&format!("{first}-1")), json!({}))]);
            world.completed(&world.submit(&end).await).await;
        }
        assert_eq!(self::routers(&world).await.len(), 0, "{way}");
    }
}

/// Of many orders at once all complete, and share one.
#[tokio::test]
async fn the_first_orders_of_a_customer_at_once_share_what_one_of_them_makes() {
    let (world, _packs) = world().await;
    let orders: Vec<Value> = (0..8).map(|_| add(json!({}))).collect();
    let all = futures_util::future::join_all(orders.iter().map(|order| world.submit(order))).await;
    for id in &all {
        world.completed(id).await;
    }
    assert_eq!(routers(&world).await.len(), 1);
    let ends: Vec<String> = all.iter().map(|id| format!("{id}-1")).collect();
    let ends: Vec<_> = ends.iter().map(|id| ("delete", Some(id.as_str()), json!({}))).collect();
    let id = world.submit(&order(&ends)).await;
    world.completed(&id).await;
    assert_eq!(routers(&world).await.len(), 0);
}

/// What an order waits for comes to nothing: it is held by name until an operator decides.
#[tokio::test]
async fn an_order_whose_other_comes_to_nothing_is_held_until_an_operator_decides() {
    let (mut world, _packs) = world().await;
    for (way, end) in [("cancel", "cancelled"), ("giveUp", "failed")] {
        let first = world.submit(&add(json!({ "stuck": true }))).await;
        world.held(&first).await;
        let mut followers = Vec::new();
        for _ in 0..2 {
            let mut follower = add(json!({}));
            follower["relatedParty"][0]["id"] = json!("C-2");
            follower["orderRelationship"] =
                json!([{ "relationshipType": "dependency", "id": first }]);
            followers.push(world.submit(&follower).await);
        }
        let path = match way {
            "cancel" => tmf::table::path("cancelProductOrder").to_string(),
            _ => format!("{FULFILMENTS}/{first}/giveUp"),
        };
        let body = match way {
            "cancel" => json!({ "productOrder": { "id": first } }),
            _ => json!({ "item": "1" }),
        };
        post(&world, &path, &body).await;
        assert_eq!(world.ended(&first).await.end, end);
        for follower in &followers {
            let told = world.held(follower).await.to_string();
            assert!(told.contains("ORDER_NOT_COMPLETED") && told.contains(&first), "{told}");
            let shown = world.order("productOrder", follower).await;
            assert_eq!(shown["productOrderErrorMessage"][0]["code"], "ORDER_NOT_COMPLETED");
        }
        world.kill().await;
        world.restart().await;
        let [one, other] = &followers[..] else { panic!("two") };
        world.held(one).await;
        world.retry(one).await;
        world.completed(one).await;
        let cancel = json!({ "productOrder": { "id": other } });
        post(&world, tmf::table::path("cancelProductOrder"), &cancel).await;
        assert_eq!(world.ended(other).await.end, "cancelled");
    }
}
