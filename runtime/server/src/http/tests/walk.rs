//! The walk: a client from whom half of the documents are hidden sends every request of the table of
//! routes to two servers. One has the hidden documents, the other never had them. Both must answer the
//! same, byte for byte, so nothing leaks through counts, hrefs, filters, exports, tags or errors.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use engine::documents::Put;
use http_body_util::BodyExt as _;
use model::plan::{OnFailure, Retry, Step, Task, Work};
use model::{
    Digest, Event, Failure, FailureClass, FailureCode, Fulfilment, FulfilmentId, Kind, Plan,
    PluginId,
};
use serde_json::{Value, json};
use tmf::resource::{Owner, Resource};
use tmf::table;
use tmf::time::Timestamp;

use super::super::permits::{self, routes};
use super::bench::Bench;
use crate::access::{Access, Identity, Proof, Role, RoleName, Roles};

pub(super) const NOW: &str = "2026-03-01T00:00:00Z";

/// A dealer who may do everything with its own documents, and what own routes there are with them.
const ROLES: &str = r#"
[dealer]
allow = [
    { api = "TMF*", verbs = ["read", "create", "change", "delete"], when = "document.dealer == identity.claims.dealer" },
    { api = "TMF*", resources = ["hub"], verbs = ["read", "create", "delete"] },
    { api = "orchestration", resources = ["runs", "runs/cancel", "workflows/runs"], verbs = ["read", "act", "delete"], when = "document.input.dealer == identity.claims.dealer" },
    { api = "orchestration", resources = ["fulfilments/*", "plugins/*", "pools/*", "catalog", "history", "customers/*", "imports", "exports", "stock/*", "billing/*", "quotes/*", "simulate", "events", "subscriptions/*", "reconciliations/*", "quarantine/*", "workflows", "packs"], verbs = ["read", "act", "change", "delete"] },
]
"#;

pub(super) fn roles(text: &str) -> Roles {
    let roles: BTreeMap<String, Role> = toml::from_str(text).unwrap();
    Roles::new(&roles, &permits::permissions()).unwrap()
}

pub(super) fn identity(subject: &str, role: &str, dealer: &str) -> Arc<Identity> {
    Arc::new(Identity {
        subject: subject.into(),
        proof: Proof::Token { issuer: "test".into() },
        roles: [RoleName::new(role)].into(),
        claims: [("dealer".to_owned(), json!(dealer))].into(),
        ..Identity::local()
    })
}

/// A server for two dealers and an administrator.
pub(super) fn shared() -> Bench {
    let tokens = [
        ("a".to_owned(), identity("a", "dealer", "A")),
        ("b".to_owned(), identity("b", "dealer", "B")),
        ("admin".to_owned(), identity("admin", "administrator", "")),
    ];
    Bench::at(NOW).0.with_access(Access::fixed(roles(ROLES), BTreeMap::from(tokens)))
}

/// The id of a dealer's document.
pub(super) fn id_of(dealer: &str, key: &str) -> String {
    format!("{}-{key}", if dealer == "B" { "MARK" } else { "OWN" })
}

/// The resources with documents, each key once.
fn resources() -> impl Iterator<Item = &'static Resource> {
    let mut seen = BTreeSet::new();
    let all = table::APIS.iter().flat_map(|api| api.resources);
    all.filter(move |resource| resource.owner != Owner::Computed && seen.insert(resource.key))
}

