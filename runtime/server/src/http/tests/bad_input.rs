//! What clients get wrong: each is told what and where, and leaves nothing behind.

use axum::body::Body;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::bench::{BODY_BYTES_MAX, Bench, order};

const PRODUCT: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const SERVICE: &str = "/tmf-api/serviceOrdering/v4/serviceOrder";
const RESOURCE: &str = "/tmf-api/resourceOrdering/v4/resourceOrder";

type Headers = Vec<(&'static str, &'static str)>;

fn with(path: &str, value: Value) -> Value {
    let mut order = order("A");
    *order.pointer_mut(path).unwrap() = value;
    order
}

/// An order, what is wrong with it, and what the answer names.
fn orders() -> Vec<(&'static str, Value, u16, &'static str)> {
    let item = "/productOrderItem/0";
    let at = |name: &str| format!("{item}{name}");
    let two = |first: Value, second: Value| json!({ "productOrderItem": [first, second] });
    let related = |id: &str, to: &str| {
        let relation = json!([{ "relationshipType": "reliesOn", "id": to }]);
        json!({ "id": id, "action": "add", "productOrderItemRelationship": relation })
    };
    let long = "x".repeat(201);
    vec![
        (PRODUCT, json!([]), 400, "$"),
        (PRODUCT, json!("order"), 400, "$"),
        (PRODUCT, Value::Null, 400, "$"),
        (PRODUCT, json!({}), 400, "productOrderItem"),
        (PRODUCT, json!({ "productOrderItem": [] }), 400, "productOrderItem"),
        (PRODUCT, json!({ "productOrderItem": {} }), 400, "productOrderItem"),
        (PRODUCT, json!({ "productOrderItem": [1] }), 400, "productOrderItem[0]"),
        (PRODUCT, with(&at("/id"), json!(1)), 400, "productOrderItem[0].id"),
        (PRODUCT, with(&at("/id"), json!("")), 400, "productOrderItem[0].id"),
        (PRODUCT, with(&at("/id"), json!(long)), 400, "productOrderItem[0].id"),
        (PRODUCT, with(&at("/id"), json!("a\u{0}b")), 400, "productOrderItem[0].id"),
        (PRODUCT, with(&at("/action"), json!("destroy")), 400, "productOrderItem[0].action"),
        (PRODUCT, with(&at("/action"), Value::Null), 400, "productOrderItem[0].action"),
        (
            PRODUCT,
            with(&at("/productOffering"), json!(7)),
            400,
            "productOrderItem[0].productOffering",
        ),
        (
            PRODUCT,
            with(&at("/productOffering"), json!({})),
            400,
            "productOrderItem[0].productOffering.id",
        ),
        (PRODUCT, with(&at("/product"), json!([])), 400, "productOrderItem[0].product"),
        (PRODUCT, with("/relatedParty", json!({})), 400, "relatedParty"),
        (PRODUCT, with(&at("/action"), json!("delete")), 422, "productOrderItem[0].product.id"),
        (
            PRODUCT,
            json!({ "productOrderItem": [
                { "id": "1", "action": "modify", "product": { "id": "none" } },
            ]}),
            422,
            "productOrderItem[0].product.id",
        ),
        (PRODUCT, two(related("1", "2"), related("2", "1")), 422, "productOrderItem"),
        (PRODUCT, two(related("1", "2"), related("1", "1")), 422, "productOrderItem"),
        (
            PRODUCT,
            json!({ "productOrderItem": [related("1", "9")] }),
            422,
            "productOrderItem[0].productOrderItemRelationship[0]",
        ),
        (SERVICE, json!({}), 400, "serviceOrderItem"),
        (
            SERVICE,
            json!({ "serviceOrderItem": [{ "id": "1", "action": "add" }] }),
            400,
            "serviceOrderItem[0].service",
        ),
        (RESOURCE, json!({ "orderItem": [{ "action": "add" }] }), 400, "orderItem[0].id"),
    ]
}

#[tokio::test]
async fn a_wrong_order_is_named_and_leaves_nothing_behind() {
    let bench = Bench::new();
    for (path, order, status, about) in orders() {
        let answer = bench.post(path, &order).await;
        assert_eq!(answer.status, status, "{order} answered {}", answer.body);
        assert_eq!(answer.body["code"], json!(status.to_string()), "{order}");
        assert_eq!(answer.body["@type"], "Error");
        let named = answer.body["referenceError"].as_str().unwrap_or_default();
        assert!(named.starts_with(about), "{order} names `{named}`, not `{about}`");
        assert!(!answer.body["message"].as_str().unwrap().is_empty());
        assert_eq!(bench.facts(), 0, "{order} left something behind");
    }
    for path in [PRODUCT, SERVICE, RESOURCE] {
        assert_eq!(bench.get(path).await.body, json!([]));
    }
}

