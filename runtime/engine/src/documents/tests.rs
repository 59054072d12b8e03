//! The consequences of a change of a document, in the reference store.

use serde_json::{Value, json};
use tmf::time::Timestamp;

use super::*;
use crate::store::{Epoch, Memory, Scan, Store};

fn write(store: &Memory, at: i64, documents: Vec<Put>) -> Result<(), Error> {
    let batch = batch(Epoch(0), Timestamp(at), Vec::new(), documents);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    Ok(runtime.block_on(store.append(batch))?)
}

fn facts(store: &Memory) -> Vec<String> {
    let shown = |(key, value): (Vec<u8>, Vec<u8>)| {
        let key = super::named(&key);
        let value = match key.as_bytes()[0] {
            b'd' | b'v' => {
                let document = Document::read(&value).unwrap();
                format!("#{} @{} {}", document.revision, document.since.0, document.body)
            }
            b'r' => format!("{:?}", Ended::read(Some(&value))),
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
    I/customer|status|new|1
    I/customer|name|Ann|1
    I/customer|engagedParty.id|p|1
    d/customer/1 #1 @5 {"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}
    e/0000000000000000 {"event":{"customer":{"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}},"eventId":"0","eventTime":"1970-01-01T00:00:00.005Z","eventType":"CustomerCreateEvent","resource":"customer"}
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
    I/customer|status|active|1
    I/customer|name|Eve|1
    I/customer|engagedParty.id|p|1
    d/customer/1 #2 @2 {"engagedParty":{"id":"p"},"id":"1","name":"Eve","status":"active"}
    e/0000000000000000 {"event":{"customer":{"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}},"eventId":"0","eventTime":"1970-01-01T00:00:00.001Z","eventType":"CustomerCreateEvent","resource":"customer"}
    n/customer 1
    n/customer|status|active 1
    s/event 1
    v/customer|1|0000000000000001 #1 @1 {"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}
    "#);
}

#[test]
fn a_removed_document_leaves_its_versions_and_its_last_revision() {
    let store = Memory::new();
    write(&store, 1, vec![Put::create("customer", "1", customer("Ann", "new"))]).unwrap();
    let remove = Put::new("customer", "1", Change::Remove, Expected::Revision(1));
    write(&store, 2, vec![remove]).unwrap();
    insta::assert_snapshot!(facts(&store).join("\n"), @r#"
    e/0000000000000000 {"event":{"customer":{"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}},"eventId":"0","eventTime":"1970-01-01T00:00:00.001Z","eventType":"CustomerCreateEvent","resource":"customer"}
    e/0000000000000001 {"event":{"customer":{"id":"1","name":"Ann","status":"new"}},"eventId":"1","eventTime":"1970-01-01T00:00:00.002Z","eventType":"CustomerDeleteEvent","resource":"customer","@before":{"engagedParty":{"id":"p"},"id":"1","name":"Ann","status":"new"}}
    r/customer|1 Ended { revision: 2, before: 0 }
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
fn a_document_that_is_written_once_stays_as_it_is() {
    let store = Memory::new();
    let entry =
        |text: &str| Put::once("journalEntry", "rate-1", json!({ "id": "rate-1", "x": text }));
    write(&store, 1, vec![entry("first"), entry("second")]).unwrap();
    let before = facts(&store);
    assert_eq!(document_of(&store, "journalEntry", "rate-1").body["x"], "first");
    write(&store, 2, vec![entry("third")]).unwrap();
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
    e/0000000000000000 {"@postedAt":"1970-01-01T00:00:00.005Z","eventId":"e1","topic":"t"}
    n/topicEvent 1
    s/event 1
    "#);
}

fn document_of(store: &Memory, resource: &str, id: &str) -> Document {
    Document::read(&store.get(&keys::document(resource, id)).unwrap().unwrap()).unwrap()
}

fn document(store: &Memory, id: &str) -> Document {
    document_of(store, "customer", id)
}

fn remove(id: &str) -> Put {
    Put::new("customer", id, Change::Remove, Expected::Anything)
}

fn named(versions: &[Document]) -> Vec<&str> {
    versions.iter().map(|version| version.body["name"].as_str().unwrap()).collect()
}

#[test]
fn a_document_that_is_created_again_has_a_revision_and_a_history_of_its_own() {
    let store = Memory::new();
    let known = |store: &Memory| versions(store, "customer", "1", 9).unwrap();
    let create = |name| Put::create("customer", "1", customer(name, "new"));
    let rename = |name| Put::merge("customer", "1", json!({ "name": name }));
    write(&store, 1, vec![create("Ann")]).unwrap();
    write(&store, 2, vec![rename("Ann B.")]).unwrap();
    write(&store, 3, vec![remove("1")]).unwrap();
    assert_eq!(named(&known(&store)), ["Ann", "Ann B."]);
    write(&store, 4, vec![create("Eve")]).unwrap();
    assert_eq!(document(&store, "1").revision, 4);
    assert!(known(&store).is_empty());
    write(&store, 5, vec![rename("Eve B.")]).unwrap();
    assert_eq!(named(&known(&store)), ["Eve"]);
    // A client that knows a revision of the first one does not change the second.
    let stale = Put::new("customer", "1", Change::Remove, Expected::Revision(1));
    assert!(matches!(write(&store, 6, vec![stale]), Err(Error::Conflict { .. })));
    write(&store, 6, vec![remove("1"), create("Joe"), rename("Joe B.")]).unwrap();
    assert_eq!(document(&store, "1").revision, 8);
    assert_eq!(named(&known(&store)), ["Joe"]);
    write(&store, 7, vec![remove("1")]).unwrap();
    assert_eq!(named(&known(&store)), ["Joe", "Joe B."]);
}

#[test]
fn a_forgotten_document_leaves_no_trace() {
    let store = Memory::new();
    let create = || Put::create("of no table", "1", json!({ "id": "1" }));
    write(&store, 1, vec![create()]).unwrap();
    write(&store, 2, vec![Put::new("of no table", "1", Change::Remove, Expected::Anything)])
        .unwrap();
    write(&store, 3, vec![create()]).unwrap();
    write(&store, 4, vec![Put::new("of no table", "1", Change::Forget, Expected::Anything)])
        .unwrap();
    assert_eq!(facts(&store), Vec::<String>::new());
}

#[test]
fn attributes_alone_do_not_bring_a_removed_document_back() {
    let store = Memory::new();
    write(&store, 1, vec![Put::create("customer", "1", customer("Ann", "new"))]).unwrap();
    write(&store, 2, vec![remove("1")]).unwrap();
    let before = facts(&store);
    write(&store, 3, vec![Put::merge("customer", "1", json!({ "status": "active" }))]).unwrap();
    write(&store, 3, vec![Put::merge("customer", "1", customer("Ann", "active"))]).unwrap();
    assert_ne!(facts(&store), before);
    assert_eq!(document(&store, "1").body, customer("Ann", "active"));
    write(&store, 4, vec![remove("1")]).unwrap();
    let before = facts(&store);
    write(&store, 5, vec![Put::merge("customer", "1", json!({ "id": "2", "status": "x" }))])
        .unwrap();
    assert_eq!(facts(&store), before);
}

#[test]
fn a_document_is_found_by_each_of_its_references_and_counted_by_its_state() {
    let store = Memory::new();
    let parties: Vec<Value> = (0..500).map(|n| json!({ "id": format!("p{n}") })).collect();
    let product = |status| json!({ "id": "1", "relatedParty": parties, "status": status });
    write(&store, 1, vec![Put::create("product", "1", product("created"))]).unwrap();
    write(&store, 2, vec![Put::set("product", "1", product("active"))]).unwrap();
    let found =
        |path: &str, value: &str| store.get(&keys::entry("product", path, value, "1")).unwrap();
    assert!(found("status", "active").is_some() && found("status", "created").is_none());
    assert!((0..500).all(|n| found("relatedParty.id", &format!("p{n}")).is_some()));
    let count = store.get(&keys::count("product", "status", "active")).unwrap();
    assert_eq!(number(count.as_deref()), 1);
}

/// Puts bytes that are no document in the place of one.
fn harm(store: &Memory, id: &str) {
    let key = keys::document("customer", id);
    let mut bytes = store.get(&key).unwrap().unwrap();
    bytes.truncate(HEAD_BYTES + 5);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(Batch::of(Epoch(0), vec![(key, Some(bytes))]))).unwrap();
}

#[test]
fn an_unreadable_document_stops_no_other_change_and_is_set_aside_when_it_is_replaced() {
    let store = Memory::new();
    for id in ["1", "2"] {
        write(&store, 1, vec![Put::create("customer", id, customer("Ann", "new"))]).unwrap();
    }
    harm(&store, "1");
    let rename = |id| Put::merge("customer", id, json!({ "name": "Eve" }));
    write(&store, 2, vec![rename("1"), rename("2")]).unwrap();
    assert_eq!(document(&store, "2").body["name"], "Eve");
    let known = Put::new("customer", "1", Change::Remove, Expected::Revision(1));
    let refused = write(&store, 3, vec![known]).unwrap_err();
    assert_eq!(refused.to_string(), "the document `d/customer/1` cannot be read");
    let taken = Put::create("customer", "1", customer("Joe", "new"));
    assert!(matches!(write(&store, 3, vec![taken]), Err(Error::Conflict { found: Some(1), .. })));
    write(&store, 4, vec![Put::set("customer", "1", customer("Joe", "new"))]).unwrap();
    assert_eq!(
        (document(&store, "1").revision, &document(&store, "1").body["name"]),
        (2, &json!("Joe"))
    );
    let aside = store.get(&keys::set_aside("customer", "1")).unwrap().unwrap();
    assert_eq!(aside.len(), HEAD_BYTES + 5);
}

/// The index entries that a document adds, and the bytes of their keys.
fn entries_of(resource: &str, body: Value) -> (usize, usize) {
    let store = Memory::new();
    let id = body["id"].as_str().unwrap().to_string();
    write(&store, 1, vec![Put::create(resource, id, body).quiet()]).unwrap();
    let all = store.scan(&Scan::prefix("", usize::MAX)).unwrap();
    let other = [keys::DOCUMENTS, keys::COUNTS];
    let entries = all.iter().filter(|(key, _)| !other.iter().any(|other| key.starts_with(other)));
    entries
        .fold((0, 0), |(count, bytes), (key, value)| (count + 1, bytes + key.len() + value.len()))
}

/// Orders leave ten services for each product, so that entries are most of what the store writes.
#[test]
fn the_index_entries_of_a_document_are_few_and_short() {
    let order = "01a22dd2686c717a8a32a0065e648d81";
    let service = json!({
        "id": format!("{order}-s1"),
        "name": "Access line",
        "category": "CFS",
        "serviceType": "CFS",
        "state": "active",
        "relatedParty": [{ "id": "C-1001", "role": "customer" }],
        "serviceSpecification": { "id": "SS-ACCESS-01" },
        "serviceOrderItem": [{ "serviceOrderId": order, "itemId": "1" }],
        "supportingService": [{ "id": format!("{order}-s2") }],
        "supportingResource": [{ "id": format!("{order}-r1-1") }],
    });
    let (values, ids) = (11 + 3 + 3 + 6 + 6 + 12 + 32 + 35 + 37, 9 * 35);
    // Besides the value and the id: the letter, the code and what stands between, in five bytes.
    assert_eq!(entries_of("service", service), (9, values + ids + 9 * 5));
    let product_order = json!({
        "id": order,
        "state": "acknowledged",
        "externalId": "X-1",
        "category": "B2C",
        "relatedParty": [{ "id": "C-1001" }, { "id": "C-1001" }],
        "billingAccount": { "id": "A-1001" },
        "productOrderItem": [{ "product": { "id": format!("{order}-1") } }],
    });
    let (values, ids) = (12 + 3 + 3 + 6 + 6 + 34, 6 * 32);
    assert_eq!(entries_of("productOrder", product_order), (6, values + ids + 6 * 5));
}
