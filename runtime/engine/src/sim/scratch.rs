//! The scratch spaces of the simulation: some calls read a counter when they begin, and write the next number.
//! A number counts with the event that applies the answer, in one batch, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use model::{Event, Record};
use serde_json::{Value, json};

use super::network::name_of;
use crate::keys;
use crate::scratch::{Change, Changes, Expected, Quota, get};
use crate::store::{Memory, Store as _, Write, pieces};
use crate::worker::Call;

/// The writes that were made.
#[derive(Default)]
pub(super) struct Counters {
    /// The calls that counted.
    counted: BTreeSet<String>,
}

/// Counts a key up; what tells the call apart from all others, and its writes.
pub(super) fn count(
    store: &Memory,
    call: &Call,
    (key, number_of_call): (&str, u32),
) -> (String, Changes) {
    let by = format!("{} {} {} ({number_of_call})", call.fulfilment, call.task, name_of(call));
    let kept = get(store, &call.plugin, key).unwrap();
    let (expected, number) = match &kept {
        Some((revision, value)) => (Expected::Revision(*revision), read(value).0 + 1),
        None => (Expected::Absent, 1),
    };
    let value = json!({ "number": number, "by": by }).to_string().into_bytes();
    let change = Change { value: Some(value), expected };
    let writes = BTreeMap::from([(key.to_owned(), change)]);
    (by, Changes { plugin: call.plugin.clone(), quota: Quota::default(), writes })
}

fn read(value: &[u8]) -> (u64, String) {
    let value: Value = serde_json::from_slice(value).unwrap();
    (value["number"].as_u64().unwrap(), value["by"].as_str().unwrap().to_owned())
}

impl Counters {
    /// Checks a batch before it is on the disk.
    pub(super) fn assert(&mut self, store: &Memory, writes: &[Write]) {
        let written = writes.iter().filter_map(|(key, fact)| {
            keys::scratch_of(key)
                .map(|_| (key, &fact.as_ref().expect("no operator deletes here")[8..]))
        });
        for (key, value) in written {
            let (number, by) = read(value);
            let before = store.get(key).unwrap().map_or(0, |fact| read(&fact[8..]).0);
            assert_eq!(number, before + 1, "no write of a counter is lost");
            let events = events(store, writes);
            let applies = events.iter().any(|event| is_of(event, &by));
            assert!(applies, "{by} counts with its event: {events:?}");
            assert!(self.counted.insert(by), "an answer counts once");
        }
        for event in events(store, writes) {
            if let Event::Succeeded { outputs, .. } = event
                && let Some(by) = outputs.get("counted").and_then(Value::as_str)
            {
                assert!(self.counted.contains(by), "{by} is applied with what it counted");
            }
        }
    }
}

/// The events of the records of a batch.
fn events(store: &Memory, writes: &[Write]) -> Vec<Event> {
    let records = writes.iter().filter_map(|(key, fact)| {
        keys::record_of(key)?;
        let whole = pieces::whole(fact.clone()?, |key| store.get(key)).unwrap();
        Some(Record::decode(&whole).unwrap())
    });
    records.flat_map(|record| record.events).collect()
}

/// Whether an event applies the answer of a call.
fn is_of(event: &Event, by: &str) -> bool {
    let mut words = by.split(' ');
    let task = words.nth(1).unwrap();
    let (Event::Succeeded { .. }
    | Event::Waiting { .. }
    | Event::Undone { .. }
    | Event::UndoWaiting { .. }) = event
    else {
        return false;
    };
    event.task().is_some_and(|own| own.to_string() == task)
}
