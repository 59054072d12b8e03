//! What follows from a change of a document, in the reference store.

use model::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::store::{Batch, Epoch, Memory, Scan, Store};

fn write(store: &Memory, at: i64, documents: Vec<Put>) -> Result<(), Error> {
    let batch = Batch { epoch: Epoch(0), at: Timestamp(at), writes: Vec::new(), documents };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(batch))
}

fn facts(store: &Memory) -> Vec<String> {
    let shown = |(key, value): (Vec<u8>, Vec<u8>)| {
        let key = String::from_utf8(key).unwrap().replace('\0', "|");
        let value = match key.as_bytes()[0] {
            b'd' | b'v' => {
                let document = Document::read(&value).unwrap();
                format!("#{} @{} {}", document.revision, document.since.0, document.body)
            }
            b'n' | b's' => number(Some(&value)).to_string(),
            _ => String::from_utf8(value).unwrap(),
        };
        format!("{key} {value}").trim_end().to_string()
    };
    store.scan(&Scan::prefix("", usize::MAX)).unwrap().into_iter().map(shown).collect()
}

fn customer(name: &str, status: &str) -> Value {
    json!({ "id": "1", "name": name, "status": status, "engagedParty": { "id": "p" } })
}

#[test]
fn a_new_document_is_found_counted_and_told() {
    let store = Memory::new();
    write(&store, 5, vec![Put::create("customer", "1", customer("Ann", "new"))]).unwrap();
    insta::assert_snapshot!(facts(&store).join("\n"), @r#"
    d/customer/1 #1 @5 {"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}
    e/0000000000000000 {"event":{"customer":{"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}},"eventId":"0","eventTime":"1970-01-01T00:00:00.005Z","eventType":"CustomerCreateEvent","resource":"customer"}
    i/customer|engagedParty.id|p|1
    i/customer|name|Ann|1
    i/customer|status|new|1
    n/customer 1
    n/customer|status|new 1
    s/event 1
    "#);
}

#[test]
fn a_change_moves_the_ways_to_a_document_and_keeps_what_was() {
    let store = Memory::new();
    write(&store, 1, vec![Put::create("customer", "1", customer("Ann", "new"))]).unwrap();
    let patch = json!({ "name": "Eve", "status": "active" });
    write(&store, 2, vec![Put::merge("customer", "1", patch).quiet()]).unwrap();
    insta::assert_snapshot!(facts(&store).join("\n"), @r#"
    d/customer/1 #2 @2 {"engagedParty":{"id":"p"},"id":"1","name":"Eve","status":"active"}
    e/0000000000000000 {"event":{"customer":{"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}},"eventId":"0","eventTime":"1970-01-01T00:00:00.001Z","eventType":"CustomerCreateEvent","resource":"customer"}
    i/customer|engagedParty.id|p|1
    i/customer|name|Eve|1
    i/customer|status|active|1
    n/customer 1
    n/customer|status|active 1
    s/event 1
    v/customer|1|0000000000000001 #1 @1 {"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}
    "#);
}

#[test]
fn what_is_removed_leaves_its_versions_and_nothing_else() {
    let store = Memory::new();
    write(&store, 1, vec![Put::create("customer", "1", customer("Ann", "new"))]).unwrap();
    let remove = Put::new("customer", "1", Change::Remove, Expected::Revision(1));
    write(&store, 2, vec![remove]).unwrap();
    insta::assert_snapshot!(facts(&store).join("\n"), @r#"
    e/0000000000000000 {"event":{"customer":{"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}},"eventId":"0","eventTime":"1970-01-01T00:00:00.001Z","eventType":"CustomerCreateEvent","resource":"customer"}
    e/0000000000000001 {"event":{"customer":{"id":"1","name":"Ann","status":"new"}},"eventId":"1","eventTime":"1970-01-01T00:00:00.002Z","eventType":"CustomerDeleteEvent","resource":"customer"}
    s/event 2
    v/customer|1|0000000000000001 #1 @1 {"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}
    "#);
}

#[test]
fn a_change_that_expects_something_else_changes_nothing() {
    let store = Memory::new();
    let first = Put::create("customer", "1", customer("Ann", "new"));
    write(&store, 1, vec![first.clone()]).unwrap();
    let before = facts(&store);
    let other = Put::create("customer", "2", customer("Eve", "new"));
    let conflict = |result| match result {
        Err(Error::Conflict { found, .. }) => found,
        other => panic!("{other:?}"),
    };
    assert_eq!(conflict(write(&store, 2, vec![other.clone(), first])), Some(1));
    let stale = Put::new("customer", "1", Change::Remove, Expected::Revision(7));
    assert_eq!(conflict(write(&store, 2, vec![other, stale])), Some(1));
    let gone = Put::new("customer", "3", Change::Remove, Expected::Revision(1));
    assert_eq!(conflict(write(&store, 2, vec![gone])), None);
    assert_eq!(facts(&store), before);
}

#[test]
fn one_batch_may_change_a_document_twice() {
    let store = Memory::new();
    let first = Put::create("customer", "1", customer("Ann", "new"));
    let second =
        Put::new("customer", "1", Change::Merge(json!({ "name": "Eve" })), Expected::Revision(1));
    write(&store, 1, vec![first, second]).unwrap();
    let key = keys::document("customer", "1");
    let document = Document::read(&store.get(&key).unwrap().unwrap()).unwrap();
    assert_eq!((document.revision, &document.body["name"]), (2, &json!("Eve")));
    assert_eq!(number(store.get(&keys::total("customer")).unwrap().as_deref()), 1);
}

#[test]
fn a_document_that_stays_as_it_is_writes_nothing() {
    let store = Memory::new();
    write(&store, 1, vec![Put::set("customer", "1", customer("Ann", "new"))]).unwrap();
    let before = facts(&store);
    write(&store, 2, vec![Put::set("customer", "1", customer("Ann", "new"))]).unwrap();
    assert_eq!(facts(&store), before);
}

#[test]
fn a_document_that_is_an_event_is_told_as_it_is() {
    let store = Memory::new();
    let mut posted = Put::create("topicEvent", "t/e1", json!({ "eventId": "e1", "topic": "t" }));
    posted.audience = Audience::Event;
    write(&store, 5, vec![posted]).unwrap();
    insta::assert_snapshot!(facts(&store).join("\n"), @r#"
    d/topicEvent/t/e1 #1 @5 {"eventId":"e1","topic":"t"}
    e/0000000000000000 {"eventId":"e1","told":"1970-01-01T00:00:00.005Z","topic":"t"}
    n/topicEvent 1
    s/event 1
    "#);
}
