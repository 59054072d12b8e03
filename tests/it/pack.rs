//! Packs with mistakes: found before anything runs, with the place.

use std::path::Path;

use tempfile::TempDir;

use crate::world::{Process, World, ferrule, next_port, plugins_dir, repository};

/// A folder with a pack of these files, beside the bench pack, which is right.
fn packs(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bench = repository().join("workflows/bench");
    copy(&bench, &folder.path().join("bench"));
    let pack = folder.path().join("mine");
    std::fs::create_dir(&pack).unwrap();
    for (name, text) in files {
        std::fs::write(pack.join(name), text).unwrap();
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

const PACK: (&str, &str) = ("pack.yaml", "pack: mine\n");

/// Mistakes, each with what has to be said of it.
const MISTAKES: [(&str, &str, &str); 8] = [
    ("pack.yaml", "pack: mine\ncolour: red\n", "pack.yaml:2:1: "),
    ("rules.yaml", "deliver: [\n", "rules.yaml:1:10: "),
    ("workflows.yaml", "workflows:\n  - workflow: a\n    steps: []\n", "workflows.yaml:2:15: "),
    (
        "workflows.yaml",
        "workflows:\n  - workflow: a\n    steps:\n      - { step: s, plugin: noop, input: { x: '=1 +' } }\n",
        "workflows.yaml:4:",
    ),
    (
        "workflows.yaml",
        "workflows:\n  - workflow: a\n    steps:\n      - { step: s, plugin: noop, needs: [elsewhere] }\n",
        "workflows.yaml:4:",
    ),
    ("rules.yaml", "deliver:\n  - spec: RFS-X\n    workflow: none\n", "rules.yaml:3:15: "),
    (
        "pools.yaml",
        "pools:\n  - pool: p\n    resource: R\n    characteristic: c\n",
        "pools.yaml:2:11: ",
    ),
    ("catalog.json", "{ \"productOffering\": [ { \"id\": 7 } ] }", "catalog.json:1:32: "),
];

#[tokio::test]
async fn a_mistake_is_shown_with_file_line_and_column() {
    for (file, text, place) in MISTAKES {
        let folder =
            if file == "pack.yaml" { packs(&[(file, text)]) } else { packs(&[PACK, (file, text)]) };
        let output = ferrule(&["rules", "check", folder.path().to_str().unwrap()]).await;
        assert_eq!(output.code, Some(1), "{text}: {}", output.out);
        assert!(output.err.contains(place), "{place} is not in:\n{}", output.err);
        assert!(output.err.contains("mine"), "{}", output.err);
    }
}

#[tokio::test]
async fn a_folder_without_a_pack_is_told_and_a_wrong_command_ends_otherwise() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().to_str().unwrap();
    let none = ferrule(&["rules", "check", path]).await;
    assert_eq!(none.code, Some(1), "{}", none.out);
    assert!(none.err.contains("there is no pack in"), "{}", none.err);
    // A pack whose `pack.yaml` was forgotten, by itself or among others.
    let folder = packs(&[("rules.yaml", "deliver: []\n")]);
    for path in [folder.path().to_path_buf(), folder.path().join("mine")] {
        let output = ferrule(&["rules", "check", path.to_str().unwrap()]).await;
        assert_eq!(output.code, Some(1), "{}", output.out);
        assert!(output.err.contains("the file `pack.yaml` is missing"), "{}", output.err);
    }
    let good = repository().join("workflows/superfibre");
    let good = good.to_str().unwrap();
    for wrong in [
        &["rules", "check", "/nowhere"][..],
        &["rules", "check", good, "--plugins", "/nowhere"],
        &["rules", "check", "--what"],
        &["rules", "plan", good, "/nowhere.json"],
    ] {
        let output = ferrule(wrong).await;
        assert_eq!(output.code, Some(2), "{wrong:?}: {}", output.err);
    }
}

#[tokio::test]
async fn the_mistakes_of_all_packs_are_told_at_once() {
    let (file, text, place) = MISTAKES[0];
    let folder = packs(&[(file, text)]);
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("pack.yaml"), "pack: other\n").unwrap();
    std::fs::write(other.join("rules.yaml"), "orders: { before: nothing }\n").unwrap();
    let output = ferrule(&["rules", "check", folder.path().to_str().unwrap()]).await;
    for told in [place, "rules.yaml:1:19: no workflow `nothing`"] {
        assert!(output.err.contains(told), "{told}: {}", output.err);
    }
}

#[tokio::test]
async fn the_packs_of_this_repository_call_their_plugins_as_these_want() {
    let (workflows, plugins) = (repository().join("workflows"), plugins_dir().await);
    let (workflows, plugins) = (workflows.to_str().unwrap(), plugins.to_str().unwrap());
    let output = ferrule(&["rules", "check", workflows, "--plugins", plugins]).await;
    assert!(output.ok, "{}", output.err);
    let folder = packs(&[
        PACK,
        (
            "workflows.yaml",
            "workflows:
  - workflow: mine
    steps:
      - { step: activate, plugin: rest-activator, input: { elemnt: olt-1, request: {} } }
      - { step: other, plugin: rest-activater }
",
        ),
    ]);
    let path = folder.path().to_str().unwrap();
    let output = ferrule(&["rules", "check", path, "--plugins", plugins]).await;
    assert_eq!(output.code, Some(1), "{}", output.out);
    for told in [
        "workflows.yaml:4:58: plugin `rest-activator` needs `element` in its input",
        "workflows.yaml:5:32: no plugin `rest-activater`",
        "is `rest-activator` meant?",
    ] {
        assert!(output.err.contains(told), "{told}: {}", output.err);
    }
}

