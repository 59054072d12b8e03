//! Plugins that were built against contract 0.1 and are kept as files: the host serves them as before.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;

use engine::keys;
use engine::worker::{Call, Operation, Worker};
use host::{Decomposition, Installed, Role};
use model::plan::Action;
use model::reconcile::{Difference, Holder, Reading};
use model::{Digest, FailureClass, Outcome, PluginId, SpecId, Wait};
use serde_json::{Value, json};

use support::element::Element;
use support::{Bench, call, failed, grants, object, outputs, pool, with_world};

mod support;

/// The digests of the frozen contract. It is never edited: what is new comes in a version beside it.
#[test]
fn the_text_of_the_contract_is_frozen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/0.1");
    for (file, digest) in [
        ("capabilities.wit", "dfa14b021df43147623e8a4095ad15c02a3998cb9d8af01f1ee28b1652d9040b"),
        ("plugin.wit", "a2dfa0f44a74eb4026fdb5c9577730d26d03050d06b0f0e0a590371787d505b1"),
        ("types.wit", "cdcb488fde2e4c8dcd414f6e5ad0a28f289bb4087e558a4dd561f3dcc1b80428"),
    ] {
        let text = std::fs::read(folder.join(file)).unwrap();
        assert_eq!(Digest::of(&text).to_string(), digest, "wit/0.1/{file}");
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 3);
}

fn kept(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract-0.1");
    std::fs::read(folder.join(format!("{name}.wasm"))).unwrap()
}

async fn installed(name: &str, granted: &str) -> (Bench, Installed) {
    let bench = Bench::new(grants(name, granted));
    let installed = bench.host.install(kept(name)).await.unwrap();
    assert_eq!(installed.id, PluginId::new(name));
    (bench, installed)
}

#[tokio::test]
async fn a_step_runs_and_fails_a_callback_that_it_never_waited_for() {
    let (bench, installed) = installed("noop", "").await;
    assert_eq!(installed.role, Role::Step);
    let input = json!({ "a": [1, { "b": null }] });
    let report = bench.run(&installed.digest, input.clone()).await;
    assert_eq!(outputs(&report), input);
    let resume = Operation::Resume { payload: json!({}) };
    let report = bench.host.run(call(&installed.digest, resume, json!({}))).await;
    assert_eq!(failed(&report).code.as_str(), "UNEXPECTED_CALLBACK");
    assert_eq!(failed(&report).class, FailureClass::Operator);
}

#[tokio::test]
async fn a_validator_reads_and_searches_the_inventory() {
    let (bench, installed) =
        installed("order-checks", "inventory = [\"customer\", \"customerBill\"]").await;
    assert_eq!(installed.role, Role::Validator);
    let profile = json!({ "id": "C-1", "creditProfile": [{ "creditScore": 300 }] });
    bench.store.put(keys::document("customer", "C-1"), profile);
    let order = json!({
        "id": "F-2",
        "relatedParty": [{ "id": "C-1", "role": "customer" }],
        "productOrderItem": [{ "id": "1", "action": "add" }],
    });
    let asked = |credit: Value| json!({ "order": order, "today": "2026-03-10", "credit": credit });
    let report = bench.run(&installed.digest, asked(json!({ "minScore": 400 }))).await;
    let failure = failed(&report);
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Reject, "CREDIT_LOW"));
    let person = json!({ "minScore": 400, "otherwise": "person" });
    let report = bench.run(&installed.digest, asked(person)).await;
    assert_eq!(failed(&report).class, FailureClass::Operator);
    // The search finds no bills; that it is linked and answers is what counts.
    let report =
        bench.run(&installed.digest, asked(json!({ "minScore": 200, "maxOverdue": "0" }))).await;
    assert_eq!(outputs(&report), json!({ "notes": [] }));
}

#[tokio::test]
async fn an_allocator_reserves() {
    let (bench, installed) = installed("pool-allocator", "pools = [\"test-*\"]").await;
    assert_eq!(installed.role, Role::Allocator);
    bench.pools.define(pool("test-vlan", 2));
    let report =
        bench.run(&installed.digest, json!({ "pool": "test-vlan", "name": "vlan", "count": 2 }));
    assert_eq!(outputs(&report.await), json!({ "vlan": ["1", "2"] }));
    let report = bench.run(&installed.digest, json!({ "pool": "other" })).await;
    assert_eq!(failed(&report).code.as_str(), "NOT_GRANTED");
}

