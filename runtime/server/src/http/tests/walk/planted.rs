//! What the servers of the walk have: documents of two dealers in every resource, with what there is of
//! them besides: orders, plans, attempts, reservations, imports, subscriptions, keys, sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use engine::documents::Put;
use engine::scratch::{Change, Changes, Expected, Quota};
use engine::stamp::Stamp;
use engine::worker::Worker as _;
use engine::{Held, SetAside, keys};
use model::plan::{OnFailure, Retry, Step, Task, Work};
use model::pricing::ledger;
use model::{
    Digest, Event, Failure, FailureClass, FailureCode, Fulfilment, FulfilmentId, Kind, Plan,
    PluginId, PoolId,
};
use serde_json::{Value, json};
use tmf::resource::{Owner, Resource};
use tmf::table;
use tmf::time::Timestamp;

use super::{NOW, RUN, identity};
use crate::http::tests::bench::Bench;

/// The pool with values of both dealers.
pub(super) const POOL: &str = "imsi";

/// The address of everyone.
const EMAIL: &str = "one@example.com";

/// The key under which each dealer has sent a request of each kind.
pub(super) const KEY: &str = "the-same-key";

/// The entities of catalogs, which come in as requests, so that the rules know them.
const CATALOGS: [&str; 5] = [
    "productOfferingPrice",
    "serviceSpecification",
    "resourceSpecification",
    "productSpecification",
    "productOffering",
];

/// What a dealer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Of<'a> {
    All,
    /// Documents of these resources alone.
    Resources(&'a [&'static str]),
}

/// Ids that the server chose, by the path of the list that they are in.
pub(in super::super) type Ids = BTreeMap<String, String>;

impl Of<'_> {
    fn has(self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Resources(keys) => keys.contains(&key),
        }
    }
}

/// The id of a dealer's document.
pub(in super::super) fn id_of(dealer: &str, key: &str) -> String {
    format!("{}-{key}", if dealer == "B" { "MARK" } else { "OWN" })
}

/// The id of a dealer's plugin.
pub(super) fn plugin_of(dealer: &str) -> String {
    format!("patient-{}", dealer.to_lowercase())
}

/// The resources with documents, each once.
pub(super) fn resources() -> impl Iterator<Item = &'static Resource> {
    let mut seen = BTreeSet::new();
    let all = table::APIS.iter().flat_map(|api| api.resources);
    all.filter(move |resource| resource.owner != Owner::Computed && seen.insert(name_of(resource)))
}

/// The name in the ids of a resource: views of the same documents have some each.
pub(super) fn name_of(resource: &Resource) -> &'static str {
    resource.only_type.map_or(resource.key, |_| resource.name)
}

/// How to reach a person. People of one address are likely one.
pub(super) fn contact() -> Value {
    json!([{ "mediumType": "email", "characteristic": { "emailAddress": EMAIL } }])
}

/// A document of a dealer, which refers to a customer of either.
fn document(resource: &Resource, dealer: &str) -> Value {
    let id = id_of(dealer, name_of(resource));
    let party = |dealer| json!({ "id": id_of(dealer, "customer"), "name": id, "role": "owner", "@referredType": "Customer" });
    let mut body = json!({
        "id": id,
        "href": format!("{}/{id}", table::path(resource.key)),
        "dealer": dealer,
        "name": id,
        "description": id,
        "relatedParty": [party(dealer), party("A")],
        "engagedParty": { "id": id_of(dealer, "individual"), "@referredType": "Individual" },
        "billingAccount": { "id": id_of(dealer, "billingAccount") },
    });
    if let Some(kind) = resource.only_type {
        body["@type"] = kind.into();
    }
    if let Some(lifecycle) = resource.lifecycle.filter(|life| !life.initial.is_empty()) {
        body[lifecycle.attribute] = lifecycle.initial.into();
    }
    match resource.key {
        "product" => body["status"] = "active".into(),
        "individual" => {
            body["givenName"] = id.as_str().into();
            body["familyName"] = "Doe".into();
            body["contactMedium"] = contact();
        }
        "service" | "resource" => body["state"] = "active".into(),
        "quote" => {
            body["state"] = "accepted".into();
            body["quoteItem"] = json!([{
                "id": "1", "action": "add", "productOffering": { "id": "PO-SF200H" },
                "product": { "place": [{ "id": "ADDR-1", "role": "installation" }] },
            }]);
        }
        _ => {}
    }
    body
}

/// Puts all that a dealer has into a server.
pub(in super::super) async fn plant(bench: &Bench, dealer: &str) -> Ids {
    plant_some(bench, dealer, Of::All).await
}