/// Puts a document of a dealer into each resource, with an earlier version, and what else there is.
pub(super) async fn plant(bench: &Bench, dealer: &str) {
    let documents = &bench.services.documents;
    let engine = &bench.services.engine;
    for resource in resources() {
        let id = id_of(dealer, resource.key);
        if ["productOrder", "serviceOrder"].contains(&resource.key) {
            continue;
        }
        let mut body = json!({
            "id": id,
            "href": format!("{}/{id}", table::path(resource.key)),
            "dealer": dealer,
            "name": id,
            "description": id,
            "relatedParty": [{ "id": id_of(dealer, "customer"), "@referredType": "Customer" }],
            "engagedParty": { "id": id_of(dealer, "individual"), "@referredType": "Individual" },
        });
        if let Some(kind) = resource.only_type {
            body["@type"] = kind.into();
        }
        if let Some(lifecycle) = resource.lifecycle.filter(|life| !life.initial.is_empty()) {
            body[lifecycle.attribute] = lifecycle.initial.into();
        }
        documents.write(vec![Put::create(resource.key, &id, &body)]).await.unwrap();
        body["note"] = json!([{ "text": id }]);
        documents.write(vec![Put::set(resource.key, &id, &body)]).await.unwrap();
    }
    plant_others(bench, dealer).await;
    let run = Kind::Run { workflow: "six-steps".into() };
    let order = json!({
        "dealer": dealer,
        "externalId": id_of(dealer, "external"),
        "productOrderItem": [{ "id": "1", "action": "add", "productOffering": { "id": "PO-SF200H" } }],
    });
    let service = json!({
        "dealer": dealer,
        "serviceOrderItem": [{ "id": "1", "action": "add", "service": { "serviceSpecification": { "id": "CFS-1" } } }],
    });
    let all = [
        (run, "run", json!({ "dealer": dealer })),
        (Kind::ProductOrder, "productOrder", order),
        (Kind::ServiceOrder, "serviceOrder", service),
    ];
    for (kind, name, document) in all {
        let id = FulfilmentId::new(id_of(dealer, name));
        let fulfilment = Fulfilment::new(id.clone(), kind, Arc::new(document), Timestamp(1_000));
        // The element of a run answers; an order waits for an operator.
        let first = match name {
            "run" => Event::Planned { plan: Arc::new(plan(dealer)) },
            _ => Event::Held { failure: failure(&id_of(dealer, "failure")) },
        };
        engine.submit(fulfilment, vec![first], None, None).await.unwrap();
        if name == "run" {
            bench.waiting(&id).await;
        }
    }
}

/// Puts documents of a dealer that are of no resource of their own.
async fn plant_others(bench: &Bench, dealer: &str) {
    let documents = &bench.services.documents;
    let customer = id_of(dealer, "customer");
    let spoken = json!({ "id": "1", "description": id_of(dealer, "spoken"), "dealer": dealer });
    let topic = id_of(dealer, "topic");
    let event = json!({ "eventId": "1", "topic": topic, "dealer": dealer, "title": topic });
    let import = json!({
        "id": id_of(dealer, "import"), "resource": "product", "state": "completed", "existing": "refuse",
        "wrong": "stop", "lines": 1, "created": 1, "replaced": 0, "kept": 0, "refused": 0,
        "wrongLines": [], "began": NOW, "at": NOW,
        "owner": identity(&dealer.to_lowercase(), "dealer", dealer).namespace(),
    });
    let puts = vec![
        Put::create("interaction", format!("{customer}/1"), &spoken).quiet(),
        Put::create("topicEvent", format!("{topic}/1"), &event).quiet(),
        Put::create("import", id_of(dealer, "import"), &import).quiet(),
    ];
    documents.write(puts).await.unwrap();
}

fn failure(message: &str) -> Failure {
    Failure::new(FailureClass::Operator, FailureCode::DecompNoRule, message)
}

/// A plan with a task of a plugin that waits.
fn plan(dealer: &str) -> Plan {
    let plugin = PluginId::new(format!("patient-{}", dealer.to_lowercase()));
    let step = Step {
        workflow: "six-steps".into(),
        step: "s1".into(),
        plugin: plugin.clone(),
        input: json!({}),
        timeout_ms: 1_000,
        retry: Retry { attempts: 1, first_ms: 1, max_ms: 1 },
        on_failure: OnFailure::Hold,
        undo: false,
        point_of_no_return: false,
        milestone: None,
        expected_ms: None,
    };
    let task = Task { item: None, step: 0, needs: Vec::new(), not_before: None, work: Work::Do };
    Plan {
        plugins: [(plugin, Digest::of(b"patient"))].into(),
        steps: vec![step],
        tasks: vec![task],
        ..Plan::default()
    }
}

