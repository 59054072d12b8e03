//! The invariants while a simulation runs and when it ends.

use std::collections::BTreeSet;

use model::documents::fulfilments_of;
use model::fulfilment::PatchError;
use model::journal::End;
use model::plan::{Action, UNDO, Work};
use model::{
    Fulfilment, FulfilmentId, ItemId, Kind, Phase, PoolId, Reservation, TaskId, TaskState,
};
use serde_json::Value;

use super::network::Effect;
use super::{Asker, Message, World, audit};
use crate::core::{Answer, Denied, Durability, Received};
use crate::documents::Document;
use crate::keys;
use crate::store::{Scan, Store as _};
use crate::worker::{Call, Effects, Operation, Worker as _};

impl World {
    /// A call that did not wait for the disk cannot have an effect.
    pub(super) fn assert_may_run_now(&self, call: &Call) {
        assert_eq!(self.scenario.durability, Durability::Shared, "each step waits for the disk");
        assert_eq!(self.plugins.effects(&call.digest), Some(Effects::Pure), "{}", call.name);
        assert_key(call);
    }

    /// The facts that a call rests on are on the disk before it is made.
    pub(super) fn assert_may_run(&self, call: &Call) {
        let fold = &self.disk.folds[&call.fulfilment];
        if let Work::Undo(made) = fold.work(call.task) {
            assert_eq!(
                call.idempotency_key, made.key,
                "{} is undone under the key of its work",
                call.name
            );
        } else {
            assert_key(call);
        }
        let state = &fold.tasks()[call.task.index()];
        let (name, operation) = (&call.name, &call.operation);
        let undoes = matches!(fold.work(call.task), Work::Undo(_));
        let is_it = |attempt: u32, payload, own: &Value| attempt == call.attempt && payload == own;
        let is_called_back = |own| matches!(state, TaskState::CalledBack { attempt, payload } if is_it(*attempt, payload, own));
        let is_known = match (self.plugins.effects(&call.digest), operation) {
            (_, Operation::Undo { .. }) if undoes => {
                *state == TaskState::Running { attempt: call.attempt }
            }
            (_, Operation::Undo { .. } | Operation::Reapply) => {
                fold.is_turned(call.task) && state.is_undo_attempt(call.attempt)
            }
            (_, Operation::ResumeUndo { payload: own }) if undoes => is_called_back(own),
            (_, Operation::ResumeUndo { payload: own }) => {
                matches!(state, TaskState::UndoCalledBack { attempt, payload, .. } if is_it(*attempt, payload, own))
            }
            (_, Operation::Resume { payload: own }) => is_called_back(own),
            (Some(Effects::Pure), Operation::Run | Operation::Recover) => {
                state.is_attempt(call.attempt)
            }
            (_, Operation::Run | Operation::Recover) => {
                *state == TaskState::Running { attempt: call.attempt }
            }
        };
        assert!(is_known, "{name} is called by {operation:?}, but on disk it is {state:?}");
        let is_undo = operation.reverts() && !undoes;
        for (index, task) in fold.plan().tasks.iter().enumerate() {
            let before = task.needs.contains(&call.task) && fold.is_turned(TaskId::at(index));
            if is_undo {
                assert!(!before || fold.tasks()[index].is_clear(), "{name} is undone too soon");
            }
        }
        // An answer of a pure plugin is ignored once its work is rolled back.
        let is_heard = !fold.tasks()[call.task.index()].is_clear() || !fold.is_turned(call.task);
        if !is_undo && is_heard {
            for need in &fold.plan().task(call.task).needs {
                let before = &fold.tasks()[need.index()];
                let is_over = before.is_done()
                    || matches!(before, TaskState::GivenUp { .. })
                    || fold.is_turned(*need);
                assert!(is_over, "{name} of {} begins while {need} {before:?}", fold.id());
            }
        }
    }

