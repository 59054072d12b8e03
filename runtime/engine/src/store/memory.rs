//! Facts in memory: the reference for the other stores, and the store that simulations crash.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};

use super::{
    Appended, Batch, Direction, Epoch, Error, Fact, Progress, Scan, Settled, Store, Write, pieces,
};

/// A store that is as durable as its handles: clone it, drop its owner, and give the clone to the
/// next owner.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    facts: BTreeMap<Vec<u8>, Vec<u8>>,
    owner: Epoch,
    mode: Mode,
    pending: VecDeque<Pending>,
    /// Batches that show and are not durable yet, with their answers.
    unsynced: Vec<Unsynced>,
    progress: Progress,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
enum Mode {
    #[default]
    Immediate,
    Held,
    Unsynced,
}

/// The answer to a batch that shows and is not durable.
#[derive(Debug)]
struct Unsynced {
    result: Result<(), Error>,
    has_transaction: bool,
    answer: oneshot::Sender<Result<(), Error>>,
}

#[derive(Debug)]
struct Pending {
    batch: Batch,
    answer: oneshot::Sender<Result<(), Error>>,
}

impl Memory {
    /// An empty store; a batch is durable as soon as it is appended.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store in which batches wait, unseen, until [`flush_one`](Self::flush_one) or
    /// [`lose_pending`](Self::lose_pending).
    pub fn held() -> Self {
        Self(Arc::new(Mutex::new(State { mode: Mode::Held, ..State::default() })))
    }

    /// An empty store in which batches show at once, as on a disk, and are durable (and answered)
    /// only at [`sync`](Self::sync).
    pub fn unsynced() -> Self {
        Self(Arc::new(Mutex::new(State { mode: Mode::Unsynced, ..State::default() })))
    }

    /// Makes all visible batches durable, and answers them.
    pub fn sync(&self) {
        self.state().sync();
    }

    /// The number of batches that show and are not durable.
    pub fn unsynced_count(&self) -> usize {
        self.state().unsynced.len()
    }

    /// Fails to make the visible batches durable, as a disk may, and answers them so.
    pub fn fail_sync(&self) {
        let mut state = self.state();
        state.progress.fail();
        for unsynced in std::mem::take(&mut state.unsynced) {
            drop(unsynced.answer.send(Err(Error::Unsettled)));
        }
    }

    /// Carries out and answers the oldest waiting batch; false if none waits.
    pub fn flush_one(&self) -> bool {
        self.state().flush_one()
    }

    /// Forgets the waiting batches, as a power loss does. They are answered with [`Error::Closed`].
    pub fn lose_pending(&self) {
        self.state().pending.clear();
    }

    /// The number of waiting batches.
    pub fn pending(&self) -> usize {
        self.state().pending.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics between two halves of a change, so a poisoned state is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn append(&self, batch: Batch) -> Appended {
        let (answer, appended) = Appended::pending();
        let mut state = self.state();
        state.pending.push_back(Pending { batch, answer });
        match state.mode {
            Mode::Immediate => state.flush_all(),
            Mode::Unsynced => state.show(),
            Mode::Held => {}
        }
        appended
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let state = self.state();
        state.raw(key)?.map(|bytes| state.whole(bytes)).transpose()
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        let state = self.state();
        let facts = match scan.direction {
            Direction::Forward => forward(&state.facts, scan),
            Direction::Backward => backward(&state.facts, scan),
        };
        facts
            .into_iter()
            .map(|(key, bytes)| Ok((key.clone(), state.whole(bytes.clone())?)))
            .collect()
    }

    /// A claim has its place in the order too: waiting batches are carried out first.
    fn claim(&self) -> Result<Epoch, Error> {
        let mut state = self.state();
        state.flush_all();
        state.sync();
        state.owner = Epoch(state.owner.0 + 1);
        Ok(state.owner)
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.state().changed.subscribe()
    }

    fn settled(&self) -> Settled {
        self.state().progress.settled()
    }
}

impl State {
    /// The value of a key, as it is stored.
    fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.facts.get(key).cloned())
    }

    fn whole(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
        pieces::whole(bytes, |key| self.raw(key))
    }

    fn flush_all(&mut self) {
        while self.flush_one() {}
    }

    fn flush_one(&mut self) -> bool {
        let Some(pending) = self.pending.pop_front() else { return false };
        let unsynced = self.carried_out(pending);
        self.answer(unsynced);
        true
    }

    /// Carries out the waiting batches, without an answer.
    fn show(&mut self) {
        while let Some(pending) = self.pending.pop_front() {
            self.progress.begin();
            let unsynced = self.carried_out(pending);
            self.unsynced.push(unsynced);
        }
    }

    fn sync(&mut self) {
        if self.unsynced.is_empty() {
            return;
        }
        self.progress.finish();
        for unsynced in std::mem::take(&mut self.unsynced) {
            self.answer(unsynced);
        }
    }

    fn carried_out(&mut self, Pending { batch, answer }: Pending) -> Unsynced {
        let has_transaction = batch.transaction.is_some();
        let result =
            batch.resolve(self.owner, &|key| self.raw(key)).map(|writes| self.apply(writes));
        Unsynced { result, has_transaction, answer }
    }

    fn answer(&self, Unsynced { result, has_transaction, answer }: Unsynced) {
        if result.is_ok() && has_transaction {
            self.changed.send_modify(|count| *count += 1);
        }
        // The receiver may be gone.
        drop(answer.send(result));
    }

    fn apply(&mut self, writes: Vec<Write>) {
        for (key, value) in writes {
            match value {
                Some(value) => drop(self.facts.insert(key, value)),
                None => drop(self.facts.remove(&key)),
            }
        }
    }
}

/// A key and its value as it is stored.
type Stored<'a> = (&'a Vec<u8>, &'a Vec<u8>);

fn forward<'a>(facts: &'a BTreeMap<Vec<u8>, Vec<u8>>, scan: &Scan) -> Vec<Stored<'a>> {
    let start = match &scan.after {
        Some(after) if *after >= scan.prefix => Bound::Excluded(after.as_slice()),
        _ => Bound::Included(scan.prefix.as_slice()),
    };
    facts
        .range::<[u8], _>((start, Bound::Unbounded))
        .take_while(|(key, _)| key.starts_with(&scan.prefix))
        .take(scan.limit)
        .collect()
}

/// Collects everything under the prefix first, which is slow and plainly right.
fn backward<'a>(facts: &'a BTreeMap<Vec<u8>, Vec<u8>>, scan: &Scan) -> Vec<Stored<'a>> {
    let found: Vec<_> = facts
        .range::<[u8], _>((Bound::Included(scan.prefix.as_slice()), Bound::Unbounded))
        .take_while(|(key, _)| key.starts_with(&scan.prefix))
        .take_while(|(key, _)| scan.after.as_ref().is_none_or(|after| *key < after))
        .collect();
    found.into_iter().rev().take(scan.limit).collect()
}

#[cfg(test)]
mod tests;
