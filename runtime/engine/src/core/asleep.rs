//! Open fulfilments that leave memory while they wait. What finds them stays: their locks, their timer, the
//! names of the callbacks that they wait for. The rest is read again from the journal, beside the loop, when an
//! input or the time concerns one; inputs that arrive meanwhile wait, in order.

use std::collections::{BTreeMap, VecDeque};
#[cfg(test)]
use std::sync::Arc;

use model::{Context, Fulfilment, FulfilmentId};
use tmf::time::Timestamp;

use super::agenda::Agenda;
use super::entry::Entry;
use super::{After, Answer, Asked, Core, RecoverError, Step};
use crate::trace::Trace;

/// Max fulfilments that are being read again before more are read because their time has come.
const READS_MAX: usize = if cfg!(test) { 2 } else { 256 };

/// The state of a fulfilment that has left memory.
pub(super) struct Asleep<R> {
    /// The records of its journal.
    records: u32,
    /// The time of its timer.
    wake_at: Option<Timestamp>,
    /// The span of the request that submitted it.
    trace: Option<Trace>,
    /// Askers that wait for its end.
    awaiting_end: Vec<R>,
    /// The fold. Only in tests: it must be what is read again.
    #[cfg(test)]
    state: Arc<Fulfilment>,
}

/// The fulfilments in memory that only wait, by when each began to.
#[derive(Default)]
pub(super) struct Resting {
    ids: BTreeMap<u64, FulfilmentId>,
    next: u64,
}

impl Resting {
    fn add(&mut self, id: FulfilmentId) -> u64 {
        let place = self.next;
        self.next += 1;
        self.ids.insert(place, id);
        place
    }
}

impl<R> Entry<R> {
    /// Whether all of it is handed to the store, and nothing but an input or the time concerns it. One
    /// without a plan stays, since it is planned again when others end.
    fn may_leave(&self) -> bool {
        self.is_at_rest
            && self.under_way.is_empty()
            && self.owed.is_none()
            && self.unwritten.is_empty()
            && self.facts.is_empty()
            && self.measured.is_empty()
            && self.on_the_way == 0
            && !self.was_ended
            && !self.is_shifted
            && !self.fulfilment.is_ended()
            && !self.fulfilment.is_unplanned()
    }
}

impl<R> Core<R> {
    /// Whether a fulfilment is open, in memory or not.
    pub(super) fn is_open(&self, id: &FulfilmentId) -> bool {
        self.open.contains_key(id) || self.asleep.contains_key(id)
    }

    /// The number of open fulfilments that have left memory.
    pub fn asleep(&self) -> usize {
        self.asleep.len()
    }

    /// Their ids.
    pub(super) fn sleepers(&self) -> Vec<FulfilmentId> {
        self.asleep.keys().cloned().collect()
    }

    /// Takes out a fulfilment that is in memory, for a turn.
    pub(super) fn take(&mut self, id: &FulfilmentId) -> Option<Entry<R>> {
        let mut entry = self.open.remove(id)?;
        entry.is_at_rest = false;
        if let Some(place) = entry.resting.take() {
            self.resting.ids.remove(&place);
        }
        Some(entry)
    }

    /// Keeps an open fulfilment in memory until its next turn, or until others need the room.
    pub(super) fn keep(&mut self, id: FulfilmentId, mut entry: Entry<R>) {
        if entry.may_leave() {
            entry.resting = Some(self.resting.add(id.clone()));
        }
        self.open.insert(id, entry);
    }

    /// Those that have waited longest leave memory while there is too much in it.
    pub(super) fn make_room(&mut self) {
        while self.open_bytes > self.room()
            && let Some((_, id)) = self.resting.ids.pop_first()
        {
            let Some(mut entry) = self.open.remove(&id) else { continue };
            entry.resting = None;
            match entry.may_leave() && !self.later.contains_key(&id) {
                true => self.put_to_sleep(entry),
                false => drop(self.open.insert(id, entry)),
            }
        }
    }

    fn put_to_sleep(&mut self, entry: Entry<R>) {
        let fulfilment = &entry.fulfilment;
        self.open_bytes -= entry.bytes;
        let asleep = Asleep {
            records: fulfilment.records(),
            wake_at: entry.wake_at,
            trace: entry.trace,
            awaiting_end: entry.awaiting_end,
            #[cfg(test)]
            state: Arc::clone(fulfilment),
        };
        self.asleep.insert(fulfilment.id().clone(), asleep);
    }

    /// Puts a fulfilment to sleep that was open before a restart, unless there is room in memory; gives it
    /// back then. It is read again soon if it has work to do.
    pub(super) fn unless_asleep(
        &mut self,
        now: Timestamp,
        mut entry: Entry<R>,
    ) -> Option<Entry<R>> {
        if self.open_bytes <= self.room() {
            return Some(entry);
        }
        entry.is_at_rest = true;
        if !entry.may_leave() {
            entry.is_at_rest = false;
            return Some(entry);
        }
        let worker = &self.worker;
        let mut context = Context {
            now,
            effects: &|digest| worker.effects(digest),
            expressions: &mut self.expressions,
        };
        let agenda = entry.agenda.insert(Agenda::all(&entry.fulfilment, now));
        let calls = self.shares.calls;
        let due = agenda.next_due(&entry.fulfilment, &entry.under_way, calls, &mut context);
        self.set_timer(now, &mut entry);
        if due.is_some() {
            self.overdue.insert(entry.fulfilment.id().clone());
        }
        self.put_to_sleep(entry);
        None
    }

