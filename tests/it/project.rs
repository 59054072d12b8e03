//! Projects of plugins that `ferrule plugin new` makes, outside the repository.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugin::Folders;
use crate::world::{Settings, World, eventually, repository};

mod guide;

const WORLDS: [&str; 6] = ["activator", "validator", "allocator", "decomposer", "rater", "step"];

/// A folder for projects, whose builds share what they compile.
pub(crate) struct Projects {
    pub(crate) folder: TempDir,
    target: PathBuf,
}

impl Projects {
    pub(crate) fn new() -> Self {
        let target = Path::new(env!("CARGO_BIN_EXE_ferrule")).ancestors().nth(2).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), target: target.join("projects") }
    }

    /// Makes a project in Rust.
    fn make(&self, id: &str, world: &str) -> PathBuf {
        self.make_in("rust", id, world)
    }

    pub(crate) fn make_in(&self, language: &str, id: &str, world: &str) -> PathBuf {
        let arguments = ["plugin", "new", id, "--world", world, "--lang", language];
        let made = self.ferrule(self.folder.path(), &arguments);
        assert!(made.status.success(), "{made:?}");
        let project = self.folder.path().join(id);
        if language == "rust" {
            lock(&project);
        }
        project
    }

    pub(crate) fn ferrule(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.run(env!("CARGO_BIN_EXE_ferrule"), folder, arguments)
    }

    pub(crate) fn run(&self, program: &str, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        for name in ["CARGO", "RUSTC", "CARGO_MANIFEST_DIR", "RUSTUP_TOOLCHAIN"] {
            command.env_remove(name);
        }
        command.env("CARGO_TARGET_DIR", &self.target);
        command.current_dir(folder).args(arguments).output().unwrap()
    }

    /// Builds a project; returns the plugin.
    pub(crate) fn build(&self, project: &Path) -> PathBuf {
        let built = self.ferrule(project, &["plugin", "build"]);
        assert!(built.status.success(), "{built:?}");
        let id = project.file_name().unwrap().to_str().unwrap();
        project.join(format!("dist/{id}.wasm"))
    }

    /// Builds a project, and checks that a server with the grants of its page takes the plugin in.
    fn check(&self, project: &Path, line: &str) {
        let built = self.build(project);
        let grants = project.join("ferrule.toml");
        std::fs::write(&grants, grants_of(project)).unwrap();
        let arguments = ["plugin", "check", built.to_str().unwrap(), "--config"];
        let arguments = [&arguments[..], &[grants.to_str().unwrap()]].concat();
        let checked = self.ferrule(project, &arguments);
        assert!(checked.status.success(), "{}", text(&checked));
        assert!(text(&checked).contains(line), "{}", text(&checked));
    }

    /// Plays the cases of a project whose plugin was built.
    fn prove(&self, project: &Path) {
        let id = project.file_name().unwrap().to_str().unwrap();
        let plugin = project.join(format!("dist/{id}.wasm"));
        let proved = self.ferrule(project, &["plugin", "test", plugin.to_str().unwrap()]);
        assert!(proved.status.success(), "{}", text(&proved));
        assert!(text(&proved).contains(" 0 failed"), "{}", text(&proved));
        // What has an input refuses a wrong one, in every language.
        let is_typed = !["decomposer", "rater"].iter().any(|world| id.ends_with(world));
        assert_eq!(text(&proved).contains("/input:"), is_typed, "{}", text(&proved));
    }

    /// Calls the plugin of an activator that was built, and compares its answers with those of the other
    /// languages.
    fn check_answers(&self, project: &Path) {
        let id = project.file_name().unwrap().to_str().unwrap();
        let port = element();
        let settings = project.join("element.toml");
        let grants = format!(
            "[plugins.{id}]\nhttp = [\"http://127.0.0.1:{port}\", \"http://127.0.0.1:1\"]\n\
             [plugins.{id}.config]\n\"element.olt-1\" = \"http://127.0.0.1:{port}\"\n\
             \"element.down\" = \"http://127.0.0.1:1\"\n\"element.far\" = \"http://127.0.0.2:1\"\n"
        );
        std::fs::write(&settings, grants).unwrap();
        let fast = r#"{"downstreamSpeed": 200}"#;
        for (element, operation, characteristics, answer) in [
            ("olt-1", "run", fast, json!({ "done": { "mbps": 200 } })),
            ("olt-1", "undo", fast, json!({ "done": {} })),
            ("olt-1", "run", "{}", json!("CHARACTERISTIC_MISSING")),
            ("olt-2", "run", fast, json!("SETTING_MISSING")),
            ("down", "run", fast, json!("ELEMENT_UNREACHABLE")),
            ("far", "run", fast, json!("ELEMENT_NOT_GRANTED")),
        ] {
            let plugin = project.join(format!("dist/{id}.wasm"));
            let input = json!({ "element": element, "line": 7 }).to_string();
            let called = self.ferrule(
                project,
                &[
                    &["plugin", "run", plugin.to_str().unwrap(), "--config"][..],
                    &[settings.to_str().unwrap(), "--operation", operation, "--input", &input],
                    &["--characteristics", characteristics],
                ]
                .concat(),
            );
            let found: Value = serde_json::from_slice(&called.stdout)
                .unwrap_or_else(|error| panic!("{error}: {}", text(&called)));
            let code = found["failed"]["code"].clone();
            let found = if code.is_null() { found } else { code };
            assert_eq!(found, answer, "{element} {operation}: {}", text(&called));
        }
    }
}

