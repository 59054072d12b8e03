//! Documents with many references, with the id of a removed one, in use by an order, or damaged.

use axum::body::Body;
use engine::keys;
use engine::store::Store as _;
use serde_json::{Value, json};

use super::bench::{Answer, Bench, order};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const ORDER: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const BILLING: &str = "/orchestration/v1/billing";

async fn import(bench: &Bench, name: &str, body: &Value) {
    let line = format!("PUT /orchestration/v1/imports/{name}?resource=product");
    let headers = [("content-type", "application/x-ndjson")];
    let taken = bench.send(&line, &headers, Body::from(format!("{body}\n"))).await;
    assert_eq!((taken.status.as_u16(), &taken.body["refused"]), (200, &json!(0)), "{}", taken.text);
}

async fn delete(bench: &Bench, id: &str) -> Answer {
    bench.send(&format!("DELETE {PRODUCT}/{id}"), &[], Body::empty()).await
}

/// A product of an account with a price for a month.
fn priced(id: &str, account: &str, value: u32) -> Value {
    json!({
        "id": id, "name": format!("at {value}"), "status": "active",
        "startDate": "2026-03-01T00:00:00Z", "billingAccount": { "id": account },
        "productPrice": [{
            "name": "Access", "priceType": "recurring", "recurringChargePeriod": "month",
            "price": { "dutyFreeAmount": { "unit": "EUR", "value": value } },
        }],
    })
}

