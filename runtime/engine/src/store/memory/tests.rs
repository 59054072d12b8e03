//! A store whose batches show before they are durable, as on a disk.

use std::task::{Context, Poll, Waker};

use super::*;

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn put(key: &str) -> Batch {
    Batch::of(Epoch(0), vec![(key.into(), Some(Vec::new()))])
}

#[test]
fn a_visible_batch_is_neither_acknowledged_nor_settled_until_it_is_synced() {
    let store = Memory::unsynced();
    assert!(poll(&mut store.settled()).is_ready());
    let mut appended = store.append(put("a"));
    assert!(store.get(b"a").unwrap().is_some());
    let mut settled = store.settled();
    assert!(poll(&mut appended).is_pending() && poll(&mut settled).is_pending());
    store.sync();
    assert!(matches!(poll(&mut appended), Poll::Ready(Ok(()))));
    assert!(matches!(poll(&mut settled), Poll::Ready(Ok(()))));
}

#[test]
fn a_read_does_not_wait_for_later_batches() {
    let store = Memory::unsynced();
    let mut before = store.settled();
    let _appended = store.append(put("a"));
    assert!(matches!(poll(&mut before), Poll::Ready(Ok(()))));
}

#[test]
fn a_batch_that_cannot_be_synced_is_never_settled() {
    let store = Memory::unsynced();
    let mut appended = store.append(put("a"));
    let mut settled = store.settled();
    store.fail_sync();
    assert!(matches!(poll(&mut appended), Poll::Ready(Err(Error::Unsettled))));
    assert!(matches!(poll(&mut settled), Poll::Ready(Err(Error::Unsettled))));
    assert!(matches!(poll(&mut store.settled()), Poll::Ready(Err(Error::Unsettled))));
}