    /// The bytes of journals that may be in memory before what waits leaves it.
    fn room(&self) -> u64 {
        self.limits.orders_in_memory_bytes.min(self.limits.open_orders_bytes)
    }

    /// Reads fulfilments again whose time has come, as far as there is room for them.
    pub(super) fn read_overdue(&mut self) -> Vec<Step<R>> {
        let mut steps = Vec::new();
        while self.later.len() < READS_MAX
            && self.open_bytes <= self.limits.open_orders_bytes
            && let Some(id) = self.overdue.pop_first()
        {
            if self.asleep.contains_key(&id) && !self.later.contains_key(&id) {
                self.later.insert(id.clone(), VecDeque::new());
                steps.push(reading(id));
            }
        }
        steps
    }

    /// Keeps an input for when its fulfilment is read again; gives it back if that is in memory. The error
    /// is the fulfilment, if it is still to be read.
    pub(super) fn unless_left(
        &mut self,
        id: Option<FulfilmentId>,
        asked: Asked<R>,
    ) -> Result<Asked<R>, Option<FulfilmentId>> {
        let Some(id) = id else { return Ok(asked) };
        if let Some(later) = self.later.get_mut(&id) {
            later.push_back(asked);
            return Err(None);
        }
        if !self.asleep.contains_key(&id) {
            return Ok(asked);
        }
        self.later.insert(id.clone(), VecDeque::from([asked]));
        Err(Some(id))
    }

    /// The time of a fulfilment that has left memory has come.
    pub(super) fn woken(&mut self, id: FulfilmentId) {
        if let Some(asleep) = self.asleep.get_mut(&id) {
            asleep.wake_at = None;
            self.overdue.insert(id);
        }
    }

    /// A fulfilment was read again. It goes on, and then the inputs that waited for it.
    pub(super) fn reread(
        &mut self,
        now: Timestamp,
        id: FulfilmentId,
        read: Result<Box<(Fulfilment, u64)>, RecoverError>,
    ) -> Step<R> {
        let Some(asleep) = self.asleep.remove(&id) else { return Step::default() };
        self.overdue.remove(&id);
        let read = read.and_then(|read| match read.0.records() == asleep.records {
            true => Ok(*read),
            false => Err(RecoverError::Missing {
                fulfilment: id.clone(),
                number: read.0.records().min(asleep.records),
            }),
        });
        let mut step = Step::default();
        match read {
            Ok((fulfilment, bytes)) => {
                #[cfg(test)]
                crate::sim::assert_read(&fulfilment, &asleep.state);
                self.open_bytes += bytes;
                let mut entry = Entry {
                    order_state: Some(fulfilment.order_state()),
                    bytes,
                    wake_at: asleep.wake_at,
                    trace: asleep.trace,
                    awaiting_end: asleep.awaiting_end,
                    ..Entry::new(fulfilment)
                };
                self.set_timer(now, &mut entry);
                self.open.insert(id.clone(), entry);
            }
            Err(error) => {
                if let Some(time) = asleep.wake_at {
                    self.timers.remove(time, &id);
                }
                self.waiting.retain(|_, (waiter, ..)| *waiter != id);
                let aside = self.set_unread_aside(&id, &error, now, &mut step);
                let denied = Answer::Denied(aside);
                let askers = asleep.awaiting_end.into_iter();
                step.commit.then.extend(askers.map(|reply| After::Reply(reply, denied.clone())));
            }
        }
        step.commit.then.push(After::GoOn(id));
        step
    }

    /// Takes the next of the inputs that waited until a fulfilment was read; `None` if there is none.
    pub(super) fn take_later(&mut self, now: Timestamp, id: &FulfilmentId) -> Option<Step<R>> {
        if self.asleep.contains_key(id) {
            return None;
        }
        let later = self.later.get_mut(id)?;
        let asked = later.pop_front();
        if later.is_empty() {
            self.later.remove(id);
        }
        let asked = asked?;
        // What was done for those before it may have changed whom it concerns.
        let mut step = match self.concerned(&asked.input) == Some(id) {
            true => match self.unless_owed(asked, Some(id)) {
                Some(asked) => self.take_in(now, asked),
                None => Step::default(),
            },
            false => self.handle(now, asked),
        };
        // The next one, or what became due meanwhile: an input need not be a turn.
        step.commit.then.push(After::GoOn(id.clone()));
        Some(step)
    }

    /// The fulfilments that have left memory, but for those whose time has come.
    #[cfg(test)]
    pub(crate) fn sleeping(&self) -> impl Iterator<Item = &Fulfilment> {
        let is_due = |id: &FulfilmentId, asleep: &Asleep<R>| {
            let is_read = self.later.contains_key(id) || self.overdue.contains(id);
            asleep.wake_at.is_none() && is_read
        };
        let asleep = self.asleep.iter().filter(move |(id, asleep)| !is_due(id, asleep));
        asleep.map(|(_, asleep)| &*asleep.state)
    }

    /// All fulfilments that have left memory.
    #[cfg(test)]
    pub(crate) fn sleeping_all(&self) -> impl Iterator<Item = &Fulfilment> {
        self.asleep.values().map(|asleep| &*asleep.state)
    }
}

/// A step that reads a fulfilment, when all of its journal is on disk.
pub(super) fn reading<R>(id: FulfilmentId) -> Step<R> {
    let mut step = Step::default();
    step.commit.then.push(After::Reread(id));
    step
}
