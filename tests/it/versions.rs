//! Versions of plugins over the API: sent to a server that runs, pinned by orders, rolled back, and
//! still there after a crash.

use serde_json::{Value, json};

use crate::plugin::Folders;
use crate::plugin::guest::{guest, with_id};
use crate::world::{Answer, Settings, World, eventually, ferrule, text};

const PLUGINS: &str = "/orchestration/v1/plugins";

/// What a version of the guest needs.
const GRANTS: &str = "[plugins.misbehave]\ninventory = [\"service\"]\npools = [\"test-*\"]\n";

async fn world(folders: &Folders, settings: &str) -> World {
    World::with(Settings {
        plugins: Some(folders.plugins()),
        workflows: Some(folders.workflows()),
        tail: format!("{settings}\n{GRANTS}"),
        ..Settings::default()
    })
    .await
}

fn version(version: &str) -> Vec<u8> {
    with_id(&guest("misbehave"), "misbehave", version, "step")
}

async fn put(world: &World, id: &str, bytes: Vec<u8>) -> Answer {
    let header = [("content-type", "application/wasm")];
    world.http.send("PUT", &format!("{PLUGINS}/{id}"), &header, bytes).await.unwrap()
}

/// Starts a run that waits for a callback; returns its id.
async fn waiting(world: &World) -> String {
    wait(world, json!([])).await
}

/// The same, for a callback of this name.
async fn waiting_for(world: &World, key: &str) -> String {
    let run = wait(world, json!([key])).await;
    let path = format!("/orchestration/v1/runs/{run}");
    eventually("the run waits", async || {
        world.http.get(&path).await.to_string().contains("waiting").then_some(())
    })
    .await;
    run
}

async fn wait(world: &World, keys: Value) -> String {
    let run = json!({ "do": "wait", "keys": keys });
    let run = world.http.post("/orchestration/v1/workflows/patient/runs", &run).await;
    assert_eq!(run.status, 201, "{}", run.text);
    text(&run.body["id"])
}

/// The versions of the guest, each with its open fulfilments, the last used first.
async fn versions(world: &World) -> Vec<(String, u64)> {
    let shown = world.http.get(&format!("{PLUGINS}/misbehave")).await;
    let versions = shown["versions"].as_array().unwrap().iter();
    let row = |entry: &Value| {
        (text(&entry["version"]), entry["usage"]["openFulfilments"].as_u64().unwrap())
    };
    versions.map(row).collect()
}

fn rows(rows: &[(&str, u64)]) -> Vec<(String, u64)> {
    rows.iter().map(|(version, open)| ((*version).to_string(), *open)).collect()
}

#[tokio::test]
async fn a_version_that_is_sent_counts_for_new_orders_and_survives_a_crash() {
    let folders = Folders::new().await;
    let mut world = world(&folders, "").await;
    assert_eq!(put(&world, "misbehave", version("1.0.0")).await.status, 201);
    waiting(&world).await;
    let answer = put(&world, "misbehave", version("2.0.0")).await;
    assert_eq!(
        (answer.status, text(&answer.body["version"]).as_str()),
        (200, "2.0.0"),
        "{}",
        answer.text
    );
    let tag = answer.headers["etag"].to_str().unwrap().to_string();
    waiting(&world).await;
    waiting(&world).await;
    assert_eq!(versions(&world).await, rows(&[("2.0.0", 2), ("1.0.0", 1)]));
    world.kill().await;
    world.restart().await;
    assert_eq!(versions(&world).await, rows(&[("2.0.0", 2), ("1.0.0", 1)]));
    // The same again is no change, and what another changed is not changed unseen.
    let again = put(&world, "misbehave", version("2.0.0")).await;
    assert_eq!((again.status, again.headers["etag"].to_str().unwrap()), (200, tag.as_str()));
    let stale = [("content-type", "application/wasm"), ("if-match", "\"0000\"")];
    let path = format!("{PLUGINS}/misbehave");
    let stale = world.http.send("PUT", &path, &stale, version("3.0.0")).await.unwrap();
    assert_eq!(stale.status, 412, "{}", stale.text);
    let back = world.http.post(&format!("{path}/rollback"), &json!({})).await;
    assert_eq!(
        (back.status, text(&back.body["version"]).as_str()),
        (200, "1.0.0"),
        "{}",
        back.text
    );
    waiting(&world).await;
    assert_eq!(versions(&world).await, rows(&[("1.0.0", 2), ("2.0.0", 2)]));
    let gone = world.http.send("DELETE", &path, &[], "").await.unwrap();
    assert_eq!(gone.status, 204, "{}", gone.text);
    assert_eq!(versions(&world).await, rows(&[("1.0.0", 2), ("2.0.0", 2)]));
    assert!(world.http.get(&path).await["current"].is_null());
}

