//! The synchronous part of the engine: inputs and the time come in, commits and calls come out.
//! So the simulator can drive it through any interleaving and crash.
//!
//! Check, record, act: events are applied to the fold in memory and written in one batch, and the work
//! that they make due starts when the batch is on disk. A batch that cannot be written ends the
//! process: the memory is then ahead of the disk, and the disk is the truth.

mod advance;
mod agenda;
mod asleep;
mod border;
mod callbacks;
mod calls;
mod change;
mod commit;
mod entry;
mod input;
mod locks;
mod owed;
mod quarantine;
mod recent;
mod recover;
mod reservations;
mod scratch;
mod slices;
mod submit;
mod timers;
mod write;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

#[cfg(test)]
use model::Fulfilment;
use model::expr::Expressions;
use model::{Direction, FulfilmentId, Outcome, TaskId};
use tmf::time::Timestamp;

use asleep::{Asleep, Resting, reading};
pub use commit::{After, Commit, Published, Step};
use entry::Entry;
pub use input::{
    Amendment, Answer, Asked, Callback, Denied, Input, Recalled, Received, Unless, Wish,
};
use locks::Locks;
pub use locks::Seen;
pub use quarantine::SetAside;
use recent::Recent;
pub use recover::{Due, RecoverError, read_fulfilment, read_records, read_sized};
pub use reservations::{Held, Release};
use timers::Timers;

use crate::address::{Addresses, SECRET_BYTES};
use crate::audit::{Act, Audited, Recorded};
use crate::documents::Put;
use crate::keys;
use crate::limits::{Limits, Shares};
use crate::pools::Pools;
use crate::scratch::{Scratch, applies};
use crate::stamp::Stamp;
use crate::store::{Epoch, Write};
use crate::telemetry::{self, Attempt, Ending, Telemetry};
use crate::worker::{Report, Worker};

/// Whether tasks of pure plugins share a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Consecutive tasks of pure plugins share one commit. Only the speed differs.
    #[default]
    Shared,
    /// Every step is on disk before the next one begins.
    EachStep,
}

/// The parts that the engine begins with, besides the store.
pub struct Setup {
    /// Runs the plugins.
    pub worker: Arc<dyn Worker>,
    /// The pools, defined.
    pub pools: Pools,
    /// Whether pure tasks share commits.
    pub durability: Durability,
    /// The limits of open orders and callbacks.
    pub limits: Limits,
    /// The limits of one turn of a fulfilment.
    pub shares: Shares,
    /// Random bytes, for the addresses of callbacks if the store has no secret yet.
    pub secret: [u8; SECRET_BYTES],
}

/// The engine's state: the open fulfilments and what wakes them.
pub struct Core<R> {
    worker: Arc<dyn Worker>,
    pools: Pools,
    scratch: Scratch,
    epoch: Epoch,
    durability: Durability,
    limits: Limits,
    shares: Shares,
    addresses: Addresses,
    expressions: Expressions,
    /// The open fulfilments that are in memory.
    open: BTreeMap<FulfilmentId, Entry<R>>,
    /// The bytes of their journals.
    open_bytes: u64,
    /// Those of them that only wait.
    resting: Resting,
    /// The open fulfilments that have left memory.
    asleep: BTreeMap<FulfilmentId, Asleep<R>>,
    /// Those of them whose time has come.
    overdue: BTreeSet<FulfilmentId>,
    /// The inputs that wait until their fulfilment is read again.
    later: BTreeMap<FulfilmentId, VecDeque<Asked<R>>>,
    timers: Timers<FulfilmentId>,
    /// The task that waits for each callback.
    waiting: BTreeMap<String, (FulfilmentId, TaskId, u32)>,
    /// Fulfilments whose last record is decided and still being written in pieces.
    held_back: BTreeSet<FulfilmentId>,
    /// Callbacks that arrived before their task asked for them.
    kept: callbacks::Kept,
    /// The fulfilments that cannot be continued.
    set_aside: BTreeMap<FulfilmentId, SetAside>,
    /// The number of unreadable facts, besides journals.
    unreadable: u64,
    /// The last idempotency keys of clients: a second submission that was on its way before the
    /// first was on disk finds it here.
    submissions: Recent<FulfilmentId>,
    /// The open fulfilments that keep, change or undo prior work, by its key.
    locks: Locks,
    /// When the outcome of a call was recorded last.
    stamp: Stamp,
    /// The number of records of fulfilments that were changed after their end.
    changed_late: Recent<u32>,
    /// The act of the input that is handled, until a commit has it.
    act: Option<Arc<Act>>,
}

impl<R> Core<R> {
    /// The number of open fulfilments.
    pub fn open(&self) -> usize {
        self.open.len() + self.asleep.len()
    }

