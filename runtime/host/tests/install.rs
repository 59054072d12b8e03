//! Taking plugins in: what is refused and why, and which version new plans use.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;

use engine::worker::Worker;
use host::{Host, InstallError, Options, State};
use model::PluginId;
use serde_json::json;

use support::{Bench, READS, grants, guest, outputs, with_section, with_world};

mod support;

async fn refused(bench: &Bench, bytes: &[u8]) -> InstallError {
    bench.host.install(bytes.to_vec()).await.unwrap_err()
}

fn versioned(version: &str) -> Vec<u8> {
    let manifest = format!(
        "schema = 1\nid = \"pure\"\nversion = \"{version}\"\nworld = \"validator\"\nsummary = \"T\""
    );
    with_section(&guest("pure"), manifest.as_bytes())
}

fn current(host: &Host) -> Option<String> {
    let digest = host.resolve(&PluginId::new("pure"))?.digest;
    let entry = host.list().into_iter().find(|entry| entry.is_current)?;
    assert_eq!(entry.digest.as_deref(), Some(digest.as_str()));
    entry.version
}

#[tokio::test]
async fn a_file_that_is_no_plugin_is_refused() {
    let bench = Bench::with([].into(), |options| options.plugin_bytes_max = 1 << 20);
    let whole = guest("pure");
    assert!(matches!(refused(&bench, b"hello").await, InstallError::NotWasm));
    assert!(matches!(refused(&bench, b"").await, InstallError::NotWasm));
    assert!(matches!(refused(&bench, b"\0asm\x01\0\0\0").await, InstallError::CoreModule));
    assert!(matches!(refused(&bench, b"\0asm\x0d\0\x01\0").await, InstallError::NoRole));
    let half = &whole[..whole.len() / 2];
    assert!(matches!(refused(&bench, half).await, InstallError::Malformed(_)));
    assert!(matches!(refused(&bench, &[0; 2 << 20]).await, InstallError::TooLarge { .. }));
    assert!(matches!(refused(&bench, &whole).await, InstallError::NoManifest));
    let broken = with_section(&whole, b"schema = 1");
    assert!(matches!(refused(&bench, &broken).await, InstallError::Manifest(_)));
    let other = with_world(&whole, "pure", "activator", "");
    assert!(matches!(refused(&bench, &other).await, InstallError::OtherRole { .. }));
    assert!(bench.host.list().is_empty());
}

/// A component of WASI 0.3 is told from one that lacks a grant.
#[tokio::test]
async fn a_component_of_a_later_wasi_is_refused_by_name() {
    let bench = Bench::new([].into());
    let text = r#"(component (import "wasi:http/client@0.3.0" (instance)))"#;
    let error = refused(&bench, &wat::parse_str(text).unwrap()).await.to_string();
    assert!(error.contains("needs `wasi:http/client@0.3.0` of WASI 0.3"), "{error}");
    assert!(error.contains("wasm32-wasip2"), "{error}");
}