    /// Every answer is about facts on the disk.
    pub(super) fn assert_answer(&self, asker: Asker, answer: &Answer) {
        match answer {
            Answer::Fulfilment(Some(fulfilment)) => {
                assert_same(
                    fulfilment,
                    &self.disk.folds[fulfilment.id()],
                    "the answer is on the disk",
                );
            }
            Answer::Submitted(id) => assert!(self.disk.folds.contains_key(id)),
            Answer::Callback(received) => {
                let Asker::Element(number) = asker else {
                    panic!("{asker:?} is told of a callback");
                };
                self.assert_received(number, *received);
            }
            Answer::NotCancelled(_) => {
                let written = Scan::prefix(keys::documents("cancelProductOrder"), usize::MAX);
                let requests = self.disk.store.scan(&written).unwrap();
                let Asker::Canceller(number) = asker else {
                    panic!("{asker:?} is told of a cancellation");
                };
                let is_run = matches!(self.orders[number].kind, Kind::Run { .. });
                assert!(is_run || !requests.is_empty(), "the request is on the disk");
            }
            Answer::NotDecided(_) => assert_eq!(asker, Asker::Person),
            Answer::NotPatched(error) => assert_eq!(*error, PatchError::Run),
            Answer::Locked(_) => panic!("nothing is written here but by orders"),
            Answer::Open(..) => {}
            Answer::Erased(_) => panic!("no operator deletes here"),
            Answer::Ordered(_) | Answer::Seen(_) => panic!("orders here are of no quote"),
            Answer::Stale | Answer::Changed(_) => assert!(matches!(asker, Asker::Editor(_))),
            Answer::Denied(Denied::SetAside { .. }) if self.scenario.refuses => {}
            Answer::Denied(denied) => panic!("{asker:?} is denied: {denied}"),
            Answer::Fulfilment(None) | Answer::Retried(_) | Answer::Done => {}
        }
    }

    fn assert_received(&self, number: usize, received: Received) {
        let Message { name: key, may_be_awaited, .. } = &self.messages[number];
        let delivered = self.disk.delivered.contains(&number);
        match received {
            Received::Delivered => assert!(delivered, "message {number} was delivered"),
            Received::Kept => {
                let there = delivered || self.disk.kept.contains(key) || self.is_forgotten(key);
                assert!(there, "message {number} under {key} is kept");
            }
            Received::Ignored => {
                // It may be handled after later messages, and be of no use by then.
                let is_missed = *may_be_awaited && self.may_be_awaited(key);
                assert!(!is_missed, "a task may wait for message {number} under {key}");
            }
            Received::TooMany | Received::TooLarge => panic!("there is room for message {number}"),
        }
    }

    /// Whether the fulfilment that a key of ours names has ended.
    fn is_forgotten(&self, key: &str) -> bool {
        let key = key.strip_suffix(UNDO).unwrap_or(key);
        let own = key.rsplit_once(':').map(|(id, _)| FulfilmentId::new(id));
        own.and_then(|id| self.disk.folds.get(&id)).is_some_and(Fulfilment::is_ended)
    }

    /// Whether a task may wait for an answer under a key, now or later, as far as is known.
    pub(super) fn may_be_awaited(&self, key: &str) -> bool {
        let (work, undo) = (key.strip_suffix(UNDO).unwrap_or(key), key.ends_with(UNDO));
        let own = work.rsplit_once(':');
        let Some((id, Ok(task))) = own.map(|(id, task)| (id, task.parse::<usize>())) else {
            return true;
        };
        let Some(open) = self.core.fulfilments().find(|open| open.id().as_str() == id) else {
            return false;
        };
        let Some(state) = open.tasks().get(task).map(TaskState::name) else {
            return false;
        };
        let task = TaskId::at(task);
        let undoes = matches!(open.work(task), Work::Undo(_));
        let is_under_way = matches!(state, "running" | "waiting" | "calledBack");
        match (undo, open.is_turned(task)) {
            (true, true) if !undoes => {
                !is_under_way && !matches!(state, "pending" | "undone" | "givenUp")
            }
            (_, true) => is_under_way && undo == undoes,
            (_, false) => !matches!(state, "done" | "givenUp") && undo == undoes,
        }
    }

    /// Timers follow from the folds alone, so they are the same after a crash.
    pub(super) fn assert_timers(&self) {
        let derived = self.core.resting().filter_map(|open| open.wake_at(self.now));
        let derived = derived.chain(self.core.callbacks_expire_at()).min();
        assert_eq!(self.core.wake_at(), derived, "timers follow from the state");
    }

