//! The gate: who may do what, on every route.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode};
use model::FulfilmentId;

use super::super::demand::Applies;
use super::super::permits::{Needs, routes};
use super::bench::Bench;
use crate::access::{Access, Hidden, Identity, Reader, RoleName, Roles};

/// Access for which the name of a role is the token of an identity with that role.
fn access() -> (Access, Vec<String>) {
    let roles = Roles::default();
    let names: Vec<String> =
        roles.names().map(ToString::to_string).chain(["none".into()]).collect();
    let identity = |name: &String| {
        let roles = [RoleName::new(name)].into();
        Arc::new(Identity { subject: name.into(), roles, ..Identity::local() })
    };
    let tokens: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), identity(name))).collect();
    (Access::fixed(roles, tokens), names)
}

fn with_ids(path: &str) -> String {
    let pieces =
        path.split('/').map(|piece| if piece.starts_with('{') { "nothing" } else { piece });
    pieces.collect::<Vec<_>>().join("/")
}

async fn send(
    bench: &Bench,
    token: Option<&str>,
    method: &Method,
    path: &str,
) -> (StatusCode, HeaderMap) {
    let token = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<(&str, &str)> =
        token.iter().map(|token| ("authorization", token.as_str())).collect();
    let response = bench.open(&format!("{method} {path}"), &headers, Body::empty()).await;
    (response.status(), response.headers().clone())
}

#[tokio::test]
async fn every_route_answers_each_role_by_the_table() {
    let (access, names) = access();
    let bench = Bench::new().with_access(access.clone());
    for route in routes() {
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let path = with_ids(&route.path);
        let (status, headers) = send(&bench, None, &method, &path).await;
        if route.needs == Needs::Nothing {
            // No task has this address, and the pages of logins are not there without a provider.
            let is_login = path.starts_with("/log") && path != "/login/style.css";
            let is_missing = is_login || path.contains("/callbacks/");
            let expected = if is_missing { StatusCode::NOT_FOUND } else { StatusCode::OK };
            assert_eq!(status, expected, "{method} {path}");
            continue;
        }
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} of a stranger");
        assert_eq!(headers["www-authenticate"], "Bearer realm=\"ferrule\"");
        let (status, headers) = send(&bench, Some("unknown"), &method, &path).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} with an unknown token");
        assert!(headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
        for name in &names {
            let identity = Identity { roles: [RoleName::new(name)].into(), ..Identity::local() };
            let reader = Reader::Of(Arc::new(identity), access.roles().clone(), Hidden::default());
            let (status, _) = match (allowed(&reader, &route.needs), &method) {
                // Other tests carry out changes that are allowed.
                (Allowed::Yes | Allowed::Partly, method) if method != Method::GET => continue,
                _ => send(&bench, Some(name), &method, &path).await,
            };
            let is_refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&status);
            let is_right = match allowed(&reader, &route.needs) {
                Allowed::No => is_refused,
                Allowed::Partly => is_refused || status.is_success(),
                Allowed::Yes => {
                    ![StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED].contains(&status)
                }
            };
            assert!(is_right, "{method} {path} as {name}: {status}");
        }
    }
}

#[tokio::test]
async fn personal_values_of_an_order_are_masked_in_logs_for_roles_that_may_not_read_them() {
    let (access, _) = access();
    let bench = Bench::new();
    let mut order = super::bench::order("masked");
    order["relatedParty"][0]["name"] = "called".into();
    let created = bench.post("/tmf-api/productOrderingManagement/v4/productOrder", &order).await;
    let order = created.body["id"].as_str().unwrap().to_owned();
    let id = FulfilmentId::new(&order);
    let lines = serde_json::to_vec(&["was called twice"]).unwrap();
    let key = engine::keys::note(&id, 0, 1);
    bench.services.engine.append(vec![(key, Some(lines))], Vec::new()).await.unwrap();
    let bench = bench.with_access(access);
    for (role, expected) in [("operator", "was called twice"), ("reader", "was *** twice")] {
        let token = format!("Bearer {role}");
        let line = format!("GET /orchestration/v1/fulfilments/{order}/logs");
        let answer = bench.send(&line, &[("authorization", &token)], Body::empty()).await;
        assert_eq!(answer.status, StatusCode::OK, "{role}: {}", answer.text);
        assert_eq!(answer.body[0]["lines"][0], expected, "{role}");
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Allowed {
    No,
    /// For some documents.
    Partly,
    Yes,
}

/// What a route answers, by its demands.
fn allowed(reader: &Reader, needs: &Needs) -> Allowed {
    let Needs::Permissions(demands) = needs else { return Allowed::Yes };
    let all = demands.iter().map(|demand| {
        let scope = reader.may(&demand.permission);
        match demand.applies {
            // Built-in roles have no conditions on catalogs.
            Applies::Unhidden => Allowed::Yes,
            Applies::Everything if !reader.sees_everything() => Allowed::No,
            Applies::Each | Applies::Whole | Applies::Everything if scope.is_all() => Allowed::Yes,
            Applies::Each if !scope.is_nothing() => Allowed::Partly,
            Applies::Each | Applies::Whole | Applies::Everything => Allowed::No,
        }
    });
    let all: Vec<Allowed> = all.collect();
    match () {
        () if all.contains(&Allowed::No) => Allowed::No,
        () if all.contains(&Allowed::Partly) => Allowed::Partly,
        () => Allowed::Yes,
    }
}
