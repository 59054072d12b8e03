//! What plugins that take all they can do to their neighbours: nothing.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::time::Duration;

use engine::worker::{Operation, Report, Worker};
use futures_util::future::join_all;
use host::{Grants, InstallError, Options};
use model::{Digest, FailureClass, Outcome, PluginId};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use support::{Bench, call, failed, grants, guest, outputs, with_world};

mod support;

/// All that a plugin can be granted, for longer than any of these tests takes.
const ALL: &str =
    "limits = { cpu-ms = 600000, wall-ms = 600000, memory-mib = 256, concurrency = 1024 }";

fn all(ids: &[&str]) -> BTreeMap<PluginId, Grants> {
    ids.iter().flat_map(|id| grants(id, ALL)).collect()
}

async fn greedy(bench: &Bench, id: &str) -> Digest {
    let bytes = with_world(&guest("greedy"), id, "step", "");
    bench.host.install(bytes).await.unwrap().digest
}

async fn neighbour(bench: &Bench) -> Digest {
    let bytes = with_world(&guest("pure"), "neighbour", "validator", "");
    bench.host.install(bytes).await.unwrap().digest
}

/// Starts calls, each on a task of its own, and gives them the time to begin.
async fn crowd(
    bench: &Bench,
    digest: &Digest,
    width: usize,
    input: Value,
) -> Vec<JoinHandle<Report>> {
    let start = |_| {
        let mut call = call(digest, Operation::Run, input.clone());
        call.timeout_ms = 600_000;
        tokio::spawn(bench.host.run(call))
    };
    let crowd: Vec<_> = (0..width).map(start).collect();
    tokio::task::yield_now().await;
    crowd
}

/// Ends calls that have not ended by themselves.
async fn disperse(crowd: Vec<JoinHandle<Report>>) {
    assert!(crowd.iter().all(|call| !call.is_finished()), "the crowd has gone already");
    crowd.iter().for_each(JoinHandle::abort);
    join_all(crowd).await;
}

async fn is_served(bench: &Bench, neighbour: &Digest) {
    for _ in 0..20 {
        assert_eq!(outputs(&bench.run(neighbour, json!({})).await), json!({ "valid": true }));
    }
}

#[tokio::test]
async fn loops_keep_no_others_out() {
    let hogs = ["hog-a", "hog-b", "hog-c"];
    let bench = Bench::with(all(&hogs), |options| options.instances = 64);
    let neighbour = neighbour(&bench).await;
    let mut crowds = Vec::new();
    for (hog, what) in hogs.iter().zip(["loop", "host", "fill"]) {
        let hog = greedy(&bench, hog).await;
        crowds.push(crowd(&bench, &hog, 30, json!({ "do": what, "mib": 20 })).await);
        is_served(&bench, &neighbour).await;
    }
    // The runtime of this test has one thread, and it is free too.
    tokio::time::sleep(Duration::from_millis(1)).await;
    for crowd in crowds {
        disperse(crowd).await;
    }
}

#[tokio::test]
async fn sleepers_up_to_the_ceiling_leave_room_for_others() {
    let hogs = ["hog-a", "hog-b"];
    let bench = Bench::with(all(&hogs), |options| options.instances = 16);
    let neighbour = neighbour(&bench).await;
    let mut crowds = Vec::new();
    for hog in &hogs {
        let hog = greedy(&bench, hog).await;
        let asleep = json!({ "do": "sleep", "ms": 600_000 });
        crowds.push(crowd(&bench, &hog, 200, asleep).await);
        is_served(&bench, &neighbour).await;
    }
    for crowd in crowds {
        disperse(crowd).await;
    }
}

