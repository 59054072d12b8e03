//! The engine without its surroundings: inputs and the time come in, commits and calls come out.
//! It is synchronous, so that the simulator can drive it through any interleaving and crash.
//!
//! Check, record, act: events are applied to the fold in memory, written in one batch, and what
//! they make due is done when the batch is on disk. A batch that cannot be written ends the
//! process: what is in memory is then ahead of the disk, and the disk is the truth.

mod claims;
mod commit;
mod entry;
mod recover;
mod settle;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use model::expr::Expressions;
use model::fulfilment::PatchError;
use model::journal::{CancelRequest, Refusal};
use model::{Event, Fulfilment, FulfilmentId, Outcome, Phase, TaskId, TaskState, Timestamp};
use serde_json::{Map, Value};

pub use commit::{After, Commit, Published, Step};
use entry::{Direction, Entry};
pub use recover::{RecoverError, read_fulfilment, read_records};

use crate::keys;
use crate::pools::Pools;
use crate::store::Epoch;
use crate::worker::{Report, Worker};

/// So many callbacks may wait for someone to wait for them.
const EARLY_CALLBACKS_MAX: usize = 100_000;

/// So many entries of what may be on its way to the disk are remembered; older ones are there.
const RECENT_MAX: usize = 65_536;

/// The last entries of a growing map.
#[derive(Debug)]
struct Recent<V> {
    entries: BTreeMap<String, V>,
    order: VecDeque<String>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<V> Recent<V> {
    fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key)
    }

    fn insert(&mut self, key: String, value: V) {
        if self.entries.insert(key.clone(), value).is_some() {
            return;
        }
        if self.order.len() >= RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        self.order.push_back(key);
    }
}

/// Whether tasks that cannot have an effect share a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Consecutive tasks of pure plugins share one commit. Nothing can be told from it but speed.
    #[default]
    Shared,
    /// Every step is on disk before the next one begins.
    EachStep,
}

/// Something that happens to the engine.
#[derive(Debug)]
pub enum Input<R> {
    /// An order or a run was accepted and, where possible, planned.
    Submit {
        /// The fulfilment before any of the events.
        fulfilment: Box<Fulfilment>,
        /// What follows `submitted`: `planned`, `held` or `rejected`.
        events: Vec<Event>,
        /// The client's idempotency key.
        submission: Option<String>,
        /// Told when it is on disk.
        reply: R,
    },
    /// A call ended.
    Finished {
        /// Of this fulfilment.
        fulfilment: FulfilmentId,
        /// Of this task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
        /// What came of it.
        report: Report,
    },
    /// An element answered.
    Callback {
        /// The key it answers under.
        key: String,
        /// The body.
        payload: Value,
        /// Told what became of it, when that is on disk.
        reply: R,
    },
    /// A person wants what failed tried again.
    Reopen {
        /// Of this fulfilment.
        fulfilment: FulfilmentId,
        /// Told when it is on disk.
        reply: R,
    },
    /// Whoever ordered it wants it taken back.
    Cancel {
        /// This fulfilment's order.
        fulfilment: FulfilmentId,
        /// What is asked for.
        request: CancelRequest,
        /// Told the answer when it is on disk.
        reply: R,
    },
    /// Someone changes attributes of an order.
    Patch {
        /// Of this fulfilment.
        fulfilment: FulfilmentId,
        /// The fulfilment as it was read, where it is not open any more.
        ended: Option<Box<Fulfilment>>,
        /// The resource that the order is, such as `productOrder`.
        resource: String,
        /// The merge patch.
        patch: Map<String, Value>,
        /// Told when it is on disk.
        reply: R,
    },
    /// Someone wants to see a fulfilment.
    Get {
        /// This one.
        fulfilment: FulfilmentId,
        /// Told when everything it shows is on disk.
        reply: R,
    },
    /// Someone wants to see the fulfilment that changes any of some earlier work.
    Claimant {
        /// The keys of the work.
        keys: Vec<String>,
        /// Told as for [`Input::Get`].
        reply: R,
    },
    /// Someone wants to know when a fulfilment has ended.
    AwaitEnd {
        /// This one.
        fulfilment: FulfilmentId,
        /// Told when the end is on disk.
        reply: R,
    },
}

/// What an asker is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The client's idempotency key was used before, for this fulfilment.
    Submitted(FulfilmentId),
    /// The fulfilment as it is; nothing where it is not open.
    Fulfilment(Option<Arc<Fulfilment>>),
    /// What became of a callback.
    Callback(Received),
    /// How many tasks were reopened; nothing where the fulfilment is not open.
    Reopened(Option<usize>),
    /// The order is not taken back, and goes on.
    NotCancelled(Refusal),
    /// The patch is refused, and nothing has changed.
    NotPatched(PatchError),
    /// The fulfilment was changed since it was read: read it again.
    Stale,
}

/// What became of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The task that waited for it goes on.
    Delivered,
    /// Nobody waits for it yet; it is kept.
    Kept,
    /// Nobody waits for it any more.
    Ignored,
    /// Too many are kept already.
    Refused,
}

