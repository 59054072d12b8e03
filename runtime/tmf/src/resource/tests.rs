//! The table as a whole, and what follows from a document.

use serde_json::json;

use super::*;

static ORDER: Resource = Resource {
    name: "thing",
    key: "thing",
    lifecycle: Some(Lifecycle {
        attribute: "state",
        initial: "new",
        next: &[("new", &["old"]), ("old", &[])],
        words: Words::Listed,
    }),
    indexed: &["party.id", "externalId"],
    server: &[],
    fixed: &[],
    ..crate::table::DEFAULT
};

fn told(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let notifications = ORDER.notifications(before, after.cloned());
    notifications.iter().map(|told| format!("{} {}", told.event_type, told.body)).collect()
}

#[test]
fn a_new_document_is_told_once_in_its_first_state() {
    let told = told(None, Some(&json!({ "id": "1", "state": "new" })));
    assert_eq!(told, [r#"ThingCreateEvent {"id":"1","state":"new"}"#]);
}

#[test]
fn a_document_that_is_new_in_a_later_state_is_told_twice() {
    let told = told(None, Some(&json!({ "id": "1", "state": "old", "a": 1 })));
    let expected = [
        r#"ThingCreateEvent {"a":1,"id":"1","state":"new"}"#,
        r#"ThingStateChangeEvent {"id":"1","state":"old"}"#,
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_change_tells_what_changed_and_no_more() {
    let before = json!({ "id": "1", "state": "new", "a": 1, "b": 2, "c": 3 });
    let after = json!({ "id": "1", "state": "old", "a": 1, "b": 3 });
    let expected = [
        r#"ThingStateChangeEvent {"id":"1","state":"old"}"#,
        r#"ThingAttributeValueChangeEvent {"b":3,"c":null,"id":"1","state":"old"}"#,
    ];
    assert_eq!(told(Some(&before), Some(&after)), expected);
    assert!(told(Some(&before), Some(&before)).is_empty());
}

#[test]
fn an_order_tells_of_its_milestones_its_lateness_and_who_must_act() {
    let order = crate::table::APIS.iter().flat_map(|api| api.resources);
    let order = order.into_iter().find(|resource| resource.name == "serviceOrder").unwrap();
    let told = |before: &Value, after: &Value| -> Vec<String> {
        let told = order.notifications(Some(before), Some(after.clone()));
        told.iter().map(|told| format!("{} {}", told.event_type, told.body)).collect()
    };
    let milestones = |status: Value| json!([{ "name": "lit", "milestoneDate": status }]);
    let running = json!({ "id": "1", "state": "inProgress", "milestone": [{ "name": "lit" }] });
    let mut lit = running.clone();
    lit["milestone"] = milestones(json!("2026-03-01"));
    let expected = r#"ServiceOrderMilestoneEvent {"id":"1","milestone":[{"milestoneDate":"2026-03-01","name":"lit"}],"state":"inProgress"}"#;
    assert_eq!(told(&running, &lit), [expected]);
    let mut late = lit.clone();
    late["jeopardyAlert"] = json!([{ "alertDate": "2026-03-02" }]);
    assert_eq!(told(&lit, &late).len(), 1);
    assert!(told(&lit, &late)[0].starts_with("ServiceOrderJeopardyEvent "));
    let mut held = late.clone();
    held["state"] = json!("held");
    held["errorMessage"] = json!([{ "code": "X" }]);
    let expected = [
        r#"ServiceOrderStateChangeEvent {"errorMessage":[{"code":"X"}],"id":"1","state":"held"}"#,
        r#"ServiceOrderInformationRequiredEvent {"errorMessage":[{"code":"X"}],"id":"1","state":"held"}"#,
    ];
    assert_eq!(told(&late, &held), expected);
    assert!(told(&held, &held).is_empty());
}

#[test]
fn a_removed_document_is_told_by_its_name() {
    let told = told(Some(&json!({ "id": "1", "state": "old", "a": 1 })), None);
    assert_eq!(told, [r#"ThingDeleteEvent {"id":"1","state":"old"}"#]);
}

#[test]
fn every_value_that_a_path_leads_to_is_an_entry() {
    let document = json!({
        "id": "1", "state": "new", "externalId": "a\0b",
        "party": [{ "id": "p1" }, { "id": "p2" }, { "id": "p1" }, { "name": "none" }],
    });
    let entries = ORDER.entries(&document);
    let entries: Vec<String> = entries
        .iter()
        .map(|entry| format!("{}={} {}", entry.path, entry.value, entry.counted))
        .collect();
    let expected =
        ["externalId=a b false", "party.id=p1 false", "party.id=p2 false", "state=new true"];
    assert_eq!(entries, expected);
}

#[test]
fn a_long_value_is_cut_where_a_character_ends() {
    let long = "ä".repeat(crate::index::VALUE_BYTES_MAX);
    let cut = crate::index::value(&long);
    assert_eq!(cut.len(), crate::index::VALUE_BYTES_MAX / 2 * 2);
    assert!(long.starts_with(&cut));
}