    /// No value has two holders, not even in memory.
    pub(super) fn assert_reservations(&self) {
        let mut held = BTreeSet::new();
        for open in self.core.fulfilments() {
            for reservation in open.tasks().iter().flat_map(reservations_of) {
                let value = (&reservation.pool, reservation.index);
                assert!(
                    held.insert(value),
                    "{} of {} is held by two",
                    reservation.value,
                    reservation.pool
                );
            }
        }
    }

    /// If nothing is under way and nothing can arrive, everything is written, and each open fulfilment
    /// has a time at which it continues or an operator who must act.
    pub(super) fn assert_quiet(&self) {
        assert_eq!(self.disk.pending(), 0, "all is written");
        assert!(self.calls.is_empty(), "nothing is under way");
        assert_eq!(self.unanswered, 0, "every asker is answered");
        for open in self.core.fulfilments() {
            assert_same(open, &self.disk.folds[open.id()], "the state in memory is on the disk");
            let waits = open.is_held() || open.wake_at(self.now).is_some();
            assert!(waits, "{} hangs: {:?}", open.id(), open.tasks());
            for (task, _, keys) in open.waits() {
                let mut names = keys.iter().map(|key| open.callback_name(task, key));
                let kept = names.find(|name| self.disk.kept.contains(name));
                assert_eq!(kept, None, "{task} of {} waits for a kept callback", open.id());
            }
        }
        let open = self.disk.folds.values().filter(|fold| !fold.is_ended()).count();
        let set_aside = self.core.set_aside().count();
        assert_eq!(self.core.open() + set_aside, open, "the open fulfilments are known");
        let held = self.disk.held();
        for pool in ["vlan", "port"] {
            let pool = PoolId::new(pool);
            let count = held.iter().filter(|(_, reservation)| reservation.pool == pool).count();
            assert_eq!(
                self.pools.held(&pool),
                count,
                "reservations of {pool} in memory and on the disk"
            );
        }
    }

    /// The invariants of the whole run.
    pub(super) fn assert_end(&self) {
        self.assert_quiet();
        self.disk.assert_replay();
        audit::assert_audited(&self.disk.store);
        self.disk.assert_inventory();
        self.disk.assert_no_stray_pieces();
        for (id, task, attempt) in self.logged.iter().filter(|_| self.generation == 1) {
            let logs = self.disk.store.scan(&Scan::prefix(keys::logs(id), usize::MAX)).unwrap();
            let own = format!("l/{id}/{task:08x}/{attempt:08x}!", task = task.0);
            let is_kept = logs.iter().any(|(key, _)| key.starts_with(own.as_bytes()));
            assert!(is_kept, "the log of {own} is kept");
        }
        for (number, (sendings, told)) in self.clients.iter().enumerate() {
            let key = &self.orders[number].submission;
            if let Some(key) = key {
                assert!(told.is_some(), "client {number} was answered in the end");
                let prefix = format!("f{number}-");
                let own = self.disk.folds.keys().filter(|id| id.as_str().starts_with(&prefix));
                assert_eq!(own.count(), 1, "{key} was sent {sendings} times, and makes one order");
            }
        }
        for fold in self.disk.folds.values() {
            self.assert_effects(fold);
            self.assert_product(fold);
            let forgotten = |key: &String| {
                let own = key.strip_prefix(fold.id().as_str());
                !fold.is_ended() || !own.is_some_and(|rest| rest.starts_with(':'))
            };
            assert!(self.disk.kept.iter().all(forgotten), "answers for {} are kept", fold.id());
        }
    }