#[tokio::test]
async fn a_decomposer_answers_with_productions() {
    let bench = Bench::new([].into());
    let bytes = with_world(&kept("pure"), "pure", "decomposer", "");
    let digest = bench.host.install(bytes).await.unwrap().digest;
    let (spec, order) = (SpecId::new("CFS"), json!({}));
    let characteristics = [("speed", json!(200))].into_iter().collect();
    let action = Action::NoChange;
    let item =
        Decomposition { spec: &spec, action, characteristics: &characteristics, order: &order };
    let (productions, _) = bench.host.decompose(&digest, item).await;
    let productions = productions.unwrap();
    let specs: Vec<&str> = productions.iter().map(|one| one.spec.as_str()).collect();
    assert_eq!(specs, ["CFS-A", "CFS-B"]);
    assert_eq!(productions[0].characteristics, characteristics);
}

#[tokio::test]
async fn a_rater_charges_prices_and_usage() {
    let (bench, installed) = installed("tariff-rater", "").await;
    assert_eq!(installed.role, Role::Rater);
    let eur = |amount: &str| json!({ "currency": "EUR", "amount": amount });
    let tiers = json!([{ "upTo": "100", "price": "0.09" }, { "price": "0.05" }]).to_string();
    let bands = json!([{ "name": "night", "from": "20:00", "until": "06:00", "percent": "50" }])
        .to_string();
    let input = json!({
        "prices": [
            { "id": "S", "name": "Setup", "kind": "oneOff", "amount": eur("49.90") },
            { "id": "M", "name": "Access", "kind": "recurring", "period": "month",
              "amount": eur("31"), "tax": { "rate": "7" } },
            { "id": "U", "name": "Calls", "kind": "usage", "amount": eur("0.09"), "attributes": {
                "units": "150", "allowance-left": "20", "tiers": tiers, "bands": bands,
                "time": "20:30", "weekday": "1",
            } },
            { "id": "N", "name": "Not used yet", "kind": "usage", "amount": eur("0.09") },
        ],
        "quantity": 1, "start": "2026-03-10", "billDay": 1, "taxRate": "19",
    });
    let report = bench.run(&installed.digest, input).await;
    assert_eq!(
        outputs(&report)["charges"],
        json!([
            { "price": "S", "name": "Setup", "kind": "oneOff", "net": eur("49.90"),
              "tax": eur("9.48"), "from": "", "to": "", "attributes": { "tax-rate": "19" } },
            { "price": "M", "name": "Access", "kind": "recurring", "net": eur("22.00"),
              "tax": eur("1.54"), "from": "2026-03-10", "to": "2026-03-31",
              "attributes": { "prorated": "22/31", "tax-rate": "7" } },
            { "price": "U", "name": "Calls", "kind": "usage", "net": eur("5.25"),
              "tax": eur("0.9975"), "from": "", "to": "",
              "attributes": { "units": "150", "free-units": "20", "band": "night" } },
        ])
    );
}

async fn activator() -> (Element, Bench, Digest) {
    let element = Element::start().await;
    let url = format!("http://127.0.0.1:{}", element.port);
    let granted = format!("http = [\"{url}\"]\nconfig = {{ \"element.olt-1\" = \"{url}\" }}");
    let (bench, installed) = installed("rest-activator", &granted).await;
    assert_eq!(installed.role, Role::Activator);
    assert_eq!(bench.host.can_undo(&installed.id), Some(true));
    (element, bench, installed.digest)
}

fn port(digest: &Digest, operation: Operation) -> Call {
    let input = json!({
        "element": "olt-1",
        "request": { "method": "PUT", "path": "/p", "body": { "vlan": 100 } },
        "undo": { "method": "DELETE", "path": "/p" },
        "probe": { "method": "GET", "path": "/p", "holds": "/config" },
        "outputs": { "port": "/port" },
        "callbackTimeoutMs": 5_000,
    });
    call(digest, operation, input)
}

fn waits(key: &str) -> Outcome {
    Outcome::Waiting(Wait { keys: vec![key.into()], timeout_ms: 5_000 })
}

fn done(outputs: Value) -> Outcome {
    Outcome::Done(object(outputs))
}

