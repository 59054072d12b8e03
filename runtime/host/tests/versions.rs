//! Changing the versions of a plugin over the API: what is installed, what is refused, and what is there
//! after a restart.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;

use engine::worker::{Operation, Worker as _};
use host::candidate::{Mode, Trial};
use host::provenance::Source;
use host::trust::Proofs;
use host::versions::VersionError;
use host::{Entry, Host, InstallError, Options, State};
use model::{Digest, PluginId};
use serde_json::json;

use support::{Bench, grants, guest, outputs, with_section, with_world};

mod support;

fn pure() -> PluginId {
    PluginId::new("pure")
}

fn versioned(version: &str) -> Vec<u8> {
    let manifest = format!(
        "schema = 1\nid = \"pure\"\nversion = \"{version}\"\nworld = \"validator\"\nsummary = \"T\""
    );
    with_section(&guest("pure"), manifest.as_bytes())
}

async fn put(host: &Host, folder: &Path, bytes: Vec<u8>) -> Result<Digest, VersionError> {
    host.turn(folder).await.install(&pure(), bytes, Proofs::default()).await
}

async fn back(host: &Host, folder: &Path, to: Option<&str>) -> Result<Digest, VersionError> {
    host.turn(folder).await.roll_back(&pure(), to).await
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn restart(bench: &Bench) -> Host {
    let store: std::sync::Arc<dyn engine::store::Store> = bench.store.clone();
    let mut options = Options::new(store, bench.pools.clone(), bench.cache.path());
    options.compiler = support::compiler();
    Host::new(options).unwrap()
}

async fn entry(host: &Host, digest: &Digest) -> Entry {
    let entries = host.versions(pure(), [].into()).await.unwrap();
    let is_it = |entry: &Entry| entry.digest.as_deref() == Some(digest.as_str());
    entries.into_iter().find(is_it).unwrap()
}

async fn version(host: &Host, digest: &Digest) -> String {
    entry(host, digest).await.version.unwrap()
}

#[tokio::test]
async fn a_version_that_is_sent_is_used_at_once_and_after_a_restart() {
    let (bench, folder) = (Bench::new([].into()), tempfile::tempdir().unwrap());
    let first = put(&bench.host, folder.path(), versioned("1.0.0")).await.unwrap();
    assert_eq!(bench.host.current(&pure()).as_ref(), Some(&first));
    assert_eq!(names(folder.path()), ["pure.wasm"]);
    // The same bytes again change nothing, and a look at the folder neither.
    let before = std::fs::metadata(folder.path().join("pure.wasm")).unwrap().modified().unwrap();
    assert_eq!(put(&bench.host, folder.path(), versioned("1.0.0")).await.unwrap(), first);
    let after = std::fs::metadata(folder.path().join("pure.wasm")).unwrap().modified().unwrap();
    assert_eq!(before, after);
    bench.host.load_dir(folder.path()).await.unwrap();
    // A lower version is a choice too.
    let lower = put(&bench.host, folder.path(), versioned("0.9.0")).await.unwrap();
    assert_eq!(bench.host.current(&pure()).as_ref(), Some(&lower));
    assert_eq!(names(folder.path()), ["pure.wasm", "pure.wasm.before"]);
    for digest in [&first, &lower] {
        outputs(&bench.run(digest, json!({})).await);
    }
    let again = restart(&bench);
    again.load_dir(folder.path()).await.unwrap();
    assert_eq!(again.current(&pure()).as_ref(), Some(&lower));
    let entry = entry(&again, &lower).await;
    let provenance = entry.provenance.unwrap();
    assert_eq!((provenance.source, provenance.version.as_str()), (Source::Upload, "0.9.0"));
    assert!(provenance.since.unwrap() >= provenance.received);
}

#[tokio::test]
async fn a_component_that_is_refused_changes_nothing() {
    let (bench, folder) = (Bench::new([].into()), tempfile::tempdir().unwrap());
    let first = put(&bench.host, folder.path(), versioned("1.0.0")).await.unwrap();
    let half = versioned("2.0.0")[..10_000].to_vec();
    let dialler = with_world(&guest("dialler"), "pure", "step", "");
    let refused = [
        (b"hello".to_vec(), "no WebAssembly"),
        (half, "damaged or cut off"),
        (guest("pure"), "no manifest"),
        (dialler, "[plugins.pure]\nhttp = "),
    ];
    for (bytes, reason) in refused {
        let error = put(&bench.host, folder.path(), bytes).await.unwrap_err();
        let VersionError::Refused(error) = error else { panic!("{error}") };
        assert!(engine::causes::chain(&error).contains(reason), "{error}");
    }
    let other = with_world(&guest("pure"), "impure", "validator", "");
    let error = put(&bench.host, folder.path(), other).await.unwrap_err();
    assert!(matches!(error, VersionError::OtherId { .. }), "{error}");
    assert_eq!(bench.host.current(&pure()), Some(first));
    assert_eq!(names(folder.path()), ["pure.wasm"]);
    assert_eq!(std::fs::read(folder.path().join("pure.wasm")).unwrap(), versioned("1.0.0"));
}

#[tokio::test]
async fn a_rollback_goes_to_the_version_before_or_to_one_that_is_named() {
    let (bench, folder) = (Bench::new([].into()), tempfile::tempdir().unwrap());
    let host = &bench.host;
    let unknown = back(host, folder.path(), None).await.unwrap_err();
    assert!(matches!(unknown, VersionError::Unknown), "{unknown}");
    let mut digests = Vec::new();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        digests.push(put(host, folder.path(), versioned(version)).await.unwrap());
        if version == "1.0.0" {
            let none = back(host, folder.path(), None).await.unwrap_err();
            assert!(matches!(none, VersionError::NoneBefore), "{none}");
        }
    }
    // It swaps the last two.
    for version in ["1.1.0", "1.2.0"] {
        let digest = back(host, folder.path(), None).await.unwrap();
        assert_eq!(self::version(host, &digest).await, version);
        assert_eq!(std::fs::read(folder.path().join("pure.wasm")).unwrap(), versioned(version));
    }
    let first = &digests[0].as_str()[..12];
    let digest = back(host, folder.path(), Some(first)).await.unwrap();
    assert_eq!(digest, digests[0]);
    for wrong in ["", &first[..7], "0000000000"] {
        let error = back(host, folder.path(), Some(wrong)).await.unwrap_err();
        assert!(matches!(error, VersionError::NoSuchVersion), "{wrong}: {error}");
    }
    // A copy over the file is a version too, and the one before it is known.
    std::fs::write(folder.path().join("pure.wasm"), versioned("3.0.0")).unwrap();
    host.load_dir(folder.path()).await.unwrap();
    let again = restart(&bench);
    again.load_dir(folder.path()).await.unwrap();
    assert_eq!(back(&again, folder.path(), None).await.unwrap(), digests[0]);
}

