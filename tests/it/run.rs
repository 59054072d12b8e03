//! Workflows that any JSON starts, and waiting for them.

use serde_json::{Value, json};

use crate::world::{Settings, World, text};

fn runs(workflow: &str) -> String {
    format!("/orchestration/v1/workflows/{workflow}/runs")
}

/// Runs a workflow to its end; answers with the run.
async fn waited(world: &World, workflow: &str, input: &Value) -> Value {
    let answer = world.http.post(&format!("{}?wait=60s", runs(workflow)), input).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["state"], "completed", "{}", answer.text);
    answer.body
}

#[tokio::test]
async fn any_json_object_starts_any_workflow() {
    let world = World::start().await;
    for input in [json!({}), json!({ "a": [1, { "b": null }], "ü": "✓", "n": 1.5e300 })] {
        let run = waited(&world, "six-steps", &input).await;
        assert_eq!(run["input"], input);
        assert_eq!(run["outputs"]["s6"], json!({ "step": 6 }));
        assert_eq!(run["tasksDone"], 6);
    }
    let run = waited(&world, "fan-out", &json!({})).await;
    assert_eq!(run["outputs"].as_object().unwrap().len(), 22);
    // Without a body the input is empty.
    let answer = world.http.send("POST", &runs("six-steps"), &[], "").await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.body["input"], json!({}));
    // A run is no order, and an order is no run.
    assert!(world.books().await.is_empty());
}

#[tokio::test]
async fn a_run_at_the_elements_is_carried_out_once() {
    let world = World::start().await;
    let fault = json!({ "element": "warehouse", "fault": "lost", "times": 1 });
    world.network.fail(json!([fault])).await;
    let run = waited(&world, "six-external", &json!({})).await;
    let books = world.books().await;
    books.check_once();
    assert_eq!(books.effects_of(run["id"].as_str().unwrap()).len(), 6);
}

#[tokio::test]
async fn a_client_that_does_not_wait_long_enough_is_told_where_to_look() {
    let world = World::start().await;
    world.network.fail(json!([{ "fault": "slow", "delayMs": 1_000, "times": 1 }])).await;
    let path = format!("{}?wait=1ms", runs("six-external"));
    let answer = world.http.post(&path, &json!({})).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.body["state"], "running");
    let location = answer.headers["location"].to_str().unwrap();
    let path = location.strip_prefix(&world.http.base).unwrap();
    let id = text(&answer.body["id"]);
    world.completed(&id).await;
    let run = world.http.get(path).await;
    assert_eq!(run["state"], "completed");
    assert!(run["tasks"].as_array().unwrap().iter().all(|task| task["state"] == "done"));
}

#[tokio::test]
async fn one_key_makes_one_run_of_a_workflow() {
    let world = World::start().await;
    let key = [("idempotency-key", "run-1")];
    let post = async |workflow: &str| {
        let path = format!("{}?wait=60s", runs(workflow));
        let answer = world.http.post_with(&path, &key, &json!({})).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        text(&answer.body["id"])
    };
    let first = post("six-steps").await;
    assert_eq!(post("six-steps").await, first);
    // Of another workflow the same key is another run.
    assert_ne!(post("fan-out").await, first);
}

#[tokio::test]
async fn a_stream_of_events_goes_on_where_it_was_cut_off() {
    let mut world = World::start().await;
    let run = waited(&world, "six-external", &json!({})).await;
    let id = text(&run["id"]);
    let mut stream = world.http.events(&id, None).await.unwrap();
    let mut all = Vec::new();
    while let Some(event) = stream.next().await.unwrap() {
        all.push((event.id, event.data));
    }
    assert!(all.len() >= 7, "{all:?}");
    let ids: Vec<_> = all.iter().map(|(id, _)| id.parse::<usize>().unwrap()).collect();
    assert_eq!(ids, (0..all.len()).collect::<Vec<_>>());
    assert_eq!(all[0].1["events"][0]["type"], "submitted");
    // The server forgets nothing when it is killed.
    world.kill().await;
    world.restart().await;
    let mut stream = world.http.events(&id, Some("2")).await.unwrap();
    for expected in &all[3..] {
        let event = stream.next().await.unwrap().unwrap();
        assert_eq!((&event.id, &event.data), (&expected.0, &expected.1));
    }
    assert!(stream.next().await.unwrap().is_none());
}

/// Pure tasks that share a commit must not be told from those that do not.
#[tokio::test]
async fn both_ways_of_committing_give_the_same_answers() {
    let mut answers = Vec::new();
    for head in ["", "commit-each-step = true"] {
        let settings = Settings { head: head.into(), ..Settings::default() };
        let mut world = World::with(settings).await;
        let mut seen = Vec::new();
        for workflow in ["six-steps", "fan-out"] {
            let run = waited(&world, workflow, &json!({ "n": 1 })).await;
            seen.push(run["outputs"].clone());
            world.kill().await;
            world.restart().await;
            let path = format!("/orchestration/v1/runs/{}", text(&run["id"]));
            let after = world.http.get(&path).await;
            assert_eq!(after["outputs"], run["outputs"]);
            assert_eq!(after["state"], "completed");
        }
        let order = crate::world::pack_order("superfibre/gpon");
        let id = world.submit(&order).await;
        let plan = world.plan(&id).await;
        world.completed(&id).await;
        let books = world.books().await;
        books.check_delivered(&id);
        seen.push(json!([plan, books.summary(&id)]));
        answers.push(seen);
    }
    assert_eq!(answers[0], answers[1]);
}