/// An element that does all that it is asked to; returns its port.
fn element() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 4096];
            // The bodies are small, so a request comes whole.
            if stream.read(&mut asked).is_ok_and(|bytes| bytes > 0) {
                let answer = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    port
}

/// Makes a project of each world, runs its unit tests by these commands, and checks its plugin.
fn check_worlds(language: &str, commands: &[&[&str]]) {
    let projects = Projects::new();
    for world in WORLDS {
        let id = format!("acme-{world}");
        let project = projects.make_in(language, &id, world);
        for command in commands {
            let done = projects.run(command[0], &project, &command[1..]);
            assert!(done.status.success(), "{world}: {}", text(&done));
        }
        projects.check(&project, &format!("{id} 0.1.0 ({world})"));
        if world == "activator" {
            projects.check_answers(&project);
        }
        projects.prove(&project);
    }
}

#[test]
fn a_new_project_of_each_world_passes_its_tests_and_becomes_a_plugin() {
    check_worlds("rust", &[&["cargo", "test"]]);
}

#[test]
fn a_new_project_in_javascript_passes_its_tests_and_becomes_a_plugin() {
    if has("npm") {
        check_worlds(
            "javascript",
            &[&["npm", "install", "--no-audit", "--no-fund"], &["npm", "test"]],
        );
    }
}

#[test]
fn a_new_project_in_c_passes_its_tests_and_becomes_a_plugin() {
    if has("clang") {
        check_worlds("c", &[&["sh", "vendor/test.sh"]]);
    }
}

#[test]
fn a_new_project_in_python_passes_its_tests_and_becomes_a_plugin() {
    if !has("python3") {
        return;
    }
    let projects = Projects::new();
    let first = projects.make_in("python", "acme-activator", "activator");
    // An interpreter is large: this one is compiled, the others only become components.
    projects.check(&first, "acme-activator 0.1.0 (activator)");
    projects.check_answers(&first);
    projects.prove(&first);
    for world in WORLDS {
        let project = projects.folder.path().join(format!("acme-{world}"));
        if world != "activator" {
            projects.make_in("python", &format!("acme-{world}"), world);
            std::os::unix::fs::symlink(first.join(".venv"), project.join(".venv")).unwrap();
        }
        for script in ["vendor/test.py", "vendor/build.py"] {
            let done = projects.run(".venv/bin/python", &project, &[script]);
            assert!(done.status.success(), "{world}: {}", text(&done));
        }
        let component = std::fs::read(project.join("build/plugin.wasm")).unwrap();
        let manifest = std::fs::read(project.join("plugin.toml")).unwrap();
        let plugin = host::manifest::embed(&component, &manifest).unwrap();
        let manifest = host::Manifest::of(plugin).unwrap();
        assert_eq!(manifest.world.world(), world);
    }
}

