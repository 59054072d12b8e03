use serde_json::json;
use tmf::time::Timestamp;

use super::*;
use crate::documents::verify::verify;
use crate::documents::{Change, Expected, Put, batch};
use crate::store::{Epoch, Fact, Memory, Scan, Store as _};

const ORDER: (&str, &str) = ("serviceOrder", "o-1");

fn append(store: &Memory, writes: Vec<Write>, documents: Vec<Put>) {
    let batch = batch(Epoch(0), Timestamp(1), writes, documents);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(batch)).unwrap();
}

fn facts(store: &Memory, prefix: &[u8]) -> Vec<Fact> {
    store.scan(&Scan::prefix(prefix, usize::MAX)).unwrap()
}

fn item(number: usize) -> Value {
    json!({ "id": number.to_string(), "service": { "id": format!("s-{number}") } })
}

fn put(change: Change) -> Put {
    Put::new(ORDER.0, ORDER.1, change, Expected::Anything)
}

/// An order of `pieces` pieces of three items each, as a record left it.
fn write_order(store: &Memory, state: &str, record: u32, pieces: usize) {
    let (list, prefix) = ("serviceOrderItem", keys::document_pieces(ORDER.0, ORDER.1, record));
    for index in 0..pieces {
        let entries = (3 * index..3 * index + 3).map(item).collect();
        let (resource, id) = (ORDER.0, ORDER.1.to_string());
        append(store, piece(Piece { resource, id, list, index, entries }, record), Vec::new());
    }
    let count = u32::try_from(pieces).unwrap();
    let body = json!({ "id": ORDER.1, "state": state });
    let head = Change::SetPieced(Pieced { body, list, prefix, count });
    append(store, Vec::new(), vec![put(head)]);
}

/// The order as it is read, which its indexes lead to.
fn order(store: &Memory) -> Document {
    assert_eq!(verify(store).unwrap().findings, []);
    let bytes = store.get(&keys::document(ORDER.0, ORDER.1)).unwrap().unwrap();
    Document::read(&bytes).unwrap()
}

fn as_it_is(state: &str, items: usize) -> Value {
    let items: Vec<Value> = (0..items).map(item).collect();
    json!({ "id": ORDER.1, "state": state, "serviceOrderItem": items })
}

#[test]
fn a_document_in_pieces_is_a_document_like_any_other() {
    let store = Memory::new();
    // It may have been short at first, and an empty list is one too.
    let short = as_it_is("acknowledged", 3);
    append(&store, Vec::new(), vec![put(Change::Set(short))]);
    write_order(&store, "inProgress", 1, 2);
    let read = order(&store);
    assert_eq!((read.revision, read.body), (2, as_it_is("inProgress", 6)));
    // The pieces of before are gone when the next ones count.
    write_order(&store, "completed", 2, 3);
    let read = order(&store);
    assert_eq!((read.revision, read.body), (3, as_it_is("completed", 9)));
    assert_eq!(facts(&store, b"g/").len(), 3);
    // Written once more, as after a crash in between, it is what it was.
    write_order(&store, "completed", 2, 3);
    assert_eq!(order(&store).revision, 3);
    let failed = Change::Merge(json!({ "state": "failed" }));
    append(&store, Vec::new(), vec![put(failed)]);
    assert_eq!(order(&store).body, as_it_is("failed", 9));
    assert_eq!(facts(&store, b"g/"), []);
    write_order(&store, "completed", 4, 3);
    append(&store, Vec::new(), vec![put(Change::Remove)]);
    assert_eq!(verify(&store).unwrap().findings, []);
    assert_eq!(facts(&store, b"g/"), []);
    assert_eq!(facts(&store, keys::ENTRIES), []);
}

#[test]
fn subscribers_are_told_of_a_document_in_pieces_without_its_list() {
    let store = Memory::new();
    write_order(&store, "acknowledged", 0, 2);
    write_order(&store, "completed", 1, 2);
    let told = facts(&store, keys::OUTBOX).into_iter();
    let told = told.map(|(_, event)| serde_json::from_slice::<Value>(&event).unwrap());
    let told: Vec<(String, Value)> = told
        .map(|event| (event["eventType"].to_string(), event["event"]["serviceOrder"].clone()))
        .collect();
    let [(created, first), (changed, second)] = &told[..] else { panic!("{told:?}") };
    assert!(created.contains("CreateEvent") && changed.contains("StateChangeEvent"));
    assert_eq!(*first, json!({ "id": ORDER.1, "state": "acknowledged" }));
    assert_eq!(*second, json!({ "id": ORDER.1, "state": "completed" }));
}
