//! What operators do by hand: they complete what the server cannot, and release what an undo that they
//! gave up has left reserved.

use serde_json::{Value, json};

use crate::world::{Settings, World, copied_packs, pack_order, text};

const FULFILMENTS: &str = "/orchestration/v1/fulfilments";
const POOLS: &str = "/orchestration/v1/pools";
const RESOURCES: &str = "/tmf-api/resourceInventoryManagement/v4/resource";

async fn post(world: &World, path: &str, body: &Value) -> (u16, Value) {
    let answer = world.http.post(path, body).await;
    (answer.status, answer.body)
}

/// The name of the task that is in a state.
fn task_in(now: &Value, state: &str) -> Option<String> {
    let mut tasks = now["tasks"].as_array()?.iter();
    tasks.find(|task| task["state"] == state).map(|task| text(&task["name"]))
}

async fn reserved(world: &World) -> usize {
    world.http.total(&format!("{RESOURCES}?resourceStatus=reserved")).await
}

/// An order whose device the system refuses, and whose VLAN cannot be removed then.
async fn stuck_undo(world: &World) -> (String, String) {
    let refused = json!({
        "element": "acs", "operation": "createDevice", "fault": "error", "rpcCode": -32602,
        "times": 1,
    });
    let later = json!({
        "element": "bng-1", "operation": "delete vlans", "fault": "async", "delayMs": 10,
        "times": 1, "outcome": "failed",
    });
    world.network.fail(json!([refused, later])).await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    let held = world.held(&id).await;
    let task = task_in(&held, "stuck").unwrap_or_else(|| panic!("{held:#}"));
    (id, task)
}

#[tokio::test]
async fn a_held_step_is_completed_by_hand() {
    let mut world = World::start().await;
    world.network.fail(json!([{ "element": "mnp", "fault": "error", "status": 400 }])).await;
    let id = world.submit(&pack_order("mobile-4g/port-in")).await;
    let held = world.held(&id).await;
    let (stuck, done) = (task_in(&held, "failed").unwrap(), task_in(&held, "done").unwrap());
    let path = format!("{FULFILMENTS}/{id}/complete");
    let elsewhere = format!("{FULFILMENTS}/unknown/complete");
    let wrong: [(&str, Value, u16, &str); 8] = [
        (&path, json!({}), 400, "task"),
        (&path, json!({ "task": 7 }), 400, "is a text"),
        (&path, json!({ "task": stuck, "outputs": "ported" }), 400, "is an object"),
        (&path, json!({ "task": stuck, "why": "ported" }), 400, "why"),
        (&path, json!([stuck]), 400, ""),
        (&path, json!({ "task": "RFS-NONE.port" }), 422, "RFS-NONE.port"),
        (&path, json!({ "task": done }), 409, "only what failed or waits"),
        (&elsewhere, json!({ "task": stuck }), 404, "unknown"),
    ];
    for (path, body, status, message) in wrong {
        let (got, problem) = post(&world, path, &body).await;
        assert_eq!(got, status, "{body}: {problem}");
        assert!(problem.to_string().contains(message), "{body}: {problem}");
    }
    let asked = world.http.send("GET", &path, &[], "").await.unwrap();
    assert_eq!(asked.status, 405, "{}", asked.text);
    world.kill().await;
    world.restart().await;
    assert_eq!(task_in(&world.held(&id).await, "failed"), Some(stuck.clone()));
    let asked = json!({
        "task": stuck, "outputs": { "portingId": "P-1" }, "by": "ops", "reason": "ported by fax",
    });
    let (status, answer) = post(&world, &path, &asked).await;
    assert_eq!(status, 200, "{answer}");
    let story = world.completed(&id).await;
    let by_hand: Vec<&Value> =
        story.events.iter().filter(|event| event["type"] == "completedByHand").collect();
    assert_eq!(by_hand.len(), 1, "{story}");
    assert_eq!(
        (&by_hand[0]["task"], &by_hand[0]["outputs"]["portingId"]),
        (&json!(stuck), &json!("P-1"))
    );
    assert_eq!(by_hand[0]["decision"], json!({ "by": "ops", "reason": "ported by fax" }));
    let books = world.books().await;
    assert!(books.products(&id).iter().all(|product| product["status"] == "active"));
    assert!(books.effects.iter().all(|effect| effect.element != "mnp" || effect.applied == 0));
    let (status, answer) = post(&world, &path, &asked).await;
    assert_eq!(status, 409, "{answer}");
}

