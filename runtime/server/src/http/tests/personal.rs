//! Personal values of an order in whatever is shown of its fulfilment.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use model::{Event, Failure, FailureClass, FailureCode, Fulfilment, FulfilmentId, Kind};
use serde_json::json;
use tmf::time::Timestamp;

use super::bench::Bench;
use super::walk::{NOW, identity};
use crate::access::{Access, Roles};
use crate::http::orchestration::OPERATIONS;

const NAME: &str = "Rosalind Quartermain";

/// What fulfilments are read by, with whether the answer tells of the person.
const TOLD: [(&str, bool); 6] = [
    ("/fulfilments/{id}", true),
    ("/fulfilments/{id}/plan", false),
    ("/fulfilments/{id}/events", true),
    ("/fulfilments/{id}/logs", false),
    ("/fulfilments/{id}/attempts", false),
    ("/runs/{id}", true),
];

#[tokio::test]
async fn personal_values_are_masked_wherever_a_fulfilment_is_shown() {
    let roles = [("reader", false), ("designer", false), ("operator", true), ("agent", true)];
    let tokens = roles.map(|(role, _)| (role.to_owned(), identity(role, role, "")));
    let access = Access::fixed(Roles::default(), BTreeMap::from(tokens));
    let bench = Bench::at(NOW).0.with_access(access);
    let party = json!({ "id": "C-1", "role": "customer", "name": NAME });
    let order = json!({ "relatedParty": [party], "productOrderItem": [] });
    let run = Kind::Run { workflow: "six-steps".into() };
    for (id, kind) in [("order", Kind::ProductOrder), ("run", run)] {
        let order = Arc::new(order.clone());
        let fulfilment = Fulfilment::new(FulfilmentId::new(id), kind, order, Timestamp(1_000));
        let message = format!("{{\"name\":\"{NAME}\"}} has no port");
        let failure = Failure::new(FailureClass::Reject, FailureCode::DecompNoRule, message);
        let events = vec![Event::Rejected { failure }];
        bench.services.engine.submit(fulfilment, events, None, None).await.unwrap();
    }
    let mut shown = 0;
    for operation in OPERATIONS.iter().filter(|operation| operation.method == "GET") {
        let Some((_, is_told)) = TOLD.iter().find(|(path, _)| *path == operation.path) else {
            let path = operation.path;
            let is_other = !path.contains("fulfilments/") && !path.contains("runs/{id}");
            assert!(is_other || path.contains("{task}") || path.contains("billing"), "{path}");
            continue;
        };
        for (role, may_read) in roles {
            let id = if operation.path.starts_with("/runs") { "run" } else { "order" };
            let is_taken = |name: &str| operation.query.iter().any(|taken| taken.name == name);
            for query in ["", "journal=true", "wait=1ms"] {
                let (name, _) = query.split_once('=').unwrap_or_default();
                if !name.is_empty() && !is_taken(name) {
                    continue;
                }
                let path = operation.path.replace("{id}", id);
                let line = format!("GET /orchestration/v1{path}?{query}");
                let bearer = format!("Bearer {role}");
                let headers = [("authorization", bearer.as_str())];
                let answer = bench.send(&line, &headers, Body::empty()).await;
                if answer.status == 403 {
                    continue;
                }
                assert!(answer.status.is_success(), "{role} {line}: {}", answer.text);
                let is_named = answer.text.contains(NAME);
                assert_eq!(is_named, may_read && *is_told, "{role} {line}: {}", answer.text);
                assert!(!answer.text.contains("\"state\":\"***"), "{}", answer.text);
                shown += usize::from(*is_told && !may_read && answer.text.contains("***"));
            }
        }
    }
    assert!(shown > 10, "{shown}");
}