/// The engine's state: the open fulfilments and what wakes them.
pub struct Core<R> {
    worker: Arc<dyn Worker>,
    pools: Pools,
    epoch: Epoch,
    durability: Durability,
    expressions: Expressions,
    open: BTreeMap<FulfilmentId, Entry<R>>,
    timers: BTreeSet<(Timestamp, FulfilmentId)>,
    /// Who waits for which callback.
    waiting: BTreeMap<String, (FulfilmentId, TaskId, u32)>,
    /// Callbacks that nobody waits for yet.
    early: BTreeMap<String, Value>,
    /// The last idempotency keys of clients: a second submission that was on its way before the
    /// first was on disk finds it here.
    submissions: Recent<FulfilmentId>,
    /// Which open fulfilment keeps, changes or takes back which earlier work, by its key.
    claims: BTreeMap<String, FulfilmentId>,
    /// How many records fulfilments have that were changed after their end.
    changed_late: Recent<u32>,
}

impl<R> Core<R> {
    /// How many fulfilments are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// The open fulfilments.
    pub fn fulfilments(&self) -> impl Iterator<Item = &Fulfilment> {
        self.open.values().map(|entry| &*entry.fulfilment)
    }

    /// Whose store it is.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The next time at which [`Core::wake`] is to be called.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.timers.first().map(|(time, _)| *time)
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Timestamp, input: Input<R>) -> Step<R> {
        match input {
            Input::Submit { fulfilment, events, submission, reply } => {
                self.submit(now, *fulfilment, events, submission, reply)
            }
            Input::Finished { fulfilment, task, attempt, report } => {
                self.finished(now, &fulfilment, task, attempt, report)
            }
            Input::Callback { key, payload, reply } => self.callback(now, key, payload, reply),
            Input::Reopen { fulfilment, reply } => self.reopen(now, &fulfilment, reply),
            Input::Cancel { fulfilment, request, reply } => {
                self.cancel(now, &fulfilment, request, reply)
            }
            Input::Patch { fulfilment, ended, resource, patch, reply } => {
                let ended = ended.filter(|ended| ended.is_ended());
                match self.open.remove(&fulfilment).or_else(|| Some(Entry::ended(*ended?))) {
                    Some(entry) => self.patch(now, entry, &resource, patch, reply),
                    None => Step::answer(reply, Answer::Fulfilment(None)),
                }
            }
            Input::Get { fulfilment, reply } => match self.open.remove(&fulfilment) {
                Some(entry) => {
                    let step = Step { waiting: Some(reply), ..Step::default() };
                    self.advance(now, entry, Vec::new(), step)
                }
                None => Step::answer(reply, Answer::Fulfilment(None)),
            },
            Input::Claimant { keys, reply } => match self.claimant(&keys) {
                Some(fulfilment) => self.handle(now, Input::Get { fulfilment, reply }),
                None => Step::answer(reply, Answer::Fulfilment(None)),
            },
            Input::AwaitEnd { fulfilment, reply } => match self.open.get_mut(&fulfilment) {
                Some(entry) => {
                    entry.awaiting_end.push(reply);
                    Step::default()
                }
                None => Step::answer(reply, Answer::Fulfilment(None)),
            },
        }
    }

    /// Does what has become due by time alone.
    pub fn wake(&mut self, now: Timestamp) -> Vec<Step<R>> {
        let mut steps = Vec::new();
        while let Some((time, _)) = self.timers.first() {
            if *time > now {
                break;
            }
            let Some((_, id)) = self.timers.pop_first() else {
                break;
            };
            if let Some(mut entry) = self.open.remove(&id) {
                entry.wake_at = None;
                steps.push(self.advance(now, entry, Vec::new(), Step::default()));
            }
        }
        steps
    }

    fn submit(
        &mut self,
        now: Timestamp,
        mut fulfilment: Fulfilment,
        events: Vec<Event>,
        submission: Option<String>,
        reply: R,
    ) -> Step<R> {
        // As the journal will say, whatever the clock said when its making began.
        fulfilment.submitted_at = now;
        fulfilment.updated_at = now;
        let mut step = Step::default();
        if let Some(key) = submission {
            if let Some(first) = self.submissions.get(&key) {
                return Step::answer(reply, Answer::Submitted(first.clone()));
            }
            let id = fulfilment.id.as_str().as_bytes().to_vec();
            step.commit.writes.push((keys::submission(&key), Some(id)));
            self.submissions.insert(key, fulfilment.id.clone());
        }
        let submitted = Event::Submitted {
            kind: fulfilment.kind.clone(),
            document: fulfilment.document.clone(),
            activation: fulfilment.activation.clone(),
        };
        let events = self.claimed(&fulfilment.id, events);
        let entry = Entry::new(fulfilment);
        step.recorded.push(submitted);
        step.waiting = Some(reply);
        self.advance(now, entry, events, step)
    }

    fn finished(
        &mut self,
        now: Timestamp,
        id: &FulfilmentId,
        task: TaskId,
        attempt: u32,
        report: Report,
    ) -> Step<R> {
        let Some(mut entry) = self.open.remove(id) else {
            self.pools.abandon(id, task);
            return Step::default();
        };
        let direction = entry.under_way.remove(&task);
        let mut step = Step::default();
        if !report.log.is_empty() {
            step.commit.log(id, task, attempt, &report.log);
        }
        let holds = match &report.outcome {
            Outcome::Done(_) => self.pools.settle(id, task),
            Outcome::Waiting(_) | Outcome::Failed(_) => {
                self.pools.abandon(id, task);
                Vec::new()
            }
        };
        let fulfilment = &entry.fulfilment;
        let events = if direction == Some(Direction::Back) {
            fulfilment.conclude_undo(task, attempt, report.outcome, now)
        } else {
            fulfilment.conclude(task, attempt, report.outcome, holds.clone(), now)
        };
        if events.is_empty() {
            for hold in holds {
                self.pools.release(&hold.pool, hold.index);
            }
        }
        self.advance(now, entry, events, step)
    }

    fn callback(&mut self, now: Timestamp, key: String, payload: Value, reply: R) -> Step<R> {
        if let Some((id, task, attempt)) = self.waiting.get(&key).cloned()
            && let Some(entry) = self.open.remove(&id)
        {
            let events = entry.fulfilment.called_back(task, attempt, payload);
            let mut step = Step::default();
            step.commit.then.push(After::Reply(reply, Answer::Callback(Received::Delivered)));
            return self.advance(now, entry, events, step);
        }
        let received = self.early_or_late(&key);
        let mut step = Step::answer(reply, Answer::Callback(received));
        if received == Received::Kept {
            let bytes = serde_json::to_vec(&payload).unwrap_or_default();
            step.commit.writes.push((keys::callback(&key), Some(bytes)));
            self.early.insert(key, payload);
        }
        step
    }

    /// What to do with a callback that nobody waits for. A key of our own making names its task;
    /// any other may still be waited for.
    fn early_or_late(&self, key: &str) -> Received {
        if let Some((fulfilment, task)) = key.rsplit_once(':')
            && let Ok(task) = task.parse::<usize>()
        {
            let entry = self.open.get(&FulfilmentId::new(fulfilment));
            if !entry.is_some_and(|entry| may_wait(&entry.fulfilment, task)) {
                return Received::Ignored;
            }
        }
        if self.early.len() >= EARLY_CALLBACKS_MAX && !self.early.contains_key(key) {
            return Received::Refused;
        }
        Received::Kept
    }

    fn reopen(&mut self, now: Timestamp, id: &FulfilmentId, reply: R) -> Step<R> {
        let Some(entry) = self.open.remove(id) else {
            return Step::answer(reply, Answer::Reopened(None));
        };
        let events = entry.fulfilment.reopen();
        let mut step = Step::default();
        let answer = Answer::Reopened(Some(events.len()));
        step.commit.then.push(After::Reply(reply, answer));
        self.advance(now, entry, events, step)
    }
}

