use ferrule_plugin::role::Request;
use ferrule_plugin::{Action, Decomposer, FailureClass};
use serde_json::{Value, json};

use super::Adapter;

fn request(characteristics: &Value) -> Request {
    Request {
        spec: "WAN".into(),
        action: Action::Add,
        characteristics: characteristics.to_string(),
        order: "{}".into(),
        attributes: Vec::new(),
    }
}

#[test]
fn each_site_has_an_access() {
    let made = Adapter::decompose(&request(&json!({ "sites": ["Bern", "Basel"] }))).unwrap();
    let sites: Vec<&str> = made.iter().map(|made| made.characteristics.as_str()).collect();
    assert_eq!(sites, [r#"{"site":"Bern"}"#, r#"{"site":"Basel"}"#]);
}

#[test]
fn sites_that_are_no_list_are_rejected() {
    let failure = Adapter::decompose(&request(&json!({ "sites": 2 }))).unwrap_err();
    assert_eq!(failure.class, FailureClass::Reject);
}
