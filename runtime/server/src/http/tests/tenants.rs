//! Tenants of one server: nothing that one of them asks shows or changes anything of another. Random
//! requests of every route are sent as one tenant, alone and beside another one that names the ids, keys
//! and values of the first: both times all answers are the same, but for times and what is drawn.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use engine::clock::System;
use engine::store::{Memory, Store, TenantNumber, View};
use engine::tenant::TenantName;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::permits::{Route, routes};
use super::super::{Beside, Edge, router_behind};
use super::bench::{Behind, LIMITS, behind, order};
use crate::access::{Access, Identity, Proof, RoleName, Roles};

mod drawn;

/// What every document of a tenant has somewhere.
const MARKS: [(&str, &str); 2] = [("a", "mark-of-a"), ("b", "mark-of-b")];

/// Max ids that are remembered.
const IDS_MAX: usize = 24;

/// A server with a default tenant and some named ones.
struct Server {
    service: TowerToHyperService<Router>,
    _behind: Vec<Behind>,
}

/// A random request. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
struct Asked {
    route: usize,
    id: usize,
    body: usize,
    query: usize,
    header: usize,
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: String,
    text: String,
}

fn asked() -> impl Strategy<Value = Asked> {
    (any::<usize>(), any::<usize>(), any::<usize>(), any::<usize>(), any::<usize>())
        .prop_map(|(route, id, body, query, header)| Asked { route, id, body, query, header })
}

/// The routes that show or change data. Descriptions are the same for all; figures and streams differ
/// from one time to the next.
fn all_routes() -> Vec<Route> {
    let is_told = |route: &Route| {
        !route.path.ends_with("openapi.json") && route.path != "/metrics" && route.path != "/"
    };
    routes().into_iter().filter(is_told).collect()
}

impl Server {
    fn new(tenants: &[(&str, u16)], access: Access) -> Self {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let epoch = store.claim().unwrap();
        let of_default = View::of_default(Arc::clone(&store)).claimed(epoch);
        let first = behind(Arc::new(of_default), None, Arc::new(System::default()));
        let mut all = vec![];
        let mut beside = vec![];
        for (name, number) in tenants {
            let view = View::of(Arc::clone(&store), TenantNumber::new(*number).unwrap());
            let host = &first.services.plugins.host;
            let one =
                behind(Arc::new(view.claimed(epoch)), Some(host), Arc::new(System::default()));
            beside.push(Beside {
                name: TenantName::parse(name).unwrap(),
                services: one.services.clone(),
                events: one.events.clone(),
                body_bytes_max: LIMITS.body_bytes_max,
                share_percent: 50,
                threads: tokio::runtime::Handle::current(),
            });
            all.push(one);
        }
        let (services, events) = (first.services.clone(), first.events.clone());
        let edge = Edge { access, ..Edge::default() };
        let router = router_behind(services, events, LIMITS, edge, beside);
        all.push(first);
        Self { service: TowerToHyperService::new(router), _behind: all }
    }

