//! What may be under way at one time, and what is told beyond it.

use axum::body::Body;
use serde_json::json;

use super::bench::{Bench, order};

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const CATEGORIES: &str = "/tmf-api/productCatalogManagement/v4/category";

#[tokio::test]
async fn exports_have_places_and_leave_them_when_the_client_has_gone() {
    let bench = Bench::new();
    let export =
        async || bench.open("GET /orchestration/v1/exports/category", &[], Body::empty()).await;
    let unread = [export().await, export().await];
    let refused = bench.get("/orchestration/v1/exports/category").await;
    assert_eq!(refused.status, 503);
    assert_ne!(refused.header("retry-after"), "");
    assert!(refused.text.contains("`[limits] exports`"), "{}", refused.text);
    drop(unread);
    assert_eq!(export().await.status(), 200);
}

#[tokio::test]
async fn an_export_of_many_pieces_has_each_document_once() {
    let bench = Bench::new();
    let lines: String = (0..3_000)
        .map(|number| {
            let category = json!({ "id": format!("c{number:04}"), "name": "x".repeat(50) });
            format!("{category}\n")
        })
        .collect();
    let documents = lines.lines().map(|line| {
        let body: serde_json::Value = serde_json::from_str(line).unwrap();
        engine::documents::Put::create("category", body["id"].as_str().unwrap(), body.clone())
            .quiet()
    });
    bench.services.documents.write(documents.collect()).await.unwrap();
    let all = bench.get("/orchestration/v1/exports/category").await;
    let ids: Vec<String> = all
        .text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].to_string())
        .filter(|id| id.starts_with("\"c"))
        .collect();
    assert_eq!(ids.len(), 3_000);
    assert!(ids.is_sorted());
    // A list of the same, read in slices, has the same total whichever way it is read.
    for query in ["limit=5", "limit=5&sort=-name", "limit=5&name=none"] {
        let listed = bench.get(&format!("{CATEGORIES}?{query}")).await;
        let total: usize = listed.header("x-total-count").parse().unwrap();
        assert_eq!(total >= 3_000, !query.contains("none"), "{query}: {total}");
    }
}

#[tokio::test]
async fn the_key_of_an_order_that_was_removed_is_not_answered_with_a_place_where_nothing_is() {
    let bench = Bench::new();
    let headers = [("content-type", "application/json"), ("idempotency-key", "once")];
    let send = async || {
        let body = Body::from(order("once").to_string());
        bench.send(&format!("POST {ORDERS}"), &headers, body).await
    };
    let made = send().await;
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(send().await.body["id"], *id);
    let cancel = json!({ "productOrder": { "id": id } });
    let cancelled =
        bench.post("/tmf-api/productOrderingManagement/v4/cancelProductOrder", &cancel).await;
    assert_eq!(cancelled.status, 201, "{}", cancelled.text);
    let removed = bench.send(&format!("DELETE {ORDERS}/{id}"), &[], Body::empty()).await;
    assert_eq!(removed.status, 204, "{}", removed.text);
    let again = send().await;
    assert_eq!(again.status, 409, "{}", again.text);
    assert!(again.text.contains(id) && again.text.contains("removed"), "{}", again.text);
}
