//! Support for tests: applies events that no decision leads to, and compares the state of the engine
//! apart from their fulfilment.

use super::super::*;
use crate::documents::Put;
use model::Event;

/// The state of the engine apart from one fulfilment.
#[derive(Debug, PartialEq)]
pub(crate) struct Others {
    others: BTreeMap<FulfilmentId, Fulfilment>,
    waiting: BTreeMap<String, (FulfilmentId, TaskId, u32)>,
    timers: BTreeSet<(Timestamp, FulfilmentId)>,
    kept: String,
    locks: String,
    held_back: BTreeSet<FulfilmentId>,
    pools: String,
}

impl<R> Core<R> {
    /// Applies events to an open fulfilment as if a decision had led to them.
    pub(crate) fn inject(
        &mut self,
        now: Timestamp,
        id: &FulfilmentId,
        events: Vec<Event>,
        reply: R,
    ) -> Step<R> {
        let entry = self.take(id).expect("it is open");
        let step = Step { waiting: Some(reply), ..Step::default() };
        self.advance(now, entry, events, step)
    }

    /// The state apart from a fulfilment.
    pub(crate) fn others(&self, id: &FulfilmentId) -> Others {
        let others = self.fulfilments();
        let others = others.filter(|other| other.id() != id);
        let waiting = self.waiting.iter().filter(|(_, (own, ..))| own != id);
        let timers = self.timers.iter().filter(|(_, own)| *own != id);
        Others {
            others: others.map(|other| (other.id().clone(), other.clone())).collect(),
            waiting: waiting.map(|(name, of)| (name.clone(), of.clone())).collect(),
            timers: timers.map(|(at, own)| (at, own.clone())).collect(),
            kept: format!("{:?}", self.kept),
            locks: format!("{:?}", self.locks),
            held_back: self.held_back.clone(),
            pools: self.pools.reserved(),
        }
    }

    /// Whether anything would still wake a fulfilment.
    pub(crate) fn is_woken(&self, id: &FulfilmentId) -> bool {
        let waits = self.waiting.values().any(|(own, ..)| own == id);
        waits || self.timers.iter().any(|(_, own)| own == id)
    }
}

/// The facts and documents that a step writes.
pub(crate) fn written<R>(step: &Step<R>) -> (Vec<&[u8]>, &[Put]) {
    let keys = step.commit.writes.iter().map(|(key, _)| key.as_slice());
    (keys.collect(), &step.commit.documents)
}
