use serde_json::json;

use super::*;

fn told(resource: &str, before: Option<Value>, after: Option<Value>) -> Vec<String> {
    let sides = [before, after];
    let found = differences(resource, sides[0].as_ref(), sides[1].as_ref());
    let side = |side: Option<String>| side.unwrap_or_else(|| "-".into());
    let listed = found.listed.into_iter();
    listed.map(|one| format!("{} {} {}", one.path, side(one.before), side(one.after))).collect()
}

#[test]
fn changed_attributes_are_listed_with_both_values() {
    let before =
        json!({ "name": "a", "same": 1, "gone": true, "list": [{ "id": "1" }, { "id": "2" }] });
    let after =
        json!({ "name": "b", "same": 1, "list": [{ "id": "1" }, { "id": "3" }], "new": null });
    let found = told("productOffering", Some(before), Some(after));
    assert_eq!(found, ["gone true -", "list[1].id \"2\" \"3\"", "name \"a\" \"b\"", "new - null"]);
    assert_eq!(told("productOffering", None, Some(json!({ "id": "1" }))), ["id - \"1\""]);
    assert_eq!(told("productOffering", Some(json!({ "id": "1" })), None), ["id \"1\" -"]);
}

#[test]
fn values_about_a_person_are_masked_at_any_depth() {
    let person = json!({
        "id": "1",
        "givenName": "Ada",
        "contactMedium": [{ "characteristic": { "emailAddress": "ada@example.com" } }],
    });
    let found = told("individual", None, Some(person.clone()));
    assert_eq!(found, ["contactMedium - ***", "givenName - ***", "id - \"1\""]);
    let mut other = person.clone();
    other["contactMedium"][0]["characteristic"]["emailAddress"] = json!("ada@example.org");
    let found = told("individual", Some(person), Some(other));
    assert_eq!(found, ["contactMedium *** ***"]);
    let place = |street: Value| json!({ "place": street });
    let (text, nested) = (place(json!("x")), place(json!({ "streetName": "Main", "id": "2" })));
    let found = told("product", Some(text), Some(nested));
    assert_eq!(found, ["place \"x\" -", "place.id - \"2\"", "place.streetName - ***"]);
}

#[test]
fn secrets_are_masked_by_their_names() {
    let hub = json!({ "callback": "https://x/?token=1", "accessToken": "y", "query": "z" });
    let found = told("hub", None, Some(hub));
    assert_eq!(found, ["accessToken - ***", "callback - ***", "query - \"z\""]);
}

#[test]
fn a_difference_is_bounded() {
    let many: Value = (0..1_000).map(|number| json!({ "id": number.to_string() })).collect();
    let found = differences("x", None, Some(&many));
    assert_eq!((found.listed.len(), found.more), (ATTRIBUTES_MAX, 1_000 - ATTRIBUTES_MAX));
    let long = json!({ "a": "é".repeat(1_000) });
    let found = differences("x", None, Some(&long));
    let text = found.listed[0].after.as_deref().unwrap();
    assert!(text.len() <= VALUE_BYTES_MAX + '…'.len_utf8(), "{text}");
    let deep = (0..100).fold(json!("x"), |deep, _| json!({ "a": deep }));
    assert_eq!(told("x", None, Some(deep)).len(), 1);
}
