use axum::body::Body;
use serde_json::{Value, json};

use super::bench::{Bench, order};

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const BASE: &str = "http://127.0.0.1:8080";

#[tokio::test]
async fn an_order_is_acknowledged_and_found_again() {
    let bench = Bench::new();
    let mut sent = order("A");
    sent["id"] = json!("mine");
    sent["state"] = json!("completed");
    sent["completionDate"] = json!("2001-01-01T00:00:00Z");
    sent["unknown"] = json!({ "kept": [1] });
    let created = bench.post(ORDERS, &sent).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = created.body["id"].as_str().unwrap();
    assert_ne!(id, "mine");
    assert_eq!(created.body["state"], "acknowledged");
    assert_eq!(created.body["productOrderItem"][0]["state"], "acknowledged");
    assert_eq!(created.body["unknown"], sent["unknown"]);
    assert!(created.body.get("completionDate").is_none());
    let href = format!("{BASE}{ORDERS}/{id}");
    assert_eq!(created.body["href"], json!(href));
    assert_eq!(created.header("location"), href);
    // Without plugins no task can run: the order is held, with the reason.
    let found = bench.get(&format!("{ORDERS}/{id}")).await;
    assert_eq!((found.status.as_u16(), &found.body["state"]), (200, &json!("held")));
    assert_eq!(found.body["productOrderErrorMessage"][0]["code"], "PLUGIN_MISSING");
    assert_eq!(found.body["orderDate"], created.body["orderDate"]);
}

#[tokio::test]
async fn an_unknown_offering_is_acknowledged_and_then_rejected() {
    let bench = Bench::new();
    let mut sent = order("A");
    sent["productOrderItem"][0]["productOffering"]["id"] = json!("PO-NONE");
    let created = bench.post(ORDERS, &sent).await;
    assert_eq!((created.status.as_u16(), &created.body["state"]), (201, &json!("acknowledged")));
    let id = created.body["id"].as_str().unwrap();
    assert_eq!(bench.get(&format!("{ORDERS}/{id}")).await.body["state"], "rejected");
}

#[tokio::test]
async fn a_repeated_submission_is_answered_as_the_first() {
    let bench = Bench::new();
    let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
    let mut answers = Vec::new();
    for _ in 0..3 {
        let body = Body::from(order("A").to_string());
        answers.push(bench.send(&format!("POST {ORDERS}"), &headers, body).await);
    }
    for answer in &answers {
        assert_eq!(answer.status, 201);
        assert_eq!(answer.body, answers[0].body);
        assert_eq!(answer.header("location"), answers[0].header("location"));
    }
    assert_eq!(bench.get(ORDERS).await.header("x-total-count"), "1");
    // The same key means another thing for another resource.
    let service = json!({ "serviceOrderItem": [{ "id": "1", "action": "add", "service": {} }] });
    let line = "POST /tmf-api/serviceOrdering/v4/serviceOrder";
    let other = bench.send(line, &headers, Body::from(service.to_string())).await;
    assert_eq!(other.status, 201);
    assert_ne!(other.body["id"], answers[0].body["id"]);
}

