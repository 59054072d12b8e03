//! The walk itself: every request, to two servers.

use std::collections::BTreeSet;

use tmf::table;

use super::planted::{Ids, Of, id_of, plant, plant_some};
use super::requests::{self, Asked};
use super::{OPENINGS, all_routes, answer, asked, shared, shared_by};
use crate::access::Permission;
use crate::access::Verb;
use crate::http::demand::Applies;
use crate::http::permits::{Needs, Route};
use crate::http::tests::bench::Bench;
use crate::http::tests::login::record;

/// Two servers, of which the first has what the other dealer has, and the second only some of it.
pub(super) async fn servers(open: &[&'static str]) -> (Bench, Bench, Ids) {
    let (with, without) = (shared_by(vec![record("dealer")]).await, shared().await);
    // What came first may have the first numbers.
    plant(&with, "A").await;
    plant(&without, "A").await;
    plant_some(&without, "B", Of::Resources(open)).await;
    let ids = plant(&with, "B").await;
    (with, without, ids)
}

/// How two servers answer differently; `None` if they answer the same.
async fn difference(with: &Bench, without: &Bench, token: &str, one: &Asked) -> Option<String> {
    let (with, without) = tokio::join!(asked(with, token, one), asked(without, token, one));
    (with != without).then(|| {
        let Asked { line, body, idempotency_key, .. } = one;
        let key = idempotency_key.unwrap_or_default();
        let lines = |text: &str, other: &str| {
            let own = text.lines().filter(|line| !other.lines().any(|known| known == *line));
            own.collect::<Vec<_>>().join("\n   ")
        };
        let (with, without) = (lines(&with, &without), lines(&without, &with));
        format!("{line} {key} {body}\n with: {with}\n without: {without}")
    })
}

/// Sends the requests of some routes as a client that may read all documents of some resources, and of
/// others its own.
async fn walk(token: &str, open: &[&'static str], is_walked: impl Fn(&Route) -> bool) -> usize {
    let (with, without, ids) = servers(open).await;
    let (mut count, mut found) = (0, Vec::new());
    for route in all_routes().iter().filter(|route| is_walked(route)) {
        let mut sent = BTreeSet::new();
        for dealer in ["B", "A"] {
            for one in requests::of(route, dealer, &ids) {
                let key = (one.line.clone(), one.body.clone(), one.idempotency_key);
                if sent.insert(key) {
                    found.extend(difference(&with, &without, token, &one).await);
                    count += 1;
                }
            }
        }
    }
    let shown: String = found.iter().take(20).map(|one| format!("{one}\n")).collect();
    assert!(found.is_empty(), "{} of {count} answers differ:\n{shown}", found.len());
    count
}

#[tokio::test]
async fn hidden_documents_leave_no_trace_in_any_answer() {
    let count = walk("a", &[], |_| true).await;
    assert!(count > 3_500, "{count} requests");
}

/// Walks the routes that a role opens.
async fn walk_opened(name: &str) {
    let (_, open) = OPENINGS.into_iter().find(|(opening, _)| *opening == name).unwrap();
    let read = open.iter().filter_map(|key| Permission::about(key, Verb::Read));
    let read: Vec<Permission> = read.collect();
    let count = walk(name, open, |route| match &route.needs {
        Needs::Permissions(demands) => demands.iter().any(|demand| match demand.applies {
            Applies::Whole | Applies::Unhidden => read.contains(&demand.permission),
            Applies::Each | Applies::Everything => false,
        }),
        Needs::Nothing | Needs::Identity => false,
    });
    assert!(count.await > 5);
}

#[tokio::test]
async fn open_catalogs_tell_nothing_of_hidden_documents() {
    walk_opened("catalogs").await;
}

#[tokio::test]
async fn open_books_tell_nothing_of_hidden_documents() {
    walk_opened("books").await;
}

#[tokio::test]
async fn open_customers_tell_nothing_of_hidden_documents() {
    walk_opened("customers").await;
}

#[tokio::test]
async fn open_orders_tell_nothing_of_hidden_documents() {
    walk_opened("work").await;
}

#[tokio::test]
async fn an_open_network_tells_nothing_of_hidden_documents() {
    walk_opened("network").await;
}

/// Routes with nothing behind them that could be hidden, and why.
const BARE: [(&str, &str); 31] = [
    ("GET /", ABOUT_SERVER),
    ("GET /login", LOGIN),
    ("GET /login/style.css", LOGIN),
    ("GET /login/provider", LOGIN),
    ("GET /login/callback", LOGIN),
    ("GET /login/backchannel", LOGIN),
    ("GET /logout", LOGIN),
    ("GET /session", ABOUT_CLIENT),
    ("GET /orchestration/v1", ABOUT_SERVER),
    ("GET /healthz", ABOUT_SERVER),
    ("GET /readyz", ABOUT_SERVER),
    ("GET /openapi.json", ABOUT_SERVER),
    ("GET /orchestration/v1/openapi.json", ABOUT_SERVER),
    ("GET /tmf-api/{number}/openapi.json", ABOUT_SERVER),
    ("GET /orchestration/v1/workflows", PACKS),
    ("GET /orchestration/v1/packs", PACKS),
    ("GET /orchestration/v1/plugins/{id}/shadow", NO_PLUGIN),
    ("GET /orchestration/v1/access", ABOUT_CLIENT),
    ("POST /orchestration/v1/quarantine/{id}/retry", QUARANTINE),
    ("POST /orchestration/v1/quarantine/{id}/give-up", QUARANTINE),
    ("PUT /orchestration/v1/plugins/{id}", NO_PLUGIN),
    ("PUT /orchestration/v1/plugins/{id}/candidate", NO_PLUGIN),
    ("POST /orchestration/v1/plugins/{id}/candidate/promote", NO_PLUGIN),
    ("POST /orchestration/v1/plugins/{id}/rollback", NO_PLUGIN),
    (
        "PUT /orchestration/v1/imports/{id}",
        "an id that is taken is refused, by whatever it is taken",
    ),
    (
        "POST /orchestration/v1/backups",
        "the gate demands to see everything, and a store in memory has none",
    ),
    (
        "POST /orchestration/v1/callbacks/{address}",
        "its path is the proof that a client may know of it",
    ),
    ("DELETE /orchestration/v1/plugins/{id}/candidate", NO_PLUGIN),
    ("DELETE /orchestration/v1/plugins/{id}/scratch", NO_PLUGIN),
    ("DELETE /orchestration/v1/plugins/{id}/scratch/{key...}", NO_PLUGIN),
    ("DELETE /orchestration/v1/plugins/{id}", NO_PLUGIN),
];

const ABOUT_SERVER: &str = "it tells of the server alone";
const ABOUT_CLIENT: &str = "it tells clients of themselves";
const LOGIN: &str = "it comes before there is an identity";
const PACKS: &str = "packs are no documents";
const NO_PLUGIN: &str =
    "the plugins of this server are not real; they show no more than `GET plugins/{id}`";
const QUARANTINE: &str =
    "the engine knows what is set aside from its start; the gate demands all orders and runs";

#[tokio::test]
async fn something_is_hidden_behind_every_route() {
    let (with, without, ids) = servers(&[]).await;
    let mut bare = Vec::new();
    for route in all_routes() {
        let mut is_seen = false;
        for one in requests::of(&route, "B", &ids) {
            // Other routes lead to the same documents, so nothing is removed.
            let one = Asked { is_stale: route.method == "DELETE", ..one };
            if difference(&with, &without, "owner", &one).await.is_some() {
                is_seen = true;
                break;
            }
        }
        if !is_seen {
            bare.push(format!("{} {}", route.method, route.path));
        }
    }
    let known: Vec<String> = BARE.iter().map(|(route, _)| (*route).to_owned()).collect();
    assert!(bare == known, "{}", bare.join("\n"));
    // The other dealer sees its own.
    let own = format!("GET {}/{}", table::path("customer"), id_of("B", "customer"));
    assert!(answer(&without, "b", &own, "").await.starts_with("404"));
}