#[tokio::test]
async fn a_plugin_of_another_contract_is_refused() {
    let bench = Bench::new([].into());
    let mut bytes = with_world(&guest("pure"), "pure", "rater", "");
    // Versions of interfaces are plain text in the binary.
    let (from, to) = (b"rating@0.2.0", b"rating@0.3.0");
    let places: Vec<_> =
        (0..bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    let error = refused(&bench, &bytes).await;
    assert!(matches!(error, InstallError::OtherContract { .. }), "{error}");
    assert!(error.to_string().contains("ferrule:plugin@0.3.0"), "{error}");
}

#[tokio::test]
async fn an_import_without_a_grant_is_refused_with_the_lines_to_add() {
    let bench = Bench::new([].into());
    let error = refused(&bench, &guest("dialler")).await.to_string();
    assert!(
        error.ends_with("\n[plugins.dialler]\nhttp = [\"http://element.example:80\"]"),
        "{error}"
    );

    let bytes = with_world(
        &guest("misbehave"),
        "my-plugin",
        "step",
        "[requests]\npools = [\"a\", \"b-*\"]\ninventory = [\"service\"]",
    );
    let error = refused(&bench, &bytes).await.to_string();
    assert!(error.ends_with("\n[plugins.my-plugin]\ninventory = [\"service\"]"), "{error}");
    let bench = Bench::new(grants("my-plugin", "inventory = [\"service\"]"));
    let error = refused(&bench, &bytes).await.to_string();
    assert!(error.ends_with("\n[plugins.my-plugin]\npools = [\"a\", \"b-*\"]"), "{error}");
}

#[tokio::test]
async fn pools_and_http_do_not_go_together() {
    let both = format!("{READS}http = [\"http://127.0.0.1:80\"]");
    let bench = Bench::new(grants("misbehave", &both));
    let bytes = with_world(&guest("misbehave"), "misbehave", "step", "");
    assert!(matches!(refused(&bench, &bytes).await, InstallError::Conflict { .. }));
}

#[tokio::test]
async fn a_role_has_no_more_than_its_world_imports() {
    let bench = Bench::new(grants("dialler", READS));
    // As a validator it could import inventory; reservation it could not, granted or not.
    let bytes = with_world(&guest("misbehave"), "dialler", "validator", "");
    assert!(matches!(refused(&bench, &bytes).await, InstallError::OtherRole { .. }));
    let bench = Bench::new(grants("dialler", "inventory = [\"service\"]"));
    let bytes = with_world(&guest("dialler"), "dialler", "activator", "");
    assert!(matches!(refused(&bench, &bytes).await, InstallError::NotGranted { .. }));
}

#[tokio::test]
async fn new_plans_use_the_highest_version_and_old_ones_theirs() {
    let bench = Bench::new([].into());
    let second = bench.host.install(versioned("0.10.0")).await.unwrap();
    let first = bench.host.install(versioned("0.9.0")).await.unwrap();
    assert_eq!(current(&bench.host).as_deref(), Some("0.10.0"));
    for digest in [&first.digest, &second.digest] {
        outputs(&bench.run(digest, json!({})).await);
    }
}

#[tokio::test]
async fn a_folder_is_followed_and_a_bad_file_changes_nothing() {
    let bench = Bench::new(grants("pure", "file = \"*.wasm\""));
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("a.wasm", &versioned("1.0.0"));
    for ignored in [".b.wasm", "c.wasm.tmp", "d.part", "e.txt"] {
        write(ignored, b"x");
    }
    let loaded = bench.host.load_dir(folder.path()).await.unwrap();
    assert_eq!(loaded.len(), 1);
    let installed = loaded[0].result.as_ref().unwrap().clone();
    write("z.wasm", b"hello");
    let loaded = bench.host.load_dir(folder.path()).await.unwrap();
    assert_eq!(loaded.len(), 2);
    assert_eq!(current(&bench.host).as_deref(), Some("1.0.0"));
    let rejected = bench.host.list().into_iter().find(|entry| entry.id.is_none()).unwrap();
    let State::Rejected { reason } = &rejected.state else { panic!("{rejected:?}") };
    assert!(reason.contains("no WebAssembly"), "{reason}");
    // Half a copy of a new version leaves the one that is there.
    write("a.wasm", &versioned("1.0.1")[..10_000]);
    bench.host.load_dir(folder.path()).await.unwrap();
    assert_eq!(current(&bench.host).as_deref(), Some("1.0.0"));
    write("a.wasm", &versioned("1.0.0"));

    write("z.wasm", &versioned("1.1.0"));
    bench.host.load_dir(folder.path()).await.unwrap();
    assert!(bench.host.list().iter().all(|entry| entry.state == State::Ready));
    assert_eq!(current(&bench.host).as_deref(), Some("1.1.0"));
    std::fs::remove_file(folder.path().join("z.wasm")).unwrap();
    bench.host.load_dir(folder.path()).await.unwrap();
    assert_eq!(current(&bench.host).as_deref(), Some("1.0.0"));
    std::fs::remove_file(folder.path().join("a.wasm")).unwrap();
    bench.host.load_dir(folder.path()).await.unwrap();
    assert_eq!(current(&bench.host), None);
    // What began with it can still call it.
    outputs(&bench.run(&installed.digest, json!({})).await);
}

#[tokio::test]
async fn a_plugin_is_restored_from_the_cache_after_a_restart() {
    let bench = Bench::new([].into());
    let installed = bench.host.install(versioned("1.0.0")).await.unwrap();
    let again = restart(&bench, bench.cache.path());
    assert_eq!(again.resolve(&PluginId::new("pure")), None);
    assert_eq!(again.restore(&installed.digest).await.unwrap(), installed);
    assert_eq!(again.effects(&installed.digest), Some(installed.effects));
    assert_eq!(again.resolve(&PluginId::new("pure")), None);
    // A call finds it too.
    let again = restart(&bench, bench.cache.path());
    let call = support::call(&installed.digest, engine::worker::Operation::Run, json!({}));
    outputs(&again.run(call).await);
    let gone = again.restore(&model::Digest::of(b"gone")).await;
    assert!(matches!(gone, Err(InstallError::NotKept { .. })));
}

fn restart(bench: &Bench, cache: &Path) -> Host {
    let store: std::sync::Arc<dyn engine::store::Store> = bench.store.clone();
    let mut options = Options::new(store, bench.pools.clone(), cache);
    options.compiler = support::compiler();
    Host::new(options).unwrap()
}

#[tokio::test]
async fn the_list_shows_the_capabilities_of_a_rejected_plugin() {
    let bench = Bench::new([].into());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dialler.wasm"), guest("dialler")).unwrap();
    bench.host.load_dir(folder.path()).await.unwrap();
    let list = bench.host.list();
    assert_eq!(list[0].id.as_deref(), Some("dialler"));
    assert_eq!(list[0].requests.http, ["*"]);
    let State::Rejected { reason } = &list[0].state else { panic!("{list:?}") };
    assert!(reason.contains("[plugins.dialler]"), "{reason}");
    let manifest = host::Manifest::of(guest("dialler")).unwrap();
    assert_eq!((manifest.id.as_str(), manifest.version.as_str()), ("dialler", "0.1.0"));
}

#[tokio::test]
async fn the_list_shows_the_names_of_settings_and_not_their_values() {
    let (bench, _) = Bench::misbehave("config = { password = \"hunter2\" }").await;
    let list = bench.host.list();
    assert_eq!(list[0].grants.config, ["password"]);
    assert_eq!(list[0].world.as_deref(), Some("step"));
    assert_eq!(list[0].state, State::Ready);
    assert!(!serde_json::to_string(&list).unwrap().contains("hunter2"));
}

async fn load(bench: &Bench, folder: &Path) -> Vec<host::Loaded> {
    bench.host.load_dir(folder).await.unwrap()
}

fn rejected(bench: &Bench, file: &str) -> String {
    let list = bench.host.list();
    let is_it = |entry: &&host::Entry| entry.file.as_ref().is_some_and(|at| at.ends_with(file));
    let entry = list.iter().find(is_it).unwrap_or_else(|| panic!("no `{file}` in {list:?}"));
    let State::Rejected { reason } = &entry.state else { panic!("{entry:?}") };
    reason.clone()
}

/// S8: grants and settings go by the id, so no other file may claim it.
#[tokio::test]
async fn an_id_is_not_given_to_another_file_unless_the_operator_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let bench = Bench::new(grants("pure", "config = { token = \"of the operator\" }"));
    write("pure.wasm", &versioned("1.0.0"));
    load(&bench, folder.path()).await;
    write("vendor.wasm", &versioned("99.0.0"));
    load(&bench, folder.path()).await;
    assert_eq!(current(&bench.host).as_deref(), Some("1.0.0"));
    let reason = rejected(&bench, "vendor.wasm");
    assert!(reason.contains("`pure.wasm`"), "{reason}");
    assert!(reason.ends_with("\n[plugins.pure]\nfile = \"vendor.wasm\""), "{reason}");
    // An upgrade in place is one; after a restart it is so still.
    write("pure.wasm", &versioned("1.1.0"));
    let again = restart(&bench, bench.cache.path());
    again.load_dir(folder.path()).await.unwrap();
    assert_eq!(current(&again).as_deref(), Some("1.1.0"));
    // Without the file that had it, too.
    std::fs::remove_file(folder.path().join("pure.wasm")).unwrap();
    load(&bench, folder.path()).await;
    assert_eq!(current(&bench.host), None);
    let store: std::sync::Arc<dyn engine::store::Store> = bench.store.clone();
    let mut options = Options::new(store, bench.pools.clone(), bench.cache.path());
    options.compiler = support::compiler();
    options.grants = grants("pure", "file = \"vendor.wasm\"");
    let named = Host::new(options).unwrap();
    named.load_dir(folder.path()).await.unwrap();
    assert_eq!(current(&named).as_deref(), Some("99.0.0"));
}