    async fn send(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("host", "127.0.0.1:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let is_patch = method == Method::PATCH;
        if body.is_some() {
            let kind = if is_patch { "application/merge-patch+json" } else { "application/json" };
            request = request.header("content-type", kind);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.service.call(request.body(body).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), format!("{:?}", response.headers()));
        // A stream of events has no end.
        let bytes = match headers.contains("text/event-stream") {
            true => Default::default(),
            false => response.into_body().collect().await.unwrap().to_bytes(),
        };
        Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

/// A tenant that sends requests, and what it knows.
struct Client {
    name: &'static str,
    mark: &'static str,
    ids: Vec<String>,
}

impl Client {
    fn new(at: usize) -> Self {
        let (name, mark) = MARKS[at];
        Self { name, mark, ids: vec!["nothing".into()] }
    }

    /// Documents of many kinds, all with the mark.
    fn first_documents(&self) -> Vec<(&'static str, Value)> {
        let mark = self.mark;
        let mut product_order = order(mark);
        product_order["description"] = json!(mark);
        vec![
            (
                "/tmf-api/customerManagement/v4/customer",
                json!({ "name": mark, "engagedParty": { "id": "p-1", "name": mark } }),
            ),
            ("/tmf-api/party/v4/individual", json!({ "givenName": mark, "familyName": mark })),
            ("/tmf-api/productInventory/v4/product", json!({ "name": mark, "status": "active" })),
            (
                "/tmf-api/serviceInventory/v4/service",
                json!({ "name": mark, "state": "active", "serviceType": "x" }),
            ),
            ("/tmf-api/resourceInventoryManagement/v4/resource", json!({ "name": mark })),
            ("/tmf-api/productOrderingManagement/v4/productOrder", product_order),
            (
                "/tmf-api/productOrderingManagement/v4/hub",
                json!({ "callback": "http://127.0.0.1:9/hub", "query": "eventType=ProductOrderStateChangeEvent" }),
            ),
            ("/orchestration/v1/workflows/access/runs", json!({ "name": mark })),
        ]
    }

    async fn begin(&mut self, server: &Server) -> Vec<Answer> {
        let mut answers = Vec::new();
        for (at, (path, body)) in self.first_documents().into_iter().enumerate() {
            let path = format!("/tenants/{}{path}", self.name);
            let key = format!("key-{at}");
            let headers = [("idempotency-key", key.as_str())];
            let answer = server.send(("POST", &path), &headers, Some(&body)).await;
            self.learn(&answer);
            answers.push(answer);
        }
        answers
    }

    /// Remembers the ids of an answer.
    fn learn(&mut self, answer: &Answer) {
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let rows = body.as_array().cloned().unwrap_or_else(|| vec![body]);
        for id in rows.iter().filter_map(|row| row["id"].as_str()) {
            if self.ids.len() < IDS_MAX && !self.ids.iter().any(|known| known == id) {
                self.ids.push(id.to_owned());
            }
        }
    }

    /// Sends a request, with an id that a client knows.
    async fn ask(&self, server: &Server, asked: &Asked, known: &[String]) -> Answer {
        let routes = all_routes();
        let route = &routes[asked.route % routes.len()];
        let id = &known[asked.id % known.len()];
        let pieces = route.path.split('/').map(|piece| match piece {
            "{key}" | "{resource}" => "product",
            piece if piece.starts_with('{') => id,
            piece => piece,
        });
        let path: Vec<&str> = pieces.collect();
        let other = MARKS[1].1;
        let query = match asked.query % 8 {
            0 => format!("?name={other}"),
            1 => format!("?id={id}"),
            2 => format!("?after={id}"),
            3 => "?limit=3&offset=0".into(),
            4 => format!("?resource=customer&id={id}"),
            _ => String::new(),
        };
        let path = format!("/tenants/{}{}{query}", self.name, path.join("/"));
        let headers: &[(&str, &str)] = match asked.header % 6 {
            0 => &[("if-match", "\"1\"")],
            1 => &[("idempotency-key", "key-5")],
            2 => &[("if-none-match", "\"1\"")],
            _ => &[],
        };
        let mark = self.mark;
        let body = match asked.body % 5 {
            0 => json!({ "name": mark }),
            1 => json!({ "id": id, "name": mark, "engagedParty": { "id": id } }),
            2 => order(mark),
            3 => json!({ "callback": "http://127.0.0.1:9/hub" }),
            _ => {
                json!({ "name": mark, "href": format!("http://127.0.0.1:8080/tenants/b/tmf-api/productInventory/v4/product/{id}") })
            }
        };
        let body = (route.method != "GET").then_some(body);
        server.send((route.method, &path), headers, body.as_ref()).await
    }
}

/// What a tenant sees of its requests, beside another one or alone.
async fn seen(
    server: &Server,
    requests: &[Asked],
    mut beside: Option<(Client, &[Asked])>,
) -> Result<Vec<String>, String> {
    let mut drawn = drawn::Drawn::default();
    let mut own = Client::new(1);
    let mut seen = Vec::new();
    for answer in own.begin(server).await {
        seen.push(drawn.hide(&answer));
    }
    if let Some((other, _)) = &mut beside {
        other.begin(server).await;
    }
    for (at, asked) in requests.iter().enumerate() {
        let answer = own.ask(server, asked, &own.ids).await;
        own.learn(&answer);
        seen.push(drawn.hide(&answer));
        let Some((other, requests)) = &beside else { continue };
        let Some(asked) = requests.get(at) else { continue };
        let answer = other.ask(server, asked, &own.ids).await;
        if answer.text.contains(own.mark) && !answer.text.contains("name=") {
            return Err(format!("{asked:?} shows {}", answer.text));
        }
    }
    Ok(seen)
}

/// Compares what `b` sees alone with what it sees beside `a`.
async fn compare(numbers: [u16; 2], own: &[Asked], other: &[Asked]) -> Result<(), String> {
    let [a, b] = numbers;
    let alone = Server::new(&[("b", b)], Access::default());
    let alone = seen(&alone, own, None).await?;
    let both = Server::new(&[("a", a), ("b", b)], Access::default());
    let both = seen(&both, own, Some((Client::new(0), other))).await?;
    match alone.iter().zip(&both).position(|(alone, both)| alone != both) {
        Some(at) => Err(format!("{at}: alone\n{}\nand beside\n{}", alone[at], both[at])),
        None => Ok(()),
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_request_of_a_tenant_shows_or_changes_anything_of_another(
        own in prop::collection::vec(asked(), 40),
        other in prop::collection::vec(asked(), 40),
    ) {
        let compared = run(compare([1, 2], &own, &other));
        prop_assert!(compared.is_ok(), "{}", compared.unwrap_err());
    }
}

/// The property is worth something: it fails where two tenants have the same keys.
#[test]
fn tenants_that_share_their_keys_are_found_out() {
    let lists: Vec<Asked> = (0..40)
        .map(|route| Asked { route: route * 7, id: 2, body: 0, query: 7, header: 5 })
        .collect();
    run(compare([1, 1], &lists, &lists)).unwrap_err();
}

#[tokio::test]
async fn hrefs_and_locations_name_the_tenant() {
    let server = Server::new(&[("b", 1)], Access::default());
    let path = "/tenants/b/tmf-api/productInventory/v4/product";
    let body = json!({ "name": "x", "status": "active" });
    let made = server.send(("POST", path), &[], Some(&body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made_body: Value = serde_json::from_str(&made.text).unwrap();
    let href = made_body["href"].as_str().unwrap().to_owned();
    assert!(href.starts_with(&format!("http://127.0.0.1:8080{path}/")), "{href}");
    assert!(made.headers.contains(&href), "{}", made.headers);
    let index = server.send(("GET", "/tenants/b/"), &[("accept", "text/html")], None).await;
    assert!(index.text.contains("href=\"/tenants/b/healthz\""), "{}", index.text);
    assert!(!index.text.contains("href=\"/tmf-api"), "{}", index.text);
    let at_root = href.replace("/tenants/b", "");
    let at_root = server.send(("GET", &at_root), &[], None).await;
    assert_eq!(at_root.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_tenant_takes_no_backup_of_all_tenants() {
    let server = Server::new(&[("a", 1)], Access::default());
    let path = "/tenants/a/orchestration/v1/backups";
    let answer = server.send(("POST", path), &[], None).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    assert!(answer.text.contains("of the default one"), "{}", answer.text);
}

#[tokio::test]
async fn an_unknown_tenant_is_an_unknown_path() {
    let server = Server::new(&[("b", 1)], Access::default());
    let unknown = server.send(("GET", "/nothing"), &[], None).await;
    for path in [
        "/tenants",
        "/tenants/c",
        "/tenants/c/healthz",
        "/tenants/B/healthz",
        "/tenants/default/healthz",
    ] {
        let answer = server.send(("GET", path), &[], None).await;
        assert_eq!((answer.status, &answer.text), (StatusCode::NOT_FOUND, &unknown.text), "{path}");
    }
    for path in ["/tenants/b/healthz", "//tenants//b//readyz", "/%74enants/b/healthz"] {
        assert_eq!(server.send(("GET", path), &[], None).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn figures_name_tenants_where_there_is_more_than_one() {
    let one = Server::new(&[], Access::default());
    let alone = one.send(("GET", "/metrics"), &[], None).await.text;
    assert!(
        alone.contains("\nferrule_open_fulfilments 0\n") && !alone.contains("tenant="),
        "{alone}"
    );
    let two = Server::new(&[("b", 1)], Access::default());
    let all = two.send(("GET", "/metrics"), &[], None).await.text;
    for tenant in ["default", "b"] {
        assert!(
            all.contains(&format!("\nferrule_open_fulfilments{{tenant=\"{tenant}\"}} 0\n")),
            "{all}"
        );
    }
    assert_eq!(all.matches("# TYPE ferrule_open_fulfilments ").count(), 1);
    let own = two.send(("GET", "/tenants/b/metrics"), &[], None).await.text;
    assert!(own.contains("tenant=\"b\"") && !own.contains("tenant=\"default\""), "{own}");
}

/// Access for which the name of a tenant is the token of its administrator.
fn access() -> Access {
    let identity = |tenant: &str| {
        let tenant_name = (tenant != "default").then(|| tenant.to_owned());
        let proof = Proof::Password;
        Arc::new(Identity { proof, tenant: tenant_name, ..Identity::local() })
    };
    let tokens = ["default", "a", "b", "gone"].map(|name| (name.to_owned(), identity(name)));
    Access::fixed(Roles::default(), tokens.into())
}

#[tokio::test]
async fn figures_of_all_tenants_are_shown_to_administrators_of_the_default_one() {
    let of = |tenant: Option<&str>, role: &str| {
        let (tenant, roles) = (tenant.map(str::to_owned), [RoleName::new(role)].into());
        Arc::new(Identity { proof: Proof::Password, tenant, roles, ..Identity::local() })
    };
    let tokens = [
        ("all", of(None, "administrator")),
        ("reader", of(None, "reader")),
        ("operator", of(None, "operator")),
        ("b", of(Some("b"), "administrator")),
    ];
    let tokens = tokens.map(|(token, identity)| (token.to_owned(), identity));
    let access = Access::fixed(Roles::default(), tokens.into());
    let server = Server::new(&[("a", 1), ("b", 2)], access);
    for (token, path, expected) in [
        ("all", "/metrics", ["default", "a", "b"].as_slice()),
        ("reader", "/metrics", &["default"]),
        ("operator", "/metrics", &["default"]),
        ("b", "/metrics", &["b"]),
        ("b", "/tenants/b/metrics", &["b"]),
    ] {
        let header = format!("Bearer {token}");
        let shown = server.send(("GET", path), &[("authorization", &header)], None).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
        let tenants = ["default", "a", "b"];
        let found = tenants.map(|name| shown.text.contains(&format!("tenant=\"{name}\"")));
        let wanted = tenants.map(|name| expected.contains(&name));
        assert_eq!(found, wanted, "{token} {path}");
    }
}

#[tokio::test]
async fn an_identity_of_another_tenant_finds_nothing_anywhere() {
    let server = Server::new(&[("a", 1), ("b", 2)], access());
    let unknown = server.send(("GET", "/nothing"), &[("authorization", "Bearer a")], None).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    for route in routes() {
        let path = route.path.replace(['{', '}'], "");
        for (token, prefix) in [
            ("a", "/tenants/b"),
            ("b", "/tenants/a"),
            ("default", "/tenants/a"),
            ("a", "/tenants/c"),
            ("gone", ""),
        ] {
            let (header, path) = (format!("Bearer {token}"), format!("{prefix}{path}"));
            let is_open = ["/healthz", "/readyz", "/login/style.css"].contains(&path.as_str());
            // A wrong address of a task is refused before the identity is looked at.
            if token == "gone" && (is_open || path.ends_with("/callbacks/address")) {
                continue;
            }
            let headers = [("authorization", header.as_str())];
            let answer = server.send((route.method, &path), &headers, None).await;
            let what = format!("{token} {} {path}", route.method);
            assert_eq!((answer.status, &answer.text), (unknown.status, &unknown.text), "{what}");
        }
        // Without an identity not even the name of a tenant is told.
        for tenant in ["b", "c"] {
            let path = format!("/tenants/{tenant}{path}");
            let answer = server.send((route.method, &path), &[], None).await;
            // No tenant, or none that was given this address: both are answered alike.
            let is_callback = path.ends_with("/callbacks/address");
            let expected =
                if is_callback { StatusCode::NOT_FOUND } else { StatusCode::UNAUTHORIZED };
            assert_eq!(answer.status, expected, "{} {path}", route.method);
            if is_callback {
                assert_eq!(answer.text, unknown.text, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_path_without_a_tenant_leads_to_that_of_the_identity() {
    let server = Server::new(&[("a", 1), ("b", 2)], access());
    let path = "/tmf-api/productInventory/v4/product";
    let body = json!({ "name": "mine", "status": "active" });
    let as_b = [("authorization", "Bearer b")];
    let made = server.send(("POST", path), &as_b, Some(&body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert!(made.text.contains("/tenants/b/tmf-api/"), "{}", made.text);
    for (token, prefix, count) in
        [("b", "", 1), ("b", "/tenants/b", 1), ("a", "", 0), ("default", "", 0)]
    {
        let (header, path) = (format!("Bearer {token}"), format!("{prefix}{path}"));
        let listed = server.send(("GET", &path), &[("authorization", &header)], None).await;
        let listed: Value = serde_json::from_str(&listed.text).unwrap();
        assert_eq!(listed.as_array().unwrap().len(), count, "{token} {path}");
    }
}