    /// Each effect exists once if the order completed, and not at all if it failed.
    fn assert_effects(&self, fold: &Fulfilment) {
        for (index, state) in fold.tasks().iter().enumerate() {
            let task = TaskId::at(index);
            let step = fold.plan().step(task);
            if !matches!(step.plugin.as_str(), "element" | "missing") {
                continue;
            }
            let key = fold.idempotency_key(task);
            let effect = self.network.effects.get(&key).copied();
            let name = fold.plan().task_name(task);
            if let (Work::Undo(made), true) = (fold.work(task), state.is_done()) {
                let effect = self.network.effects.get(&made.key).copied();
                let removed = effect == Some(Effect::Removed) || !step.undo;
                assert!(removed, "{name} of {} is undone by another order", fold.id());
                continue;
            }
            match state {
                TaskState::Done(_) if self.disk.is_undone_by_other(&key) => {}
                TaskState::Done(_) => {
                    assert_eq!(effect, Some(Effect::Applied), "{name} of {} is done", fold.id());
                }
                TaskState::Undone if step.undo => {
                    // Work that never began has no effect that could be removed.
                    assert_ne!(effect, Some(Effect::Applied), "{name} of {} is undone", fold.id());
                }
                TaskState::Pending => {
                    assert_eq!(effect, None, "{name} of {} was never begun", fold.id());
                }
                TaskState::Undone
                | TaskState::Running { .. }
                | TaskState::Waiting { .. }
                | TaskState::CalledBack { .. }
                | TaskState::Retrying { .. }
                | TaskState::Failed { .. }
                | TaskState::Undoing { .. }
                | TaskState::UndoWaiting { .. }
                | TaskState::UndoCalledBack { .. }
                | TaskState::Stuck { .. }
                | TaskState::GivenUp { .. } => {}
            }
        }
        let is_over = |(index, state): (usize, &TaskState)| match fold.is_turned(TaskId::at(index))
        {
            true => state.is_clear(),
            false => state.is_done() || matches!(state, TaskState::GivenUp { .. }),
        };
        match fold.phase() {
            Phase::Ended(..) => {
                assert!(fold.tasks().iter().enumerate().all(is_over), "{} has ended", fold.id());
            }
            Phase::Submitted | Phase::Held(_) | Phase::Running | Phase::RollingBack(_) => {}
        }
    }
}

impl World {
    /// The product of a change is as the order ended.
    fn assert_product(&self, fold: &Fulfilment) {
        let Some(item) = fold.plan().items.first() else {
            return;
        };
        let (Some(_), Phase::Ended(end, _)) = (&item.origin, fold.phase()) else {
            return;
        };
        let key = keys::document("product", &fold.product_id(item));
        let product = self.disk.store.get(&key).unwrap().unwrap();
        let product = Document::read(&product).unwrap().body;
        let links = fulfilments_of("product", &product);
        if links.last() != Some(fold.id()) {
            return;
        }
        let ceased = item.action == Action::Delete && *end == End::Completed;
        assert_eq!(fold.is_delivered(ItemId(0)), *end == End::Completed, "{}", fold.id());
        let status = if ceased { "terminated" } else { "active" };
        assert_eq!(product["status"], status, "the product of {}", fold.id());
    }
}

/// The reservations of a task.
pub(super) fn reservations_of(state: &TaskState) -> &[Reservation] {
    match state {
        TaskState::Done(task_output)
        | TaskState::Undoing { task_output, .. }
        | TaskState::UndoWaiting { task_output, .. }
        | TaskState::UndoCalledBack { task_output, .. }
        | TaskState::Stuck { task_output, .. }
        | TaskState::GivenUp { task_output, released: false, .. } => &task_output.reservations,
        TaskState::Pending
        | TaskState::Running { .. }
        | TaskState::Waiting { .. }
        | TaskState::CalledBack { .. }
        | TaskState::Retrying { .. }
        | TaskState::Failed { .. }
        | TaskState::GivenUp { released: true, .. }
        | TaskState::Undone => &[],
    }
}

/// Every attempt carries the same key.
fn assert_key(call: &Call) {
    let key = format!("{}:{}", call.fulfilment, call.task);
    assert_eq!(call.idempotency_key, key);
    // Work that is reapplied has its old input.
    if let (Some(own), false) = (call.input.get("key"), call.operation == Operation::Reapply) {
        assert_eq!(own.as_str(), Some(key.as_str()), "the input of {} has it too", call.name);
    }
}

/// Two folds are the same; if not, the difference is shown without the plan.
/// A fulfilment that is read again is as it left memory.
pub(crate) fn assert_read(read: &Fulfilment, left: &Fulfilment) {
    assert_same(read, left, "what left memory is read again");
}

pub(super) fn assert_same(one: &Fulfilment, other: &Fulfilment, why: &str) {
    let brief = |fold: &Fulfilment| {
        format!(
            "{} of {}, updated {}: {} after {} records, {:#?}",
            fold.id(),
            fold.submitted_at().0,
            fold.updated_at().0,
            fold.phase().name(),
            fold.records(),
            fold.tasks()
        )
    };
    assert!(one == other, "{why}, but {}\nand {}", brief(one), brief(other));
}
