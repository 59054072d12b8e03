//! Calls of plugins, role by role.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use engine::keys;
use engine::worker::{Effects, Operation, Worker};
use host::{Decomposition, Role};
use model::plan::Action;
use model::{FailureClass, Outcome, PluginId, SpecId};
use serde_json::{Value, json};

use support::{Bench, READS, call, failed, grants, guest, object, outputs, pool, with_world};

mod support;

#[tokio::test]
async fn a_step_is_given_its_task() {
    let (bench, installed) = Bench::misbehave("").await;
    assert_eq!(installed.role, Role::Step);
    assert_eq!(installed.effects, Effects::Pure);
    let resolved = bench.host.resolve(&PluginId::new("misbehave")).unwrap();
    assert_eq!(resolved.digest, installed.digest);
    assert_eq!(bench.host.effects(&installed.digest), Some(Effects::Pure));
    let report = bench.run(&installed.digest, json!({})).await;
    assert_eq!(
        outputs(&report)["task"],
        json!({
            "fulfilment": "F-1",
            "name": "RFS-VLAN.activate",
            "spec": "RFS-VLAN",
            "action": "add",
            "characteristics": "{\"speed\":200}",
            "attempt": 1,
            "idempotencyKey": "F-1.3",
            "callbackUrl": "http://127.0.0.1:8080/orchestration/v1/callbacks/F-1.3.0123",
            "hasDeadline": true,
        })
    );
}

#[tokio::test]
async fn a_step_may_wait_fail_and_resume() {
    let (bench, installed) = Bench::misbehave("").await;
    let digest = &installed.digest;
    let report = bench.run(digest, json!({ "do": "wait", "keys": ["F-1.3"] })).await;
    let Outcome::Waiting(wait) = &report.outcome else { panic!("{report:?}") };
    assert_eq!((wait.keys.as_slice(), wait.timeout_ms), (&["F-1.3".to_owned()][..], 5_000));

    let report = bench.run(digest, json!({ "do": "fail" })).await;
    let failure = failed(&report);
    assert_eq!(failure.class, FailureClass::Retry);
    assert_eq!(failure.code.as_str(), "VLAN_BUSY");
    assert_eq!(failure.retry_after_ms, Some(250));
    assert_eq!(report.log, ["failure: element: bng-1"]);
    let report = bench.run(digest, json!({ "do": "reject" })).await;
    assert_eq!(failed(&report).class, FailureClass::Reject);

    let resume = Operation::Resume { payload: json!({ "ok": true }) };
    let report = bench.host.run(call(digest, resume, json!({}))).await;
    assert_eq!(outputs(&report), json!({ "payload": { "ok": true } }));
}

/// Without `undo` the work of a step outside cannot be undone, and doing it again is no undo.
#[tokio::test]
async fn a_step_without_undo_that_reached_outside_is_not_undone() {
    let bench = Bench::new(grants("mail", "http = [\"http://127.0.0.1:9\"]"));
    let bytes = with_world(&guest("sender"), "mail", "step", "");
    let installed = bench.host.install(bytes).await.unwrap();
    assert_eq!(installed.effects, Effects::External);
    assert_eq!(bench.host.can_undo(&PluginId::new("mail")), Some(false));
    for operation in [Operation::Undo { outputs: object(json!({})) }, Operation::Reapply] {
        let report = bench.host.run(call(&installed.digest, operation, json!({}))).await;
        let failure = failed(&report);
        assert_eq!(
            (failure.code.as_str(), failure.class),
            ("PLUGIN_NO_UNDO", FailureClass::Operator)
        );
        assert!(failure.message.contains("undo: false"), "{}", failure.message);
    }
}

/// A step that cannot reach outside has only reservations, which the engine releases.
#[tokio::test]
async fn a_pure_step_is_undone_without_a_call() {
    let (bench, installed) = Bench::misbehave("").await;
    let undo = Operation::Undo { outputs: object(json!({})) };
    let report = bench.host.run(call(&installed.digest, undo, json!({ "do": "trap" }))).await;
    assert_eq!(report.outcome, Outcome::Done(object(json!({}))));
    assert!(report.log.is_empty());
}