#[tokio::test]
async fn a_refusal_names_its_remedy_and_changes_nothing() {
    let folders = Folders::new().await;
    let world = world(&folders, "").await;
    let ready = world.http.get(PLUGINS).await;
    let sent = [
        ("misbehave", b"a text".to_vec(), 422, "build the plugin with `ferrule plugin build`"),
        ("misbehave", version("1.0.0")[..9_000].to_vec(), 422, "cut off"),
        ("dialler", guest("dialler"), 422, "[plugins.dialler]\nhttp = "),
        ("other", version("1.0.0"), 422, "send it under that id"),
        ("../noop", version("1.0.0"), 404, "nothing is served"),
    ];
    for (id, bytes, status, remedy) in sent {
        let answer = put(&world, id, bytes).await;
        assert_eq!(answer.status, status, "{id}: {}", answer.text);
        assert!(text(&answer.body["message"]).contains(remedy), "{id}: {}", answer.text);
    }
    let json = [("content-type", "application/json")];
    let answer = world.http.send("PUT", &format!("{PLUGINS}/noop"), &json, "{}").await.unwrap();
    assert_eq!(answer.status, 415, "{}", answer.text);
    assert_eq!(world.http.get(PLUGINS).await, ready);
}

#[tokio::test]
async fn uploads_can_be_turned_off() {
    let folders = Folders::new().await;
    let world = world(&folders, "[install]\nuploads = false").await;
    let path = format!("{PLUGINS}/noop");
    let answers = [
        put(&world, "misbehave", version("1.0.0")).await,
        world.http.post(&format!("{path}/rollback"), &json!({})).await,
        world.http.send("DELETE", &path, &[], "").await.unwrap(),
    ];
    for answer in answers {
        assert_eq!(answer.status, 403, "{}", answer.text);
        assert!(text(&answer.body["message"]).contains("[install] uploads"), "{}", answer.text);
    }
    assert!(!world.http.get(&path).await["current"].is_null());
}

/// The version of the guest that an open run began with.
async fn version_of(world: &World, run: &str) -> String {
    let run = world.http.get(&format!("/orchestration/v1/runs/{run}")).await;
    let shown = world.http.get(&format!("{PLUGINS}/misbehave")).await;
    let is_it = |entry: &&Value| entry["digest"] == run["plugins"]["misbehave"];
    text(&shown["versions"].as_array().unwrap().iter().find(is_it).unwrap()["version"])
}

#[tokio::test]
async fn a_version_on_trial_takes_its_share_of_new_orders_until_it_is_promoted_or_aborted() {
    let folders = Folders::new().await;
    let mut world = world(&folders, "").await;
    let path = format!("{PLUGINS}/misbehave/candidate");
    let header = [("content-type", "application/wasm")];
    let put_on_trial = async |world: &World, query: &str, bytes: Vec<u8>| {
        world.http.send("PUT", &format!("{path}?{query}"), &header, bytes).await.unwrap()
    };
    // There is nothing to compare it with yet.
    assert_eq!(put_on_trial(&world, "share=50", version("2.0.0")).await.status, 404);
    assert_eq!(put(&world, "misbehave", version("1.0.0")).await.status, 201);
    for (query, about) in [("", "share"), ("share=0", "share"), ("share=101", "share")] {
        let answer = put_on_trial(&world, query, version("2.0.0")).await;
        assert_eq!((answer.status, text(&answer.body["referenceError"]).as_str()), (400, about));
    }
    assert_eq!(put_on_trial(&world, "share=50", version("1.0.0")).await.status, 409);
    let answer = put_on_trial(&world, "share=50", version("2.0.0")).await;
    assert_eq!(
        (answer.status, &answer.body["trial"]["share"]),
        (200, &json!(50)),
        "{}",
        answer.text
    );
    let share = async |world: &World| {
        let mut on_trial = 0;
        for _ in 0..24 {
            on_trial += u32::from(version_of(world, &waiting(world).await).await == "2.0.0");
        }
        on_trial
    };
    let some = share(&world).await;
    assert!((2..=22).contains(&some), "{some} of 24 at 50 %");
    world.kill().await;
    world.restart().await;
    let some = share(&world).await;
    assert!((2..=22).contains(&some), "{some} of 24 at 50 % after a crash");
    let aborted = world.http.send("DELETE", &path, &[], "").await.unwrap();
    assert_eq!(aborted.status, 204, "{}", aborted.text);
    assert_eq!(share(&world).await, 0);
    assert_eq!(world.http.send("DELETE", &path, &[], "").await.unwrap().status, 409);
    assert_eq!(put_on_trial(&world, "share=100", version("2.0.0")).await.status, 200);
    assert_eq!(version_of(&world, &waiting(&world).await).await, "2.0.0");
    // A rollback is for all new orders.
    assert_eq!(put(&world, "misbehave", version("1.1.0")).await.status, 200);
    let back = world.http.post(&format!("{PLUGINS}/misbehave/rollback"), &json!({})).await;
    assert_eq!(back.status, 200, "{}", back.text);
    assert_eq!(version_of(&world, &waiting(&world).await).await, "1.0.0");
    assert_eq!(put_on_trial(&world, "share=1", version("2.0.0")).await.status, 200);
    let promoted = world.http.post(&format!("{path}/promote"), &json!({})).await;
    assert_eq!((promoted.status, &promoted.body["isCurrent"]), (200, &json!(true)));
    assert_eq!(version_of(&world, &waiting(&world).await).await, "2.0.0");
}