#[tokio::test]
async fn a_wrong_body_is_refused_before_it_is_read_on() {
    let bench = Bench::new();
    let json = ("content-type", "application/json");
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    let cases: Vec<(Headers, Vec<u8>, u16, &str)> = vec![
        (vec![json], b"{\"a\":\n  oops}".to_vec(), 400, "line 2 column 3"),
        (vec![json], b"".to_vec(), 400, "empty"),
        (vec![json], b"{\"a\":1".to_vec(), 400, "EOF"),
        (vec![json], b"{} {}".to_vec(), 400, "trailing"),
        (vec![json], b"\xff\xfe{}".to_vec(), 400, "no JSON"),
        (vec![json], b"{\"a\":1e}".to_vec(), 400, "no JSON"),
        (vec![json], format!("{{\"a\":{}}}", "7".repeat(1_001)).into_bytes(), 400, "1000"),
        (vec![json], b"{\"a\":[{\"b\":1,\"b\":2}]}".to_vec(), 400, "`a[0].b` stands twice"),
        (vec![json], deep.into_bytes(), 400, "deep"),
        (vec![json], large.into_bytes(), 413, "65536"),
        (vec![json, ("content-length", "99999999999")], b"{}".to_vec(), 413, "65536"),
        (vec![], b"{}".to_vec(), 415, "application/json"),
        (vec![("content-type", "text/plain")], b"{}".to_vec(), 415, "application/json"),
        (vec![("content-type", "application/xml")], b"<a/>".to_vec(), 415, "application/json"),
        (vec![json, ("idempotency-key", "")], b"{}".to_vec(), 400, "visible"),
        (vec![json, ("idempotency-key", "a b")], b"{}".to_vec(), 400, "visible"),
    ];
    for (headers, body, status, word) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = bench.send(&format!("POST {PRODUCT}"), &headers, Body::from(body)).await;
        assert_eq!(answer.status, status, "{shown}: {}", answer.body);
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.contains(word), "{shown}: {message}");
    }
    let key = "k".repeat(256);
    let headers = [json, ("idempotency-key", key.as_str())];
    let long = bench.send(&format!("POST {PRODUCT}"), &headers, Body::from("{}")).await;
    assert_eq!(long.body["referenceError"], "Idempotency-Key");
    assert_eq!(bench.facts(), 0);
}

#[tokio::test]
async fn a_flow_of_an_unknown_specification_is_refused_by_its_attribute() {
    let bench = Bench::new();
    let flows = "/tmf-api/processFlowManagement/v4/processFlow";
    let refused = bench.post(flows, &json!({ "processFlowSpecification": "nothing" })).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(refused.body["referenceError"], "processFlowSpecification");
    let message = refused.body["message"].as_str().unwrap();
    assert!(message.contains("no pack has a workflow `nothing`"), "{message}");
    assert!(!message.ends_with(": "), "{message}");
}

#[tokio::test]
async fn a_wrong_query_is_named() {
    let bench = Bench::new();
    for (query, status, about) in [
        ("limit=x", 400, "limit"),
        ("offset=-1", 400, "offset"),
        ("state.like=h", 400, "state.like"),
        ("name.regex=(", 400, "name.regex"),
        ("nothing=x", 400, "nothing"),
        ("relatedParty.nothing=x", 400, "relatedParty.nothing"),
        ("filter=$[", 400, "filter"),
    ] {
        let answer = bench.get(&format!("{PRODUCT}?{query}")).await;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(answer.body["referenceError"], about, "{query}");
    }
    assert_eq!(bench.get(&format!("{PRODUCT}/%ff")).await.status, 400);
}

#[tokio::test]
async fn wrong_requests_of_the_orchestration_api_leave_nothing_behind() {
    let bench = Bench::new();
    let runs = "/orchestration/v1/workflows/six-steps/runs";
    let long = format!("/orchestration/v1/callbacks/p/{}", "k".repeat(301));
    for (path, body, status, about) in [
        ("/orchestration/v1/workflows/none/runs", json!({}), 404, "workflow"),
        (runs, json!([1]), 400, "$"),
        ("/orchestration/v1/workflows/six-steps/runs?wait=forever", json!({}), 400, "wait"),
        ("/orchestration/v1/workflows/six-steps/runs?wait=301s", json!({}), 400, "wait"),
        ("/orchestration/v1/workflows/six-steps/runs?wait=%C3%A9", json!({}), 400, "wait"),
        ("/orchestration/v1/fulfilments/none/retry", json!({}), 404, "id"),
        (long.as_str(), json!({}), 400, "key"),
        ("/orchestration/v1/simulate/productOrder", json!({}), 400, "productOrderItem"),
    ] {
        let answer = bench.post(path, &body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert_eq!(answer.body["referenceError"], about, "{path}");
    }
    assert_eq!(bench.post("/orchestration/v1/simulate/product", &json!({})).await.status, 404);
    assert_eq!(bench.facts(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_body_is_answered(body: Vec<u8>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let status = runtime.block_on(async {
            let bench = shared();
            let headers = [("content-type", "application/json")];
            bench.send(&format!("POST {PRODUCT}"), &headers, Body::from(body)).await.status
        });
        prop_assert_eq!(status.as_u16(), 400);
    }
}

/// Bytes that are no order never reach the engine, so one bench, whose loop is long gone, does.
fn shared() -> &'static Bench {
    static BENCH: std::sync::OnceLock<Bench> = std::sync::OnceLock::new();
    BENCH.get_or_init(Bench::new)
}