#[tokio::test]
async fn a_product_with_many_references_is_on_every_list() {
    let bench = Bench::new();
    let parties: Vec<Value> =
        (0..200).map(|n| json!({ "id": format!("p{n:03}"), "role": "user" })).collect();
    let body = json!({ "name": "x", "status": "active", "relatedParty": parties });
    let made = bench.post(PRODUCT, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    for query in ["status=active", "relatedParty.id=p000", "relatedParty.id=p199", "name=x"] {
        let list = bench.get(&format!("{PRODUCT}?{query}")).await;
        assert_eq!(list.header("x-total-count"), "1", "{query}: {}", list.text);
    }
    let line = format!("PATCH {PRODUCT}/{}", made.body["id"].as_str().unwrap());
    let headers = [("content-type", "application/merge-patch+json")];
    let changed = bench.send(&line, &headers, Body::from(r#"{"status":"terminated"}"#)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    for (query, count) in [("status=active", "0"), ("status=terminated", "1")] {
        let list = bench.get(&format!("{PRODUCT}?{query}")).await;
        assert_eq!(list.header("x-total-count"), count, "{query}: {}", list.text);
    }
}

#[tokio::test]
async fn a_product_with_the_id_of_a_removed_one_is_another() {
    let bench = Bench::new();
    import(&bench, "first", &priced("P", "acc", 1_000)).await;
    let first = bench.get(&format!("{PRODUCT}/P")).await.header("etag").to_owned();
    assert_eq!(delete(&bench, "P").await.status, 204);
    import(&bench, "second", &priced("P", "acc", 10)).await;
    let headers = [("if-none-match", first.as_str())];
    let line = format!("GET {PRODUCT}/P");
    assert_eq!(bench.send(&line, &headers, Body::empty()).await.status, 200);
    let headers = [("if-match", first.as_str()), ("content-type", "application/merge-patch+json")];
    let line = format!("PATCH {PRODUCT}/P");
    let stale = bench.send(&line, &headers, Body::from(r#"{"name":"y"}"#)).await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    let history = bench.get("/orchestration/v1/history/product/P").await;
    assert_eq!(history.body.as_array().map(Vec::len), Some(1), "{}", history.text);
    // The first one was charged until its removal; the second owes its own charges alone.
    let rates = "/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate?limit=1000";
    let list = async || bench.get(rates).await.body.as_array().unwrap().clone();
    let before = list().await;
    let run = bench.post(&format!("{BILLING}/runs"), &json!({ "date": "2026-04-01" })).await;
    assert_eq!(run.body["failed"], json!([]), "{}", run.text);
    let after = list().await;
    let made: Vec<_> = after
        .iter()
        .filter(|rate| !before.iter().any(|one| one["id"] == rate["id"]))
        .map(|rate| rate["taxExcludedAmount"]["value"].as_f64().unwrap())
        .collect();
    assert!(!made.is_empty() && made.iter().all(|value| *value <= 10.0), "{made:?}");
}

#[tokio::test]
async fn a_product_that_an_open_order_is_about_is_not_removed() {
    let bench = Bench::new();
    let ordered = bench.post(ORDER, &order("A")).await;
    let id = ordered.body["id"].as_str().unwrap();
    let mut product = priced("P", "acc", 10);
    product["productOrderItem"] = json!([{ "productOrderId": id, "orderItemId": "1" }]);
    import(&bench, "one", &product).await;
    let refused = delete(&bench, "P").await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.body["message"].as_str().unwrap().contains(id), "{}", refused.text);
    let headers = [("content-type", "application/merge-patch+json")];
    let cancel = Body::from(r#"{"state":"cancelled"}"#);
    let cancelled = bench.send(&format!("PATCH {ORDER}/{id}"), &headers, cancel).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    assert_eq!(delete(&bench, "P").await.status, 204);
}

/// Puts what is no document in the place of one.
async fn harm(bench: &Bench, id: &str) {
    let key = keys::document("product", id);
    let mut bytes = bench.store.get(&key).unwrap().unwrap();
    bytes.truncate(16);
    bytes.extend(vec![b'['; 300]);
    bench.services.engine.append(vec![(key, Some(bytes))], Vec::new()).await.unwrap();
}

#[tokio::test]
async fn an_unreadable_document_is_reported_and_hides_no_other() {
    let bench = Bench::new();
    for id in ["P1", "P2", "P3"] {
        import(&bench, id, &priced(id, "acc", 10)).await;
    }
    assert!(bench.get("/healthz").await.body.get("unreadableDocument").is_none());
    harm(&bench, "P2").await;
    for query in ["", "?status=active", "?name=at%2010", "?sort=-id", "?billingAccount.id=acc"] {
        let list = bench.get(&format!("{PRODUCT}{query}")).await;
        assert_eq!(list.status, 200, "{query}: {}", list.text);
        let ids: Vec<&str> =
            list.body.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert!(ids.len() == 2 && !ids.contains(&"P2"), "{query}: {ids:?}");
    }
    let export = bench.get("/orchestration/v1/exports/product").await;
    assert_eq!(export.text.lines().count(), 2, "{}", export.text);
    let one = bench.get(&format!("{PRODUCT}/P2")).await;
    assert_eq!(one.status, 500);
    assert!(one.text.contains("d/product/P2"), "{}", one.text);
    assert_eq!(bench.get("/healthz").await.body["unreadableDocument"], json!(["d/product/P2"]));
    let metrics = bench.get("/metrics").await.text;
    assert!(metrics.contains("ferrule_unreadable_documents 1"), "{metrics}");
}

/// An earlier version that cannot be read stops the bill of its own account, and of no other.
#[tokio::test]
async fn an_unreadable_version_stops_no_other_account() {
    let bench = Bench::new();
    for (id, account) in [("P1", "acc-1"), ("P2", "acc-2")] {
        import(&bench, id, &priced(id, account, 10)).await;
    }
    let key = keys::version("product", "P1", 1);
    bench.services.engine.append(vec![(key, Some(vec![b'['; 300]))], Vec::new()).await.unwrap();
    let run = bench.post(&format!("{BILLING}/runs"), &json!({ "date": "2026-04-01" })).await;
    assert_eq!(run.status, 201, "{}", run.text);
    assert_eq!((&run.body["billCount"], &run.body["failedCount"]), (&json!(1), &json!(1)));
    assert_eq!(run.body["failed"][0]["billingAccount"], "acc-1");
}
