//! Unknown attributes are stored, with a warning.

use axum::body::Body;
use serde_json::{Value, json};

use super::bench::{Bench, order};

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const SIMULATE: &str = "/orchestration/v1/simulate/productOrder";
const TOLD: &str =
    "`prority` is no attribute of ProductOrder, it is kept and has no effect: is `priority` meant?";

fn misspelt() -> Value {
    let mut order = order("x");
    order["prority"] = json!("0");
    order
}

#[tokio::test]
async fn a_misspelt_attribute_of_an_order_is_kept_and_told() {
    let bench = Bench::new();
    let taken = bench.post(ORDERS, &misspelt()).await;
    assert_eq!((taken.status.as_u16(), &taken.body["prority"]), (201, &json!("0")));
    assert_eq!(taken.header("warning"), format!("299 ferrule \"{TOLD}\""));
    let right = bench.post(ORDERS, &order("y")).await;
    assert_eq!((right.status.as_u16(), right.header("warning")), (201, ""));
}

#[tokio::test]
async fn a_simulation_lists_what_is_not_understood() {
    let bench = Bench::new();
    let simulated = bench.post(SIMULATE, &misspelt()).await;
    assert_eq!(simulated.body["warnings"], json!([TOLD]), "{}", simulated.text);
    assert_eq!(simulated.header("warning"), format!("299 ferrule \"{TOLD}\""));
    let right = bench.post(SIMULATE, &order("y")).await;
    assert_eq!(right.body["warnings"], json!([]), "{}", right.text);
}

#[tokio::test]
async fn a_warning_has_nothing_of_a_request_that_could_end_it() {
    let bench = Bench::new();
    let body = json!({ "name": "x", "status": "active", "col\"our\r\nX-Own: ü": "red" });
    let made = bench.post("/tmf-api/productInventory/v4/product", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let warning = made.header("warning");
    assert!(warning.starts_with("299 ferrule \"`col?our??X-Own: ?` is no"), "{warning}");
    assert!(!made.headers.contains_key("x-own"));
    let headers = [("content-type", "application/json")];
    let many: serde_json::Map<String, Value> =
        (0..100).map(|n| (format!("attribute{n}"), json!(n))).collect();
    let mut body = json!({ "name": "x", "status": "active" });
    body.as_object_mut().unwrap().extend(many);
    let line = "POST /tmf-api/productInventory/v4/product";
    let made = bench.send(line, &headers, Body::from(body.to_string())).await;
    let told = made.headers.get_all("warning").iter().count();
    assert_eq!(told, tmf::unknown::TOLD_MAX);
}
