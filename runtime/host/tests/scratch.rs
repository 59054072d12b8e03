//! Scratch spaces: what a call reads and writes, and what it leaves for the engine to commit.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use engine::scratch::Expected;
use engine::stamp::Stamp;
use engine::store::{Batch, Epoch, Memory, Store};
use engine::worker::{Effects, Operation, Report, Worker};
use host::{Installed, Options};
use model::{FailureClass, Outcome};
use serde_json::{Value, json};

use support::{Bench, call, failed, grants, guest, outputs, with_world};

mod support;

/// A host whose store keeps what is committed.
struct Keeping {
    bench: Bench,
    store: Arc<Memory>,
    installed: Installed,
    at: i64,
}

impl Keeping {
    async fn new(id: &str, quota: &str) -> Self {
        let store = Arc::new(Memory::new());
        let shared: Arc<dyn Store> = Arc::<Memory>::clone(&store);
        let change = |options: &mut Options| options.store = shared;
        let bench = Bench::with(grants(id, &format!("scratch = {{ {quota} }}")), change);
        let bytes = with_world(&guest("keeper"), id, "step", "");
        let installed = bench.host.install(bytes).await.unwrap();
        Self { bench, store, installed, at: 0x0a0 }
    }

    async fn run(&self, input: Value) -> Report {
        self.bench.run(&self.installed.digest, input).await
    }

    /// Commits what a call wrote, as the engine does with an answer that counts.
    fn commit(&mut self, report: Report) {
        self.at += 1;
        let facts = self.bench.host.scratch().commit(report.scratch.unwrap(), Stamp(self.at));
        drop(self.store.append(Batch::of(Epoch(0), facts)));
    }
}

#[tokio::test]
async fn writes_are_seen_by_their_call_and_by_others_when_they_are_committed() {
    let mut keeping = Keeping::new("keeper", "").await;
    assert_eq!(keeping.installed.effects, Effects::External);
    let put = json!({ "do": [
        ["put", "job/1", "one", "absent"],
        ["get", "job/1"],
        ["put", "job/1", "two", "read"],
        ["put", "job/2", "", "any"],
        ["put", "other", "x", "any"],
        ["delete", "other", "any"],
        ["keys", "job/"],
        ["keys", "", "job/1", 5],
        ["keys", "", null, 1],
    ] });
    let report = keeping.run(put).await;
    let results = &outputs(&report)["results"];
    assert_eq!(results[1], json!({ "key": "job/1", "value": "one", "revision": "call-1" }));
    assert_eq!(results[6], json!([["job/1", 3], ["job/2", 0]]));
    assert_eq!((&results[7], &results[8]), (&json!([["job/2", 0]]), &json!([["job/1", 3]])));
    let changes = report.scratch.as_ref().unwrap();
    assert_eq!(changes.plugin.as_str(), "keeper");
    // The first writer of the key knew what was committed.
    assert_eq!(changes.writes["job/1"].expected, Expected::Absent);

    let get = json!({ "do": [["get", "job/1"], ["keys", ""]] });
    let before = keeping.run(get.clone()).await;
    assert_eq!(outputs(&before)["results"], json!([{ "key": "job/1" }, []]));
    assert_eq!(before.scratch, None);
    keeping.commit(report);
    let after = keeping.run(get).await;
    let read = json!({ "key": "job/1", "value": "two", "revision": "a1" });
    assert_eq!(outputs(&after)["results"], json!([read, [["job/1", 3], ["job/2", 0]]]));
}

#[tokio::test]
async fn a_call_that_fails_traps_or_runs_over_writes_nothing() {
    let keeping = Keeping::new("keeper", "").await;
    for (end, code) in [
        ("fail", "AS_ASKED"),
        ("trap", "PLUGIN_TRAPPED"),
        ("loop", "PLUGIN_CPU"),
        ("wait", "PLUGIN_ANSWER"),
    ] {
        let report = keeping.run(json!({ "do": [["put", "k", "v", "any"]], "end": end })).await;
        assert_eq!(failed(&report).code.as_str(), code);
        // The engine drops what comes with a failure; of one that was stopped there is nothing.
        assert_eq!(report.scratch.is_some(), matches!(end, "fail" | "wait"), "{end}");
    }
}