#[tokio::test]
async fn an_activator_does_the_work_waits_and_resumes() {
    let (element, bench, digest) = activator().await;
    element.answer("PUT", 200, json!({ "port": "1/1/3" }));
    let report = bench.host.run(port(&digest, Operation::Run)).await;
    assert_eq!(report.outcome, done(json!({ "port": "1/1/3" })));
    assert_eq!(element.asked(), ["PUT /p F-1.3"]);
    element.answer("PUT", 202, Value::Null);
    let report = bench.host.run(port(&digest, Operation::Run)).await;
    assert_eq!(report.outcome, waits("F-1.3"));
    element.asked();
    let payload = json!({ "key": "F-1.3", "status": "done", "result": { "port": "1/1/4" } });
    let report = bench.host.run(port(&digest, Operation::Resume { payload })).await;
    assert_eq!(report.outcome, done(json!({ "port": "1/1/4" })));
    assert_eq!(element.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn an_activator_undoes_at_once_or_by_callback() {
    let (element, bench, digest) = activator().await;
    let undo = || Operation::Undo { outputs: object(json!({ "port": "1/1/3" })) };
    element.answer("DELETE", 204, Value::Null);
    assert_eq!(bench.host.run(port(&digest, undo())).await.outcome, done(json!({})));
    element.answer("DELETE", 202, Value::Null);
    assert_eq!(bench.host.run(port(&digest, undo())).await.outcome, waits("F-1.3:undo"));
    assert_eq!(element.asked(), ["DELETE /p F-1.3:undo", "DELETE /p F-1.3:undo"]);
    let payload = json!({ "key": "F-1.3:undo", "status": "done", "result": {} });
    let resume = Operation::ResumeUndo { payload };
    assert_eq!(bench.host.run(port(&digest, resume)).await.outcome, done(json!({})));
}

#[tokio::test]
async fn an_activator_is_probed_before_lost_work_is_done_again() {
    let (element, bench, digest) = activator().await;
    element.answer("GET", 200, json!({ "idempotencyKey": "F-1.3", "port": "1/1/3" }));
    let report = bench.host.run(port(&digest, Operation::Recover)).await;
    assert_eq!(report.outcome, done(json!({ "port": "1/1/3" })));
    assert_eq!(element.asked(), ["GET /p F-1.3"]);
    element.answer("GET", 404, Value::Null);
    element.answer("PUT", 200, json!({ "port": "1/1/3" }));
    let report = bench.host.run(port(&digest, Operation::Recover)).await;
    assert_eq!(report.outcome, done(json!({ "port": "1/1/3" })));
    assert_eq!(element.asked(), ["GET /p F-1.3", "PUT /p F-1.3"]);
}

#[tokio::test]
async fn an_activator_reads_back() {
    let (element, bench, digest) = activator().await;
    let read = async || bench.host.probe(&digest, port(&digest, Operation::Recover)).await;
    let body = json!({ "idempotencyKey": "K-0", "port": "1/1/3", "config": { "vlan": 7 } });
    element.answer("GET", 200, body);
    let vlan = Difference { name: "vlan".into(), expected: json!(100), found: json!(7) };
    let held = Reading::Held {
        outputs: object(json!({ "port": "1/1/3" })),
        differences: vec![vlan],
        holder: Holder::Other("K-0".into()),
    };
    assert_eq!(read().await, Ok(held));
    element.answer("GET", 200, json!({ "config": { "vlan": 100 } }));
    let silent =
        Reading::Held { outputs: object(json!({})), differences: vec![], holder: Holder::Unknown };
    assert_eq!(read().await, Ok(silent));
    element.answer("GET", 200, json!({ "state": "pending" }));
    assert_eq!(read().await, Ok(Reading::Pending));
    element.answer("GET", 404, Value::Null);
    assert_eq!(read().await, Ok(Reading::Nothing));
}

#[tokio::test]
async fn an_activator_reverts_a_modification() {
    let (element, bench, digest) = activator().await;
    let reapply = || Call { replaces: Some("K-0".into()), ..port(&digest, Operation::Reapply) };
    element.answer("GET", 200, json!({ "idempotencyKey": "F-1.3", "config": { "vlan": 7 } }));
    element.answer("PUT", 200, json!({ "port": "1/1/3" }));
    assert_eq!(bench.host.run(reapply()).await.outcome, done(json!({ "port": "1/1/3" })));
    assert_eq!(element.asked(), ["GET /p F-1.3 replace", "PUT /p F-1.3:undo replace"]);
    // The modification was never made.
    element.answer("GET", 200, json!({ "idempotencyKey": "K-0", "config": { "vlan": 7 } }));
    assert_eq!(bench.host.run(reapply()).await.outcome, done(json!({})));
    assert_eq!(element.asked(), ["GET /p F-1.3 replace"]);
}