#[tokio::test]
async fn settings_and_inventory_are_read_as_granted() {
    let (bench, installed) = Bench::misbehave("config = { token = \"t\" }").await;
    let digest = &installed.digest;
    let report = bench.run(digest, json!({ "do": "setting", "name": "token" })).await;
    assert_eq!(outputs(&report), json!({ "value": "t" }));
    let report = bench.run(digest, json!({ "do": "setting", "name": "other" })).await;
    assert_eq!(outputs(&report), json!({ "value": null }));

    bench.store.put(keys::document("service", "S1"), json!({ "id": "S1" }));
    let look_up = |kind: &str, id: &str| json!({ "do": "inventory", "kind": kind, "id": id });
    let report = bench.run(digest, look_up("service", "S1")).await;
    assert_eq!(outputs(&report), json!({ "document": { "id": "S1" } }));
    let report = bench.run(digest, look_up("service", "S2")).await;
    assert_eq!(outputs(&report), json!({ "document": null }));
    let report = bench.run(digest, look_up("resource", "R1")).await;
    assert_eq!(failed(&report).code.as_str(), "NOT_GRANTED");
    assert_eq!(
        report.log,
        [
            "host: denied inventory `resource` of plugin `misbehave`: it is not granted; to grant it, add",
            "host: [plugins.misbehave]",
            "host: inventory = [\"service\", \"resource\"]",
        ]
    );
}

#[tokio::test]
async fn documents_are_found_by_what_they_are_indexed_by() {
    let (bench, installed) = Bench::misbehave("").await;
    let digest = &installed.digest;
    for id in ["S1", "S2"] {
        bench.store.put(keys::entry("service", "relatedParty.id", "C1", id), json!({}));
        bench.store.put(keys::document("service", id), json!({ "id": id }));
    }
    let find = |kind: &str, attribute: &str, value: &str| json!({ "do": "find", "kind": kind, "attribute": attribute, "value": value });
    let report = bench.run(digest, find("service", "relatedParty.id", "C1")).await;
    assert_eq!(outputs(&report), json!({ "found": [{ "id": "S2" }, { "id": "S1" }] }));
    let report = bench.run(digest, find("service", "relatedParty.id", "C")).await;
    assert_eq!(outputs(&report), json!({ "found": [] }));
    for n in 1..=101 {
        let id = format!("S{n:03}");
        bench.store.put(keys::entry("service", "relatedParty.id", "C2", &id), json!({}));
        bench.store.put(keys::document("service", &id), json!({ "id": id }));
    }
    let report = bench.run(digest, find("service", "relatedParty.id", "C2")).await;
    let found = outputs(&report)["found"].as_array().unwrap().clone();
    assert_eq!((found.len(), &found[0]["id"]), (100, &json!("S101")), "the latest 100");
    let report = bench.run(digest, find("service", "description", "x")).await;
    assert_eq!(failed(&report).code.as_str(), "NOT_INDEXED");
    let report = bench.run(digest, find("resource", "relatedParty.id", "C1")).await;
    assert_eq!(failed(&report).code.as_str(), "NOT_GRANTED");
}

#[tokio::test]
async fn a_step_that_exports_undo_and_probe_is_undone_and_probed() {
    let bench = Bench::new(grants("mail", "http = [\"http://127.0.0.1:9\"]"));
    let bytes = with_world(&guest("dialler"), "mail", "step", "");
    let installed = bench.host.install(bytes).await.unwrap();
    assert_eq!(bench.host.can_undo(&PluginId::new("mail")), Some(true));
    let run =
        async |operation, input| bench.host.run(call(&installed.digest, operation, input)).await;
    let undo = Operation::Undo { outputs: object(json!({ "sent": 1 })) };
    let report = run(undo, json!({})).await;
    assert_eq!(outputs(&report), json!({ "undone": { "sent": 1 }, "key": "F-1.3:undo" }));
    let unseen = Operation::Undo { outputs: object(json!({})) };
    assert_eq!(outputs(&run(unseen, json!({})).await)["undone"], Value::Null);
    let resume = Operation::ResumeUndo { payload: json!({ "ok": true }) };
    assert_eq!(outputs(&run(resume, json!({})).await), json!({ "ok": true }));
    let report = run(Operation::Recover, json!({ "found": "applied" })).await;
    assert_eq!(outputs(&report), json!({ "probed": true }));
}

#[tokio::test]
async fn a_step_without_callbacks_must_not_wait() {
    let bench = Bench::new(grants("mail", "http = [\"http://127.0.0.1:9\"]"));
    let bytes = with_world(&guest("sender"), "mail", "step", "");
    let installed = bench.host.install(bytes).await.unwrap();
    let report = bench.run(&installed.digest, json!({ "wait": true })).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_ANSWER");
    assert!(failed(&report).message.contains("`callbacks`"), "{report:?}");
    // Without a probe lost work is done again.
    let report = bench.host.run(call(&installed.digest, Operation::Recover, json!({}))).await;
    assert_eq!(outputs(&report), json!({ "sent": false }));
}