/// S14: one file that cannot be read is one rejected entry.
#[tokio::test]
async fn a_folder_entry_that_is_no_file_is_rejected_and_the_others_are_loaded() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("m.wasm"), versioned("1.0.0")).unwrap();
    std::os::unix::fs::symlink("/nonexistent/x.wasm", at("dangling.wasm")).unwrap();
    std::os::unix::fs::symlink("round.wasm", at("round.wasm")).unwrap();
    std::fs::create_dir(at("folder.wasm")).unwrap();
    std::process::Command::new("mkfifo").arg(at("pipe.wasm")).status().unwrap();
    std::fs::write(at("a\nINFO plugin ready.wasm"), b"x").unwrap();
    std::fs::write(at("odd").with_file_name(std::ffi::OsStr::from_bytes(b"\xff.wasm")), b"x")
        .unwrap();
    let bench = Bench::new([].into());
    let loaded = load(&bench, folder.path()).await;
    assert_eq!(loaded.len(), 7);
    assert_eq!(loaded.iter().filter(|one| one.result.is_ok()).count(), 1, "{loaded:?}");
    assert_eq!(current(&bench.host).as_deref(), Some("1.0.0"));
    assert!(rejected(&bench, "dangling.wasm").contains("cannot be read"));
    assert!(rejected(&bench, "round.wasm").contains("cannot be read"));
    assert!(rejected(&bench, "folder.wasm").contains("no file"));
    assert!(rejected(&bench, "pipe.wasm").contains("no file"));
    // A name cannot forge a line, and the list can be written whatever the names are.
    assert!(rejected(&bench, "a\\nINFO plugin ready.wasm").contains("no WebAssembly"));
    serde_json::to_string(&bench.host.list()).unwrap();
    assert!(loaded.iter().all(|one| !one.file.to_str().unwrap().contains('\n')));
}

