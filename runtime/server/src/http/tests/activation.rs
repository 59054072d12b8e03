//! Requests to activate something that make no sense: each is told which attribute is wrong, and
//! nothing is written.

use axum::body::Body;
use serde_json::{Value, json};

use super::bench::{Answer, Bench};

const SERVICES: &str = "/tmf-api/ServiceActivationAndConfiguration/v4/service";
const RESOURCES: &str = "/tmf-api/ResourceActivationAndConfiguration/v4/resource";
const INVENTORY: &str = "/tmf-api/serviceInventory/v4/service";

fn bearer() -> Value {
    json!({ "state": "active", "serviceSpecification": { "id": "RFS-GPON-BEARER" } })
}

fn with(name: &str, value: Value) -> Value {
    let mut body = bearer();
    body[name] = value;
    body
}

fn assert_wrong(answer: &Answer, status: u16, about: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.body["referenceError"], about, "{}", answer.text);
}

#[tokio::test]
async fn requests_that_cannot_be_activated_are_refused_and_change_nothing() {
    let bench = Bench::new();
    let unknown = json!({ "id": "RFS-NONE" });
    let speed = json!([{ "name": "colour", "value": 1 }]);
    let twice = json!([{ "name": "downMbps", "value": 1 }, { "name": "downMbps", "value": 2 }]);
    for (body, status, about) in [
        (with("serviceSpecification", unknown), 422, "serviceSpecification"),
        (with("serviceSpecification", Value::Null), 400, "serviceSpecification"),
        (with("state", json!("designed")), 422, "state"),
        (with("state", json!("sleepy")), 400, "state"),
        (with("serviceCharacteristic", speed), 422, "serviceCharacteristic"),
        (with("serviceCharacteristic", twice), 422, "serviceCharacteristic[1]"),
        (json!([]), 400, "$"),
    ] {
        assert_wrong(&bench.post(SERVICES, &body).await, status, about);
    }
    let bare = json!({ "name": "of no specification" });
    assert_wrong(&bench.post(RESOURCES, &bare).await, 422, "resourceSpecification");
    let port = json!({ "resourceSpecification": { "id": "RS-OLT-PORT" } });
    assert_wrong(&bench.post(RESOURCES, &port).await, 422, "resourceSpecification");
    assert_eq!(bench.facts(), 0);
}

#[tokio::test]
async fn instances_without_an_order_are_changed_in_the_inventory_alone() {
    let bench = Bench::new();
    let known = bench.post(INVENTORY, &bearer()).await;
    let path = format!("{SERVICES}/{}", known.body["id"].as_str().unwrap());
    let send = async |method: &str, body: Value| {
        let headers = [("content-type", "application/merge-patch+json")];
        bench.send(&format!("{method} {path}"), &headers, Body::from(body.to_string())).await
    };
    let noted = send("PATCH", json!({ "description": "noted" })).await;
    assert_eq!((noted.status.as_u16(), &noted.body["description"]), (200, &json!("noted")));
    let speed = json!({ "serviceCharacteristic": [{ "name": "downMbps", "value": 1 }] });
    assert_wrong(&send("PATCH", speed).await, 422, "id");
    let other = json!({ "serviceSpecification": { "id": "RFS-VLAN" }, "state": "inactive" });
    assert_wrong(&send("PATCH", other).await, 422, "serviceSpecification");
    assert_wrong(&send("DELETE", Value::Null).await, 422, "id");
    assert_eq!(bench.get(&path).await.body, noted.body);
    let none = bench.send(&format!("DELETE {SERVICES}/none"), &[], Body::empty()).await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn a_request_that_waits_for_an_operator_is_in_error_and_its_instance_is_locked() {
    let bench = Bench::new();
    // No plugin is there to do it.
    let posted = bench.post(SERVICES, &bearer()).await;
    assert_eq!((posted.status.as_u16(), &posted.body["state"]), (201, &json!("designed")));
    let link = posted.header("link").to_string();
    let monitor = link.split(['<', '>']).nth(1).unwrap();
    let monitor = bench.get(monitor.strip_prefix("http://127.0.0.1:8080").unwrap()).await;
    assert_eq!(monitor.body["state"], "InError", "{}", monitor.text);
    assert!(monitor.body.get("response").is_none(), "{}", monitor.text);
    let path = format!("{SERVICES}/{}", posted.body["id"].as_str().unwrap());
    let deleted = bench.send(&format!("DELETE {path}"), &[], Body::empty()).await;
    assert_wrong(&deleted, 409, "id");
}
