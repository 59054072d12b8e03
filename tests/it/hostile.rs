//! Plugins that mean harm, all at once, beside plugins that do not.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::plugin::bombs::{Dice, compile_bomb, with_module};
use crate::plugin::guest::{guest, with_id, with_world};
use crate::plugin::{Folders, listed};
use crate::world::{Http, Process, Settings, World, eventually, next_port, text};

/// One step of the guest, whose input is that of the run. Only a guest that sleeps has little time: the
/// others end by what they use, however busy the machine is.
const WORKFLOWS: &str = "\
workflows:
  - workflow: hostile
    steps:
      - { step: it, plugin: misbehave, timeout: 60s, retry: { attempts: 1 } }
  - workflow: sleeping
    steps:
      - { step: it, plugin: misbehave, timeout: 2s, retry: { attempts: 1 } }
  - workflow: starting
    steps:
      - { step: it, plugin: starter, timeout: 60s, retry: { attempts: 1 } }
";

const GRANTS: &str = "
[host]
compile-cpu-s = 2
compile-memory-mib = 8192
compile-wall-s = 60

[plugins.misbehave]
inventory = [\"service\"]
pools = [\"test-*\"]
limits = { cpu-ms = 100, memory-mib = 8, wall-ms = 60000 }

[plugins.misbehave.config]
token = \"s3cr3t-of-the-operator\"

[plugins.starter]
limits = { cpu-ms = 100, wall-ms = 60000 }
";

/// The server answers within this, whatever plugins do: generous, since tests run side by side.
const HEALTH_MAX: Duration = Duration::from_secs(5);

/// What a guest may be told to do, and the code of what becomes of it.
fn behaviours() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "do": "loop" }), "PLUGIN_CPU"),
        (json!({ "do": "loop-log" }), "PLUGIN_CPU"),
        (json!({ "do": "loop-config" }), "PLUGIN_CPU"),
        (json!({ "do": "loop-print" }), "PLUGIN_CPU"),
        (json!({ "do": "recurse" }), "PLUGIN_TRAPPED"),
        (json!({ "do": "eat" }), "PLUGIN_MEMORY"),
        (json!({ "do": "trap" }), "PLUGIN_TRAPPED"),
        (json!({ "do": "deep", "count": 124 }), "PLUGIN_ANSWER"),
        (json!({ "do": "deep", "count": 100_000 }), "PLUGIN_ANSWER"),
        (json!({ "do": "huge", "count": 3_000_000 }), "PLUGIN_ANSWER"),
        (json!({ "do": "values", "count": 12_000 }), "PLUGIN_ANSWER"),
        (json!({ "do": "many-keys", "count": 1_000 }), "PLUGIN_ANSWER"),
        (json!({ "do": "show", "name": "token", "where": "key" }), "PLUGIN_SHOWS_SETTING"),
        (json!({ "do": "show", "name": "token", "where": "failure" }), "E_[setting token]"),
    ]
}

async fn folders() -> Folders {
    let folders = Folders::new().await;
    let pack = folders.workflows().join("hostile");
    std::fs::create_dir(&pack).unwrap();
    std::fs::write(pack.join("pack.yaml"), "pack: hostile\n").unwrap();
    std::fs::write(pack.join("workflows.yaml"), WORKFLOWS).unwrap();
    folders.drop_in("misbehave.wasm", &with_world(&guest("misbehave"), "misbehave", "step"));
    folders.drop_in("starter.wasm", &with_world(&guest("starter"), "starter", "validator"));
    folders
}

fn bomb() -> Vec<u8> {
    let bomb = with_module(&guest("pure"), &compile_bomb());
    with_world(&bomb, "bomb", "validator")
}

/// Files that must not be taken in.
fn drop_files(folders: &Folders) {
    folders.drop_in("bomb.wasm", &bomb());
    folders.drop_in("thief.wasm", &with_id(&guest("misbehave"), "misbehave", "99.0.0", "step"));
    std::os::unix::fs::symlink("/nonexistent", folders.plugins().join("dangling.wasm")).unwrap();
    let whole = with_world(&guest("pure"), "mutant", "validator");
    let mut dice = Dice(11);
    for n in 0..8 {
        let mut bytes = whole.clone();
        let at = dice.below(bytes.len());
        if n % 2 == 0 {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 0x55;
        }
        folders.drop_in(&format!("mutant-{n}.wasm"), &bytes);
    }
}