#[tokio::test]
async fn a_call_that_found_no_room_names_the_settings_that_govern_it() {
    let bench = Bench::with(all(&["hog"]), |options| options.instances = 4);
    let hog = greedy(&bench, "hog").await;
    let asleep = crowd(&bench, &hog, 1, json!({ "do": "sleep", "ms": 600_000 })).await;
    let mut late = call(&hog, Operation::Run, json!({}));
    late.timeout_ms = 50;
    let report = bench.host.run(late).await;
    let failure = failed(&report);
    assert_eq!((failure.code.as_str(), failure.class), ("PLUGIN_BUSY", FailureClass::Retry));
    for setting in ["limits.concurrency", "plugin-share-percent", "instances"] {
        assert!(failure.message.contains(setting), "{}", failure.message);
    }
    disperse(asleep).await;
}

#[tokio::test]
async fn work_in_the_background_comes_to_its_end() {
    let bench = Bench::with(all(&["hog", "honest"]), |_| {});
    let (hog, honest) = (greedy(&bench, "hog").await, greedy(&bench, "honest").await);
    let loops = crowd(&bench, &hog, 200, json!({ "do": "loop" })).await;
    for (what, rounds) in [("work", 30), ("nap", 10)] {
        let report = bench.run(&honest, json!({ "do": what, "rounds": rounds })).await;
        assert_eq!(outputs(&report), json!({}));
    }
    disperse(loops).await;
}

#[tokio::test]
async fn a_call_that_is_given_up_gives_back_what_it_had() {
    let bench = Bench::with(all(&["hog"]), |options| options.instances = 16);
    let hog = greedy(&bench, "hog").await;
    for what in ["loop", "sleep", "fill", "host"] {
        for _ in 0..3 {
            // More than its share, so that some wait.
            let input = json!({ "do": what, "ms": 600_000, "mib": 10 });
            disperse(crowd(&bench, &hog, 12, input).await).await;
        }
        let report = bench.run(&hog, json!({ "do": "", "mib": 200 })).await;
        assert_eq!(outputs(&report), json!({}), "{what}");
    }
}

#[tokio::test]
async fn memory_beyond_the_budget_is_a_failure_to_retry() {
    let budget = |options: &mut Options| {
        options.instances = 16;
        options.memory_mib = 200;
        options.share_percent = 50;
    };
    let bench = Bench::with(all(&["hog-a", "hog-b"]), budget);
    let (first, second) = (greedy(&bench, "hog-a").await, greedy(&bench, "hog-b").await);
    let neighbour = neighbour(&bench).await;
    let asleep = json!({ "do": "sleep", "ms": 600_000, "mib": 60 });
    let mut held = crowd(&bench, &first, 1, asleep.clone()).await;
    while !failed_for_memory(&bench.run(&second, json!({ "do": "", "mib": 80 })).await) {
        // The first has not taken its memory yet, or failed because the second had it.
        if held.iter().all(JoinHandle::is_finished) {
            held = crowd(&bench, &first, 1, asleep.clone()).await;
        }
    }
    // Of its own share alone, too.
    let report = bench.run(&second, json!({ "do": "", "mib": 110 })).await;
    assert!(failed_for_memory(&report));
    is_served(&bench, &neighbour).await;
    disperse(held).await;
    // What it had comes back at its next turn, and then there is enough.
    while failed_for_memory(&bench.run(&second, json!({ "do": "", "mib": 60 })).await) {
        tokio::task::yield_now().await;
    }
}

fn failed_for_memory(report: &Report) -> bool {
    let Outcome::Failed(failure) = &report.outcome else { return false };
    assert_eq!((failure.code.as_str(), failure.class), ("HOST_MEMORY", FailureClass::Retry));
    assert!(failure.message.contains("[host] memory-mib"), "{}", failure.message);
    true
}

#[tokio::test]
async fn a_call_that_can_never_have_its_memory_is_for_a_person() {
    let bench = Bench::with([].into(), |options| options.memory_mib = 16);
    let neighbour = neighbour(&bench).await;
    let report = bench.run(&neighbour, json!({})).await;
    let failure = failed(&report);
    assert_eq!((failure.code.as_str(), failure.class), ("HOST_MEMORY", FailureClass::Operator));
    assert!(failure.message.contains("[host] memory-mib"), "{}", failure.message);
}