/// Puts some of what a dealer has into a server; each document has an earlier version.
pub(in super::super) async fn plant_some(bench: &Bench, dealer: &str, of: Of<'_>) -> Ids {
    let documents = &bench.services.documents;
    for resource in resources().filter(|resource| of.has(resource.key)) {
        if ORDERS.iter().any(|(key, _)| *key == resource.key) {
            continue;
        }
        let mut body = document(resource, dealer);
        let id = id_of(dealer, name_of(resource));
        if CATALOGS.contains(&resource.key) {
            create(bench, resource, &body).await;
        } else {
            documents.write(vec![Put::create(resource.key, &id, &body)]).await.unwrap();
        }
        body["note"] = json!([{ "text": id }]);
        documents.write(vec![Put::set(resource.key, &id, &body)]).await.unwrap();
        if resource.key == "individual" {
            let key = format!("emailAddress:{EMAIL}/{id}");
            documents
                .write(vec![Put::create("partyKey", key, json!({ "party": id })).quiet()])
                .await
                .unwrap();
        }
    }
    plant_work(bench, dealer, of).await;
    if of.has(RUN) {
        plant_facts(bench, dealer).await;
    }
    plant_results(bench, dealer, of).await;
    if of != Of::All {
        return Ids::new();
    }
    plant_records(bench, dealer).await;
    if dealer == "B" { plant_access(bench).await } else { Ids::new() }
}

/// The resources of orders.
const ORDERS: [(&str, Kind); 3] = [
    ("productOrder", Kind::ProductOrder),
    ("serviceOrder", Kind::ServiceOrder),
    ("resourceOrder", Kind::ResourceOrder),
];

async fn create(bench: &Bench, resource: &Resource, body: &Value) {
    let headers = [("authorization", "Bearer admin"), ("content-type", "application/json")];
    let line = format!("POST {}", table::path(resource.key));
    let made = bench.send(&line, &headers, Body::from(body.to_string())).await;
    assert_eq!(made.status, 201, "{} {}", resource.key, made.text);
}

/// Puts orders and a run of a dealer into the engine. The element of the run answers later; an order
/// waits for an operator.
async fn plant_work(bench: &Bench, dealer: &str, of: Of<'_>) {
    let engine = &bench.services.engine;
    let mut all = Vec::new();
    for (name, kind) in ORDERS.into_iter().filter(|(name, _)| of.has(name)) {
        let items = format!("{name}Item");
        let mut order = json!({
            "dealer": dealer,
            "externalId": id_of(dealer, "external"),
            "relatedParty": [{ "id": id_of(dealer, "customer"), "role": "Customer" }],
        });
        order[items.as_str()] = json!([{
            "id": "1", "action": "add",
            "productOffering": { "id": "PO-SF200H" },
            "service": { "serviceSpecification": { "id": "CFS-1" } },
            "resource": { "resourceSpecification": { "id": "RS-1" } },
        }]);
        let failure = failure(&id_of(dealer, "failure"));
        all.push((kind, name, order, Event::Held { failure }));
    }
    if of.has(RUN) {
        let planned = Event::Planned { plan: Arc::new(plan(dealer)) };
        let kind = Kind::Run { workflow: "six-steps".into() };
        all.push((kind, RUN, json!({ "dealer": dealer }), planned));
    }
    let namespace = namespace(dealer);
    for (kind, name, document, first) in all {
        let id = FulfilmentId::new(id_of(dealer, name));
        let is_run = name == RUN;
        let place = if is_run { "run/six-steps" } else { name };
        let key = format!("{namespace}/{place}/{KEY}");
        let fulfilment = Fulfilment::new(id.clone(), kind, Arc::new(document), Timestamp(1_000));
        engine.submit(fulfilment, vec![first], Some(key), None).await.unwrap();
        if is_run {
            bench.waiting(&id).await;
        }
    }
}

fn namespace(dealer: &str) -> String {
    identity(&dealer.to_lowercase(), "dealer", dealer).namespace().unwrap()
}

fn failure(message: &str) -> Failure {
    Failure::new(FailureClass::Operator, FailureCode::DecompNoRule, message)
}

/// A plan with a task of a dealer's plugin, which waits.
fn plan(dealer: &str) -> Plan {
    plan_of(&[dealer])
}

