//! The outbox as workers read it. One task follows its end; the last events are kept in memory,
//! read once for all workers at the end.

use engine::documents::{Error, number};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use engine::keys;
use engine::store::{Scan, Store};
use tmf::subscription::OutboxEvent;
use tokio::sync::watch;

use super::Events;
use crate::documents::Documents;

/// Max events in memory, and their max bytes together.
const RECENT_MAX: usize = 1_024;
const RECENT_BYTES_MAX: usize = 8 << 20;

/// Events that a worker takes at once from memory, and from the store.
const PAGE_RECENT: usize = 64;
const PAGE_STORED: usize = 16;

/// Events read at once by the task that follows the end.
const FOLLOWED_AT_ONCE: usize = 256;

/// An event with its number; `None` if the stored event is unreadable.
pub(super) type Numbered = (u64, Option<Arc<OutboxEvent>>);

/// The events, readable from any number on.
pub(super) struct Outbox {
    recent: Mutex<Recent>,
    /// The number of the next event; all before it are durable.
    end: watch::Sender<u64>,
    /// All events before this number were removed, and maybe later ones.
    removed: AtomicU64,
}

/// The last events without a gap.
#[derive(Default)]
struct Recent {
    events: VecDeque<(u64, usize, Option<Arc<OutboxEvent>>)>,
    bytes: usize,
}

/// The number of the next event.
pub(super) fn end(store: &dyn Store) -> Result<u64, Error> {
    Ok(number(store.get(keys::NEXT_EVENT)?.as_deref()))
}

/// The number of an event, from its key.
pub(super) fn sequence(key: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(key.strip_prefix(keys::OUTBOX)?).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

/// Everything from an event on, at most `limit` events.
pub(super) fn scan_from(next: u64, limit: usize) -> Scan {
    let after = next.checked_sub(1).map(keys::outbox);
    Scan { after, ..Scan::prefix(keys::OUTBOX, limit) }
}

/// Follows the end of the outbox until the store fails.
pub(super) async fn follow(events: Events) {
    let mut changed = events.engine().store().changed();
    loop {
        if let Err(error) = events.0.outbox.catch_up(&events).await {
            tracing::error!(%error, "events are not sent any more: the store failed");
            return;
        }
        // An error means that the store was dropped.
        if changed.changed().await.is_err() {
            return;
        }
    }
}

impl Outbox {
    /// The outbox of a store. All events in it are durable: the store was just opened.
    pub(super) fn open(store: &dyn Store) -> Result<Self, Error> {
        let end = watch::Sender::new(end(store)?);
        Ok(Self { recent: Mutex::default(), end, removed: AtomicU64::new(0) })
    }

    /// A number before which all events were removed.
    pub(super) fn removed(&self) -> u64 {
        self.removed.load(Ordering::Relaxed)
    }

    /// Notes that all events before a number were removed.
    pub(super) fn removed_to(&self, next: u64) {
        self.removed.fetch_max(next, Ordering::Relaxed);
    }

    /// Follows the number of the next event.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.end.subscribe()
    }

    /// The events from a number on, some at once; empty at the end. The first may have a
    /// higher number than `next`: those before were removed.
    pub(super) async fn from(
        &self,
        documents: &Documents,
        next: u64,
    ) -> Result<Vec<Numbered>, Error> {
        let end = *self.end.borrow();
        if next >= end {
            return Ok(Vec::new());
        }
        if let Some(page) = self.recent().from(next) {
            return Ok(page);
        }
        let read = documents.read(move |session| {
            let facts = session.scan(&scan_from(next, PAGE_STORED))?;
            let page = facts.iter().filter_map(|(key, bytes)| {
                let sequence = sequence(key).filter(|sequence| *sequence < end)?;
                Some((sequence, read(sequence, bytes)))
            });
            Ok::<_, Error>(page.collect::<Vec<_>>())
        });
        let page = read.await?;
        // All from here on were removed.
        Ok(if page.is_empty() { vec![(end - 1, None)] } else { page })
    }

    /// Reads the new events. Events that the store shows may still be on their way to the disk, and
    /// subscribers must not see what a power loss undoes: it first waits for a commit.
    async fn catch_up(&self, events: &Events) -> Result<(), Error> {
        let documents = &events.0.documents;
        let known = *self.end.borrow();
        let end = documents.read(|session| end(session.store())).await?;
        if end <= known {
            return Ok(());
        }
        events.engine().append(Vec::new(), Vec::new()).await?;
        let mut next = known;
        while next < end {
            let read = documents.read(move |session| {
                let facts = session.scan(&scan_from(next, FOLLOWED_AT_ONCE))?;
                let found = facts.iter().filter_map(|(key, bytes)| Some((sequence(key)?, bytes)));
                let found = found.take_while(|(sequence, _)| *sequence < end);
                let found = found.map(|(number, bytes)| (number, bytes.len(), read(number, bytes)));
                Ok::<_, Error>((facts.len(), found.collect::<Vec<_>>()))
            });
            let (count, found) = read.await?;
            let mut recent = self.recent();
            for (sequence, bytes, event) in found {
                recent.push(sequence, bytes, event);
                next = sequence + 1;
            }
            if count < FOLLOWED_AT_ONCE {
                next = end;
            }
        }
        self.end.send_replace(end);
        Ok(())
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        // No code panics while it holds the lock.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn from(&self, next: u64) -> Option<Vec<Numbered>> {
        let (first, ..) = self.events.front()?;
        let skipped = usize::try_from(next.checked_sub(*first)?).ok()?;
        let page: Vec<_> = self
            .events
            .iter()
            .skip(skipped)
            .take(PAGE_RECENT)
            .map(|(sequence, _, event)| (*sequence, event.clone()))
            .collect();
        (!page.is_empty()).then_some(page)
    }

    fn push(&mut self, sequence: u64, bytes: usize, event: Option<Arc<OutboxEvent>>) {
        if self.events.back().is_some_and(|(last, ..)| last + 1 != sequence) {
            *self = Self::default();
        }
        self.events.push_back((sequence, bytes, event));
        self.bytes += bytes;
        while self.events.len() > RECENT_MAX || self.bytes > RECENT_BYTES_MAX {
            let Some((_, bytes, _)) = self.events.pop_front() else { return };
            self.bytes -= bytes;
        }
    }
}

fn read(sequence: u64, bytes: &[u8]) -> Option<Arc<OutboxEvent>> {
    let event = OutboxEvent::read(sequence, bytes).map(Arc::new);
    if event.is_none() {
        tracing::error!(sequence, "an event is unreadable and is not delivered");
    }
    event
}