/// Appends core modules to a component, each with memories or tables of its own, and makes
/// instances of them.
fn with_modules(component: &[u8], modules: u32, section: &[u8], instances: u32) -> Vec<u8> {
    let mut bytes = component.to_vec();
    let present = core_modules(component);
    for n in 0..modules {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend(section);
        bytes.push(1);
        leb(&mut bytes, module.len());
        bytes.extend(module);
        for _ in 0..instances {
            let mut instance = vec![1, 0];
            leb(&mut instance, present + n as usize);
            instance.push(0);
            bytes.push(2);
            leb(&mut bytes, instance.len());
            bytes.extend(instance);
        }
    }
    bytes
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a component has 30 kinds of sections")]
fn core_modules(component: &[u8]) -> usize {
    use wasmparser::{Parser, Payload};
    let modules = Parser::new(0).parse_all(component).map(Result::unwrap);
    let mut depth = 0;
    let mut count = 0;
    for payload in modules {
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ModuleSection { .. } if depth == 1 => count += 1,
            _ => {}
        }
    }
    count
}

fn leb(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
}

/// A memory of one page; a table of one function.
const MEMORY: &[u8] = &[5, 3, 1, 0, 1];
const TABLE: &[u8] = &[4, 4, 1, 0x70, 0, 1];

#[tokio::test]
async fn a_component_that_declares_too_much_is_refused() {
    let bench = Bench::with(all(&["hog"]), |_| {});
    let plain = guest("greedy");
    for (modules, section, instances, expected) in [
        (16, MEMORY, 1, "linear memories"),
        (1, MEMORY, 16, "linear memories"),
        (40, TABLE, 1, "tables"),
    ] {
        let bytes = with_modules(&plain, modules, section, instances);
        let error = bench.host.install(with_world(&bytes, "hog", "step", "")).await.unwrap_err();
        let InstallError::TooMany { what, count, max } = &error else { panic!("{error:?}") };
        assert_eq!(*what, expected);
        assert!(count > max, "{error}");
        assert!(error.to_string().contains(&format!("{count} {what}")), "{error}");
    }
}

#[tokio::test]
async fn the_pool_has_room_for_as_many_calls_as_are_admitted_whatever_they_declare() {
    let hogs = ["hog-a", "hog-b", "hog-c", "hog-d"];
    let bench = Bench::with(all(&hogs), |options| options.instances = 16);
    let neighbour = neighbour(&bench).await;
    // Its own memory, and all that it may have beside.
    let bytes = with_modules(&guest("greedy"), 1, MEMORY, 3);
    let bytes = with_modules(&bytes, 1, TABLE, 12);
    let mut crowds = Vec::new();
    for hog in hogs {
        let hog = bench.host.install(with_world(&bytes, hog, "step", "")).await.unwrap().digest;
        let asleep = json!({ "do": "sleep", "ms": 600_000 });
        crowds.push(crowd(&bench, &hog, 40, asleep).await);
        is_served(&bench, &neighbour).await;
    }
    for crowd in crowds {
        disperse(crowd).await;
    }
}

/// A module whose function tests the type of a function, for which wasmtime without its feature `gc`
/// has no code.
const CAST: &[u8] = &[
    1, 5, 1, 0x60, 0, 1, 0x7f, // A type: () -> i32.
    3, 2, 1, 0, // A function of it.
    9, 5, 1, 3, 0, 1, 0, // It may be referred to.
    10, 9, 1, 7, 0, 0xd2, 0, 0xfb, 0x14, 0, 0x0b, // ref.func 0, ref.test 0.
];

#[tokio::test]
async fn proposals_that_the_engine_was_built_without_are_refused() {
    let bench = Bench::with(all(&["hog"]), |_| {});
    let bytes = with_modules(&guest("greedy"), 1, CAST, 1);
    let error = bench.host.install(with_world(&bytes, "hog", "step", "")).await.unwrap_err();
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        said.push_str(&format!(": {error}"));
        cause = error.source();
    }
    assert!(said.contains("gc support is not enabled"), "{said}");
}
