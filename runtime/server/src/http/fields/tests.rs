use serde_json::json;

use super::*;

fn picked(fields: &str) -> Value {
    let document = json!({
        "id": "1",
        "href": "/1",
        "@type": "ProductOrder",
        "state": "held",
        "item": [{ "id": "a", "action": "add", "product": { "id": "p", "name": "x" } }, { "id": "b" }],
    });
    Fields::parse(Some(fields)).unwrap().of(document)
}

#[test]
fn only_what_is_wanted_is_answered_and_what_names_the_document() {
    let id = json!({ "id": "1", "href": "/1", "@type": "ProductOrder" });
    assert_eq!(picked("missing"), id);
    assert_eq!(picked("none"), json!({ "id": "1", "href": "/1" }));
    assert_eq!(picked("\"state\"")["state"], "held");
    assert_eq!(picked("state , item")["item"][0]["product"]["name"], "x");
}

#[test]
fn a_path_leads_through_arrays() {
    assert_eq!(picked("item.id")["item"], json!([{ "id": "a" }, { "id": "b" }]));
    let two = picked("item.id,item.product.name");
    assert_eq!(two["item"][0], json!({ "id": "a", "product": { "name": "x" } }));
    assert_eq!(picked("item.product,item.product.name")["item"][0]["product"]["id"], "p");
}

#[test]
fn without_fields_everything_is_answered() {
    assert_eq!(Fields::parse(None).unwrap().of(json!({ "a": 1 })), json!({ "a": 1 }));
}

#[test]
fn texts_that_are_no_name_are_refused() {
    for text in ["a..b", "a.", ".a", "a[0]", "a b", "a=1", "*"] {
        assert!(Fields::parse(Some(text)).is_err(), "{text}");
    }
    assert_eq!(picked("state,,"), picked("state"));
    assert!(Fields::parse(Some(&["a"; 128].join(","))).is_ok());
    assert!(Fields::parse(Some(&["a"; 129].join(","))).is_err());
}