#[tokio::test]
async fn the_packs_of_this_repository_are_right() {
    let workflows = repository().join("workflows");
    let output = ferrule(&["rules", "check", workflows.to_str().unwrap()]).await;
    assert!(output.ok, "{}", output.err);
    for pack in ["superfibre", "mobile-4g", "triple-play", "bench"] {
        assert!(output.out.contains(&format!("{pack}: ")), "{}", output.out);
    }
}

/// Tries to serve; answers with why it does not.
async fn refused(arguments: &[&str], folder: &Path) -> String {
    let plugins = plugins_dir().await;
    let data = folder.join("data");
    let mut all = vec!["serve", "--plugins", plugins.to_str().unwrap()];
    if !arguments.contains(&"--data") {
        all.extend(["--data", data.to_str().unwrap()]);
    }
    all.extend(arguments);
    let output = ferrule(&all).await;
    assert_eq!(output.code, Some(1), "it serves: {}", output.out);
    assert_eq!(output.out, "");
    output.err
}

#[tokio::test]
async fn a_server_that_others_could_reach_is_refused() {
    let folder = packs(&[PACK]);
    let workflows = folder.path().to_str().unwrap();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let said = refused(&["--workflows", workflows, "--listen", address], folder.path()).await;
        for what in [
            "can be reached from other machines",
            "`[tls]`",
            "`[access] authentication = \"required\"`",
        ] {
            assert!(said.contains(what), "{said}");
        }
    }
    assert!(!folder.path().join("data").exists());
}

#[tokio::test]
async fn one_store_has_one_server() {
    let world = World::start().await;
    let data = world.data();
    let workflows = repository().join("workflows");
    let address = format!("127.0.0.1:{}", next_port());
    let arguments = [
        "--workflows",
        workflows.to_str().unwrap(),
        "--listen",
        &address,
        "--data",
        data.to_str().unwrap(),
    ];
    let said = refused(&arguments, world.folder.path()).await;
    assert!(said.contains("is another ferrule running on this data directory?"), "{said}");
    // The first is none the worse for it.
    let id = world.submit(&crate::world::pack_order("mobile-4g/new-number")).await;
    world.completed(&id).await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let folder = packs(&[PACK]);
    let workflows = folder.path().to_str().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(&["--workflows", workflows, "--listen", &address], folder.path()).await;
    assert!(said.contains(&format!("cannot listen on `{address}`")), "{said}");
    let arguments = ["simnet", "--listen", &address].map(String::from);
    let said = Process::start("second", &arguments, folder.path()).await.err().unwrap();
    assert!(said.contains(&format!("cannot listen on `{address}`")), "{said}");
}

#[tokio::test]
async fn mistakes_are_told_as_json_with_their_place_and_code() {
    let folder = packs(&[
        PACK,
        ("rules.yaml", "orders: { before: intak }\n"),
        (
            "workflows.yaml",
            "workflows:\n  - workflow: intake\n    steps: [{ step: s, plugin: noop }]\n",
        ),
    ]);
    let path = folder.path().to_str().unwrap();
    let output = ferrule(&["rules", "check", path, "--json"]).await;
    assert_eq!(output.code, Some(1), "{}", output.err);
    let told: serde_json::Value = serde_json::from_str(&output.out).unwrap();
    let pack = folder.path().join("mine");
    let expected = serde_json::json!([{
        "pack": pack, "path": pack.join("rules.yaml"), "file": "rules.yaml", "line": 1, "column": 19,
        "severity": "error", "code": "unknown-workflow", "message": "no workflow `intak`",
        "hint": "is `intake` meant?",
    }]);
    assert_eq!(told["diagnostics"], expected);
    assert_eq!(told["packs"][1]["name"], "mine");
    // `rules test` has the same, since no order can be tested.
    let tested = ferrule(&["rules", "test", path, "--json"]).await;
    assert_eq!(tested.code, Some(1), "{}", tested.err);
    let tested: serde_json::Value = serde_json::from_str(&tested.out).unwrap();
    assert_eq!((&tested["diagnostics"], &tested["orders"]), (&expected, &serde_json::json!([])));
    // A valid pack is reported too, and a path that is no folder is a wrong command.
    std::fs::write(pack.join("rules.yaml"), "orders: { before: intake }\n").unwrap();
    let right = ferrule(&["rules", "check", path, "--json"]).await;
    assert_eq!(right.code, Some(0), "{}", right.err);
    let right: serde_json::Value = serde_json::from_str(&right.out).unwrap();
    assert_eq!(right["diagnostics"], serde_json::json!([]));
    assert_eq!(ferrule(&["rules", "check", "/nowhere", "--json"]).await.code, Some(2));
}