#[tokio::test]
async fn an_allocator_takes_values_out_of_the_pools_that_it_was_granted() {
    let bench = Bench::new(grants("alloc", READS));
    bench.pools.define(pool("test-vlan", 2));
    bench.pools.define(pool("other", 2));
    let bytes = with_world(&guest("misbehave"), "alloc", "allocator", "");
    let installed = bench.host.install(bytes).await.unwrap();
    let report = bench.run(&installed.digest, json!({ "a": "test-vlan", "b": "test-vlan" })).await;
    assert_eq!(outputs(&report), json!({ "a": "1", "b": "2" }));
    let reservations = bench.pools.finish(&model::FulfilmentId::new("F-1"), model::TaskId(3));
    assert_eq!(reservations.len(), 2);
    for (pool, code) in
        [("test-vlan", "POOL_EXHAUSTED"), ("test-none", "UNKNOWN_POOL"), ("other", "NOT_GRANTED")]
    {
        let report = bench.run(&installed.digest, json!({ "a": pool })).await;
        assert_eq!(
            (failed(&report).code.as_str(), failed(&report).class),
            (code, FailureClass::Operator)
        );
    }
}

async fn pure(world: &str) -> (Bench, model::Digest) {
    let bench = Bench::new([].into());
    let installed =
        bench.host.install(with_world(&guest("pure"), "pure", world, "")).await.unwrap();
    (bench, installed.digest)
}

#[tokio::test]
async fn a_validator_accepts_or_rejects() {
    let (bench, digest) = pure("validator").await;
    let report = bench.run(&digest, json!({ "order": {} })).await;
    assert_eq!(outputs(&report), json!({ "valid": true }));
    let report = bench.run(&digest, json!({ "order": "bad" })).await;
    assert_eq!(failed(&report).class, FailureClass::Reject);
    let resume = Operation::Resume { payload: Value::Null };
    let report = bench.host.run(call(&digest, resume, json!({}))).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_ROLE");
}

#[tokio::test]
async fn a_rater_turns_prices_into_charges() {
    let (bench, digest) = pure("rater").await;
    let input = json!({
        "prices": [{
            "id": "P1", "name": "200 Mb", "kind": "recurring", "period": "month",
            "amount": { "currency": "EUR", "amount": "29.90" },
        }],
        "quantity": 2, "start": "2026-03-10", "billDay": 1, "taxRate": "19",
    });
    let report = bench.run(&digest, input).await;
    assert_eq!(
        outputs(&report),
        json!({ "charges": [{
            "price": "P1", "name": "200 Mb", "kind": "recurring",
            "net": { "currency": "EUR", "amount": "29.90" },
            "tax": { "currency": "EUR", "amount": "19" },
            "from": "2026-03-10", "to": "2 1", "attributes": { "period": "month" },
        }] })
    );
    let report = bench.run(&digest, json!({ "prices": [] })).await;
    assert_eq!(failed(&report).code.as_str(), "RATING_INPUT");
}

#[tokio::test]
async fn a_decomposer_names_the_items_that_an_item_becomes() {
    let (bench, digest) = pure("decomposer").await;
    let (spec, order) = (SpecId::new("CFS"), json!({}));
    let characteristics = [("speed", json!(200))].into_iter().collect();
    let action = Action::Add;
    let item =
        Decomposition { spec: &spec, action, characteristics: &characteristics, order: &order };
    let (productions, log) = bench.host.decompose(&digest, item).await;
    let productions = productions.unwrap();
    assert_eq!(productions[0].spec, SpecId::new("CFS-A"));
    assert_eq!(productions[0].characteristics, characteristics);
    assert_eq!((productions.len(), log.len()), (2, 0));
    let changed = Decomposition { action: Action::Modify, ..item };
    let (productions, _) = bench.host.decompose(&digest, changed).await;
    assert_eq!(productions.unwrap_err().code.as_str(), "PLUGIN_ANSWER");
    let report = bench.run(&digest, json!({})).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_ROLE");
}

#[tokio::test]
async fn a_plugin_without_observation_cannot_be_read_back() {
    let (bench, digest) = pure("validator").await;
    let asked = call(&digest, Operation::Recover, json!({}));
    assert_eq!(
        bench.host.probe(&digest, asked.clone()).await.unwrap_err().code.as_str(),
        "PLUGIN_ROLE"
    );
    assert_eq!(bench.host.role(&digest).await, Some(Role::Validator));
    let unknown = model::Digest::of(b"x");
    assert_eq!(bench.host.role(&unknown).await, None);
    assert_eq!(
        bench.host.probe(&unknown, asked).await.unwrap_err().code.as_str(),
        "PLUGIN_MISSING"
    );
}

#[tokio::test]
async fn a_missing_plugin_is_for_the_operator() {
    let bench = Bench::new([].into());
    let report = bench.run(&model::Digest::of(b"x"), json!({})).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_MISSING");
    assert_eq!(failed(&report).class, FailureClass::Operator);
}