    /// The open fulfilments.
    #[cfg(test)]
    pub(crate) fn fulfilments(&self) -> impl Iterator<Item = &Fulfilment> {
        self.open.values().map(|entry| &*entry.fulfilment).chain(self.sleeping_all())
    }

    /// The open fulfilments whose documents are written.
    #[cfg(test)]
    pub(crate) fn resting(&self) -> impl Iterator<Item = &Fulfilment> {
        self.in_memory().chain(self.sleeping())
    }

    /// Those of them that are in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(&self) -> impl Iterator<Item = &Fulfilment> {
        let resting = self.open.values().filter(|entry| entry.owed.is_none());
        resting.map(|entry| &*entry.fulfilment)
    }

    /// The epoch in which this engine owns the store.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The bytes of the journals of the open fulfilments that are in memory.
    pub fn open_bytes(&self) -> u64 {
        self.open_bytes
    }

    /// The number of unreadable facts, besides journals.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// The addresses of callbacks.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The next time at which [`Core::wake`] is to be called.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.timers.first().into_iter().chain(self.kept.expires_at()).min()
    }

    /// Takes one input. Its changes are audited if it belongs to an act.
    pub fn handle(&mut self, now: Timestamp, asked: impl Into<Asked<R>>) -> Step<R> {
        let step = match self.unless_later(asked.into()) {
            Ok(asked) => self.take_in(now, asked),
            Err(read) => return read.map(reading).unwrap_or_default(),
        };
        self.make_room();
        step
    }

    fn take_in(&mut self, now: Timestamp, Asked { input, act }: Asked<R>) -> Step<R> {
        self.act = act;
        let step = self.carry_out_input(now, input);
        self.act = None;
        step
    }

    /// The entry of a change that no record of a journal holds.
    fn audited(&mut self, now: Timestamp) -> Option<Audited> {
        self.act.take().map(|act| Audited::done(act, now))
    }

    fn carry_out_input(&mut self, now: Timestamp, input: Input<R>) -> Step<R> {
        match input {
            Input::Submit { fulfilment, events, submission, seen, trace, reply } => {
                self.submit(now, *fulfilment, events, (submission, seen, trace), reply)
            }
            Input::Look { reply } => Step::answer(reply, Answer::Seen(self.locks.seen())),
            Input::Finished { fulfilment, task, attempt, report } => {
                self.finished(now, &fulfilment, task, attempt, report)
            }
            Input::Callback { callback, reply } => self.callback(now, callback, reply),
            Input::Recalled(recalled) => self.recalled(now, recalled),
            Input::Reread { fulfilment, read } => self.reread(now, fulfilment, read),
            Input::Readmit { fulfilment, bytes, reply } => {
                self.readmit(now, *fulfilment, bytes, reply)
            }
            Input::GiveUp { fulfilment, documents, reply } => {
                self.give_up(now, fulfilment, documents, reply)
            }
            Input::Remove { fulfilment, writes, documents, reply } => {
                self.remove(now, fulfilment, writes, documents, reply)
            }
            Input::Write { unless, release, documents, reply } => {
                self.write_unless(now, unless, (release, documents), reply)
            }
            Input::Replan { fulfilment, event, seen, reply } => {
                self.replan(now, &fulfilment, event, seen, reply)
            }
            Input::Erase { plugin, key, reply } => self.erase(now, &plugin, key.as_deref(), reply),
            Input::Unplanned { reply } => {
                Step::answer(reply, Answer::Open(self.unplanned(), Vec::new()))
            }
            Input::All { reply } => Step::answer(reply, Answer::Open(self.all(), self.sleepers())),
            Input::Retry { fulfilment, reply } => self.retry(now, &fulfilment, reply),
            Input::Decide { fulfilment, wish, reply } => self.decide(now, &fulfilment, wish, reply),
            Input::Cancel { fulfilment, request, reply } => {
                self.cancel(now, &fulfilment, request, reply)
            }
            Input::Patch { fulfilment, ended, amendment, reply } => {
                let ended = ended.filter(|ended| ended.is_ended());
                match self.take(&fulfilment).or_else(|| Some(Entry::ended(*ended?))) {
                    Some(entry) => self.patch(now, entry, amendment, reply),
                    None => self.absent(&fulfilment, reply, Answer::Fulfilment(None)),
                }
            }
            Input::Get { fulfilment, reply } => match self.take(&fulfilment) {
                Some(entry) => {
                    let step = Step { waiting: Some(reply), ..Step::default() };
                    self.advance(now, entry, Vec::new(), step)
                }
                None => self.absent(&fulfilment, reply, Answer::Fulfilment(None)),
            },
            Input::LockHolder { keys, reply } => match self.locks.holder(&keys).cloned() {
                Some(fulfilment) => self.handle(now, Input::Get { fulfilment, reply }),
                None => Step::answer(reply, Answer::Fulfilment(None)),
            },
            Input::AwaitEnd { fulfilment, reply } => match self.open.get_mut(&fulfilment) {
                Some(entry) => {
                    entry.awaiting_end.push(reply);
                    Step::default()
                }
                None => self.absent(&fulfilment, reply, Answer::Fulfilment(None)),
            },
        }
    }

    /// Does the work that has become due by time alone.
    pub fn wake(&mut self, now: Timestamp) -> Vec<Step<R>> {
        let mut steps = Vec::new();
        while let Some(id) = self.timers.pop_due(now) {
            if let Some(mut entry) = self.take(&id) {
                entry.wake_at = None;
                steps.push(self.advance(now, entry, Vec::new(), Step::default()));
            } else {
                self.woken(id);
            }
        }
        steps.extend(self.read_overdue());
        self.make_room();
        while let Some(step) = self.expire_callbacks(now) {
            steps.push(step);
        }
        steps
    }

    fn finished(
        &mut self,
        now: Timestamp,
        id: &FulfilmentId,
        task: TaskId,
        attempt: u32,
        report: Report,
    ) -> Step<R> {
        let Some(mut entry) = self.take(id) else {
            self.pools.abandon(id, task);
            return Step::default();
        };
        let direction = entry.under_way.remove(&task);
        if let Some(agenda) = &mut entry.agenda {
            agenda.ended(task);
        }
        let mut step = Step::default();
        let at = self.stamp.next(now);
        self.stamp = at;
        let mut report = border::bounded(report);
        if !report.log.is_empty() {
            step.commit.log(keys::log(id, task.0, attempt, at), &report.log);
        }
        if let Outcome::Waiting(wait) = &report.outcome
            && direction.is_some()
            && let Some(failure) = self.wrong_keys(&entry.fulfilment, task, wait, &mut step)
        {
            report.outcome = Outcome::Failed(failure);
        }
        let written = match direction {
            Some(_) => self.admitted(&mut report),
            None => None,
        };
        if let Some(Telemetry { figures, exchanges, .. }) = report.telemetry {
            let ending = Ending::of(&report.outcome);
            let made = Attempt { at, task, number: attempt, ending, figures };
            if !exchanges.is_empty() {
                step.commit.writes.push(telemetry::exchanges(id, &made, &exchanges));
            }
            entry.measured.push(made);
        }
        let reservations = match &report.outcome {
            Outcome::Done(_) => self.pools.finish(id, task),
            Outcome::Waiting(_) | Outcome::Failed(_) => {
                self.pools.abandon(id, task);
                Vec::new()
            }
        };
        let fulfilment = &entry.fulfilment;
        let events = if direction == Some(Direction::Backward) {
            fulfilment.conclude_undo(task, attempt, report.outcome, now)
        } else {
            fulfilment.conclude(task, attempt, report.outcome, reservations.clone(), now)
        };
        if events.is_empty() {
            for reservation in reservations {
                self.pools.abandon_value(&reservation.pool, reservation.index);
            }
        }
        step.scratch = written.filter(|_| applies(&events)).map(|changes| (changes, at));
        self.advance(now, entry, events, step)
    }

    fn retry(&mut self, now: Timestamp, id: &FulfilmentId, reply: R) -> Step<R> {
        let Some(entry) = self.take(id) else {
            return self.absent(id, reply, Answer::Retried(None));
        };
        let events = entry.fulfilment.retry();
        let mut step = Step::default();
        let answer = Answer::Retried(Some(events.len()));
        step.commit.then.push(After::Reply(reply, answer));
        self.advance(now, entry, events, step)
    }

    /// Removes the data of a fulfilment that has ended. A patch that read it before is refused as
    /// stale.
    fn remove(
        &mut self,
        now: Timestamp,
        id: FulfilmentId,
        writes: Vec<Write>,
        documents: Vec<Put>,
        reply: R,
    ) -> Step<R> {
        if self.is_open(&id) {
            return Step::answer(reply, Answer::Denied(Denied::Open(id)));
        }
        if self.set_aside.contains_key(&id) {
            return self.absent(&id, reply, Answer::Done);
        }
        self.changed_late.insert(id.to_string(), u32::MAX);
        let mut step = Step::answer(reply, Answer::Done);
        step.commit.at = now;
        step.commit.writes = writes;
        step.commit.documents = documents;
        let recorded = Recorded { id: id.to_string(), record: None };
        let fulfilment = Some(recorded);
        step.commit.audited = self.audited(now).map(|audited| Audited { fulfilment, ..audited });
        step
    }
}

#[cfg(test)]
pub(crate) mod tests;