#[tokio::test]
async fn a_plugin_that_is_removed_is_kept_for_open_orders_only() {
    let (bench, folder) = (Bench::new([].into()), tempfile::tempdir().unwrap());
    let host = &bench.host;
    let first = put(host, folder.path(), versioned("1.0.0")).await.unwrap();
    put(host, folder.path(), versioned("1.1.0")).await.unwrap();
    host.turn(folder.path()).await.remove(&pure()).await.unwrap();
    assert_eq!(host.current(&pure()), None);
    assert_eq!(names(folder.path()), Vec::<String>::new());
    let again = host.turn(folder.path()).await.remove(&pure()).await.unwrap_err();
    assert!(matches!(again, VersionError::Unknown), "{again}");
    outputs(&bench.run(&first, json!({})).await);
    let restarted = restart(&bench);
    restarted.load_dir(folder.path()).await.unwrap();
    assert_eq!(restarted.current(&pure()), None);
    assert_eq!(entry(&restarted, &first).await.state, State::Kept);
    outputs(&restarted.run(support::call(&first, Operation::Run, json!({}))).await);
    // What the program brought along has no file to remove.
    let bench = Bench::new([].into());
    bench.host.install(versioned("1.0.0")).await.unwrap();
    let error = bench.host.turn(folder.path()).await.remove(&pure()).await.unwrap_err();
    assert!(matches!(error, VersionError::NoFile), "{error}");
    let error = put(&bench.host, folder.path(), versioned("2.0.0")).await.unwrap_err();
    let is_other = matches!(error, VersionError::Refused(InstallError::OtherFile { .. }));
    assert!(is_other, "{error}");
}

