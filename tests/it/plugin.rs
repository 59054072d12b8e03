//! Plugins that are dropped in, and plugins that misbehave.

#[path = "../../runtime/host/tests/support/bombs.rs"]
pub(crate) mod bombs;
pub(crate) mod guest;

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{
    Settings, World, eventually, ferrule, pack_order, plugins_dir, repository, text,
};
use guest::{guest, with_world};

/// A workflow for a guest, whose input is that of the run.
const WORKFLOWS: &str = "\
workflows:
  - workflow: trouble
    steps:
      - { step: it, plugin: misbehave, timeout: 60s, retry: { attempts: 2, first: 1ms, max: 1ms } }
  - workflow: patient
    steps:
      - { step: it, plugin: misbehave, retry: { attempts: 50, first: 1ms, max: 1ms } }
  - workflow: unwound
    steps:
      - { step: before, plugin: noop, input: { a: 1 } }
      - step: it
        plugin: misbehave
        retry: { attempts: 2, first: 1ms, max: 1ms }
        on-failure: roll-back
  - workflow: asleep
    steps:
      - { step: it, plugin: misbehave, timeout: 500ms, retry: { attempts: 2, first: 1ms, max: 1ms } }
  - workflow: asleep-unwound
    steps:
      - { step: before, plugin: noop, input: { a: 1 } }
      - step: it
        plugin: misbehave
        timeout: 500ms
        retry: { attempts: 2, first: 1ms, max: 1ms }
        on-failure: roll-back
  - workflow: mail
    steps:
      - { step: send, plugin: dialler }
  - workflow: letter
    steps:
      - { step: send, plugin: dialler, undo: false, input: { host: \"127.0.0.1:9\" } }
";

/// What the guest needs, and no more than it may use up. Its wall clock is generous, since a loop goes on at
/// the lowest priority: on a busy machine its share of the processor takes a while.
const GRANTS: &str = "
[plugins.misbehave]
inventory = [\"service\"]
pools = [\"test-*\"]
limits = { cpu-ms = 100, memory-mib = 8, wall-ms = 60000 }
";

/// Folders with the packs and plugins of this repository, to drop more into.
pub(crate) struct Folders {
    folder: TempDir,
}

impl Folders {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = Self { folder };
        copy_all(&plugins_dir().await, &own.plugins());
        copy_all(&repository().join("workflows"), &own.workflows());
        let pack = own.workflows().join("trouble");
        std::fs::create_dir(&pack).unwrap();
        std::fs::write(pack.join("pack.yaml"), "pack: trouble\n").unwrap();
        std::fs::write(pack.join("workflows.yaml"), WORKFLOWS).unwrap();
        own
    }

    pub(crate) fn plugins(&self) -> std::path::PathBuf {
        self.folder.path().join("plugins")
    }

    pub(crate) fn workflows(&self) -> std::path::PathBuf {
        self.folder.path().join("workflows")
    }

    async fn world(&self) -> World {
        World::with(Settings {
            plugins: Some(self.plugins()),
            workflows: Some(self.workflows()),
            tail: GRANTS.into(),
            ..Settings::default()
        })
        .await
    }

    /// Copies a file in as a careful operator does: under its name only when it is whole.
    pub(crate) fn drop_in(&self, name: &str, bytes: &[u8]) {
        let part = self.plugins().join(format!("{name}.part"));
        std::fs::write(&part, bytes).unwrap();
        std::fs::rename(part, self.plugins().join(name)).unwrap();
    }
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_all(&path, &to);
        } else {
            std::fs::copy(&path, to).unwrap();
        }
    }
}

/// The server's entry of the plugin of a file.
pub(crate) async fn listed(world: &World, file: &str) -> Option<Value> {
    let plugins = world.http.get("/orchestration/v1/plugins").await;
    let own = |entry: &&Value| text(&entry["file"]).ends_with(file);
    plugins.as_array().unwrap().iter().find(own).cloned()
}

#[tokio::test]
async fn a_file_that_is_no_plugin_changes_nothing_and_is_told_why() {
    let folders = Folders::new().await;
    let world = folders.world().await;
    world.network.fail(json!([{ "fault": "slow", "delayMs": 100 }])).await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    let files: [(&str, &[u8], &str); 5] = [
        ("text.wasm", b"this is a text", "no WebAssembly"),
        ("core.wasm", b"\0asm\x01\0\0\0", "core module"),
        ("strange.wasm", b"\0asm\x0d\0\x01\0", "exports no interface of ferrule:plugin"),
        ("nameless.wasm", &guest("misbehave"), "has no manifest"),
        ("dialler.wasm", &guest("dialler"), "[plugins.dialler]\nhttp = "),
    ];
    for (file, bytes, _) in files {
        folders.drop_in(file, bytes);
    }
    for (file, _, reason) in files {
        let entry = eventually("the file is looked at", async || listed(&world, file).await).await;
        assert_eq!(entry["state"]["state"], "rejected", "{entry:#}");
        assert!(text(&entry["state"]["reason"]).contains(reason), "{entry:#}");
    }
    world.completed(&id).await;
    world.books().await.check_delivered(&id);
    let plugins = world.http.get("/orchestration/v1/plugins").await;
    let ready =
        plugins.as_array().unwrap().iter().filter(|entry| entry["state"]["state"] == "ready");
    assert_eq!(ready.count(), 9);
}

#[tokio::test]
async fn a_plugin_that_is_dropped_in_is_used_without_a_restart() {
    let folders = Folders::new().await;
    let world = folders.world().await;
    let path = "/orchestration/v1/workflows/trouble/runs";
    let before = world.http.post(path, &json!({ "do": "text", "text": "{}" })).await;
    assert_eq!(before.status, 201, "{}", before.text);
    assert_eq!(before.body["state"], "held", "{}", before.text);
    assert_eq!(before.body["failures"][0]["code"], "PLUGIN_MISSING");
    folders.drop_in("misbehave.wasm", &with_world(&guest("misbehave"), "misbehave", "step"));
    eventually("the plugin is ready", async || {
        listed(&world, "misbehave.wasm").await.filter(|entry| entry["state"]["state"] == "ready")
    })
    .await;
    let input = json!({ "do": "text", "text": "{\"answer\": 42}" });
    let after = world.http.post(&format!("{path}?wait=60s"), &input).await;
    assert_eq!(after.body["state"], "completed", "{}", after.text);
    assert_eq!(after.body["outputs"]["it"]["answer"], 42);
}

#[tokio::test]
async fn a_plugin_that_misbehaves_fails_its_own_task_and_nothing_else() {
    let folders = Folders::new().await;
    folders.drop_in("misbehave.wasm", &with_world(&guest("misbehave"), "misbehave", "step"));
    let world = folders.world().await;
    let others = world.submit(&pack_order("superfibre/gpon")).await;
    let inputs = [
        (json!({ "do": "loop" }), "PLUGIN_CPU"),
        (json!({ "do": "trap" }), "PLUGIN_TRAPPED"),
        (json!({ "do": "eat" }), "PLUGIN_MEMORY"),
        (json!({ "do": "sleep", "count": 60_000 }), "PLUGIN_TIMEOUT"),
        (json!({ "do": "exit" }), "PLUGIN_TRAPPED"),
        (json!({ "do": "text", "text": "no json" }), "PLUGIN_ANSWER"),
        (json!({ "do": "fail" }), "VLAN_BUSY"),
    ];
    let mut runs = Vec::new();
    for (input, code) in &inputs {
        let is_asleep = *code == "PLUGIN_TIMEOUT";
        let (held, ended) =
            if is_asleep { ("asleep", "asleep-unwound") } else { ("trouble", "unwound") };
        for (workflow, is_held) in [(held, true), (ended, false)] {
            let path = format!("/orchestration/v1/workflows/{workflow}/runs");
            let answer = world.http.post(&path, input).await;
            assert_eq!(answer.status, 201, "{}", answer.text);
            runs.push((is_held, text(&answer.body["id"]), code));
        }
    }
    // While they misbehave, others are served.
    let path = "/orchestration/v1/workflows/six-steps/runs?wait=60s";
    assert_eq!(world.http.post(path, &json!({})).await.body["state"], "completed");
    for (is_held, id, code) in runs {
        let run = if is_held {
            world.held(&id).await
        } else {
            assert_eq!(world.ended(&id).await.end, "failed");
            world.http.get(&format!("/orchestration/v1/runs/{id}")).await
        };
        assert_eq!(run["failures"][0]["code"], **code, "{run:#}");
    }
    world.completed(&others).await;
    world.books().await.check_delivered(&others);
    world.http.get("/readyz").await;
}

/// A step plugin that reaches outside may lack `undo`: a workflow must not count on it.
#[tokio::test]
async fn a_plan_that_would_undo_what_cannot_be_undone_is_held_before_anything_is_done() {
    let folders = Folders::new().await;
    folders.drop_in("dialler.wasm", &with_world(&guest("sender"), "dialler", "step"));
    let tail = "[plugins.dialler]\nhttp = [\"http://127.0.0.1:9\"]\n";
    let world = World::with(Settings {
        plugins: Some(folders.plugins()),
        workflows: Some(folders.workflows()),
        tail: tail.into(),
        ..Settings::default()
    })
    .await;
    let run = async |workflow: &str| {
        let path = format!("/orchestration/v1/workflows/{workflow}/runs");
        world.http.post(&path, &json!({})).await
    };
    let mail = run("mail").await;
    assert_eq!(mail.body["state"], "held", "{}", mail.text);
    assert_eq!(mail.body["failures"][0]["code"], "PLAN_NO_UNDO");
    for name in ["`send`", "`mail`", "`dialler`"] {
        assert!(text(&mail.body["failures"][0]["message"]).contains(name), "{}", mail.text);
    }
    let letter = run("letter").await;
    assert_eq!(letter.status, 201, "{}", letter.text);
    assert_ne!(letter.body["state"], "held", "{}", letter.text);
}

/// Orders go on with the version that they began with; new ones have the new version.
#[tokio::test]
async fn an_order_keeps_the_plugins_that_it_began_with() {
    let folders = Folders::new().await;
    let plugin = with_world(&guest("misbehave"), "misbehave", "step");
    folders.drop_in("misbehave.wasm", &plugin);
    let mut world = folders.world().await;
    let wait = json!({ "do": "wait", "keys": ["later-1"] });
    let path = "/orchestration/v1/workflows/patient/runs";
    let first = text(&world.http.post(path, &wait).await.body["id"]);
    let pinned =
        world.http.get(&format!("/orchestration/v1/runs/{first}")).await["plugins"].clone();
    std::fs::remove_file(folders.plugins().join("misbehave.wasm")).unwrap();
    eventually("the plugin is gone", async || {
        let late = world.http.post(path, &json!({ "do": "text", "text": "{}" })).await;
        (late.body["state"] == "held").then_some(())
    })
    .await;
    // Even a server that was started since knows it.
    world.kill().await;
    world.restart().await;
    let answer =
        world.http.post("/orchestration/v1/callbacks/misbehave/later-1", &json!({ "n": 7 })).await;
    assert!(answer.status < 300, "{}", answer.text);
    world.completed(&first).await;
    let run = world.http.get(&format!("/orchestration/v1/runs/{first}")).await;
    assert_eq!(run["outputs"]["it"], json!({ "payload": { "n": 7 } }));
    assert_eq!(run["plugins"], pinned);
}

#[tokio::test]
async fn plugins_are_listed_with_what_they_ask_for_and_why_one_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(plugins_dir().await.join("noop.wasm"), folder.path().join("noop.wasm")).unwrap();
    let path = folder.path().to_str().unwrap();
    let right = ferrule(&["plugin", "list", path]).await;
    assert_eq!(right.code, Some(0), "{}", right.err);
    assert!(right.out.starts_with("noop "), "{}", right.out);
    std::fs::write(folder.path().join("dialler.wasm"), guest("dialler")).unwrap();
    let listed = ferrule(&["plugin", "list", path]).await;
    assert_eq!(listed.code, Some(1), "{}", listed.out);
    for told in ["(step)", "ready", "rejected", "reason", "[plugins.dialler]"] {
        assert!(listed.out.contains(told), "{told}: {}", listed.out);
    }
    let json = ferrule(&["plugin", "list", "--json", path]).await;
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let states: Vec<_> =
        json.as_array().unwrap().iter().map(|e| text(&e["state"]["state"])).collect();
    assert_eq!(states.len(), 2, "{json}");
    assert!(states.contains(&"ready".into()) && states.contains(&"rejected".into()), "{states:?}");
    for wrong in [&["plugin", "list", "/nowhere"][..], &["plugin", "list", "--what"]] {
        assert_eq!(ferrule(wrong).await.code, Some(2), "{wrong:?}");
    }
    let world = World::start().await;
    let server = ferrule(&["plugin", "list", "--server", &world.http.base]).await;
    assert_eq!(server.code, Some(0), "{}", server.err);
    assert!(
        server.out.contains("pool-allocator") && server.out.contains("granted"),
        "{}",
        server.out
    );
}

