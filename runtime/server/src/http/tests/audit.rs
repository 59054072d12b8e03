//! The audit over HTTP: each request that changes something has an entry, and refusals have theirs.

use std::sync::Arc;

use axum::body::Body as Bytes;
use engine::audit::{Actor, Entry, Line, Outcome, verify};
use engine::keys;
use engine::store::{Scan, Store as _};
use serde_json::{Value, json};
use tmf::table::APIS;

use super::bench::{Answer, Bench};
use crate::access::{Access, Identity, Proof, RoleName, Roles};
use crate::audit::{Witness, prune};
use crate::http::orchestration::OPERATIONS;
use crate::http::orchestration::operation::Body;

const JSON: (&str, &str) = ("content-type", "application/json");

fn entries(bench: &Bench) -> Vec<Entry> {
    let stored = engine::audit::read(&bench.store, 0, usize::MAX).unwrap();
    stored.iter().map(|stored| stored.entry().unwrap()).collect()
}

/// The facts of a bench, without the audit.
fn facts(bench: &Bench) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut facts = bench.store.scan(&Scan::prefix("", usize::MAX)).unwrap();
    facts.retain(|(key, _)| !key.starts_with(keys::AUDIT) && key != keys::AUDIT_HEAD);
    facts
}

async fn send(bench: &Bench, line: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let mut all = vec![JSON];
    all.extend(headers);
    bench.send(line, &all, Bytes::from(body.to_string())).await
}

const PEOPLE: &str = "/tmf-api/party/v4/individual";

#[tokio::test]
async fn who_is_shown_all_about_a_person_has_an_entry() {
    let bench = Bench::new();
    let person = json!({ "givenName": "Ada", "familyName": "King" });
    let made = send(&bench, &format!("POST {PEOPLE}"), &[], &person).await;
    let id = made.body["id"].as_str().unwrap();
    let shown = bench.get(&format!("/orchestration/v1/persons/{id}")).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let last = entries(&bench).pop().unwrap();
    assert_eq!((last.action.as_str(), last.outcome), ("GET persons", Outcome::Done));
    assert_eq!(last.subject.and_then(|subject| subject.id).as_deref(), Some(id));
}

