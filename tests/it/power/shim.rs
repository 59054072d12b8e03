//! The instrument itself: a program does something to files and ends; what is left of it?

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::world::{Dice, Power, Survivors, shim};

/// Runs the steps under the shim, fails the power, and answers with the files that are left.
async fn left_of(steps: &[&str], survivors: Survivors<'_>) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let power = Power::begin(folder.path(), "disk").await;
    let root = folder.path().join("disk");
    run(&power, &root, steps).await;
    power.fail(survivors);
    files(&root)
}

async fn run(power: &Power, root: &Path, steps: &[&str]) {
    let mut script = Command::new(&shim().await.script);
    script.current_dir(root).args(steps).envs(power.environment());
    let output = script.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.is_empty(), "{steps:?}: {said}");
}

fn files(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        if path.is_dir() {
            let below = files(&path).into_iter();
            found.extend(below.map(|(below, text)| (format!("{name}/{below}"), text)));
            found.insert(name, "folder".into());
        } else {
            found.insert(name, std::fs::read_to_string(path).unwrap());
        }
    }
    found
}

/// A script, and the files with their contents that survive it.
type Case = (&'static [&'static str], &'static [(&'static str, &'static str)]);

#[tokio::test]
async fn unsynced_writes_are_gone_and_synced_ones_stay() {
    let cases: &[Case] = &[
        (&["create:a:one"], &[]),
        // A name is there when its directory was synced, and bytes when their file was.
        (&["create:a:one", "sync:a"], &[]),
        (&["create:a:one", "sync:."], &[("a", "")]),
        (&["create:a:one", "sync:a", "sync:."], &[("a", "one")]),
        (&["create:a:one", "data:a", "sync:."], &[("a", "one")]),
        (&["create:a:one", "sync:a", "sync:.", "append:a:two"], &[("a", "one")]),
        (&["create:a:one", "sync:a", "sync:.", "append:a:two", "data:a"], &[("a", "onetwo")]),
        (&["create:a:one", "sync:a", "sync:.", "write:a:1:X"], &[("a", "one")]),
        (&["create:a:one", "sync:a", "sync:.", "write:a:1:X", "data:a"], &[("a", "oXe")]),
        (&["create:a:one", "sync:a", "sync:.", "truncate:a:1"], &[("a", "one")]),
        (&["create:a:one", "sync:a", "sync:.", "truncate:a:1", "sync:a"], &[("a", "o")]),
        (&["create:a:one", "sync:a", "sync:.", "create:a:2", "sync:a"], &[("a", "2")]),
        (&["create:a:one", "sync:a", "sync:.", "rename:a:b"], &[("a", "one")]),
        (&["create:a:one", "sync:a", "sync:.", "rename:a:b", "sync:."], &[("b", "one")]),
        (&["create:a:one", "sync:a", "sync:.", "remove:a"], &[("a", "one")]),
        (&["create:a:one", "sync:a", "sync:.", "remove:a", "sync:."], &[]),
        (&["create:a:one", "sync:a", "copy:a:b", "sync:."], &[("a", "one"), ("b", "")]),
        (&["create:a:1", "sync:a", "copy:a:b", "sync:b", "sync:."], &[("a", "1"), ("b", "1")]),
        // One file takes the place of another.
        (
            &["create:a:one", "sync:a", "sync:.", "create:b:two", "sync:b", "rename:b:a"],
            &[("a", "one")],
        ),
        // A removed file's inode is taken again at once.
        (
            &["create:a:one", "sync:a", "sync:.", "remove:a", "create:b:2", "sync:b"],
            &[("a", "one")],
        ),
        (&["folder:f", "create:f/a:one", "sync:f/a", "sync:f"], &[]),
        (
            &["folder:f", "create:f/a:one", "sync:f/a", "sync:f", "sync:."],
            &[("f", "folder"), ("f/a", "one")],
        ),
    ];
    for (steps, expected) in cases {
        let expected = expected.iter().map(|(name, text)| (name.to_string(), text.to_string()));
        let expected: BTreeMap<_, _> = expected.collect();
        assert_eq!(left_of(steps, Survivors::None).await, expected, "{steps:?}");
    }
}

/// A process that is killed leaves what it wrote to the next one, which has to sync it again.
#[tokio::test]
async fn writes_of_a_killed_process_are_durable_when_the_next_one_syncs_them() {
    let folder = tempfile::tempdir().unwrap();
    let power = Power::begin(folder.path(), "disk").await;
    let root = folder.path().join("disk");
    run(&power, &root, &["create:a:one", "sync:a", "sync:.", "append:a:two"]).await;
    run(&power, &root, &["write:a:0:X", "sync:a", "append:a:three"]).await;
    assert_eq!(files(&root)["a"], "Xnetwothree");
    power.fail(Survivors::None);
    assert_eq!(files(&root)["a"], "Xnetwo");
    // The rest is all durable.
    run(&power, &root, &["append:a:four"]).await;
    power.fail(Survivors::None);
    assert_eq!(files(&root)["a"], "Xnetwo");
}

#[tokio::test]
async fn a_seed_decides_which_unsynced_pages_survive() {
    let (old, new) = ("o".repeat(20_000), "n".repeat(20_000));
    let (create, write) = (format!("create:a:{old}"), format!("write:a:0:{new}"));
    let steps = [create.as_str(), "sync:a", "sync:.", write.as_str()];
    let mut seen = BTreeMap::new();
    for seed in 0..8 {
        let left = left_of(&steps, Survivors::Some(&mut Dice::of(seed))).await;
        assert_eq!(left, left_of(&steps, Survivors::Some(&mut Dice::of(seed))).await);
        let sectors = left["a"].as_bytes().chunks(512).map(|sector| {
            let is_new = sector.iter().all(|byte| *byte == b'n');
            assert!(is_new || sector.iter().all(|byte| *byte == b'o'), "a sector is whole");
            is_new
        });
        seen.insert(sectors.collect::<Vec<_>>(), seed);
    }
    assert!(seen.len() > 4, "what survives is hardly ever another: {seen:?}");
}
