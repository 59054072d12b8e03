use axum::http::Method;
use tmf::openapi::describe;

use super::*;

/// A path with ids in the places of names.
fn with_ids(path: &str) -> Vec<&str> {
    let pieces = path.split('/').filter(|piece| !piece.is_empty());
    pieces.map(|piece| if piece.starts_with('{') { "1" } else { piece }).collect()
}

#[test]
fn requests_demand_what_the_table_of_routes_lists() {
    for route in routes() {
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let found = needs(&method, &with_ids(&route.path), None);
        let is_covered = match (&found, &route.needs) {
            (Needs::Permissions(found), Needs::Permissions(listed)) => {
                listed.iter().all(|permission| found.contains(permission))
            }
            (found, listed) => found == listed,
        };
        assert!(is_covered, "{} {}: {found:?}, listed {:?}", route.method, route.path, route.needs);
    }
}

#[test]
fn every_described_operation_demands_a_permission() {
    let mut document = describe("http://localhost", &model::order::described::OrderNotes);
    orchestration::describe(&mut document);
    super::describe(&mut document);
    let mut count = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method == "parameters" {
                continue;
            }
            // The address of a task is proof enough.
            if path.ends_with("/callbacks/{address}") && operation["security"] == json!([]) {
                continue;
            }
            // It tells clients about themselves.
            let is_own = path == "/orchestration/v1/access";
            assert!(is_own || operation["x-permissions"].is_array(), "{method} {path}");
            for status in ["401", "403"].iter().filter(|status| !is_own || **status == "401") {
                assert!(operation["responses"][status].is_object(), "{method} {path} {status}");
            }
            count += 1;
        }
    }
    assert!(count > 400, "{count} operations");
}

#[test]
fn an_unknown_path_demands_an_identity() {
    for path in ["/nothing", "/tmf-api/nothing/v4/order", "/orchestration/v1/nothing", "/healthz/x"]
    {
        assert_eq!(needs(&Method::GET, &with_ids(path), None), Needs::Identity, "{path}");
    }
}

#[test]
fn operations_demand_the_rights_on_the_documents_that_they_reach() {
    let table = [
        (Method::GET, "/orchestration/v1/history/quote/1", None, "TMF648/quote:read"),
        (Method::GET, "/orchestration/v1/exports/individual", None, "TMF632/individual:read"),
        (
            Method::POST,
            "/orchestration/v1/simulate/productOrder",
            None,
            "TMF622/productOrder:create",
        ),
        (Method::PUT, "/orchestration/v1/imports/1", Some("service"), "TMF638/service:create"),
        (Method::POST, "/orchestration/v1/quotes/1/order", None, "TMF622/productOrder:create"),
        (
            Method::GET,
            "/orchestration/v1/catalog/productOffering/1",
            None,
            "TMF620/productOffering:read",
        ),
    ];
    for (method, path, queried, expected) in table {
        let Needs::Permissions(found) = needs(&method, &with_ids(path), queried) else { panic!() };
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(found.contains(&expected.to_string()), "{path}: {found:?}");
    }
}