/// What a client gets, as one text.
pub(super) async fn answer(bench: &Bench, token: &str, line: &str, body: &str) -> String {
    let token = format!("Bearer {token}");
    let kind = match () {
        () if line.contains("/imports/") => "application/x-ndjson",
        () if line.starts_with("PATCH") => "application/merge-patch+json",
        () => "application/json",
    };
    let headers = [("authorization", token.as_str()), ("content-type", kind)];
    let response = bench.open(line, &headers, Body::from(body.to_owned())).await;
    let (parts, body) = response.into_parts();
    let mut text = format!("{}\n", parts.status);
    for (name, value) in &parts.headers {
        text += &format!("{name}: {}\n", value.to_str().unwrap());
    }
    // Streams of open fulfilments have no end.
    if parts.headers.get("content-type").is_none_or(|kind| kind != "text/event-stream") {
        text += &String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes());
    }
    without_ids(&text)
}

/// A text without the ids that servers choose.
fn without_ids(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() {
            run.push(c);
            continue;
        }
        out += if run.len() == 32 { "ID" } else { &run };
        run.clear();
        out.push(c);
    }
    out
}

/// The paths of a route for a dealer's documents.
fn paths(path: &str, dealer: &str) -> Vec<String> {
    let keys: &[&str] = match path {
        path if path.contains("{resource}") => {
            &["product", "customer", "productOffering", "serviceOrder", "quote"]
        }
        path if path.contains("{order}") => &["productOrder", "serviceOrder"],
        path if path.contains("/runs/{id}") => &["run"],
        path if path.contains("/fulfilments/") || path.contains("processFlow") => {
            &["productOrder", "serviceOrder", "run"]
        }
        path if path.contains("/customers/") => &["customer"],
        path if path.contains("/quotes/") => &["quote"],
        path if path.contains("/bills/") => &["customerBill"],
        path if path.contains("/imports/") => &["import"],
        path if path.contains("/reservations/") => &["reserveProductStock"],
        path if path.contains("/topic/") => &["topic"],
        _ => &[""],
    };
    let named = |key: &str| {
        let pieces = path.split('/').map(|piece| match piece {
            "{resource}" | "{order}" => key.to_owned(),
            "{name}" => "six-steps".into(),
            "{task}" | "{taskFlowId}" => "s1".into(),
            "{step}" => "validate".into(),
            "{number}" => "622".into(),
            "{sequence}" => "1".into(),
            piece if piece.starts_with('{') && key.is_empty() => {
                // A document of the standard: its resource stands before it.
                let name = path.split("/{").next().unwrap().rsplit('/').next().unwrap();
                let name = name.trim_end_matches("V5");
                let key = table::named(name).map_or(name, |(_, resource)| resource.key);
                id_of(dealer, key)
            }
            piece if piece.starts_with('{') => id_of(dealer, key),
            piece => piece.to_owned(),
        });
        pieces.collect::<Vec<_>>().join("/")
    };
    keys.iter().map(|key| named(key)).collect()
}

/// Bodies that a request may have: of the client, of the other dealer, and with a reference to what the
/// other has.
fn bodies(method: &str) -> Vec<String> {
    if !["POST", "PATCH", "PUT"].contains(&method) {
        return vec![String::new()];
    }
    let own = json!({ "dealer": "A", "name": "x", "status": "created" });
    let other = json!({ "dealer": "B", "name": "x", "status": "created" });
    let mut bodies = vec![own.to_string(), other.to_string(), String::new()];
    for key in ["customer", "individual", "billingAccount", "product", "service", "quote"] {
        let reference = json!({ "id": id_of("B", key), "@referredType": key });
        let mut body = json!({ "dealer": "A" });
        for name in ["billingAccount", "engagedParty", "product", "quote", "duplicate", "bill"] {
            body[name] = reference.clone();
        }
        for name in ["relatedParty", "productRelationship", "serviceRelationship"] {
            body[name] = json!([reference]);
        }
        bodies.push(body.to_string());
    }
    bodies
}

/// Queries that ask for what is hidden.
const QUERIES: [&str; 6] = [
    "",
    "?dealer=B",
    "?description.regex=MARK",
    "?fields=name&sort=-name&limit=1",
    "?relatedParty.id=MARK-customer",
    "?filter=$[?(@.dealer=='B')]",
];

/// How two servers answer differently; `None` if they answer the same.
async fn difference(with: &Bench, without: &Bench, line: &str, body: &str) -> Option<String> {
    let (with, without) =
        tokio::join!(answer(with, "a", line, body), answer(without, "a", line, body));
    (with != without).then(|| format!("{line} {body}\n{with}\n{without}"))
}