/// A late answer of the element does not count for the step.
#[tokio::test]
async fn a_waiting_step_is_completed_by_hand_once() {
    let world = World::start().await;
    let later = json!({ "element": "mnp", "fault": "async", "delayMs": 600_000 });
    world.network.fail(json!([later])).await;
    let id = world.submit(&pack_order("mobile-4g/port-in")).await;
    let now = world.until(&id, "a step waits", |now| task_in(now, "waiting").is_some()).await;
    let task = task_in(&now, "waiting").unwrap();
    let waits = now["tasks"].as_array().unwrap().iter().find(|one| one["name"] == task.as_str());
    let callback = waits.unwrap()["callbacks"][0].as_str().map(str::to_string);
    let (status, answer) =
        post(&world, &format!("{FULFILMENTS}/{id}/complete"), &json!({ "task": task })).await;
    assert_eq!(status, 200, "{answer}");
    let story = world.completed(&id).await;
    assert_eq!((story.count("calledBack"), story.count("completedByHand")), (0, 1), "{story}");
    if let Some(callback) = callback {
        let path = callback.split_once("/orchestration").map(|(_, rest)| rest).unwrap();
        let (status, answer) =
            post(&world, &format!("/orchestration{path}"), &json!({ "status": "failed" })).await;
        assert!(status < 500, "{answer}");
    }
    assert_eq!(world.ended(&id).await.end, "completed");
}

#[tokio::test]
async fn a_stuck_undo_is_completed_by_hand_and_its_value_is_free() {
    let mut world = World::start().await;
    let (id, task) = stuck_undo(&world).await;
    world.kill().await;
    world.restart().await;
    let path = format!("{FULFILMENTS}/{id}/complete");
    let asked = json!({ "task": task, "by": "ops", "reason": "removed at the console" });
    let (status, answer) = post(&world, &path, &asked).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(world.ended(&id).await.end, "failed");
    assert_eq!(reserved(&world).await, 0);
    world.books().await.check_pools();
}

#[tokio::test]
async fn a_value_that_a_given_up_undo_left_reserved_is_released() {
    let mut world = World::start().await;
    let (id, task) = stuck_undo(&world).await;
    let pools = world.http.list_of(POOLS).await;
    let pool = pools.iter().find(|pool| pool["id"].as_str().unwrap().ends_with("vlan")).unwrap();
    let pool = format!("{POOLS}/{}", text(&pool["id"]));
    let (release, values) = (format!("{pool}/release"), format!("{pool}/values"));
    let shown = world.http.get(&values).await["values"].clone();
    let value = text(&shown[0]["value"]);
    assert_eq!(shown[0]["isUsed"], true, "its order is open: {shown:#}");
    let asked = json!({ "value": value, "by": "ops", "reason": "removed at the console" });
    let (status, answer) = post(&world, &release, &asked).await;
    assert_eq!(status, 409, "{answer}");
    assert!(answer.to_string().contains(&id), "{answer}");

    let (status, answer) =
        post(&world, &format!("{FULFILMENTS}/{id}/giveUp"), &json!({ "task": task })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(world.ended(&id).await.end, "failed");
    assert_eq!(reserved(&world).await, 1);
    // An instance that a product uses is in use.
    let other = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&other).await;
    let all = reserved(&world).await;
    let unused = world.http.get(&format!("{values}?unused=true")).await["values"].clone();
    assert_eq!(unused.as_array().unwrap().len(), 1, "{unused:#}");
    assert_eq!((&unused[0]["value"], &unused[0]["order"]), (&json!(value), &json!(id)));
    let used = world.http.get(&values).await["values"].clone();
    let used = used.as_array().unwrap().iter().find(|row| row["isUsed"] == true).unwrap().clone();
    let wrong: [(&str, Value, u16, &str); 6] = [
        (&release, json!({}), 400, "value"),
        (&release, json!({ "value": value, "force": true }), 400, "force"),
        (&release, json!({ "value": "none" }), 404, "none"),
        (&release, json!({ "value": used["value"] }), 409, "the service"),
        ("/orchestration/v1/pools/none/release", json!({ "value": value }), 404, "none"),
        ("/orchestration/v1/pools/none/values", json!({ "value": value }), 405, ""),
    ];
    for (path, body, status, message) in wrong {
        let (got, problem) = post(&world, path, &body).await;
        assert_eq!(got, status, "{path} {body}: {problem}");
        assert!(problem.to_string().contains(message), "{body}: {problem}");
    }
    assert_eq!(reserved(&world).await, all, "a refused release changes nothing");
    let (status, answer) = post(&world, &release, &asked).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(reserved(&world).await, all - 1);
    let (status, answer) = post(&world, &release, &asked).await;
    assert_eq!(status, 404, "{answer}");
    world.kill().await;
    world.restart().await;
    let left = world.http.get(&values).await["values"].clone();
    assert!(!left.to_string().contains(&format!("\"{value}\"")), "{left:#}");
    let free = world.http.list_of(&format!("{RESOURCES}?resourceStatus=available")).await;
    let free = free.iter().find(|resource| resource["name"] == value.as_str()).unwrap();
    assert_eq!(free["note"][0]["author"], "ops", "{free:#}");
    assert!(text(&free["note"][0]["text"]).contains("removed at the console"), "{free:#}");
}

