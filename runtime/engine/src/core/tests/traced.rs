//! A trace stays with its fulfilment.

use super::super::*;
use super::stage::Stage;
use crate::store::Store as _;
use crate::trace::Trace;

const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_trace_outlives_a_crash_beside_the_journal_and_goes_with_the_end() {
    let mut stage = Stage::new(Durability::Shared);
    stage.trace = Trace::parse(HEADER);
    stage.task("first, external");
    stage.task("second needs first, external");
    stage.line("submit");
    let id = FulfilmentId::new("f");
    let expected = stage.trace.map(|trace| trace.task(&id, TaskId(0), Direction::Forward));
    assert!(expected.is_some() && stage.traces.iter().all(|trace| *trace == expected));
    let open = stage.store.get(&keys::open(&id)).unwrap();
    assert_eq!(open.as_deref(), Some(HEADER.as_bytes()));
    // The attempt is made again, as a part of the same span.
    stage.line("restart");
    assert_eq!(stage.traces, [expected, expected]);
    stage.line("done first");
    stage.line("done second");
    assert_eq!(stage.store.get(&keys::open(&id)).unwrap(), None);
}

#[test]
fn an_order_without_a_trace_keeps_none() {
    let mut stage = Stage::new(Durability::Shared);
    stage.task("first, external");
    stage.line("submit");
    let open = stage.store.get(&keys::open(&FulfilmentId::new("f"))).unwrap();
    assert_eq!(open.as_deref(), Some(&[][..]));
    assert_eq!(stage.traces, [None]);
}