#[test]
fn a_plugin_is_called_once_without_a_server() {
    let projects = Projects::new();
    let step = projects.build(&projects.make("acme-step", "step"));
    let allocator = projects.build(&projects.make("acme-allocator", "allocator"));
    let decomposer = projects.build(&projects.make("acme-decomposer", "decomposer"));
    let folder = projects.folder.path();
    let call = |plugin: &Path, arguments: &[&str]| {
        let arguments = [&["plugin", "run", plugin.to_str().unwrap()], arguments].concat();
        projects.ferrule(folder, &arguments)
    };
    let answer = |output: &Output| -> Value { serde_json::from_slice(&output.stdout).unwrap() };

    let done = call(&step, &["--input", r#"{"mbps": 200}"#]);
    assert!(done.status.success(), "{}", text(&done));
    assert_eq!(answer(&done), json!({ "done": { "profile": "silver" } }));
    std::fs::write(folder.join("input.json"), r#"{"mbps": 0}"#).unwrap();
    let failed = call(&step, &["--input", "@input.json"]);
    assert_eq!(failed.status.code(), Some(1), "{}", text(&failed));
    assert_eq!(answer(&failed)["failed"]["code"], "SPEED_INVALID");

    std::fs::write(folder.join("ferrule.toml"), "[plugins.acme-allocator]\npools = [\"vlans\"]\n")
        .unwrap();
    let arguments = ["--input", r#"{"vlans": "vlans"}"#, "--pool", "vlans={100..101}"];
    let denied = call(&allocator, &arguments);
    assert!(text(&denied).contains("[plugins.acme-allocator]\npools = "), "{}", text(&denied));
    let done = call(&allocator, &[&arguments[..], &["--config", "ferrule.toml"]].concat());
    assert_eq!(answer(&done), json!({ "done": { "vlan": "100" } }), "{}", text(&done));

    let show = |arguments: &[&str]| {
        let arguments = [&["plugin", "show", allocator.to_str().unwrap()], arguments].concat();
        projects.ferrule(folder, &arguments)
    };
    let shown = text(&show(&["--config", "ferrule.toml"]));
    assert_eq!(
        shown,
        "acme-allocator 0.1.0 (allocator)\n  Reserves a VLAN and an address\n  \
         capability  requested  granted\n  pools       *          vlans\n  \
         limits   16 MiB, 500 ms of processor time, 10000 ms, 64 calls at one time\n  undo     yes\n  \
         input\n    addresses (any): The pool of addresses, if one is wanted.\n    \
         vlans (string, mandatory): The pool of VLANs.\n  \
         output\n    address (any): The address.\n    vlan (string, mandatory): The VLAN.\n"
    );
    let shown: Value = serde_json::from_slice(&show(&["--json"]).stdout).unwrap();
    assert_eq!(shown["manifest"]["world"], "allocator");
    assert_eq!(shown["granted"]["pools"], json!([]));
    assert_eq!(shown["input"]["required"], json!(["vlans"]));

    let sites = r#"{"sites": ["Bern"]}"#;
    let made = call(&decomposer, &["--spec", "WAN", "--characteristics", sites]);
    assert_eq!(answer(&made)["productions"][0]["characteristics"]["site"], "Bern");

    for (arguments, problem) in [
        (&["--input", "{"][..], "--input cannot be used"),
        (&["--input", "[]"], "--input cannot be used"),
        (&["--input", "@nowhere.json"], "cannot read `nowhere.json`"),
        (&["--action", "burn"], "the action `burn` is none of"),
        (&["--pool", "vlans"], "is no `NAME=PATTERN`"),
        (&["--pool", "vlans={2..1}"], "--pool `vlans={2..1}` cannot be used"),
        (&["--operation", "dance"], "possible values"),
    ] {
        let refused = call(&step, arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", text(&refused));
        assert!(text(&refused).contains(problem), "{}", text(&refused));
    }
    let refused = call(Path::new("nowhere.wasm"), &[]);
    assert!(text(&refused).contains("cannot read `nowhere.wasm`"), "{}", text(&refused));
}

#[tokio::test]
async fn a_plugin_is_installed_rolled_back_and_removed() {
    let projects = Projects::new();
    let folders = Folders::new().await;
    let into = folders.plugins();
    let into = into.to_str().unwrap();
    let world = World::with(Settings {
        plugins: Some(folders.plugins()),
        workflows: Some(folders.workflows()),
        ..Settings::default()
    })
    .await;
    let current = async |version: &str| {
        let plugins = world.http.get("/orchestration/v1/plugins").await;
        let mut found = plugins.as_array().unwrap().iter();
        let is_it = |entry: &&Value| {
            entry["id"] == "acme-step" && entry["isCurrent"] == true && entry["version"] == version
        };
        found.find(is_it).map(|_| ())
    };
    let ferrule = |arguments: &[&str]| {
        let arguments = [&["plugin"], arguments, &["--into", into]].concat();
        projects.ferrule(projects.folder.path(), &arguments)
    };
    let project = projects.make("acme-step", "step");
    let first = projects.build(&project);
    let done = ferrule(&["install", first.to_str().unwrap()]);
    assert!(done.status.success(), "{}", text(&done));
    eventually("the plugin is taken in", async || current("0.1.0").await).await;
    let again = ferrule(&["install", first.to_str().unwrap()]);
    assert!(text(&again).contains("acme-step 0.1.0 is installed"), "{}", text(&again));
    let none = ferrule(&["rollback", "acme-step"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none).contains("no version before 0.1.0"), "{}", text(&none));

    let manifest = project.join("plugin.toml");
    let later = std::fs::read_to_string(&manifest).unwrap().replace("0.1.0", "0.2.0");
    std::fs::write(&manifest, later).unwrap();
    let second = projects.build(&project);
    let done = ferrule(&["install", second.to_str().unwrap()]);
    assert!(text(&done).contains("acme-step 0.2.0, in place of 0.1.0"), "{}", text(&done));
    eventually("the later version is used", async || current("0.2.0").await).await;
    let done = ferrule(&["rollback", "acme-step"]);
    assert!(text(&done).contains("acme-step 0.1.0, in place of 0.2.0"), "{}", text(&done));
    eventually("the earlier version is used", async || current("0.1.0").await).await;
    let done = ferrule(&["rollback", "acme-step"]);
    assert!(text(&done).contains("acme-step 0.2.0, in place of 0.1.0"), "{}", text(&done));

    let count = || std::fs::read_dir(folders.plugins()).unwrap().count();
    let before = count();
    let activator = projects.build(&projects.make("acme-olt", "activator"));
    let denied = ferrule(&["install", activator.to_str().unwrap()]);
    assert_eq!(denied.status.code(), Some(1));
    assert!(text(&denied).contains("[plugins.acme-olt]\nhttp = "), "{}", text(&denied));
    let wrong = ferrule(&["install", manifest.to_str().unwrap()]);
    assert!(text(&wrong).contains("is not installed"), "{}", text(&wrong));
    assert_eq!(count(), before, "what is refused changes nothing");

    let done = ferrule(&["remove", "acme-step"]);
    assert!(text(&done).contains("acme-step 0.2.0 is removed"), "{}", text(&done));
    assert_eq!(count(), before - 2, "the version before is removed too");
    let gone = ferrule(&["remove", "acme-step"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(text(&gone).contains("has no plugin `acme-step`"), "{}", text(&gone));
}

#[tokio::test]
async fn a_project_that_is_watched_swaps_the_plugin_of_a_server() {
    let projects = Projects::new();
    let folders = Folders::new().await;
    let world = World::with(Settings {
        plugins: Some(folders.plugins()),
        workflows: Some(folders.workflows()),
        ..Settings::default()
    })
    .await;
    let project = projects.make("acme-step", "step");
    let into = folders.plugins();
    let watch = ["plugin", "watch", "--once", "--into", into.to_str().unwrap()];
    let listed = async |version: &str| {
        let plugins = world.http.get("/orchestration/v1/plugins").await;
        let mut found = plugins.as_array().unwrap().iter().cloned();
        found.find(|entry| {
            entry["id"] == "acme-step" && entry["version"] == version && entry["isCurrent"] == true
        })
    };
    let built = projects.ferrule(&project, &watch);
    assert!(built.status.success(), "{}", text(&built));
    eventually("the plugin is taken in", async || listed("0.1.0").await).await;

    let manifest = project.join("plugin.toml");
    let later = std::fs::read_to_string(&manifest).unwrap().replace("0.1.0", "0.2.0");
    std::fs::write(&manifest, later).unwrap();
    let source = project.join("src/lib.rs");
    let good = std::fs::read_to_string(&source).unwrap();
    std::fs::write(&source, good.replace("input.mbps", "input.speed")).unwrap();
    let failed = projects.ferrule(&project, &watch);
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed).contains("no field `speed`"), "{}", text(&failed));
    assert!(listed("0.2.0").await.is_none(), "a build that fails swaps nothing");

    std::fs::write(&source, good).unwrap();
    let built = projects.ferrule(&project, &watch);
    assert!(built.status.success(), "{}", text(&built));
    eventually("the plugin is swapped", async || listed("0.2.0").await).await;
}

#[test]
fn wrong_commands_are_explained_and_change_nothing() {
    let projects = Projects::new();
    let folder = projects.folder.path();
    let refused = |arguments: &[&str], problem: &str| {
        let output = projects.ferrule(folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(problem), "{}", text(&output));
    };
    std::fs::create_dir(folder.join("taken")).unwrap();
    refused(&["plugin", "new", "taken"], "`taken` exists");
    refused(&["plugin", "new", "Acme OLT"], "the id `Acme OLT` must be");
    refused(&["plugin", "new", "acme", "--world", "adapter"], "possible values");
    refused(&["plugin", "new", "acme", "--lang", "cobol"], "possible values");
    refused(&["plugin", "build", "taken"], "it has no `plugin.toml`");
    refused(&["plugin", "watch", "taken"], "it has no `plugin.toml`");
    std::fs::write(folder.join("taken/plugin.toml"), "schema = 1\n").unwrap();
    refused(&["plugin", "build", "taken"], "has no file of a language that is known");
    let project = projects.make("acme", "step");
    let into = ["plugin", "watch", "acme", "--into", "nowhere"];
    refused(&into, "there is no folder `nowhere`");
    std::fs::write(project.join("plugin.toml"), "schema = 1\nid = \"acme\"\n").unwrap();
    let built = projects.ferrule(folder, &["plugin", "build", "acme"]);
    assert_eq!(built.status.code(), Some(1));
    assert!(text(&built).contains("missing field `version`"), "{}", text(&built));
    assert!(!project.join("dist").exists());
    let left: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

/// Whether a tool is on this machine. `.ci/run` installs it, and there its absence is a failure.
#[expect(clippy::print_stderr, reason = "what is skipped is told")]
pub(crate) fn has(tool: &str) -> bool {
    let is_there = Command::new(tool).arg("--version").output().is_ok();
    assert!(is_there || std::env::var_os("FERRULE_CI").is_none(), "`{tool}` is missing");
    if !is_there {
        eprintln!("skipped: `{tool}` is missing");
    }
    is_there
}

/// Gives a project the versions of dependencies that are tested here.
pub(crate) fn lock(project: &Path) {
    std::fs::copy(repository().join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
}

/// What the page of a project tells the operator to grant.
fn grants_of(project: &Path) -> String {
    let page = std::fs::read_to_string(project.join("README.md")).unwrap();
    let (_, fence) = page.split_once("```toml\n").expect("the page has the grants");
    fence.split_once("```").unwrap().0.to_owned()
}

pub(crate) fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(&[&out[..], &err[..]].concat()).into_owned()
}