/// A plan with a task of the plugin of each dealer, side by side.
fn plan_of(dealers: &[&str]) -> Plan {
    let step = |number: usize, dealer: &str| Step {
        workflow: "six-steps".into(),
        step: format!("s{number}"),
        plugin: PluginId::new(plugin_of(dealer)),
        input: json!({ "dealer": dealer }),
        timeout_ms: 1_000,
        retry: Retry { attempts: 1, first_ms: 1, max_ms: 1 },
        on_failure: OnFailure::Hold,
        undo: false,
        point_of_no_return: false,
        milestone: None,
        expected_ms: None,
    };
    let task = |number| Task {
        item: None,
        step: number,
        needs: Vec::new(),
        not_before: None,
        work: Work::Do,
    };
    let plugins =
        dealers.iter().map(|dealer| (PluginId::new(plugin_of(dealer)), Digest::of(b"patient")));
    Plan {
        plugins: plugins.collect(),
        steps: (1..).zip(dealers).map(|(number, dealer)| step(number, dealer)).collect(),
        tasks: (0..dealers.len()).map(|number| task(number as u32)).collect(),
        ..Plan::default()
    }
}

/// Puts a run with a task of each dealer's plugin into the engine.
pub(in super::super) async fn plant_run(bench: &Bench, id: &str, dealers: &[&str]) {
    let engine = &bench.services.engine;
    let kind = Kind::Run { workflow: "six-steps".into() };
    let id = FulfilmentId::new(id);
    let fulfilment = Fulfilment::new(id.clone(), kind, Arc::new(json!({})), Timestamp(1_000));
    let planned = Event::Planned { plan: Arc::new(plan_of(dealers)) };
    let mut watch = engine.watch();
    engine.submit(fulfilment, vec![planned], None, None).await.unwrap();
    loop {
        let now = engine.get(&id).await.unwrap().unwrap();
        if now.tasks().iter().all(|task| task.name() == "waiting") {
            return;
        }
        watch.recv().await.ok();
    }
}

/// Puts records of a dealer that are of no resource of the standard.
async fn plant_records(bench: &Bench, dealer: &str) {
    let customer = id_of(dealer, "customer");
    let id = |name: &str| id_of(dealer, name);
    let spoken = json!({ "id": "1", "description": id("spoken"), "dealer": dealer });
    let topic = id("topic");
    let event = json!({ "eventId": topic, "topic": topic, "dealer": dealer, "title": topic });
    let namespace = namespace(dealer);
    let import = json!({
        "id": id("import"), "resource": "product", "state": "completed", "existing": "refuse",
        "wrong": "stop", "lines": 1, "created": 1, "replaced": 0, "kept": 0, "refused": 0,
        "wrongLines": [], "began": NOW, "at": NOW, "owner": namespace,
    });
    let mut puts = vec![
        Put::create("interaction", format!("{customer}/1"), &spoken).quiet(),
        Put::create("topicEvent", format!("{topic}/{topic}"), &event).quiet(),
        Put::create("import", id("import"), &import).quiet(),
    ];
    // The receipts of requests that made what there is.
    let all = resources().filter(|resource| resource.only_type.is_none());
    puts.extend(all.map(|resource| {
        let receipt = json!({ "id": id_of(dealer, resource.key), "digest": "0" });
        let name = format!("{namespace}/{}/{KEY}", resource.key);
        Put::create("submission", name, &receipt).quiet()
    }));
    bench.services.documents.write(puts).await.unwrap();
}

/// Puts what jobs found out about the documents of a dealer.
async fn plant_results(bench: &Bench, dealer: &str, of: Of<'_>) {
    let id = |name: &str| id_of(dealer, name);
    let run = json!({
        "id": id("billRun"), "href": format!("/orchestration/v1/billing/runs/{}", id("billRun")),
        "state": "done", "startedAt": NOW, "date": "2026-02-28", "billingAccount": null,
        "accounts": 1, "billCount": 0, "nothingCount": 1, "failedCount": 0,
    });
    let reconciliation = json!({
        "id": id("reconciliation"), "state": "completed",
        "scope": { "inventory": "service", "instance": id("service"), "query": "" },
        "requested": NOW, "at": NOW, "checked": 1, "asked": 0,
        "found": { "missingInNetwork": 0, "differs": 0, "leftInNetwork": 0, "orphaned": 0, "unknown": 1 },
        "findings": [],
    });
    // One that cannot be read.
    let entry = json!({ "id": id("entry") });
    let mut puts = Vec::new();
    if of.has("customerBill") {
        puts.push(Put::create("billRun", id("billRun"), &run).quiet());
        puts.push(Put::create(ledger::RESOURCE, id("entry"), &entry).quiet());
    }
    if of.has("service") {
        puts.push(Put::create("reconciliation", id("reconciliation"), &reconciliation).quiet());
    }
    bench.services.documents.write(puts).await.unwrap();
}

