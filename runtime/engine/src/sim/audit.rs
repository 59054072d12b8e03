//! Every input of a client or an operator belongs to an act. Whenever the power fails, each change that only
//! they make has its entry in the audit, and each entry its change.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Event, FulfilmentId, Record};

use crate::audit::{Act, read, verify};
use crate::core::{Asked, Input, read_records};
use crate::keys;
use crate::store::{Memory, Scan, Store as _};

/// An input with the act that it belongs to: those of the engine itself and of its worker have none.
pub(super) fn asked<R>(input: Input<R>, number: u64) -> Asked<R> {
    let is_own =
        matches!(input, Input::Finished { .. } | Input::Recalled(_) | Input::Reread { .. });
    let act = || Act { request: Some(number.to_string()), action: "sim".into(), ..Act::default() };
    Asked { input, act: (!is_own).then(|| Arc::new(act())) }
}

/// Whether an event follows from the input of a client or an operator only.
fn is_asked_for(event: &Event) -> bool {
    matches!(
        event,
        Event::Submitted { .. }
            | Event::Cancelling { .. }
            | Event::CancelRefused { .. }
            | Event::Patched { .. }
            | Event::Retried { .. }
            | Event::CompletedByHand { .. }
            | Event::Moved { .. }
    )
}

/// The changes of a store and its audit are the same, and its chain is whole.
pub(super) fn assert_audited(store: &Memory) {
    let (findings, ..) = verify(store, None).unwrap();
    assert_eq!(findings, [], "the chain is whole");
    let mut requests = BTreeSet::new();
    let mut entered = BTreeSet::new();
    for stored in read(store, 0, usize::MAX).unwrap() {
        let entry = stored.entry().unwrap();
        assert!(requests.insert(entry.request), "an input has one entry");
        let Some(recorded) = entry.fulfilment else { continue };
        entered.extend(recorded.record.map(|record| (recorded.id, record)));
    }
    for (id, number) in &entered {
        let record = keys::journal(&FulfilmentId::new(id), *number);
        assert!(
            store.get(&record).unwrap().is_some(),
            "no entry is without its change: {id} {number}"
        );
    }
    let journals = store.scan(&Scan::prefix(keys::JOURNALS, usize::MAX)).unwrap();
    let ids = journals.iter().filter_map(|(key, _)| keys::record_of(key));
    let ids: BTreeSet<&str> = ids.map(|(id, _)| id).collect();
    for id in ids {
        let records: Vec<Record> = read_records(store, &FulfilmentId::new(id)).unwrap();
        for (number, record) in (0..).zip(records) {
            if record.events.iter().any(is_asked_for) {
                let is_entered = entered.contains(&(id.to_string(), number));
                assert!(is_entered, "no change is without its entry: {id} {number}");
            }
        }
    }
}