#[tokio::test]
async fn a_change_of_a_document_has_one_entry_with_what_changed() {
    let bench = Bench::new();
    let begun = entries(&bench).len();
    let person = json!({ "givenName": "Ada", "familyName": "King" });
    let headers = [("audit-reason", "called by phone")];
    let made = send(&bench, &format!("POST {PEOPLE}"), &headers, &person).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.body["id"].as_str().unwrap();
    let changed = json!({ "givenName": "Eve", "status": "validated" });
    let line = format!("PATCH {PEOPLE}/{id}");
    let patch = [("content-type", "application/merge-patch+json")];
    let answer = bench.send(&line, &patch, Bytes::from(changed.to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    bench.send(&format!("DELETE {PEOPLE}/{id}"), &[], Bytes::empty()).await;
    let entries = entries(&bench).split_off(begun);
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let document = &entry.documents[0];
            (entry.action.as_str(), document.id.as_str(), document.before, document.after)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("POST individual", id, None, Some(1)),
            ("PATCH individual", id, Some(1), Some(2)),
            ("DELETE individual", id, Some(2), None),
        ]
    );
    assert_eq!(entries[0].why.as_deref(), Some("called by phone"));
    assert_eq!(entries[0].actor.subject, "local");
    let text = String::from_utf8(
        bench.store.get(&keys::audit(begun as u64 + 2)).unwrap().unwrap()[32..].to_vec(),
    );
    let text = text.unwrap();
    assert!(text.contains(r#"{"path":"givenName","before":"***","after":"***"}"#), "{text}");
    assert!(!text.contains("Ada") && !text.contains("Eve"), "{text}");
    assert_eq!(verify(&bench.store, None).unwrap().0, []);
}

#[tokio::test]
async fn an_order_has_one_entry_that_names_its_record() {
    let bench = Bench::new();
    let begun = entries(&bench).len();
    let order = json!({ "input": 1 });
    let line = "POST /orchestration/v1/workflows/none/runs";
    assert_eq!(send(&bench, line, &[], &order).await.status, 404);
    let order = json!({ "productOrderItem": [{ "id": "1", "action": "add",
        "productOffering": { "id": "none" } }] });
    let line = "POST /tmf-api/productOrderingManagement/v4/productOrder";
    let made = send(&bench, line, &[], &order).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let entries = entries(&bench).split_off(begun);
    assert_eq!(entries.len(), 1, "{entries:?}");
    let recorded = entries[0].fulfilment.as_ref().unwrap();
    assert_eq!(
        (recorded.id.as_str(), recorded.record),
        (made.body["id"].as_str().unwrap(), Some(0))
    );
}

#[tokio::test]
async fn refusals_are_counted_and_change_nothing_else() {
    let bench = Bench::new();
    let (begun, before) = (entries(&bench).len(), facts(&bench));
    let line = "POST /tmf-api/customerManagement/v4/customer";
    let wrong = json!({ "name": "x", "engagedParty": { "id": "none" } });
    let status = send(&bench, line, &[], &wrong).await.status;
    for _ in 0..50 {
        send(&bench, line, &[], &wrong).await;
    }
    assert_eq!(status, 422);
    let entries = entries(&bench).split_off(begun);
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &entries[0];
    assert_eq!((entry.outcome, entry.code.as_deref()), (Outcome::Refused, Some("422")));
    assert_eq!(facts(&bench), before);
}

#[tokio::test]
async fn requests_that_are_not_let_in_have_entries_with_who_is_known() {
    let identity = |role: &str| {
        let roles = [RoleName::new(role)].into();
        Arc::new(Identity {
            subject: "ada".into(),
            proof: Proof::Password,
            roles,
            ..Identity::local()
        })
    };
    let tokens =
        [("reads".to_string(), identity("reader")), ("audits".into(), identity("auditor"))];
    let access = Access::fixed(Roles::default(), tokens.into());
    let bench = Bench::new().with_access(access);
    let begun = entries(&bench).len();
    let line = format!("POST {PEOPLE}");
    let body = json!({ "givenName": "A", "familyName": "B" });
    assert_eq!(send(&bench, &line, &[], &body).await.status, 401);
    let reads = [("authorization", "Bearer reads")];
    assert_eq!(send(&bench, &line, &reads, &body).await.status, 403);
    assert_eq!(
        bench.open("GET /orchestration/v1/audit", &reads, Bytes::empty()).await.status(),
        403
    );
    let audits = [("authorization", "Bearer audits")];
    let read = bench.open("GET /orchestration/v1/audit", &audits, Bytes::empty()).await;
    assert_eq!(read.status(), 200);
    let entries = entries(&bench).split_off(begun);
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let Actor { subject, authentication, roles, .. } = &entry.actor;
            let code = entry.code.as_deref().unwrap_or_default();
            format!("{} {subject} {authentication} {} {code}", entry.action, roles.join(","))
        })
        .collect();
    assert_eq!(
        told,
        [
            "POST individual anonymous none  401",
            "POST individual ada password reader 403",
            "GET audit ada password reader 403",
            "GET audit ada password auditor ",
        ]
    );
    let text = bench.store.scan(&Scan::prefix(keys::AUDIT, 999)).unwrap();
    let has_secret = |bytes: &[u8]| bytes.windows(6).any(|bytes| bytes == b"Bearer");
    assert!(!text.iter().any(|(_, bytes)| has_secret(bytes)), "no credentials are kept");
}