#[tokio::test]
async fn hidden_documents_leave_no_trace_in_any_answer() {
    let (with, without) = (shared(), shared());
    // What came first may have the first numbers.
    plant(&with, "A").await;
    plant(&without, "A").await;
    plant(&with, "B").await;
    let (mut count, mut found) = (0, Vec::new());
    // Reads first: what is written changes what is read.
    for reads in [true, false] {
        for route in routes().iter().filter(|route| (route.method == "GET") == reads) {
            for dealer in ["B", "A"] {
                for path in paths(&route.path, dealer) {
                    let is_list = reads && !route.path.contains("{id}");
                    let queries = if is_list { &QUERIES[..] } else { &QUERIES[..1] };
                    for (query, body) in queries.iter().flat_map(|query| {
                        bodies(route.method).into_iter().map(move |body| (query, body))
                    }) {
                        let line = format!("{} {path}{query}", route.method);
                        found.extend(difference(&with, &without, &line, &body).await);
                        count += 1;
                    }
                }
            }
        }
    }
    let shown: String = found.iter().take(20).map(|one| format!("{one}\n")).collect();
    assert!(found.is_empty(), "{} of {count} answers differ:\n{shown}", found.len());
    assert!(count > 5_000, "{count} requests");
    // The other dealer sees its own.
    let own = format!("GET {}/{}", table::path("customer"), id_of("B", "customer"));
    assert!(answer(&with, "b", &own, "").await.starts_with("200"));
}

#[tokio::test]
async fn tags_and_other_methods_tell_nothing_of_hidden_documents() {
    let (with, without) = (shared(), shared());
    plant(&with, "B").await;
    let path = format!("{}/{}", table::path("product"), id_of("B", "product"));
    for method in ["HEAD", "GET", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        for condition in [("if-none-match", "*"), ("if-match", "\"2\""), ("if-match", "\"9\"")] {
            let mut found = Vec::new();
            for bench in [&with, &without] {
                let headers = [
                    ("authorization", "Bearer a"),
                    ("content-type", "application/merge-patch+json"),
                    condition,
                ];
                let line = format!("{method} {path}");
                let answer = bench.send(&line, &headers, Body::from("{\"name\":\"x\"}")).await;
                found.push((answer.status, answer.headers, answer.text));
            }
            assert_eq!(found[0], found[1], "{method} {condition:?}");
        }
    }
}

#[tokio::test]
async fn keys_of_submissions_belong_to_an_identity() {
    let bench = shared();
    let send = async |token: &str, dealer: &str| {
        let token = format!("Bearer {token}");
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", "one"),
        ];
        let body = json!({ "givenName": "Ada", "familyName": "L", "dealer": dealer });
        let line = format!("POST {}", table::path("individual"));
        bench.send(&line, &headers, Body::from(body.to_string())).await
    };
    let first = send("a", "A").await;
    let again = send("a", "A").await;
    let other = send("b", "B").await;
    let ids = [&first, &again, &other].map(|answer| answer.body["id"].clone());
    assert_eq!([&first, &again, &other].map(|answer| answer.status.as_u16()), [201, 201, 201]);
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[tokio::test]
async fn a_condition_covers_what_is_written_too() {
    let bench = shared();
    plant(&bench, "A").await;
    plant(&bench, "B").await;
    let (path, own, other) = (table::path("product"), id_of("A", "product"), id_of("B", "product"));
    let table = [
        (format!("POST {path}"), json!({ "dealer": "B", "status": "created" }), "403"),
        (format!("POST {path}"), json!({ "dealer": "A", "status": "created" }), "201"),
        (format!("PATCH {path}/{own}"), json!({ "name": "y" }), "200"),
        (format!("PATCH {path}/{own}"), json!({ "dealer": "B" }), "403"),
        (format!("PATCH {path}/{other}"), json!({ "name": "y" }), "404"),
        (format!("DELETE {path}/{other}"), Value::Null, "404"),
    ];
    for (line, body, expected) in table {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let found = answer(&bench, "a", &line, &body).await;
        assert!(found.starts_with(expected), "{line} {body}: {found}");
    }
}
