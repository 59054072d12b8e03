//! Everything can be ended, and lines of an order fail on their own.

use serde_json::{Value, json};

use crate::world::{Settings, World, copied_packs, eventually, pack_order, text};

const FULFILMENTS: &str = "/orchestration/v1/fulfilments";

/// A device that the system refuses, at most `times` times.
fn no_device(times: u32) -> Value {
    json!({
        "element": "acs",
        "operation": "createDevice",
        "fault": "error",
        "rpcCode": -32602,
        "times": times,
    })
}

/// An order of as many sites.
fn sites(count: usize) -> Value {
    let mut order = pack_order("superfibre/gpon");
    let line = order["productOrderItem"][0].clone();
    let lines = (1..=count).map(|number| {
        let mut line = line.clone();
        line["id"] = json!(number.to_string());
        line["product"]["place"][0]["id"] = json!(format!("ADDR-{number}"));
        line
    });
    order["productOrderItem"] = lines.collect();
    order
}

async fn give_up(world: &World, id: &str, body: &Value) -> Value {
    let answer = world.http.post(&format!("{FULFILMENTS}/{id}/giveUp"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

/// How many pool values are reserved.
async fn reserved(world: &World) -> usize {
    let path = "/tmf-api/resourceInventoryManagement/v4/resource";
    world.http.total(&format!("{path}?resourceStatus=reserved")).await
}

/// F02: a step whose input cannot be made never ran, so there is nothing of it to undo.
#[tokio::test]
async fn an_order_whose_step_cannot_be_made_ends_and_leaves_nothing() {
    let world = World::start().await;
    let service = json!({
        "serviceSpecification": { "id": "RFS-VLAN" },
        "serviceCharacteristic": [{ "name": "vlanType", "value": "x" }],
    });
    let order = json!({ "serviceOrderItem": [{ "id": "1", "action": "add", "service": service }] });
    let path = "/tmf-api/serviceOrdering/v4/serviceOrder";
    let answer = world.http.post(path, &order).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let id = text(&answer.body["id"]);
    assert_eq!(world.ended(&id).await.end, "failed");
    let shown = world.http.get(&format!("{path}/{id}")).await;
    assert_eq!(shown["state"], "failed", "{shown:#}");
    assert_eq!(shown["errorMessage"][0]["code"], "STEP_INPUT");
    assert_eq!(reserved(&world).await, 0, "no value leaks");
    let gone = world.http.send("DELETE", &format!("{path}/{id}"), &[], "").await.unwrap();
    assert_eq!(gone.status, 204, "{}", gone.text);
}

/// F22: a run is cancelled as an order is.
#[tokio::test]
async fn a_run_is_cancelled_and_then_removed() {
    let packs = copied_packs("bench/workflows.yaml", |text| {
        let held = "input: { a: '=input.none' }";
        format!(
            "{text}\n  - workflow: timed\n    steps:\n      - {{ step: one, plugin: noop, input: {{ \
             a: 1 }}, not-before: input.at }}\n  - workflow: stuck\n    steps:\n      - {{ step: \
             one, plugin: noop, {held} }}\n"
        )
    });
    let workflows = Some(packs.path().to_path_buf());
    let world = World::with(Settings { workflows, ..Settings::default() }).await;
    for workflow in ["timed", "stuck"] {
        let input = json!({ "at": "9999-12-31T23:59:59Z" });
        let runs = format!("/orchestration/v1/workflows/{workflow}/runs");
        let answer = world.http.post(&runs, &input).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let path = format!("/orchestration/v1/runs/{}", text(&answer.body["id"]));
        let cancel = format!("{path}/cancel");
        let wrong = world.http.post(&cancel, &json!({ "why": "mistake" })).await;
        assert_eq!(wrong.status, 400, "{}", wrong.text);
        let answer = world.http.post(&cancel, &json!({ "reason": "a mistake" })).await;
        assert_eq!(answer.status, 200, "{workflow}: {}", answer.text);
        world.ended(&text(&answer.body["id"])).await;
        assert_eq!(world.http.get(&path).await["state"], "cancelled", "{workflow}");
        let gone = world.http.send("DELETE", &path, &[], "").await.unwrap();
        assert_eq!(gone.status, 204, "{}", gone.text);
    }
}

/// N2, N9: one refused site is rolled back; the others are active and billed.
#[tokio::test]
async fn one_refused_site_does_not_undo_the_others() {
    let world = World::start().await;
    world.network.fail(json!([no_device(1)])).await;
    let id = world.submit(&sites(5)).await;
    assert_eq!(world.ended(&id).await.end, "partial");
    let order = world.order("productOrder", &id).await;
    assert_eq!(order["state"], "partial");
    let items = order["productOrderItem"].as_array().unwrap();
    let failed: Vec<&Value> = items.iter().filter(|item| item["state"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{order:#}");
    let completed = items.iter().filter(|item| item["state"] == "completed").count();
    assert_eq!(completed, 4, "{order:#}");
    let line = &failed[0]["id"];
    for message in [&failed[0]["errorMessage"][0], &order["productOrderErrorMessage"][0]] {
        assert_eq!(message["code"], "ELEMENT_REFUSED", "{message:#}");
        assert_eq!(message["item"], *line, "{message:#}");
        assert_eq!(message["element"], "acs", "{message:#}");
        assert!(text(&message["referenceError"]).contains('.'), "it names the task: {message:#}");
    }
    let fulfilment = world.http.get(&format!("{FULFILMENTS}/{id}")).await;
    let failure = &fulfilment["failures"][0];
    assert_eq!(failure["lines"], json!([line]), "{fulfilment:#}");
    assert_eq!(failure["code"], "ELEMENT_REFUSED");
    let books = world.books().await;
    for product in books.products(&id) {
        let is_failed = product["productOrderItem"][0]["orderItemId"] == *line;
        let status = if is_failed { "aborted" } else { "active" };
        assert_eq!(product["status"], status, "{product:#}");
        let charges = books.charges(&text(&product["id"]));
        assert_eq!(charges.is_empty(), is_failed, "charges follow delivery: {product:#}");
    }
    let twice: Vec<_> = books.effects.iter().filter(|effect| effect.applied > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// Of a product whose order was partial can be said what can be said of any.
#[tokio::test]
async fn products_of_a_partial_order_can_be_ended() {
    let world = World::start().await;
    world.network.fail(json!([no_device(1)])).await;
    let id = world.submit(&sites(2)).await;
    assert_eq!(world.ended(&id).await.end, "partial");
    let books = world.books().await;
    let active = books.products(&id).into_iter().find(|product| product["status"] == "active");
    let product = text(&active.unwrap()["id"]);
    let line = json!({ "id": "1", "action": "delete", "product": { "id": product } });
    let second = world.submit(&json!({ "productOrderItem": [line] })).await;
    world.completed(&second).await;
    let books = world.books().await;
    assert!(books.state.is_empty(), "{:#?}", books.state);
    assert_eq!(reserved(&world).await, 0);
}

/// A held step holds its line alone, which is given up; the other line is delivered.
#[tokio::test]
async fn an_item_is_given_up() {
    let world = World::start().await;
    let busy = json!({
        "element": "acs", "operation": "createDevice", "fault": "async", "delayMs": 600_000,
        "times": 1,
    });
    world.network.fail(json!([busy])).await;
    let id = world.submit(&sites(2)).await;
    let waits = |task: &&Value| task["state"] == "waiting";
    let now = world
        .until(&id, "one site waits and the other is done", |now| {
            let tasks = now["tasks"].as_array().unwrap();
            let open = tasks.iter().filter(|task| task["state"] != "done");
            tasks.iter().filter(waits).count() == 1 && open.count() < 8
        })
        .await;
    let task = now["tasks"].as_array().unwrap().iter().find(waits).unwrap();
    let nothing = world.http.post(&format!("{FULFILMENTS}/{id}/giveUp"), &json!({})).await;
    assert_eq!(nothing.status, 400, "{}", nothing.text);
    let unknown = json!({ "item": "7" });
    let unknown = world.http.post(&format!("{FULFILMENTS}/{id}/giveUp"), &unknown).await;
    assert_eq!(unknown.status, 422, "{}", unknown.text);
    let asked = json!({ "task": task["name"], "by": "ops", "reason": "no such device" });
    give_up(&world, &id, &asked).await;
    // The element is still at it and lets nothing be removed: that is given up too.
    let held = world.held(&id).await;
    let stuck = held["tasks"].as_array().unwrap().iter().find(|task| task["state"] == "stuck");
    assert_eq!(stuck.unwrap()["name"], task["name"], "{held:#}");
    give_up(&world, &id, &asked).await;
    assert_eq!(world.ended(&id).await.end, "partial");
    let journal = world.http.get(&format!("{FULFILMENTS}/{id}?journal=true")).await.to_string();
    assert!(journal.contains("no such device") && journal.contains("ops"), "{journal}");
    let again = world.http.post(&format!("{FULFILMENTS}/{id}/giveUp"), &asked).await;
    assert_eq!(again.status, 409, "{}", again.text);
}

/// A site that is delivered is active and charged while another waits, through a crash, and stays so
/// when the other is given up.
#[tokio::test]
async fn a_delivered_line_does_not_wait_for_the_others() {
    let mut world = World::start().await;
    let busy = json!({
        "element": "acs", "operation": "createDevice", "fault": "async", "delayMs": 600_000,
        "times": 1,
    });
    world.network.fail(json!([busy])).await;
    let id = world.submit(&sites(2)).await;
    let shown = async |world: &World| {
        let books = world.books().await;
        let mut products: Vec<Value> = books.products(&id).into_iter().cloned().collect();
        products.sort_by_key(|product| text(&product["status"]));
        let charges = products.iter().map(|product| books.charges(&text(&product["id"])).len());
        let charges: Vec<usize> = charges.collect();
        (products, charges)
    };
    let delivered = eventually("one site is active", async || {
        let (products, charges) = shown(&world).await;
        (products[0]["status"] == "active").then_some((products, charges))
    });
    let (products, charges) = delivered.await;
    assert_eq!(products[1]["status"], "pendingActive", "{products:#?}");
    assert!(charges[0] > 0 && charges[1] == 0, "{charges:?}");
    assert_eq!(world.order("productOrder", &id).await["state"], "inProgress");
    let line = text(&products[0]["productOrderItem"][0]["orderItemId"]);
    // Until its order has ended it is not changed.
    let product = json!({ "id": products[0]["id"] });
    let end =
        json!({ "productOrderItem": [{ "id": "1", "action": "delete", "product": product }] });
    let refused = world.submit(&end).await;
    assert_eq!(world.ended(&refused).await.end, "rejected");
    let refused = world.order("productOrder", &refused).await;
    assert_eq!(refused["productOrderErrorMessage"][0]["code"], "INSTANCE_BUSY");
    world.kill().await;
    world.restart().await;
    let waits = |now: &Value| {
        let mut tasks = now["tasks"].as_array().unwrap().iter();
        tasks.find(|task| task["state"] == "waiting").map(|task| text(&task["name"]))
    };
    let now = world.until(&id, "the other waits again", |now| waits(now).is_some()).await;
    let task = waits(&now).unwrap();
    assert_eq!(shown(&world).await, (products.clone(), charges.clone()));
    give_up(&world, &id, &json!({ "task": task })).await;
    let held = world.held(&id).await;
    assert!(held["tasks"].as_array().unwrap().iter().any(|task| task["state"] == "stuck"));
    give_up(&world, &id, &json!({ "task": task })).await;
    assert_eq!(world.ended(&id).await.end, "partial");
    let (after, charged) = shown(&world).await;
    let active = after.iter().find(|product| product["status"] == "active").unwrap();
    assert_eq!(active["startDate"], products[0]["startDate"], "it is charged from its delivery");
    assert_eq!(text(&active["productOrderItem"][0]["orderItemId"]), line);
    assert_eq!(charged.iter().sum::<usize>(), charges[0]);
}

/// M12: an accepted removal is not done yet. The value stays reserved until the element confirms it.
#[tokio::test]
async fn a_removal_that_is_accepted_waits_for_its_callback() {
    let world = World::start().await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&id).await;
    let before = reserved(&world).await;
    let later = json!({
        "element": "bng-1", "operation": "delete vlans", "fault": "async", "delayMs": 1_500,
        "times": 1,
    });
    world.network.fail(json!([later])).await;
    let line = json!({ "id": "1", "action": "delete", "product": { "id": format!("{id}-1") } });
    let second = world.submit(&json!({ "productOrderItem": [line] })).await;
    let now = world
        .until(&second, "the removal waits", |now| {
            now["tasks"].as_array().unwrap().iter().any(|task| task["state"] == "waiting")
        })
        .await;
    assert_eq!(now["state"], "running");
    assert!(before > 0 && reserved(&world).await > 0, "the value is not free yet");
    world.completed(&second).await;
    assert_eq!(reserved(&world).await, 0);
    assert!(world.books().await.state.is_empty());
}

/// The same for a rollback, with a kill while it waits; and an element that refuses at
/// the end holds the order until its undo is given up.
#[tokio::test]
async fn an_undo_that_is_refused_in_the_end_is_given_up() {
    let mut world = World::start().await;
    let later = json!({
        "element": "bng-1", "operation": "delete vlans", "fault": "async", "delayMs": 1_500,
        "times": 1, "outcome": "failed",
    });
    world.network.fail(json!([no_device(1), later])).await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    world
        .until(&id, "an undo waits", |now| {
            let tasks = now["tasks"].as_array().unwrap();
            tasks.iter().any(|task| task["state"] == "undoWaiting")
        })
        .await;
    world.kill().await;
    world.restart().await;
    let held = world.held(&id).await;
    let stuck = held["tasks"].as_array().unwrap().iter().find(|task| task["state"] == "stuck");
    let stuck = stuck.unwrap();
    give_up(&world, &id, &json!({ "task": stuck["name"], "reason": "scrapped" })).await;
    assert_eq!(world.ended(&id).await.end, "failed");
    let order = world.order("productOrder", &id).await;
    let errors = order["productOrderErrorMessage"].as_array().unwrap();
    let is_of_it = |error: &&Value| error["referenceError"] == stuck["name"];
    assert!(errors.iter().any(|error| is_of_it(&error)), "it is told what was left: {errors:#?}");
    assert_eq!(
        reserved(&world).await,
        1,
        "the element has the VLAN still, and no one else gets it"
    );
    let books = world.books().await;
    assert_eq!(books.state.len(), 1, "the element has it still: {:#?}", books.state);
}