#[tokio::test]
async fn a_reason_is_a_short_text() {
    let bench = Bench::new();
    let long = "x".repeat(501);
    let line = format!("POST {PEOPLE}");
    let answer = send(&bench, &line, &[("audit-reason", &long)], &json!({})).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(answer.body["referenceError"], "Audit-Reason");
    let fits = "é".repeat(500);
    let answer = send(
        &bench,
        &line,
        &[("audit-reason", &fits)],
        &json!({ "givenName": "A", "familyName": "B" }),
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(entries(&bench).pop().unwrap().why, Some(fits));
}

/// Where an operation is, with ids that are not there.
fn place(path: &str) -> String {
    let mut place = String::from("/orchestration/v1");
    for piece in path.split('/').filter(|piece| !piece.is_empty()) {
        place.push('/');
        place.push_str(match piece {
            "{step}" => "hold",
            "{order}" => "productOrder",
            piece if piece.starts_with('{') => "1",
            piece => piece,
        });
    }
    place
}

/// Each write in the store belongs to a batch of an act: whatever route is asked, no fact of a document
/// changes unless an entry is added.
#[tokio::test]
async fn no_route_changes_a_fact_without_an_entry() {
    let bench = Bench::new();
    let mut changed = 0;
    let mut lines: Vec<(String, Value)> = Vec::new();
    for operation in OPERATIONS.iter().filter(|operation| operation.method != "GET") {
        let body = match operation.body {
            Body::Attributes { .. } | Body::None => json!({}),
            Body::Any | Body::Order | Body::Lines | Body::Component => json!({ "id": "1" }),
        };
        lines.push((format!("{} {}", operation.method, place(operation.path)), body));
    }
    for api in APIS {
        for resource in api.resources {
            let path = api.path(resource);
            let body = json!({ "id": "1", "name": "a", "description": "b" });
            lines.push((format!("POST {path}"), body.clone()));
            lines.push((format!("PATCH {path}/1"), json!({ "description": "c" })));
            lines.push((format!("PUT {path}/1"), body));
            lines.push((format!("DELETE {path}/1"), json!({})));
        }
        lines.push((
            format!("POST /tmf-api/{}/v4/hub", api.base),
            json!({ "callback": "http://127.0.0.1:9/" }),
        ));
    }
    for (line, body) in lines {
        let (before, count) = (facts(&bench), entries(&bench).len());
        let answer = send(&bench, &line, &[], &body).await;
        let entered = entries(&bench).len() - count;
        if facts(&bench) != before {
            changed += 1;
            assert!(entered > 0, "{line} {}: {}", answer.status, answer.text);
        }
        let is_success = answer.status.is_success();
        let is_unchanging = line.contains("/simulate/") || line.contains("/callbacks/");
        assert!(!is_success || is_unchanging || entered >= 1, "{line}: {}", answer.text);
    }
    assert!(changed > 40, "{changed} changed something");
    assert_eq!(verify(&bench.store, None).unwrap().0, []);
}

#[tokio::test]
async fn entries_are_found_by_filters_page_by_page() {
    let bench = Bench::new();
    let mut id = String::new();
    for name in ["a", "b", "c"] {
        let person = json!({ "givenName": name, "familyName": "x" });
        let made = send(&bench, &format!("POST {PEOPLE}"), &[], &person).await;
        id = made.body["id"].as_str().unwrap().into();
    }
    bench.send(&format!("DELETE {PEOPLE}/{id}"), &[], Bytes::empty()).await;
    let of_one = format!("subject=individual/{id}");
    let ids = |answer: &Answer| -> Vec<u64> {
        let listed = answer.body.as_array().unwrap().iter();
        listed.map(|entry| entry["sequence"].as_u64().unwrap()).collect()
    };
    let path = "/orchestration/v1/audit";
    let all = bench.get(path).await;
    let first = ids(&all)[0];
    assert_eq!(ids(&all).len(), 4);
    for (filter, count) in [
        ("action=POST%20individual", 3),
        ("action=DELETE%20individual", 1),
        ("subject=individual", 4),
        (of_one.as_str(), 2),
        ("subject=customer", 0),
        ("actor=local", 4),
        ("actor=eve", 0),
        ("outcome=done", 4),
        ("outcome=refused", 0),
        ("since=2020-01-01T00:00:00Z", 4),
        ("since=2120-01-01T00:00:00Z", 0),
        ("until=2020-01-01T00:00:00Z", 0),
    ] {
        // Reads of the audit have entries too, of another action.
        let filtered = format!("{filter}&limit=100");
        let answer = bench.get(&format!("{path}?{filtered}")).await;
        let listed = answer.body.as_array().unwrap().iter();
        let own = listed.filter(|entry| entry["action"] != "GET audit").count();
        assert_eq!(own, count, "{filter}: {}", answer.text);
    }
    assert!(ids(&bench.get(&format!("{path}?action=GET%20audit")).await).len() > 1);
    let page = bench.get(&format!("{path}?limit=2&subject=individual")).await;
    let link = page.header("link").to_string();
    assert!(link.contains(&format!("after={}", first + 1)), "{link}");
    assert!(link.contains("&subject=individual"), "{link}");
    let one = bench.get(&format!("{path}/{first}")).await;
    let (stored, hash) = Line::read(&one.text).unwrap();
    assert_eq!(stored.hash(), hash);
    assert_eq!(bench.get(&format!("{path}/99999")).await.status, 404);
    assert_eq!(bench.get(&format!("{path}/x")).await.status, 404);
    assert!(bench.get(&format!("{path}/head")).await.body["head"]["sequence"].as_u64() >= Some(4));
}

#[tokio::test]
async fn entries_are_removed_after_their_days_and_the_chain_stays_whole() {
    let (bench, hands) = Bench::at("2026-01-01T00:00:00Z");
    let person = json!({ "givenName": "A", "familyName": "B" });
    for _ in 0..3 {
        send(&bench, &format!("POST {PEOPLE}"), &[], &person).await;
    }
    hands.set("2026-02-01T00:00:00Z");
    send(&bench, &format!("POST {PEOPLE}"), &[], &person).await;
    let documents = &bench.services.documents;
    assert_eq!(prune(documents, 40).await.unwrap(), 0);
    assert_eq!(prune(documents, 10).await.unwrap(), 3);
    assert_eq!(prune(documents, 10).await.unwrap(), 0);
    let left = entries(&bench);
    let actions: Vec<&str> = left.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["POST individual", "audit.pruned"]);
    assert_eq!(left[1].subject.as_ref().unwrap().id.as_deref(), Some("1-3"));
    assert_eq!(verify(&bench.store, None).unwrap().0, []);
    // The last entry stays, however old it is: the next one holds its hash.
    hands.set("2027-02-01T00:00:00Z");
    assert_eq!(prune(documents, 10).await.unwrap(), 1);
    assert_eq!(verify(&bench.store, None).unwrap().0, []);
}

