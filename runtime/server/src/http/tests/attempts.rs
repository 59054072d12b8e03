//! What is known of the attempts at tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use model::{Event, Failure, FailureClass, FailureCode, Fulfilment, FulfilmentId, Kind};
use serde_json::{Value, json};
use tmf::time::Timestamp;

use super::bench::Bench;
use super::walk::{NOW, identity};
use crate::access::{Access, Roles};

const CALLBACK: &str = "/orchestration/v1/callbacks/patient/answer%2F0";

async fn ended(bench: &Bench) -> FulfilmentId {
    let id = bench.run(1, "r").await;
    bench.waiting(&id).await;
    assert_eq!(bench.post(CALLBACK, &json!({ "up": true })).await.status, 200);
    bench.services.engine.ended(&id).await.unwrap();
    id
}

#[tokio::test]
async fn the_attempts_of_a_fulfilment_are_listed_in_the_order_of_time() {
    let bench = Bench::new();
    let id = ended(&bench).await;
    let base = format!("/orchestration/v1/fulfilments/{id}/attempts");
    let listed = async |query: &str| {
        let answer = bench.get(&format!("{base}{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let one = |one: &Value| format!("{} {}", one["operation"], one["outcome"]);
        answer.body.as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    let (run, resume) = (r#""run" "waiting""#, r#""resume" "done""#);
    assert_eq!(listed("").await, [run, resume]);
    assert_eq!(listed("?limit=1").await, [run]);
    assert_eq!(listed("?offset=1").await, [resume]);
    assert!(listed("?offset=2").await.is_empty());
    assert_eq!(bench.get(&format!("{base}?limit=x")).await.status, 400);
    let first = &bench.get(&base).await.body[0];
    assert_eq!(first["plugin"], "patient");
    assert_eq!((&first["tookUs"], &first["attempt"]), (&json!(5), &json!(1)));
    assert!(first.get("exchanges").is_none(), "they are listed for one task at a time");
}

#[tokio::test]
async fn the_attempts_of_a_task_tell_what_was_given_and_what_was_exchanged() {
    let bench = Bench::new();
    let id = ended(&bench).await;
    let base = format!("/orchestration/v1/fulfilments/{id}/tasks");
    let answer = bench.get(&format!("{base}/six-steps.s1/attempts")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let [run, resume] = answer.body.as_array().unwrap().as_slice() else { panic!("two calls") };
    assert_eq!(run["exchanges"][0]["url"], "http://olt-1/ports/1");
    assert_eq!((&run["exchangesDropped"], &run["log"]), (&json!(0), &json!(["called"])));
    let given = &run["given"];
    assert_eq!(given["idempotencyKey"], format!("{id}:0"));
    assert_eq!((&given["input"], &given["item"]), (&json!({}), &Value::Null));
    let url = given["callbackUrl"].as_str().unwrap();
    assert!(url.contains("/orchestration/v1/callbacks/run-r:0"), "{url}");
    assert!(given.get("payload").is_none());
    assert_eq!(resume["given"]["payload"], json!({ "up": true }));
    assert_eq!(resume["log"], json!(["called"]));
    for wrong in ["six-steps.s2", "0"] {
        let answer = bench.get(&format!("{base}/{wrong}/attempts")).await;
        assert_eq!(answer.status, 404, "{}", answer.text);
    }
    let nowhere = "/orchestration/v1/fulfilments/none/tasks/six-steps.s1/attempts";
    assert_eq!(bench.get(nowhere).await.status, 404);
}

#[tokio::test]
async fn addresses_of_tasks_are_shown_to_clients_that_may_answer_them() {
    let roles = ["reader", "designer", "operator", "administrator"];
    let tokens = roles.map(|role| (role.to_owned(), identity(role, role, "")));
    let access = Access::fixed(Roles::default(), BTreeMap::from(tokens));
    let bench = Bench::at(NOW).0.with_access(access);
    let id = bench.run(1, "r").await;
    bench.waiting(&id).await;
    let address = bench.services.engine.addresses().of("run-r:0");
    let (_, token) = address.rsplit_once('.').unwrap();
    let (own, run) =
        (format!("/orchestration/v1/fulfilments/{id}"), format!("/orchestration/v1/runs/{id}"));
    for role in roles {
        let may_answer = ["operator", "administrator"].contains(&role);
        let bearer = format!("Bearer {role}");
        let get = async |path: &str| {
            let headers = [("authorization", bearer.as_str())];
            let answer = bench.send(&format!("GET {path}"), &headers, Body::empty()).await;
            assert_eq!(answer.status, 200, "{role} {path}: {}", answer.text);
            answer
        };
        for path in [&own, &run] {
            let task = get(path).await.body["tasks"][0].take();
            assert_eq!(task["waitsFor"], json!(["answer/0"]), "{role} {path}");
            assert_eq!(task.get("answersAt").is_some(), may_answer, "{role} {path}");
        }
        let attempts = get(&format!("{own}/tasks/six-steps.s1/attempts")).await.text;
        assert!(attempts.contains("/callbacks/run-r:0."), "{role}: {attempts}");
        assert_eq!(attempts.contains(token), may_answer, "{role}: {attempts}");
    }
}

#[tokio::test]
async fn short_answers_show_no_address_that_the_long_one_hides() {
    let roles = ["reader", "operator"];
    let tokens = roles.map(|role| (role.to_owned(), identity(role, role, "")));
    let access = Access::fixed(Roles::default(), BTreeMap::from(tokens));
    let bench = Bench::at(NOW).0.with_access(access);
    let address = bench.services.engine.addresses().of("run-r:0");
    let (_, token) = address.rsplit_once('.').unwrap();
    // Whatever wrote it: a run shows its input, its outputs and its failures.
    let kind = Kind::Run { workflow: "six-steps".into() };
    let id = FulfilmentId::new("run-r");
    let input = Arc::new(json!({ "told": address }));
    let run = Fulfilment::new(id.clone(), kind, input, Timestamp(1_000));
    let failure = Failure::new(FailureClass::Operator, FailureCode::DecompNoRule, &address);
    bench.services.engine.submit(run, vec![Event::Held { failure }], None, None).await.unwrap();
    for role in roles {
        let bearer = format!("Bearer {role}");
        for query in ["", "?wait=1ms"] {
            let line = format!("GET /orchestration/v1/fulfilments/{id}{query}");
            let headers = [("authorization", bearer.as_str())];
            let shown = bench.send(&line, &headers, Body::empty()).await.text;
            let masked = shown.matches("run-r:0.***").count();
            assert_eq!(shown.contains(token), role == "operator", "{line} {role}: {shown}");
            assert_eq!(masked, if role == "reader" { 2 } else { 0 }, "{line} {role}: {shown}");
        }
    }
}