#[tokio::test]
async fn a_list_is_filtered_sorted_and_paged() {
    let bench = Bench::new();
    for name in ["B", "C", "A", "D"] {
        assert_eq!(bench.post(ORDERS, &order(name)).await.status, 201);
    }
    let names = |body: &Value| {
        let rows = body.as_array().unwrap().iter();
        rows.map(|row| row["externalId"].as_str().unwrap().to_string()).collect::<String>()
    };
    let all = bench.get(ORDERS).await;
    assert_eq!((names(&all.body).as_str(), all.header("x-total-count")), ("BCAD", "4"));
    assert_eq!(all.header("link"), "");
    assert!(all.body[0]["href"].as_str().unwrap().starts_with(BASE));
    for (query, wanted, total) in [
        ("sort=externalId", "ABCD", "4"),
        ("sort=-externalId&limit=2", "DC", "4"),
        ("sort=-externalId&offset=1&limit=2", "CB", "4"),
        ("offset=1&limit=2", "CA", "4"),
        ("offset=9", "", "4"),
        ("limit=0", "", "4"),
        ("externalId=A,B", "BA", "2"),
        ("externalId=A,B&offset=1", "A", "2"),
        ("externalId.gt=B", "CD", "2"),
        ("productOrderItem.productOffering.id=PO-SF200H&externalId=%22C%22", "C", "1"),
        ("state=completed", "", "0"),
        ("productOrderItem.product.place.id=ADDR-1&state=held,completed&limit=1", "B", "4"),
    ] {
        let page = bench.get(&format!("{ORDERS}?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        assert_eq!(names(&page.body), wanted, "{query}");
        assert_eq!(page.header("x-total-count"), total, "{query}");
    }
    let date = all.body[1]["orderDate"].as_str().unwrap();
    let found = bench.get(&format!("{ORDERS}?orderDate={date}")).await;
    assert!(names(&found.body).contains('C'));
    let href = all.body[1]["href"].as_str().unwrap();
    assert_eq!(names(&bench.get(&format!("{ORDERS}?href={href}")).await.body), "C");
    let few = bench.get(&format!("{ORDERS}?fields=productOrderItem.id&limit=1")).await;
    let keys: Vec<_> = few.body[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["@type", "href", "id", "productOrderItem"]);
    assert_eq!(few.body[0]["productOrderItem"], json!([{ "id": "1" }]));
}

#[tokio::test]
async fn paths_are_taken_as_clients_write_them() {
    let bench = Bench::new();
    for path in [
        "/tmf-api//productOrderingManagement/v4//productOrder/",
        "/tmf-api/serviceOrderingManagement/v4/serviceOrder",
        "/tmf-api/resourceOrderingManagement/v4/resourceOrder",
        "/tmf-api/productInventoryManagement/v4/product",
        "/tmf-api/serviceInventoryManagement/v4/service/",
        "/tmf-api/resourceInventory/v4/resource",
        "/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate",
        "/tmf-api/productCatalogManagement/v4/productOffering",
        "/tmf-api/productCatalogManagement/v4/productSpecification",
        "/tmf-api/productCatalogManagement/v4/productOfferingPrice",
        "/tmf-api/serviceCatalog/v4/serviceSpecification",
        "/tmf-api/resourceCatalogManagement/v4/resourceSpecification",
    ] {
        let answer = bench.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.is_array(), "{path}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn catalogs_are_those_of_the_packs() {
    let bench = Bench::new();
    let path = "/tmf-api/productCatalogManagement/v4/productOffering";
    let found = bench.get(&format!("{path}/PO-SF200H")).await;
    assert_eq!(found.status, 200);
    assert_eq!(found.body["href"], json!(format!("{BASE}{path}/PO-SF200H")));
    let listed = bench.get(&format!("{path}?id=PO-SF200H&sort=-id&fields=name")).await;
    assert_eq!(listed.body[0]["name"], found.body["name"]);
}

#[tokio::test]
async fn missing_documents_are_an_error_of_the_standard() {
    let bench = Bench::new();
    for path in [
        "/nothing",
        "/tmf-api",
        "/tmf-api/productOrderingManagement/v9/productOrder",
        "/tmf-api/productOrderingManagement/v4/service",
        "/tmf-api/productOrderingManagement/v4/productOrder/none",
        "/orchestration/v1/nothing",
        "/orchestration/v1/fulfilments/none",
        "/orchestration/v1/fulfilments/none/events",
        "/orchestration/v1/runs/none",
    ] {
        let answer = bench.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.body["@type"], "Error", "{path}");
        assert_eq!(answer.body["code"], "404", "{path}");
        for name in ["reason", "message", "status"] {
            assert!(answer.body[name].is_string(), "{path}: {name}");
        }
    }
    for (line, allowed) in [
        (format!("DELETE {ORDERS}"), "GET, HEAD, POST"),
        (format!("PUT {ORDERS}/1"), "GET, HEAD, PATCH, DELETE"),
        ("POST /healthz".into(), "GET, HEAD"),
        ("GET /orchestration/v1/callbacks/x".into(), "POST"),
        ("GET /orchestration/v1/workflows/x/runs".into(), "POST"),
    ] {
        let answer = bench.send(&line, &[], Body::empty()).await;
        assert_eq!(answer.status, 405, "{line}");
        assert_eq!(answer.header("allow"), allowed, "{line}");
        assert_eq!(answer.body["@type"], "Error");
    }
}

#[tokio::test]
async fn other_hosts_are_not_answered() {
    let bench = Bench::new();
    let answer = bench.send("GET /healthz", &[("host", "evil.example")], Body::empty()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["referenceError"]), (421, &json!("Host")));
    let answer = bench.send("GET /healthz", &[("host", "localhost:1")], Body::empty()).await;
    assert_eq!(answer.status, 200);
}