/// Puts facts that are no documents: a reserved value, a fulfilment that is set aside, what a plugin
/// keeps.
async fn plant_facts(bench: &Bench, dealer: &str) {
    let pool = PoolId::new(POOL);
    let held = Held {
        fulfilment: FulfilmentId::new(id_of(dealer, "productOrder")),
        value: id_of(dealer, "value"),
        holder: None,
    };
    let aside = SetAside {
        record: Some(1),
        reason: id_of(dealer, "reason"),
        since: Timestamp(1_000),
        given_up: None,
    };
    // The values of the other dealer come first.
    let index = if dealer == "B" { 0 } else { 1 };
    let facts = vec![
        (keys::reservation(&pool, index), Some(serde_json::to_vec(&held).unwrap())),
        (keys::quarantine(&id_of(dealer, "aside")), Some(serde_json::to_vec(&aside).unwrap())),
    ];
    let receipts = [
        ("serviceMonitor", "serviceOrder"),
        ("resourceMonitor", "resourceOrder"),
        ("processFlow", RUN),
    ];
    let facts = facts.into_iter().chain(receipts.map(|(place, made)| {
        let key = format!("{}/{place}/{KEY}", namespace(dealer));
        (keys::submission(&key), Some(id_of(dealer, made).into_bytes()))
    }));
    let written =
        Change { value: Some(id_of(dealer, "scratch").into_bytes()), expected: Expected::Any };
    let changes = Changes {
        plugin: PluginId::new(plugin_of(dealer)),
        quota: Quota::default(),
        writes: [(id_of(dealer, "scratch"), written)].into(),
    };
    let kept = bench.services.plugins.host.scratch().commit(changes, Stamp(1));
    let facts = facts.chain(kept).collect();
    let engine = &bench.services.engine;
    engine.append(facts, Vec::new()).await.unwrap();
    let rulebook = bench.services.rulebooks.current();
    engine.pools().define(rulebook.pools().find(|one| one.id == pool).unwrap().clone());
    engine.pools().restore(&pool, index, None);
}

/// Makes a key, subscriptions and entries of the audit of the other dealer.
async fn plant_access(bench: &Bench) -> Ids {
    let send = async |token: &str, line: &str, body: Value| {
        let token = format!("Bearer {token}");
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", KEY),
        ];
        let made = bench.send(line, &headers, Body::from(body.to_string())).await;
        assert!(made.status.is_success(), "{line} {}", made.text);
        made.body["id"].as_str().unwrap_or_default().to_owned()
    };
    let mut ids = Ids::new();
    let own = "/orchestration/v1";
    let key = json!({ "name": "MARK-key", "roles": ["reader"] });
    let list = format!("{own}/keys");
    ids.insert(list.clone(), send("admin", &format!("POST {list}"), key).await);
    let headers = [("authorization", "Bearer admin")];
    let list = format!("{own}/sessions");
    let sessions = bench.send(&format!("GET {list}"), &headers, Body::empty()).await;
    ids.insert(list, sessions.body[0]["id"].as_str().unwrap_or_default().to_owned());
    let topic = id_of("B", "topic");
    let topics = format!("{}/{{topicId}}/hub", table::path("topic"));
    for (list, path) in
        std::iter::once((topics.clone(), topics.replace("{topicId}", &topic))).chain(hubs())
    {
        let callback = json!({ "callback": "http://127.0.0.1:9/MARK" });
        ids.insert(list, send("b", &format!("POST {path}"), callback).await);
    }
    let letter = json!({
        "sequence": 0, "since": 1_000, "reason": "MARK", "eventType": "ProductCreateEvent",
        "body": { "event": { "product": { "id": "MARK-product" } } },
    });
    let place = keys::dead_letter(&ids[&topics], 0);
    let letter = serde_json::to_vec(&letter).unwrap();
    bench.services.engine.append(vec![(place, Some(letter))], Vec::new()).await.unwrap();
    ids.insert(format!("{own}/subscriptions"), ids[&topics].clone());
    ids
}

/// The hubs of all APIs, each as a list and as its path.
fn hubs() -> impl Iterator<Item = (String, String)> {
    let bases = table::APIS.iter().flat_map(|api| {
        let later = api.v5.as_ref().map(|later| ("v5", later.base));
        std::iter::once(("v4", api.base)).chain(later)
    });
    bases.map(|(version, base)| {
        let path = format!("/tmf-api/{base}/{version}/hub");
        (path.clone(), path)
    })
}