#[tokio::test]
async fn grants_that_the_operator_changes_count_without_a_restart() {
    let folders = Folders::new().await;
    let world = folders.world().await;
    let settings = world.folder.path().join("ferrule.toml");
    let before = std::fs::read_to_string(&settings).unwrap();
    let is = async |state: &str| {
        eventually("the plugin is looked at again", async || {
            listed(&world, "dialler.wasm").await.filter(|entry| entry["state"]["state"] == state)
        })
        .await
    };
    folders.drop_in("dialler.wasm", &with_world(&guest("sender"), "dialler", "step"));
    let rejected = is("rejected").await;
    let reason = text(&rejected["state"]["reason"]);
    let (_, lines) = reason.split_once("add to ferrule.toml:\n").unwrap();
    let lines = lines.replace("element.example:80", "127.0.0.1:9");
    std::fs::write(&settings, format!("{before}\n{lines}\n")).unwrap();
    let ready = is("ready").await;
    assert_eq!(ready["grants"]["http"], json!(["http://127.0.0.1:9"]));
    assert_eq!(ready["isCurrent"], true);

    // Settings that cannot be read change nothing.
    std::fs::write(&settings, format!("{before}\n[plugins.dialler]\nhttp = 9\n")).unwrap();
    let log = || std::fs::read_to_string(world.folder.path().join("serve.log")).unwrap();
    let reported = async |problem: &str| {
        eventually("the problem is reported", async || log().contains(problem).then_some(())).await;
    };
    reported("the settings cannot be read: the grants stay").await;
    assert_eq!(is("ready").await["grants"], ready["grants"]);

    let more = format!("{before}\n[plugins.dialler]\nlimits = {{ memory-mib = 4000 }}\n");
    std::fs::write(&settings, more).unwrap();
    reported("may not have 4000 MiB before the next start").await;
    assert_eq!(is("ready").await["grants"], ready["grants"]);

    let other = format!("body-bytes-max = 1000\n{before}\n{lines}\nconfig = {{ a = \"b\" }}\n");
    std::fs::write(&settings, other).unwrap();
    eventually("other grants are taken into use", async || {
        listed(&world, "dialler.wasm")
            .await
            .filter(|entry| entry["grants"]["config"] == json!(["a"]))
    })
    .await;
    assert!(
        log().contains("only grants, secrets and trusted keys count before the next start"),
        "{}",
        log()
    );

    std::fs::write(&settings, &before).unwrap();
    let revoked = is("rejected").await;
    assert!(text(&revoked["state"]["reason"]).contains("[plugins.dialler]\nhttp = "));
    let order = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&order).await;
}