#[tokio::test]
async fn changes_outside_the_store_have_entries_by_their_digests() {
    let bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ferrule.toml");
    std::fs::write(&file, "[billing]\n").unwrap();
    let witness = Witness {
        documents: bench.services.documents.clone(),
        host: bench.services.plugins.host.clone(),
        rulebooks: bench.services.rulebooks.clone(),
        settings: Some(file.clone()),
    };
    witness.look().await.unwrap();
    let first = entries(&bench);
    let actions: Vec<&str> = first.iter().map(|entry| entry.action.as_str()).collect();
    assert!(actions.contains(&"settings.changed") && actions.contains(&"pack.installed"));
    witness.look().await.unwrap();
    assert_eq!(entries(&bench).len(), first.len(), "nothing changed");
    std::fs::write(&file, "[quotes]\n").unwrap();
    witness.look().await.unwrap();
    let changed = entries(&bench).split_off(first.len());
    let before = first.iter().find(|entry| entry.action == "settings.changed").unwrap();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0].digests[0].before, before.digests[0].after);
    assert_ne!(changed[0].digests[0].after, before.digests[0].after);
    assert_eq!(verify(&bench.store, None).unwrap().0, []);
}

#[tokio::test]
async fn a_change_of_the_plugins_has_an_entry_before_it_begins() {
    let bench = Bench::new();
    for line in
        ["DELETE /orchestration/v1/plugins/none", "POST /orchestration/v1/plugins/none/rollback"]
    {
        let before = entries(&bench).len();
        let answer = send(&bench, line, &[], &json!({})).await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
        let (method, _) = line.split_once(' ').unwrap();
        let entry = entries(&bench).remove(before);
        assert_eq!((entry.outcome, entry.action), (Outcome::Begun, format!("{method} plugins")));
        assert_eq!(entry.subject.unwrap().id.as_deref(), Some("none"));
    }
    let listed = bench.get("/orchestration/v1/audit?outcome=begun").await;
    assert_eq!(listed.body.as_array().unwrap().len(), 2);
}