#[tokio::test]
async fn open_orders_are_moved_to_another_version_if_it_fits_and_a_crash_keeps_it_so() {
    let folders = Folders::new().await;
    let mut world = world(&folders, "").await;
    let path = format!("{PLUGINS}/misbehave/moves");
    let digest = |bytes: &[u8]| model::Digest::of(bytes).to_string();
    let (first, second) = (version("1.0.0"), version("2.0.0"));
    // It reads no callbacks, so it does not fit what waits for one.
    let deaf = with_id(&guest("greedy"), "misbehave", "3.0.0", "step");
    assert_eq!(put(&world, "misbehave", first.clone()).await.status, 201);
    let (run, other) = (waiting_for(&world, "later-1").await, waiting_for(&world, "later-2").await);
    for bytes in [&deaf, &second] {
        assert_eq!(put(&world, "misbehave", bytes.clone()).await.status, 200);
    }
    let ask = async |world: &World, to: &[u8], more: Value| {
        let mut body = json!({ "from": digest(&first)[..12], "to": digest(to)[..12] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.http.post(&path, &body).await
    };
    let preview = ask(&world, &second, json!({ "dryRun": true })).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    assert_eq!(preview.body["moved"].as_array().unwrap().len(), 2, "{}", preview.text);
    assert_eq!(version_of(&world, &run).await, "1.0.0");
    let unfit = ask(&world, &deaf, json!({})).await;
    assert_eq!(unfit.body["moved"], json!([]), "{}", unfit.text);
    let reason = text(&unfit.body["unfit"][0]["reasons"][0]);
    assert!(reason.contains("waits for a callback"), "{}", unfit.text);
    for (to, about) in [(&first[..], "to"), (b"none", "to")] {
        let wrong = ask(&world, to, json!({})).await;
        assert_eq!(text(&wrong.body["referenceError"]), about, "{}", wrong.text);
    }
    let by = json!({ "fulfilments": run, "by": "ops", "reason": "a fix" });
    let moved = ask(&world, &second, by).await;
    assert_eq!(moved.body["moved"], json!([run]), "{}", moved.text);
    world.kill().await;
    world.restart().await;
    assert_eq!(version_of(&world, &run).await, "2.0.0");
    assert_eq!(version_of(&world, &other).await, "1.0.0");
    let journal = world.http.get(&format!("/orchestration/v1/runs/{run}?journal=true")).await;
    assert!(journal.to_string().contains("a fix"), "{journal:#}");
    // The work that waited is carried on by the new version.
    let answer = world.http.post("/orchestration/v1/callbacks/misbehave/later-1", &json!({})).await;
    assert!(answer.status < 300, "{}", answer.text);
    world.completed(&run).await;
    let none = ask(&world, &second, json!({ "fulfilments": run })).await;
    assert_eq!(none.body["moved"], json!([]), "{}", none.text);
}

/// Three runs that wait under `filter-1` to `filter-3`, in the order of their ids, begun with 1.0.0; then 2.0.0
/// is in use.
async fn three_runs(world: &World) -> Vec<String> {
    let mut runs = Vec::new();
    assert_eq!(put(world, "misbehave", version("1.0.0")).await.status, 201);
    for key in ["filter-1", "filter-2", "filter-3"] {
        runs.push(waiting_for(world, key).await);
    }
    assert_eq!(put(world, "misbehave", version("2.0.0")).await.status, 200);
    runs.sort();
    runs
}

fn digest_of(name: &str) -> String {
    model::Digest::of(&version(name)).to_string()
}

/// Asks for a move from 1.0.0 to 2.0.0.
async fn ask_to_move(world: &World, query: &str, more: Value) -> Answer {
    let mut body = json!({ "from": digest_of("1.0.0"), "to": digest_of("2.0.0") });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.http.post(&format!("{PLUGINS}/misbehave/moves{query}"), &body).await
}

#[tokio::test]
async fn a_filter_chooses_the_open_orders_that_are_moved() {
    let folders = Folders::new().await;
    let world = world(&folders, "").await;
    let runs = three_runs(&world).await;
    let ask = async |query: &str, more: Value| ask_to_move(&world, query, more).await;
    let cases = [
        (json!({}), 3),
        (json!({ "state": "running" }), 3),
        (json!({ "state": "inProgress" }), 3),
        (json!({ "state": "held" }), 0),
        (json!({ "task": "it" }), 3),
        (json!({ "task": "patient.it" }), 3),
        (json!({ "task": "other" }), 0),
        (json!({ "customer": "C-1" }), 0),
        (json!({ "submittedBefore": "2020-01-01T00:00:00Z" }), 0),
        (json!({ "submittedBefore": "2100-01-01T00:00:00Z", "state": "running", "task": "it" }), 3),
        (json!({ "fulfilments": format!("{}, {}", runs[0], runs[2]), "task": "it" }), 2),
    ];
    for (filter, total) in cases {
        let mut body = filter.clone();
        body["dryRun"] = json!(true);
        let preview = ask("", body).await;
        assert_eq!(preview.body["total"], total, "{filter}: {}", preview.text);
    }
    let wrong = [
        (json!({ "state": "walking" }), 400, "state"),
        (json!({ "submittedBefore": "yesterday" }), 400, "submittedBefore"),
        (json!({ "task": "" }), 400, "task"),
        (json!({ "customer": "" }), 400, "customer"),
        (json!({ "fulfilments": ",".repeat(5) , "customer": 7 }), 400, "customer"),
        (json!({ "age": "1d" }), 400, "age"),
        (json!({ "from": "abc" }), 422, "from"),
        (json!({ "token": "2-000000000000" }), 409, "token"),
    ];
    for (body, status, about) in wrong {
        let answer = ask("", body.clone()).await;
        let found = (answer.status, text(&answer.body["referenceError"]));
        assert_eq!(found, (status, about.to_owned()), "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_token_holds_a_move_to_its_preview() {
    let folders = Folders::new().await;
    let world = world(&folders, "").await;
    let runs = three_runs(&world).await;
    let ask = async |query: &str, more: Value| ask_to_move(&world, query, more).await;
    // A preview has pages, and its token stands for all of them.
    let page = ask("?offset=1&limit=1", json!({ "dryRun": true, "task": "it" })).await;
    let (moved, more) = (&page.body["moved"], &page.body["more"]);
    assert_eq!((moved, more), (&json!([runs[1]]), &json!(1)), "{}", page.text);
    let token = text(&page.body["token"]);
    // One of them ends, so it is another set.
    let path = "/orchestration/v1/callbacks/misbehave/filter-1";
    assert!(world.http.post(path, &json!({})).await.status < 300);
    eventually("a run ends", async || {
        let preview = ask("", json!({ "dryRun": true })).await;
        (preview.body["total"] == 2).then_some(())
    })
    .await;
    let changed = ask("", json!({ "task": "it", "token": token })).await;
    assert_eq!(changed.status, 409, "{}", changed.text);
    assert!(text(&changed.body["message"]).contains("3 then, 2 now"), "{}", changed.text);
    let (from, to, server) = (digest_of("1.0.0"), digest_of("2.0.0"), world.http.base.as_str());
    let cli = async |more: &[&str]| {
        let command =
            ["plugin", "move", "misbehave", "--server", server, "--from", &from, "--to", &to];
        ferrule(&[&command, more].concat()).await
    };
    let preview = cli(&["--task", "it", "--dry-run"]).await;
    assert!(preview.out.contains("2 orders and runs would be moved"), "{}", preview.out);
    let token = preview.out.split("--token ").nth(1).unwrap().trim();
    let stale = cli(&["--task", "it", "--token", "3-aaaaaaaaaaaa"]).await;
    assert!(!stale.ok && stale.err.contains("changed since the preview"), "{}", stale.err);
    let moved = cli(&["--task", "it", "--token", token]).await;
    assert!(moved.ok && moved.out.contains("2 of 2 orders and runs are moved"), "{}", moved.out);
    let after = ask("", json!({ "dryRun": true })).await;
    assert_eq!(after.body["total"], 0, "{}", after.text);
}