#[tokio::test]
async fn a_probe_writes_if_it_finds_the_work_and_an_observation_never() {
    let keeping = Keeping::new("keeper", "").await;
    let recover = |found: bool| {
        let input = json!({
            "found": found,
            "probe": [["put", "probe", "1", "any"]],
            "do": [["put", "run", "1", "any"]],
        });
        call(&keeping.installed.digest, Operation::Recover, input)
    };
    for (found, key) in [(true, "probe"), (false, "run")] {
        let report = keeping.bench.host.run(recover(found)).await;
        let written: Vec<_> = report.scratch.unwrap().writes.into_keys().collect();
        assert_eq!(written, [key]);
    }
    let input = json!({ "observe": [["put", "k", "v", "any"]] });
    let asked = call(&keeping.installed.digest, Operation::Run, input);
    let refused = keeping.bench.host.probe(&keeping.installed.digest, asked).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "NOT_GRANTED");
    let undo = Operation::Undo { outputs: serde_json::Map::new() };
    let input = json!({ "undo": [["put", "undone", "1", "any"]] });
    let report = keeping.bench.host.run(call(&keeping.installed.digest, undo, input)).await;
    assert!(report.scratch.unwrap().writes.contains_key("undone"));
}

#[tokio::test]
async fn a_stale_revision_is_refused_at_once_if_it_shows() {
    let mut keeping = Keeping::new("keeper", "").await;
    let report = keeping.run(json!({ "do": [["put", "k", "v", "absent"]] })).await;
    keeping.commit(report);
    for (operation, is_refused) in [
        (json!(["put", "k", "v", "absent"]), true),
        (json!(["put", "k", "v", "a0"]), true),
        (json!(["put", "k", "v", "call-1"]), true),
        (json!(["delete", "k", "absent"]), true),
        (json!(["delete", "none", "a1"]), true),
        (json!(["put", "k", "v", "a1"]), false),
        (json!(["delete", "k", "a1"]), false),
        (json!(["delete", "none", "any"]), false),
    ] {
        let report = keeping.run(json!({ "do": [operation] })).await;
        match &report.outcome {
            Outcome::Failed(failure) => {
                assert_eq!(failure.code.as_str(), "SCRATCH_CONFLICT", "{operation}");
                assert_eq!(failure.class, FailureClass::Retry);
                assert!(is_refused, "{operation}");
            }
            Outcome::Done(_) | Outcome::Waiting(_) => assert!(!is_refused, "{operation}"),
        }
    }
}

#[tokio::test]
async fn quotas_and_keys_are_limits_with_names() {
    let mut keeping =
        Keeping::new("keeper", "keys = 3, value-kib = 2, call-kib = 4, total-kib = 5").await;
    let many: Vec<_> =
        (0..4).map(|number| json!(["put", format!("k{number}"), "", "any"])).collect();
    for (operations, code, part) in [
        (json!([["put", "k", 2049, "any"]]), "SCRATCH_FULL", "value-kib = 2"),
        (
            json!([["put", "a", 2000, "any"], ["put", "b", 2000, "any"], ["put", "c", 99, "any"]]),
            "SCRATCH_FULL",
            "call-kib = 4",
        ),
        (json!(many), "SCRATCH_FULL", "raise `keys` in `[plugins.keeper.scratch]`"),
        (json!([["get", ""]]), "SCRATCH_KEY", "is empty"),
        (json!([["put", "k".repeat(129), "v", "any"]]), "SCRATCH_KEY", "129 bytes"),
        (json!([["delete", "a\nb", "any"]]), "SCRATCH_KEY", "control character"),
    ] {
        let report = keeping.run(json!({ "do": operations })).await;
        let failure = failed(&report);
        assert_eq!((failure.code.as_str(), failure.class), (code, FailureClass::Operator));
        assert!(failure.message.contains(part), "{}", failure.message);
    }
    // A write that is refused changes nothing of what the call wrote before.
    let report = keeping
        .run(json!({ "do": [
            ["put", "a", 2000, "any"],
            ["put", "a", 2049, "any", "tell"],
            ["put", "b", 2000, "any"],
            ["put", "b", 2048, "any", "tell"],
            ["keys", ""],
        ] }))
        .await;
    let results = json!([null, "SCRATCH_FULL", null, "SCRATCH_FULL", [["a", 2000], ["b", 2000]]]);
    assert_eq!(outputs(&report)["results"], results);
    keeping.commit(report);
    let report = keeping.run(json!({ "do": [["put", "c", 1200, "any"]] })).await;
    assert!(failed(&report).message.contains("`total-kib`"), "{:?}", report.outcome);
}

#[tokio::test]
async fn a_space_is_granted_by_name_and_to_a_role_that_may_have_one() {
    let bench = Bench::new(grants("keeper", ""));
    let install = |world: &str, rest: &str| {
        let bytes = with_world(&guest("keeper"), "keeper", world, rest);
        let host = bench.host.clone();
        async move { host.install(bytes).await.unwrap_err().to_string() }
    };
    let refused = install("step", "[requests.scratch]\nkeys = 7\n").await;
    assert!(refused.contains("[plugins.keeper.scratch]\nkeys = 7\nvalue-kib = 16\n"), "{refused}");
    let refused = install("step", "[requests.scratch]\nkeys = 0\n").await;
    assert!(refused.contains("manifest"), "{refused}");
}
