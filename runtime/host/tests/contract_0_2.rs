//! Plugins that were built against contract 0.2 and are kept as files: the host serves them, with the same answers.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;

use engine::worker::{Operation, Worker};
use host::{Decomposition, Installed, Role};
use model::plan::Action;
use model::{FailureClass, SpecId};
use serde_json::{Value, json};

use support::element::Element;
use support::{Bench, call, failed, grants, object, outputs, pool};

mod support;

/// The kept components; none is ever built again.
const KEPT: [(&str, Role); 6] = [
    ("activator", Role::Activator),
    ("allocator", Role::Allocator),
    ("decomposer", Role::Decomposer),
    ("rater", Role::Rater),
    ("step", Role::Step),
    ("validator", Role::Validator),
];

fn kept(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract-0.2");
    std::fs::read(folder.join(format!("{name}.wasm"))).unwrap()
}

async fn installed(name: &str, granted: &str) -> (Bench, Installed) {
    let bench = Bench::new(grants(&format!("kept-{name}"), granted));
    let installed = bench.host.install(kept(name)).await.unwrap();
    (bench, installed)
}

#[tokio::test]
async fn a_component_of_each_world_is_served() {
    for (name, role) in KEPT {
        let granted = match role {
            Role::Activator => "http = [\"http://127.0.0.1:9\"]",
            Role::Allocator => "pools = [\"*\"]",
            Role::Decomposer | Role::Rater | Role::Step | Role::Validator => "",
        };
        let (bench, installed) = installed(name, granted).await;
        assert_eq!(installed.role, role);
        let described = bench.host.describe(&installed.digest).await.unwrap();
        let is_described = !matches!(role, Role::Decomposer | Role::Rater);
        assert_eq!(described.is_some(), is_described, "{name}");
    }
}

#[tokio::test]
async fn a_step_and_a_validator_answer_and_fail_as_before() {
    for (name, input, answer) in [
        ("step", json!({ "mbps": 200 }), Ok(json!({ "profile": "silver" }))),
        ("step", json!({ "mbps": 0 }), Err((FailureClass::Reject, "SPEED_INVALID"))),
        ("step", json!({ "mbps": "x" }), Err((FailureClass::Operator, "BAD_INPUT"))),
        (
            "validator",
            json!({ "relatedParty": [{ "role": "contact" }] }),
            Ok(json!({ "contacts": 1 })),
        ),
        ("validator", json!({}), Err((FailureClass::Reject, "CONTACT_MISSING"))),
    ] {
        let (bench, installed) = installed(name, "").await;
        let report = bench.run(&installed.digest, input).await;
        match answer {
            Ok(answer) => assert_eq!(outputs(&report), answer),
            Err(expected) => {
                let failure = failed(&report);
                assert_eq!((failure.class, failure.code.as_str()), expected);
            }
        }
    }
}

#[tokio::test]
async fn an_allocator_reserves_as_before() {
    let (bench, installed) = installed("allocator", "pools = [\"vlans\"]").await;
    bench.pools.define(pool("vlans", 2));
    let report = bench.run(&installed.digest, json!({ "vlans": "vlans" })).await;
    assert_eq!(outputs(&report), json!({ "vlan": "1" }));
    let report = bench.run(&installed.digest, json!({ "vlans": "other" })).await;
    assert_eq!(failed(&report).code.as_str(), "NOT_GRANTED");
}

#[tokio::test]
async fn a_decomposer_answers_with_the_same_productions() {
    let (bench, installed) = installed("decomposer", "").await;
    let (spec, order) = (SpecId::new("WAN"), json!({}));
    let characteristics = [("sites", json!(["Bern", "Basel"]))].into_iter().collect();
    let action = Action::Add;
    let item =
        Decomposition { spec: &spec, action, characteristics: &characteristics, order: &order };
    let (productions, _) = bench.host.decompose(&installed.digest, item).await;
    let made: Vec<Value> = productions
        .unwrap()
        .iter()
        .map(|part| json!([part.spec.as_str(), part.characteristics]))
        .collect();
    assert_eq!(
        json!(made),
        json!([["CFS-ACCESS", { "site": "Bern" }], ["CFS-ACCESS", { "site": "Basel" }]])
    );
}

#[tokio::test]
async fn a_rater_charges_the_same() {
    let (bench, installed) = installed("rater", "").await;
    let eur = |amount: &str| json!({ "currency": "EUR", "amount": amount });
    let input = json!({
        "prices": [{ "id": "S", "name": "Setup", "kind": "oneOff", "amount": eur("49.90") }],
        "quantity": 2, "start": "2026-03-10", "billDay": 1, "taxRate": "19",
    });
    let report = bench.run(&installed.digest, input).await;
    let charge = &outputs(&report)["charges"][0];
    assert_eq!((&charge["net"], &charge["tax"]), (&eur("99.80"), &eur("18.96")));
}

#[tokio::test]
async fn an_activator_does_probes_and_undoes_the_work_as_before() {
    let element = Element::start().await;
    let url = format!("http://127.0.0.1:{}", element.port);
    let granted = format!("http = [\"{url}\"]\nconfig = {{ \"element.olt-1\" = \"{url}\" }}");
    let (bench, installed) = installed("activator", &granted).await;
    let line = |operation| {
        let mut call = call(&installed.digest, operation, json!({ "element": "olt-1", "line": 7 }));
        call.characteristics = [("downstreamSpeed", json!(200))].into_iter().collect();
        call
    };
    element.answer("PUT", 204, Value::Null);
    let report = bench.host.run(line(Operation::Run)).await;
    assert_eq!(outputs(&report), json!({ "mbps": 200 }));
    element.answer("GET", 200, json!({ "mbps": 200, "idempotencyKey": "F-1.3" }));
    let report = bench.host.run(line(Operation::Recover)).await;
    assert_eq!(outputs(&report), json!({ "mbps": 200 }));
    element.answer("DELETE", 404, Value::Null);
    let undo = Operation::Undo { outputs: object(json!({ "mbps": 200 })) };
    assert_eq!(outputs(&bench.host.run(line(undo)).await), json!({}));
    let (put, get, delete) =
        ("PUT /lines/7 F-1.3", "GET /lines/7 F-1.3", "DELETE /lines/7 F-1.3:undo");
    assert_eq!(element.asked(), [put, get, delete]);
    for (status, class, code) in [
        (400, FailureClass::Operator, "ELEMENT_REFUSED"),
        (409, FailureClass::Operator, "ELEMENT_CONFLICT"),
        (503, FailureClass::Retry, "ELEMENT_503"),
    ] {
        element.answer("PUT", status, Value::Null);
        let report = bench.host.run(line(Operation::Run)).await;
        assert_eq!((failed(&report).class, failed(&report).code.as_str()), (class, code));
    }
}
