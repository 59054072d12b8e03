//! The walk: a client from whom documents are hidden sends every request of the table of routes to two
//! servers. One has the hidden documents, the other never had them. Both must answer the same, byte for
//! byte, so nothing leaks through counts, hrefs, filters, exports, tags or errors. Those who may read them
//! must get different answers, so something is hidden behind every route.

mod audited;
mod hidden;
mod planted;
mod requests;
mod single;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::json;
use tmf::table;

use super::super::permits::{self, Route, routes};
use super::bench::{Bench, Hands};
use super::login;
use crate::access::cookie::Cookies;
use crate::access::session::Record;
use crate::access::{Access, Identity, Proof, Role, RoleName, Roles};
pub(super) use planted::{Of, id_of, plant, plant_run, plant_some};
use requests::Asked;

pub(super) const NOW: &str = "2026-03-01T00:00:00Z";

/// A dealer who may do everything with its own documents, and what own routes there are with them.
const ROLES: &str = r#"
[dealer]
allow = [
    { api = "TMF*", verbs = ["read", "create", "change", "delete"], when = "document.dealer == identity.claims.dealer" },
    { api = "TMF*", resources = ["hub", "topic/hub"], verbs = ["read", "create", "delete"] },
    { api = "orchestration", resources = ["runs", "runs/cancel", "workflows/runs"], verbs = ["read", "act", "delete"], when = "document.input.dealer == identity.claims.dealer" },
    { api = "orchestration", resources = ["fulfilments/*", "plugins/*", "pools/*", "catalog", "history", "customers/*", "imports", "exports", "stock/*", "billing/*", "quotes/*", "simulate", "events", "subscriptions/*", "reconciliations/*", "quarantine/*", "persons/*", "workflows", "packs"], verbs = ["read", "act", "change", "delete"] },
]
"#;

/// Stands for runs where resources are named.
pub(super) const RUN: &str = "run";

/// Roles that may read some documents of all dealers besides: what a route gathers from them must tell
/// nothing of others.
const OPENINGS: [(&str, &[&str]); 5] = [
    (
        "catalogs",
        &[
            "productOffering",
            "productOfferingPrice",
            "productSpecification",
            "serviceSpecification",
            "resourceSpecification",
            "productStock",
        ],
    ),
    (
        "books",
        &[
            "customerBill",
            "appliedCustomerBillingRate",
            "billingAccount",
            "billingCycleSpecification",
            "product",
            "usage",
        ],
    ),
    ("customers", &["customer", "individual", "organization"]),
    ("work", &["productOrder", "serviceOrder", "resourceOrder", RUN]),
    ("network", &["service", "resource"]),
];

pub(super) fn roles(text: &str) -> Roles {
    let roles: BTreeMap<String, Role> = toml::from_str(text).unwrap();
    Roles::new(&roles, &permits::permissions()).unwrap()
}

/// The roles of the walk.
fn roles_of_walk() -> Roles {
    let open = OPENINGS.iter().map(|(name, keys)| {
        let names = keys.iter().filter_map(|key| Some(table::of_key(key)?.1.name));
        let names: Vec<&str> = names.collect();
        let runs = match keys.contains(&RUN) {
            true => "{ api = \"orchestration\", resources = [\"runs\"], verbs = [\"read\"] }",
            false => "",
        };
        let read = "verbs = [\"read\"]";
        format!("[{name}]\nallow = [{{ api = \"TMF*\", resources = {names:?}, {read} }}, {runs}]\n")
    });
    roles(&[ROLES.to_owned(), open.collect()].concat())
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
pub(super) async fn shared() -> Bench {
    shared_by(Vec::new()).await
}

/// The same, where people are logged in.
async fn shared_by(people: Vec<Record>) -> Bench {
    timed(people).await.0
}

/// The same, with its clock.
async fn timed(people: Vec<Record>) -> (Bench, Arc<Hands>) {
    let mut tokens = BTreeMap::from([
        ("a".to_owned(), identity("a", "dealer", "A")),
        ("b".to_owned(), identity("b", "dealer", "B")),
        ("admin".to_owned(), identity("admin", "administrator", "")),
    ]);
    let with_role = |identity: &Identity, role: &str| {
        let mut identity = identity.clone();
        identity.roles.insert(RoleName::new(role));
        Arc::new(identity)
    };
    let a = Arc::clone(&tokens["a"]);
    tokens.extend(OPENINGS.map(|(name, _)| (name.to_owned(), with_role(&a, name))));
    // The other dealer, who may do everything now.
    tokens.insert("owner".to_owned(), with_role(&tokens["b"], "administrator"));
    let (bench, hands) = Bench::at(NOW);
    let logins = login::people(&bench, Cookies::Loopback).await;
    for one in people {
        logins.sessions.begin(one, None).await.unwrap();
    }
    let access = Access::fixed(roles_of_walk(), tokens).with_people(logins);
    (bench.with_access(access), hands)
}

/// What a client gets, as one text.
pub(super) async fn answer(bench: &Bench, token: &str, line: &str, body: &str) -> String {
    let (line, body) = (line.to_owned(), body.to_owned());
    asked(bench, token, &Asked { line, body, ..Asked::default() }).await
}

async fn asked(bench: &Bench, token: &str, asked: &Asked) -> String {
    let Asked { line, body, idempotency_key, is_stale } = asked;
    let token = format!("Bearer {token}");
    let kind = match () {
        () if line.contains("/imports/") => "application/x-ndjson",
        () if line.starts_with("PATCH") => "application/merge-patch+json",
        () => "application/json",
    };
    let mut headers = vec![("authorization", token.as_str()), ("content-type", kind)];
    headers.extend(idempotency_key.map(|key| ("idempotency-key", key)));
    headers.extend(is_stale.then_some(("if-match", "\"9999\"")));
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

/// All routes, with those of hubs, which no definition lists.
fn all_routes() -> Vec<Route> {
    let mut all = routes();
    let hubs: Vec<Route> = all
        .iter()
        .filter(|route| route.method == "POST" && route.path.ends_with("/hub"))
        .flat_map(|route| {
            let read = |path: String| Route { method: "GET", path, needs: route.needs.clone() };
            [read(route.path.clone()), read(format!("{}/{{id}}", route.path))]
        })
        .collect();
    all.extend(hubs);
    // Reads first, and what ends or is removed last.
    let ends = ["/complete", "/giveUp", "/cancel", "/erase", "/merge"];
    all.sort_by_key(|route| match route.method {
        "GET" => 0,
        "DELETE" => 3,
        _ if route.path.contains("/callbacks/") => 2,
        _ if ends.iter().any(|end| route.path.ends_with(end)) => 2,
        _ => 1,
    });
    all
}