#[tokio::test]
async fn a_version_that_is_sent_gets_the_file_that_the_settings_or_the_past_name() {
    for (named, file) in
        [("file = \"vendor.wasm\"", "vendor.wasm"), ("file = \"a-*.wasm\"", "a-1.0.0.wasm")]
    {
        let (bench, folder) = (Bench::new(grants("pure", named)), tempfile::tempdir().unwrap());
        put(&bench.host, folder.path(), versioned("1.0.0")).await.unwrap();
        assert_eq!(names(folder.path()), [file]);
    }
    let (bench, folder) = (Bench::new([].into()), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("first.wasm"), versioned("1.0.0")).unwrap();
    bench.host.load_dir(folder.path()).await.unwrap();
    put(&bench.host, folder.path(), versioned("1.1.0")).await.unwrap();
    assert_eq!(names(folder.path()), ["first.wasm", "first.wasm.before"]);
    bench.host.turn(folder.path()).await.remove(&pure()).await.unwrap();
    put(&bench.host, folder.path(), versioned("1.2.0")).await.unwrap();
    assert_eq!(names(folder.path()), ["first.wasm"]);
}

#[tokio::test]
async fn a_version_on_trial_is_kept_until_the_trial_ends_and_is_then_removed() {
    let bench = Bench::new(grants("pure", "file = \"pure.wasm\""));
    let folder = tempfile::tempdir().unwrap();
    let current = put(&bench.host, folder.path(), versioned("1.0.0")).await.unwrap();
    for mode in [Mode::Live, Mode::Shadow] {
        let trial = Trial { mode, share: 1, ..Trial::default() };
        let turn = bench.host.turn(folder.path()).await;
        let tried =
            turn.try_out(&pure(), (versioned("2.0.0"), Proofs::default()), trial).await.unwrap();
        drop(turn);
        let nothing = || Some(std::collections::BTreeSet::new());
        let sweep = async || bench.host.sweep(std::time::Duration::ZERO, nothing).await.unwrap();
        assert_eq!(sweep().await, [], "{mode:?}");
        let again = restart(&bench);
        again.load_dir(folder.path()).await.unwrap();
        assert_eq!(entry(&again, &tried).await.trial.unwrap().mode, mode);
        assert_eq!(bench.host.shadow(&pure()).is_some(), mode == Mode::Shadow);
        bench.host.turn(folder.path()).await.abort(&pure()).await.unwrap();
        assert_eq!(sweep().await, [tried], "{mode:?}");
        assert!(bench.host.shadow(&pure()).is_none());
    }
    assert_eq!(bench.host.current(&pure()), Some(current));
}

#[test]
fn drafts_of_dead_processes_are_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut dead = std::process::Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    let (dead, own) = (dead.id(), std::process::id());
    let gone = [
        format!(".olt.wasm.{dead}.part"),
        format!(".olt.wasm.cert.{dead}.part"),
        format!(".olt.wasm.minisig.{own}.part"),
        format!(".olt.wasm.before.{dead}.part"),
    ];
    let kept = [
        ".olt.wasm.1.part".to_owned(),
        format!(".notes.{dead}.part"),
        ".olt.wasm.part".into(),
        "olt.wasm".into(),
        format!("olt.wasm.{dead}.part"),
    ];
    for name in gone.iter().chain(&kept) {
        std::fs::write(folder.path().join(name), b"x").unwrap();
    }
    host::versions::remove_drafts(folder.path()).unwrap();
    let left = |name: &String| folder.path().join(name).exists();
    assert_eq!((gone.iter().filter(|name| left(name)).count(), kept.iter().all(left)), (0, true));
}