impl<R> Core<R> {
    fn cancel(
        &mut self,
        now: Timestamp,
        id: &FulfilmentId,
        request: CancelRequest,
        reply: R,
    ) -> Step<R> {
        let Some(entry) = self.open.remove(id) else {
            return Step::answer(reply, Answer::Fulfilment(None));
        };
        let (events, answer) = entry.fulfilment.cancel(request);
        let mut step = Step::default();
        match answer {
            Ok(()) => step.waiting = Some(reply),
            Err(refusal) => {
                step.commit.then.push(After::Reply(reply, Answer::NotCancelled(refusal)));
            }
        }
        self.advance(now, entry, events, step)
    }

    fn patch(
        &mut self,
        now: Timestamp,
        entry: Entry<R>,
        resource: &str,
        patch: Map<String, Value>,
        reply: R,
    ) -> Step<R> {
        let fulfilment = &entry.fulfilment;
        let mut step = Step::default();
        let events = match fulfilment.patched(resource, patch) {
            Ok(events) => events,
            Err(error) => {
                step.commit.then.push(After::Reply(reply, Answer::NotPatched(error)));
                return self.advance(now, entry, Vec::new(), step);
            }
        };
        if fulfilment.is_ended() {
            let id = fulfilment.id.to_string();
            if self.changed_late.get(&id).is_some_and(|records| fulfilment.records < *records) {
                return Step::answer(reply, Answer::Stale);
            }
            self.changed_late.insert(id, fulfilment.records + u32::from(!events.is_empty()));
        }
        step.waiting = Some(reply);
        self.advance(now, entry, events, step)
    }
}

/// Whether a task may come to wait for an answer. One that is pending may: the answer can be there
/// before the call that asks for it has ended, and nobody knows of a pure one until then.
fn may_wait(fulfilment: &Fulfilment, task: usize) -> bool {
    match fulfilment.tasks.get(task) {
        Some(TaskState::Pending | TaskState::Retrying { .. } | TaskState::Failed { .. }) => {
            fulfilment.phase == Phase::Running
        }
        Some(
            TaskState::Running { .. } | TaskState::Waiting { .. } | TaskState::CalledBack { .. },
        ) => true,
        Some(
            TaskState::Done(_)
            | TaskState::Undoing { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone,
        )
        | None => false,
    }
}

#[cfg(test)]
mod tests;