#[tokio::test]
async fn neighbours_health_and_the_next_start_are_not_harmed() {
    let folders = folders().await;
    let mut world = World::with(Settings {
        plugins: Some(folders.plugins()),
        workflows: Some(folders.workflows()),
        tail: GRANTS.into(),
        ..Settings::default()
    })
    .await;
    drop_files(&folders);
    let mut hostile = Vec::new();
    for _ in 0..3 {
        for (input, code) in behaviours() {
            hostile.push((run(&world.http, "hostile", &input).await, code));
        }
        let sleep = json!({ "do": "sleep", "count": 60_000 });
        hostile.push((run(&world.http, "sleeping", &sleep).await, "PLUGIN_TIMEOUT"));
        hostile.push((run(&world.http, "starting", &json!({})).await, "PLUGIN_CPU"));
    }
    let neighbours = async {
        for _ in 0..40 {
            let path = "/orchestration/v1/workflows/six-steps/runs?wait=60s";
            let answer = world.http.post(path, &json!({})).await;
            assert_eq!(answer.body["state"], "completed", "{}", answer.text);
        }
    };
    let health = async {
        loop {
            let began = Instant::now();
            world.http.get("/healthz").await;
            assert!(began.elapsed() < HEALTH_MAX, "{:?}", began.elapsed());
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = neighbours => {}
        () = health => {}
    }
    for (id, code) in &hostile {
        let held = world.held(id).await;
        assert_eq!(held["failures"][0]["code"], *code, "{held:#}");
        assert!(!held.to_string().contains("s3cr3t"), "{held:#}");
    }
    for (file, reason) in [
        ("bomb.wasm", "compile-cpu-s"),
        ("thief.wasm", "`misbehave.wasm`"),
        ("dangling.wasm", "cannot be read"),
    ] {
        let entry = eventually("the file is looked at", async || listed(&world, file).await).await;
        assert!(text(&entry["state"]["reason"]).contains(reason), "{entry:#}");
    }
    world.kill().await;
    world.restart().await;
    world.http.get("/readyz").await;
    for (id, code) in &hostile {
        assert_eq!(world.held(id).await["failures"][0]["code"], *code);
    }
    let bomb = listed(&world, "bomb.wasm").await.unwrap();
    assert!(text(&bomb["state"]["reason"]).contains("compile-cpu-s"), "{bomb:#}");
    let log = std::fs::read_to_string(world.folder.path().join("serve.log")).unwrap();
    assert!(!log.contains("s3cr3t"), "a setting is in the log");
}

async fn run(http: &Http, workflow: &str, input: &Value) -> String {
    let path = format!("/orchestration/v1/workflows/{workflow}/runs");
    let answer = http.post(&path, input).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    text(&answer.body["id"])
}

/// S5: the server listens first, and ends when it is told to, whatever it compiles.
#[tokio::test]
async fn a_server_that_compiles_listens_and_can_be_stopped() {
    let folders = folders().await;
    folders.drop_in("a-bomb.wasm", &bomb());
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("ferrule.toml");
    let slow = "[host]\ncompile-cpu-s = 600\ncompile-wall-s = 600\ncompile-memory-mib = 16000\n";
    std::fs::write(&config, slow).unwrap();
    let address = format!("127.0.0.1:{}", next_port());
    let path = |path: std::path::PathBuf| path.to_str().unwrap().to_string();
    let arguments = [
        "serve".to_string(),
        "--config".into(),
        path(config),
        "--listen".into(),
        address.clone(),
        "--data".into(),
        path(folder.path().join("data")),
        "--plugins".into(),
        path(folders.plugins()),
        "--workflows".into(),
        path(folders.workflows()),
    ];
    let place = folder.path().to_owned();
    let starting =
        tokio::spawn(async move { Process::start("serve", &arguments, &place).await.err() });
    let http = Http::new(&format!("http://{address}"));
    let answers = async || http.send("GET", "/healthz", &[], "").await.ok();
    let health = eventually("it listens", answers).await;
    assert_eq!(health.status, 200);
    let ready = http.send("GET", "/readyz", &[], "").await.unwrap();
    assert_eq!(ready.status, 503, "{}", ready.text);
    let early = http.post("/orchestration/v1/workflows/six-steps/runs", &json!({})).await;
    assert_eq!(early.status, 503, "{}", early.text);
    assert!(early.headers.contains_key("retry-after"));
    let processes = |text: &str| processes(folder.path(), text);
    eventually("the bomb is compiled", async || {
        (!processes("compile-plugin").is_empty()).then_some(())
    })
    .await;
    let server = processes("serve");
    assert_eq!(server.len(), 1, "{server:?}");
    let began = Instant::now();
    let status = std::process::Command::new("kill").args(["-TERM", &server[0]]).status().unwrap();
    assert!(status.success());
    assert!(starting.await.unwrap().is_some(), "it served");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    eventually("the compiler has ended", async || {
        processes("compile-plugin").is_empty().then_some(())
    })
    .await;
}

/// The processes that run a command of the program for a server whose data lie in a folder: the
/// server has the folder among its arguments, the compiler writes to a file there.
fn processes(folder: &std::path::Path, command: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let is_it = |path: &std::path::Path| {
        let arguments = std::fs::read(path.join("cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).into_owned();
        let out = std::fs::read_link(path.join("fd/1")).unwrap_or_default();
        let is_ours = arguments.contains(&*folder.to_string_lossy()) || out.starts_with(folder);
        is_ours && arguments.split('\0').nth(1) == Some(command)
    };
    let found = entries.map(|entry| entry.path()).filter(|path| is_it(path));
    found.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
}
