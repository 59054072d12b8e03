//! Single requests about what is hidden: tags, methods, keys of submissions, and what is written.

use axum::body::Body;
use serde_json::{Value, json};
use tmf::table;

use super::{answer, id_of, plant, shared};

#[tokio::test]
async fn tags_and_other_methods_tell_nothing_of_hidden_documents() {
    let (with, without) = (shared().await, shared().await);
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
    let bench = shared().await;
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
    let bench = shared().await;
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

/// Entries of catalogs of which others are the reason why they cannot be ordered.
#[tokio::test]
async fn reasons_of_catalogs_are_told_to_those_who_read_all_of_them() {
    let bench = shared().await;
    let path = table::path("productOffering");
    for (token, dealer, told) in [("admin", "A", true), ("a", "A", false)] {
        let offering = json!({ "name": "x", "dealer": dealer, "lifecycleStatus": "Active", "isBundle": false });
        let made = answer(&bench, token, &format!("POST {path}"), &offering.to_string()).await;
        assert!(made.starts_with("201"), "{token}: {made}");
        let warnings = made.lines().filter(|line| line.starts_with("warning:"));
        let warning: String = warnings.collect();
        assert!(warning.contains("cannot be ordered yet: "), "{token}: {warning}");
        assert_eq!(!warning.contains("not all yours to read"), told, "{token}: {warning}");
    }
    let standing = "GET /orchestration/v1/catalog/productOffering";
    assert!(answer(&bench, "admin", standing, "").await.starts_with("200"));
    let refused = answer(&bench, "a", standing, "").await;
    assert!(refused.starts_with("403"), "{refused}");
}

#[tokio::test]
async fn who_has_a_condition_on_customers_orders_for_those_only() {
    let bench = shared().await;
    plant(&bench, "A").await;
    plant(&bench, "B").await;
    let path = table::path("productOrder");
    let order = async |token: &str, customer: &str| {
        let party = json!({ "id": customer, "role": "customer", "@referredType": "Customer" });
        let item = json!({ "id": "1", "action": "add", "productOffering": { "id": "none" } });
        let order = json!({ "dealer": "A", "relatedParty": [party], "productOrderItem": [item] });
        answer(&bench, token, &format!("POST {path}"), &order.to_string()).await
    };
    let (own, other) = (id_of("A", "customer"), id_of("B", "customer"));
    let hidden = order("catalogs", &other).await;
    let missing = order("catalogs", "NONE-customer").await;
    assert!(hidden.starts_with("422"), "{hidden}");
    assert_eq!(hidden.replace(&other, "NONE-customer"), missing);
    for (token, customer) in [("catalogs", &own), ("admin", &other)] {
        let taken = order(token, customer).await;
        assert!(taken.starts_with("201"), "{token} {customer}: {taken}");
    }
}
