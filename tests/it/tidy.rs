//! The walls of the house: who may use whom, and what a file may be like.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::world::repository;

mod words;

/// Max lines of a file.
const LINES_MAX: usize = 500;

/// Files that are longer, each for a reason; hopefully none.
const LONG: [&str; 0] = [];

/// What lies at the top, besides files whose names begin with a dot.
const TOP: [&str; 14] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "docs",
    "plugins",
    "runtime",
    "rust-toolchain.toml",
    "tests",
    "wit",
    "workflows",
];

/// The crates of ours that each crate may use: what is not listed looks up.
const WALLS: [(&str, &[&str]); 9] = [
    ("tmf", &[]),
    ("model", &["tmf"]),
    ("commerce", &["model", "tmf"]),
    ("engine", &["model", "tmf"]),
    ("store", &["engine"]),
    ("host", &["engine", "model", "tmf"]),
    ("server", &["commerce", "engine", "host", "model", "store", "tmf"]),
    ("simnet", &[]),
    ("cli", &["commerce", "engine", "host", "model", "server", "simnet", "store", "tmf"]),
];

/// The crates that are pure.
const PURE: [&str; 3] = ["tmf", "model", "commerce"];

/// What pure crates do without: IO, a clock, chance.
const IMPURE: [&str; 11] = [
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::env",
    "std::process",
    "tokio",
    "rand::",
    "async fn",
    "Utc::now",
];

/// Every tracked file, with its text if it is text; `None` without git.
fn tracked() -> Option<BTreeMap<String, String>> {
    let listed = Command::new("git").arg("ls-files").current_dir(repository()).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        return skipped();
    };
    let names = String::from_utf8(listed.stdout).unwrap();
    let read = |name: &str| {
        // A deleted file may still be listed.
        let bytes = std::fs::read(repository().join(name)).ok()?;
        Some((name.to_string(), String::from_utf8(bytes).unwrap_or_default()))
    };
    Some(names.lines().filter_map(read).collect())
}

#[expect(clippy::print_stdout, reason = "what is skipped is skipped out loud")]
fn skipped() -> Option<BTreeMap<String, String>> {
    assert!(std::env::var_os("FERRULE_CI").is_none(), "this is no git checkout");
    println!("skipped: this is no git checkout");
    None
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap()
}

/// The names in a table of a crate's `Cargo.toml`.
fn dependencies(path: &str, table: &str) -> BTreeSet<String> {
    let manifest: toml::Table = read(path).parse().unwrap();
    let names = manifest.get(table).and_then(toml::Value::as_table);
    names.map(|names| names.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn crates_depend_only_on_lower_layers() {
    let ours: BTreeSet<&str> = WALLS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in WALLS {
        let used = dependencies(&format!("runtime/{name}/Cargo.toml"), "dependencies");
        let used: Vec<_> = used.iter().filter(|used| ours.contains(used.as_str())).collect();
        assert_eq!(used, allowed, "`{name}`");
    }
    for entry in std::fs::read_dir(repository().join("runtime")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(ours.contains(name.as_str()), "`{name}` has no place in the walls");
    }
}

/// The README starts it by `cargo run`, and other crates have binaries too.
#[test]
fn cargo_run_starts_ferrule() {
    let manifest: toml::Table = read("runtime/cli/Cargo.toml").parse().unwrap();
    assert_eq!(manifest["package"]["default-run"].as_str(), Some("ferrule"));
}

#[test]
fn anyhow_is_for_the_command_line() {
    for name in ["tmf", "model", "commerce", "engine", "store", "host", "simnet"] {
        let used = dependencies(&format!("runtime/{name}/Cargo.toml"), "dependencies");
        assert!(!used.contains("anyhow"), "`{name}`");
    }
    for name in plugin_folders() {
        let used = dependencies(&format!("plugins/{name}/Cargo.toml"), "dependencies");
        assert!(!used.contains("anyhow"), "`{name}`");
    }
}

fn plugin_folders() -> Vec<String> {
    let entries = std::fs::read_dir(repository().join("plugins")).unwrap();
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn every_plugin_has_a_manifest() {
    for name in plugin_folders().into_iter().filter(|name| name != "sdk") {
        let path = repository().join(format!("plugins/{name}/plugin.toml"));
        assert!(path.is_file(), "`{name}` has no plugin.toml");
    }
}

#[test]
fn pure_crates_do_no_io() {
    let Some(files) = tracked() else { return };
    for (name, text) in files {
        let is_pure = PURE.iter().any(|pure| name.starts_with(&format!("runtime/{pure}/src/")));
        if !is_pure || name.contains("tests") || !is_rust(&name) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let found = IMPURE.iter().find(|impure| code.contains(*impure));
            assert!(found.is_none(), "{name}:{}: {line}", number + 1);
        }
    }
}

fn is_rust(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|kind| kind == "rs")
}

#[test]
fn files_are_short_and_hide_nothing() {
    let Some(files) = tracked() else { return };
    // Put together, so that this file does not find itself.
    let ignored = ["#[", "ignore"].concat();
    let sleep = ["thread::sl", "eep("].concat();
    let homes = [["/wo", "rk/"].concat(), ["/ro", "ot/"].concat()];
    for (name, text) in &files {
        assert!(!name.ends_with(".snap.new") && !name.contains(".pending-snap"), "{name}");
        for (number, line) in text.lines().enumerate() {
            let here = format!("{name}:{}: {line}", number + 1);
            assert!(!homes.iter().any(|home| line.contains(home)), "{here}");
            if is_rust(name) {
                assert!(!line.contains(&ignored), "{here}");
                let is_guest =
                    name.starts_with("tests/guests/") || name.starts_with("tests/shims/");
                assert!(is_guest || !is_test(name) || !line.contains(&sleep), "{here}");
            }
        }
        let length = text.lines().count();
        let may_be_long = !is_rust(name) || LONG.contains(&name.as_str());
        assert!(may_be_long || length <= LINES_MAX, "{name} has {length} lines");
    }
}

fn is_test(name: &str) -> bool {
    name.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
}

/// Waiting is for the harness: a test follows events, it does not guess how long they take.
#[test]
fn tests_wait_for_what_happens() {
    let Some(files) = tracked() else { return };
    let sleep = ["sl", "eep("].concat();
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("tests/it/")) {
        let is_harness = name.starts_with("tests/it/world");
        assert!(is_harness || !text.contains(&sleep), "{name}");
    }
}

#[test]
fn the_top_holds_what_belongs_there() {
    let Some(files) = tracked() else { return };
    for name in files.keys() {
        let top = name.split('/').next().unwrap_or_default();
        assert!(top.starts_with('.') || TOP.contains(&top), "{name}");
    }
}

/// The contract is our public face.
#[test]
fn every_item_of_the_contract_is_explained() {
    for entry in std::fs::read_dir(repository().join("wit")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "wit") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut explained = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            let aside = ["package ", "use ", "import ", "export ", "include "];
            let is_item = !line.is_empty()
                && !line.starts_with(['}', '@', '/'])
                && !aside.iter().any(|word| line.starts_with(word));
            assert!(!is_item || explained, "{}:{}: {line}", path.display(), number + 1);
            explained = line.starts_with("///") || (explained && line.starts_with('@'));
        }
    }
}