/// S21: versions that nothing needs are given back after a time.
#[tokio::test]
async fn a_version_that_nothing_needs_is_removed_after_a_time() {
    let bench = Bench::new(grants("pure", "file = \"*.wasm\""));
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let mut digests = Vec::new();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        write("pure.wasm", &versioned(version));
        let loaded = load(&bench, folder.path()).await;
        digests.push(loaded[0].result.as_ref().unwrap().digest.clone());
    }
    let [old, open, current] = digests.try_into().unwrap();
    let sweep = async |age, needed: Option<model::Digest>| {
        let needed = needed.map(|needed| [needed].into());
        bench.host.sweep(age, move || needed).await.unwrap()
    };
    let (day, now) = (std::time::Duration::from_secs(86_400), std::time::Duration::ZERO);
    assert_eq!(sweep(day, Some(open.clone())).await, []);
    // Where it is not known what is needed, everything is.
    assert_eq!(sweep(now, None).await, []);
    assert_eq!(sweep(now, Some(open.clone())).await, std::slice::from_ref(&old));
    let again = restart(&bench, bench.cache.path());
    assert!(matches!(again.restore(&old).await, Err(InstallError::NotKept { .. })));
    again.restore(&open).await.unwrap();
    again.restore(&current).await.unwrap();
}

const DECLARED: &str = "[settings.timeout]\ntype = \"duration\"\ndefault = \"30s\"\nmax = \"5m\"\n\
                        [settings.\"element.*\"]\ntype = \"url\"\nmandatory = true\n";

#[tokio::test]
async fn declared_settings_have_defaults_and_wrong_ones_keep_a_plugin_out() {
    let set = |config: &str| grants("misbehave", &format!("{READS}[config]\n{config}"));
    let bytes = with_world(&guest("misbehave"), "misbehave", "step", DECLARED);
    for (config, why) in [
        ("", "add `\"element.*\" = \"http://element.example:80\"` to `[plugins.misbehave.config]`"),
        ("\"element.a\" = \"a\"", "`element.a` of `[plugins.misbehave.config]` must be an address"),
        ("\"element.a\" = \"http://a\"\ntimout = \"1s\"", "write `timeout`, or remove it"),
    ] {
        let error = refused(&Bench::new(set(config)), &bytes).await.to_string();
        assert!(error.contains(why), "{error}");
    }
    let bench = Bench::new(set("\"element.a\" = \"http://a\""));
    let digest = bench.host.install(bytes).await.unwrap().digest;
    let timeout = async || {
        let asked = json!({ "do": "setting", "name": "timeout" });
        outputs(&bench.run(&digest, asked).await)["value"].clone()
    };
    assert_eq!(timeout().await, "30s");
    bench.host.regrant(set("\"element.a\" = \"http://a\"\ntimeout = \"1m\"")).await.unwrap();
    assert_eq!(timeout().await, "1m");
    // Settings that become wrong change nothing while it runs.
    bench.host.regrant(set("\"element.a\" = \"http://a\"\ntimeout = \"9m\"")).await.unwrap();
    assert_eq!(timeout().await, "1m");
}

#[tokio::test]
async fn a_wrong_declaration_of_settings_is_refused() {
    let bench = Bench::new([].into());
    let wrong = "[settings.retries]\ntype = \"integer\"\ndefault = \"many\"\n";
    let bytes = with_world(&guest("pure"), "pure", "validator", wrong);
    let error = refused(&bench, &bytes).await;
    let said = format!("{error}: {:?}", std::error::Error::source(&error));
    assert!(said.contains("setting `retries`: its `default` must be a whole number"), "{said}");
}

#[tokio::test]
async fn a_proof_that_is_no_file_rejects_its_plugin_and_keeps_nothing_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("m.wasm"), versioned("1.0.0")).unwrap();
    for pipe in ["m.wasm.minisig", "m.wasm.cert"] {
        std::process::Command::new("mkfifo").arg(at(pipe)).status().unwrap();
        let bench = Bench::new([].into());
        load(&bench, folder.path()).await;
        assert!(rejected(&bench, "m.wasm").contains("cannot be read"));
        std::fs::remove_file(at(pipe)).unwrap();
        load(&bench, folder.path()).await;
        assert_eq!(current(&bench.host).as_deref(), Some("1.0.0"));
    }
}
