//! Scratch spaces of plugins, with a server that is killed while tasks count in one.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugin::guest::{guest, with_world};
use crate::world::{Settings, World, eventually, text};

const WORKFLOWS: &str = "\
workflows:
  - workflow: keep
    steps:
      - { step: it, plugin: keeper, retry: { attempts: 100, first: 20ms, max: 100ms } }
  - workflow: other
    steps:
      - { step: it, plugin: other }
  - workflow: undone
    steps:
      - { step: it, plugin: keeper, input: { do: =input.do, undo: =input.undo } }
      - step: then
        plugin: keeper
        input: { do: =input.second, end: fail }
        needs: [it]
        on-failure: roll-back
        retry: { attempts: 1 }
";

/// The number of runs that count while the server is killed.
const RUNS: usize = 40;

/// The number of kills.
const KILLS: usize = 4;

const SCRATCH: &str = "/orchestration/v1/plugins/keeper/scratch";

/// A server with the plugin under two ids, each with a space.
async fn start() -> (World, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("workflows/keep");
    std::fs::create_dir_all(&pack).unwrap();
    std::fs::create_dir(folder.path().join("plugins")).unwrap();
    std::fs::write(pack.join("pack.yaml"), "pack: keep\n").unwrap();
    std::fs::write(pack.join("workflows.yaml"), WORKFLOWS).unwrap();
    for id in ["keeper", "other"] {
        let bytes = with_world(&guest("keeper"), id, "step");
        std::fs::write(folder.path().join(format!("plugins/{id}.wasm")), bytes).unwrap();
    }
    let tail = "\
[plugins.keeper]
scratch = { keys = 20 }
config = { password = \"hunter2-hunter2\" }
[plugins.other.scratch]
";
    let world = World::with(Settings {
        workflows: Some(folder.path().join("workflows")),
        plugins: Some(folder.path().join("plugins")),
        tail: tail.into(),
        ..Settings::default()
    })
    .await;
    (world, folder)
}

/// Runs a workflow until it ends or is held.
async fn run(world: &World, workflow: &str, input: &Value) -> Value {
    let path = format!("/orchestration/v1/workflows/{workflow}/runs");
    let answer = world.http.post(&path, input).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    world.settled(&text(&answer.body["id"])).await
}

async fn results(world: &World, workflow: &str, operations: Value) -> Value {
    let view = run(world, workflow, &json!({ "do": operations })).await;
    let id = text(&view["id"]);
    let run = world.http.get(&format!("/orchestration/v1/runs/{id}")).await;
    assert_eq!(run["state"], "completed", "{run:#}");
    run["outputs"]["it"]["results"].clone()
}

fn ferrule(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ferrule")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_kept_value_is_read_by_the_next_task_and_by_operators() {
    let (mut world, folder) = start().await;
    let kept = json!([
        ["put", "job/1", "hunter2-hunter2 of {{attempt}}", "absent"],
        ["put", "n", "7", "any"]
    ]);
    results(&world, "keep", kept).await;
    let read = results(&world, "keep", json!([["get", "n"], ["count", "n"]])).await;
    assert_eq!((&read[0]["value"], &read[1]), (&json!("7"), &json!(8)));
    // Another plugin has a space of its own.
    let other =
        results(&world, "other", json!([["get", "n"], ["keys", ""], ["put", "n", "1", "absent"]]));
    assert_eq!(other.await, json!([{ "key": "n" }, [], null]));
    // An attempt that fails leaves the space as it was.
    let failed =
        json!({ "do": [["put", "n", "lost", "any"], ["put", "m", "lost", "any"]], "end": "trap" });
    assert_eq!(run(&world, "keep", &failed).await["state"], "held");
    // An undo writes too, and what it is an undo of stays otherwise.
    let undone = json!({
        "do": [["put", "done", "1", "any"]],
        "second": [["put", "second", "1", "any"]],
        "undo": [["put", "undone", "1", "any"], ["delete", "n", "any"]],
    });
    let undone = run(&world, "undone", &undone).await;
    assert_eq!(undone["state"], "failed", "{undone:#}");

    world.kill().await;
    world.restart().await;
    let page = world.http.get(SCRATCH).await;
    let keys: Vec<_> =
        page["entries"].as_array().unwrap().iter().map(|one| text(&one["key"])).collect();
    assert_eq!(keys, ["done", "job/1", "undone"], "{page:#}");
    assert_eq!((&page["keys"], &page["bytes"]), (&json!(3), &json!(4 + 1 + 5 + 20 + 6 + 1)));
    let shown = world.http.get(&format!("{SCRATCH}/job/1")).await;
    assert_eq!(shown["value"], "[setting password] of 1");
    let next = world.http.get(&format!("{SCRATCH}?limit=1&prefix=")).await;
    assert_eq!(next["next"], "done");
    by_command(&world);
    let gone = world.http.send("GET", &format!("{SCRATCH}/done"), &[], "").await.unwrap();
    assert_eq!(gone.status, 404);
    // It outlasts the plugin, and the deletion outlasts the server.
    std::fs::remove_file(folder.path().join("plugins/keeper.wasm")).unwrap();
    world.kill().await;
    world.restart().await;
    assert_eq!(world.http.get(SCRATCH).await["keys"], 1);
    let all = world.http.send("DELETE", SCRATCH, &[], "").await.unwrap();
    assert_eq!((all.status, &all.body), (200, &json!({ "deleted": 1 })));
    assert_eq!(world.http.get(SCRATCH).await["keys"], 0);
}

fn by_command(world: &World) {
    let server = ["--server", &world.http.base];
    let on =
        |more: &[&str]| ferrule(&[&["plugin", "scratch", "keeper"], &server[..], more].concat());
    assert!(on(&["--prefix", "job/"]).contains("job/1  20 bytes  20"), "{}", on(&[]));
    assert_eq!(on(&["--key", "job/1"]), "[setting password] of 1\n");
    assert_eq!(on(&["--delete", "job/1"]), "deleted: 1\n");
    assert_eq!(on(&["--delete", "done"]), "deleted: 1\n");
}

#[tokio::test]
async fn a_counter_counts_each_task_once_however_often_the_server_is_killed() {
    let (mut world, _folder) = start().await;
    let path = "/orchestration/v1/workflows/keep/runs";
    let mut ids = Vec::new();
    for kill in 0..KILLS {
        for _ in 0..RUNS / KILLS {
            let answer = world.http.post(path, &json!({ "do": [["count", "serial"]] })).await;
            assert_eq!(answer.status, 201, "{}", answer.text);
            ids.push(text(&answer.body["id"]));
        }
        // Some are counted, and others are under way.
        let counted = async || {
            let path = format!("{SCRATCH}/serial");
            let shown = world.http.send("GET", &path, &[], "").await.unwrap();
            let number: usize = shown.body["value"].as_str()?.parse().ok()?;
            (number > kill * RUNS / KILLS).then_some(())
        };
        eventually("some are counted", counted).await;
        world.kill().await;
        world.restart().await;
    }
    let mut numbers = BTreeSet::new();
    for id in &ids {
        let ended = world.settled(id).await;
        assert_eq!(ended["state"], "completed", "{ended:#}");
        let run = world.http.get(&format!("/orchestration/v1/runs/{id}")).await;
        numbers.insert(run["outputs"]["it"]["results"][0].as_u64().unwrap());
    }
    assert_eq!(numbers, (1..=RUNS as u64).collect(), "no number is lost, and none is given twice");
    let shown = world.http.get(&format!("{SCRATCH}/serial")).await;
    assert_eq!(shown["value"], RUNS.to_string());
}