/// The same of a product that ceases: no one else gets what the element still has.
#[tokio::test]
async fn a_removal_that_is_given_up_leaves_its_value_reserved_until_it_is_released() {
    let world = World::start().await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&id).await;
    let later = json!({
        "element": "bng-1", "operation": "delete vlans", "fault": "async", "delayMs": 10,
        "times": 1, "outcome": "failed",
    });
    world.network.fail(json!([later])).await;
    let line = json!({ "id": "1", "action": "delete", "product": { "id": format!("{id}-1") } });
    let end = world.submit(&json!({ "productOrderItem": [line] })).await;
    let task = task_in(&world.held(&end).await, "failed").unwrap();
    let (status, answer) =
        post(&world, &format!("{FULFILMENTS}/{end}/giveUp"), &json!({ "task": task })).await;
    assert_eq!(status, 200, "{answer}");
    world.completed(&end).await;
    assert_eq!(reserved(&world).await, 1);
    let pool = format!("{POOLS}/bng-1-vlan");
    let unused = world.http.get(&format!("{pool}/values?unused=true")).await["values"].clone();
    let (status, answer) =
        post(&world, &format!("{pool}/release"), &json!({ "value": unused[0]["value"] })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(reserved(&world).await, 0);
}

/// A run that completed keeps what it took.
#[tokio::test]
async fn a_value_of_a_completed_run_is_not_released() {
    let packs = copied_packs("superfibre/workflows.yaml", |text| {
        let take = "take: [{ pool: bng-1-vlan, name: v }]";
        let step = format!("{{ step: take, plugin: pool-allocator, input: {{ {take} }} }}");
        format!("{text}\n  - workflow: taking\n    steps:\n      - {step}\n")
    });
    let workflows = Some(packs.path().to_path_buf());
    let world = World::with(Settings { workflows, ..Settings::default() }).await;
    let answer = world.http.post("/orchestration/v1/workflows/taking/runs", &json!({})).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let story = world.ended(&text(&answer.body["id"])).await;
    assert_eq!(story.end, "completed", "{story}");
    let pools = world.http.list_of(POOLS).await;
    let pool = pools.iter().find(|pool| pool["reserved"] == 1).unwrap();
    let pool = format!("{POOLS}/{}", text(&pool["id"]));
    let row = world.http.get(&format!("{pool}/values")).await["values"][0].clone();
    let (status, problem) =
        post(&world, &format!("{pool}/release"), &json!({ "value": row["value"] })).await;
    assert_eq!(status, 409, "{problem}");
}
