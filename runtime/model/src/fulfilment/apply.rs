//! What may happen in which phase and to which task, and what comes of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::failures::Cause;
use super::index::Index;
use super::progress::Progress;
use super::ready_set::{ReadySet, is_settled};
use super::{ApplyError, Fulfilment, Phase, cancel};
use crate::id::{ItemId, TaskId};
use crate::journal::{End, Event};
use crate::outcome::Failure;
use crate::plan::{Plan, Work};
use crate::task::TaskState;

impl Fulfilment {
    pub(super) fn apply_to_task(&mut self, task: TaskId, event: &Event) -> Result<(), ApplyError> {
        let Some(state) = self.tasks.get(task.index()) else {
            return Err(ApplyError::NoTask(task));
        };
        match &self.phase {
            Phase::Running | Phase::RollingBack(_) => {}
            Phase::Submitted | Phase::Held(_) | Phase::Ended(..) => return Err(self.refuse(event)),
        }
        let is_turned = self.is_turned(task);
        let is_allowed = match allowed(state, event) {
            Allowed::Forward => !is_turned,
            Allowed::Backward => is_turned,
            Allowed::Both => true,
            Allowed::Undo => is_turned || matches!(self.work(task), Work::Undo(_)),
        };
        if !is_allowed || !self.may_follow(task, event) {
            return Err(self.refuse(event));
        }
        let Some(next) = state.next(event) else {
            return Err(ApplyError::Task { task, state: state.name(), event: event.name() });
        };
        self.started |= matches!(event, Event::Started { .. });
        if let Some(item) = self.plan.task(task).item {
            self.progress.changed(&self.plan, item, state, &next);
        }
        if matches!(next, TaskState::GivenUp { released: false, .. }) {
            self.left.insert(task);
        }
        if !matches!(next, TaskState::Running { .. }) {
            self.begun_with.remove(&task);
        }
        self.tasks[task.index()] = next;
        self.ready.changed(&self.plan, &self.tasks, &self.turned, task);
        Ok(())
    }

    /// Whether what stands before the task allows the event: work begins only after its needs, and
    /// is undone only before them.
    fn may_follow(&self, task: TaskId, event: &Event) -> bool {
        if event.is_of_undo() || matches!(event, Event::GivenUp { .. }) {
            return self.ready.blockers[task.index()] == 0;
        }
        if !event.is_of_attempt() || self.is_turned(task) {
            return true;
        }
        let has_begun = !matches!(self.tasks[task.index()], TaskState::Pending);
        let mut needs = self.plan.task(task).needs.iter();
        has_begun || needs.all(|need| is_settled(&self.tasks, &self.turned, *need))
    }

    pub(super) fn apply_to_phase(&mut self, event: &Event) -> Result<(), ApplyError> {
        let next = match (&self.phase, event) {
            (Phase::Submitted, Event::Awaiting { orders, queued: false }) => {
                self.after.clone_from(orders);
                return Ok(());
            }
            (Phase::Submitted | Phase::Held(_), Event::Awaiting { orders, queued: true }) => {
                self.behind.clone_from(orders);
                Phase::Submitted
            }
            (Phase::Submitted | Phase::Held(_), Event::Planned { plan }) => {
                self.plan_as(plan)?;
                Phase::Running
            }
            (Phase::Submitted | Phase::Held(_), Event::Held { failure }) => {
                Phase::Held(failure.clone())
            }
            (Phase::Submitted | Phase::Held(_), Event::Rejected { failure }) => {
                Phase::Ended(End::Rejected, Some(failure.clone()))
            }
            (Phase::Running, Event::RollingBack { cause, task, .. }) => {
                if task.is_some_and(|task| task.index() >= self.tasks.len()) {
                    return Err(self.refuse(event));
                }
                // Journals of earlier versions do not say which task it was.
                let task = task.or_else(|| self.failed_with(cause));
                self.cause = Some(Cause { task, failure: cause.clone() });
                self.turn_all();
                Phase::RollingBack(cause.clone())
            }
            (Phase::Running, Event::RollingBackLines { lines, cause, task, .. }) => {
                let more = self.turning(lines, *task).ok_or_else(|| self.refuse(event))?;
                let cause = Arc::new(Cause { task: *task, failure: cause.clone() });
                self.failed.extend(lines.iter().map(|line| (*line, Arc::clone(&cause))));
                self.turn(more);
                return Ok(());
            }
            (Phase::Submitted | Phase::Held(_) | Phase::Running, Event::Cancelling { request }) => {
                self.turn_all();
                self.cancelled_by = Some(request.clone());
                Phase::RollingBack(cancel::cause(request))
            }
            (phase, Event::CancelRefused { .. }) if !matches!(phase, Phase::Ended(..)) => {
                return Ok(());
            }
            (_, Event::Patched { patch }) => {
                self.follow(patch);
                return Ok(());
            }
            (_, Event::Moved { plugin, from, to, .. }) => {
                return self.follow_move(plugin, from, to).ok_or_else(|| self.refuse(event));
            }
            (Phase::Running, Event::Alerted { risk }) => {
                self.sla_risks.push(risk.clone());
                return Ok(());
            }
            (Phase::Running, Event::Ended { end })
                if self.ready.unsettled == 0 && *end == self.end_of_running() =>
            {
                Phase::Ended(*end, None)
            }
            (Phase::RollingBack(cause), Event::Ended { end })
                if self.ready.unsettled == 0 && *end == self.end_of_rollback(cause) =>
            {
                let failure = self.cancelled_by.is_none().then(|| cause.clone());
                Phase::Ended(*end, failure)
            }
            _ => return Err(self.refuse(event)),
        };
        self.phase = next;
        Ok(())
    }

    fn plan_as(&mut self, plan: &Arc<Plan>) -> Result<(), ApplyError> {
        plan.check().map_err(ApplyError::Plan)?;
        self.plan = Arc::clone(plan);
        self.tasks = vec![TaskState::Pending; self.plan.tasks.len()];
        self.ready = ReadySet::derive(&self.plan, &self.tasks, &self.turned);
        self.index = Arc::new(Index::derive(&self.plan));
        self.progress = Progress::derive(&self.plan, &self.tasks);
        Ok(())
    }

    fn failed_with(&self, cause: &Failure) -> Option<TaskId> {
        let is_it = |state: &TaskState| matches!(state, TaskState::Failed { failure, .. } if failure == cause);
        self.tasks.iter().position(is_it).map(TaskId::at)
    }

    /// The tasks that are undone when these lines have failed; `None` if they cannot fail so: not
    /// together with all that relies on them, or with all that the order asks for.
    fn turning(&self, more: &[ItemId], task: Option<TaskId>) -> Option<BTreeSet<TaskId>> {
        let lines = self.lines.of(&self.plan);
        let known: BTreeSet<ItemId> = self.failed.keys().copied().collect();
        let is_new = |line: &ItemId| lines.is_line(*line) && !known.contains(line);
        let has_task = task.is_none_or(|task| task.index() < self.tasks.len());
        if more.is_empty() || !more.iter().all(is_new) || !has_task {
            return None;
        }
        let all: BTreeSet<ItemId> = known.iter().chain(more).copied().collect();
        let dependents = &self.ready.dependents;
        let closed = lines.closure(&self.plan, dependents, known, more.iter().copied());
        if all != closed || lines.are_all(&all) {
            return None;
        }
        let more = more.iter().copied().collect();
        Some(lines.tasks_of(&more, &all))
    }

    fn turn(&mut self, mut more: BTreeSet<TaskId>) {
        let stays = self.staying(more.iter().copied());
        self.turned.stays.extend(stays);
        more.retain(|task| !self.turned.stays.contains(task));
        self.turned.tasks.extend(&more);
        self.ready.turn(&self.plan, &self.tasks, &self.turned, &more);
    }

    fn turn_all(&mut self) {
        let stays = self.staying((0..self.tasks.len()).map(TaskId::at));
        self.turned.stays.extend(stays);
        self.turned.is_whole = true;
        self.ready = ReadySet::derive(&self.plan, &self.tasks, &self.turned);
    }

    /// What of these tasks stays done: work past a point of no return, and what it needed.
    fn staying(&self, tasks: impl Iterator<Item = TaskId>) -> BTreeSet<TaskId> {
        let stays = |task: &TaskId| {
            self.plan.is_point_of_no_return(*task)
                && self.tasks[task.index()].is_done()
                && !self.is_turned(*task)
        };
        let mut open: Vec<TaskId> = tasks.filter(stays).collect();
        let mut found: BTreeSet<TaskId> = open.iter().copied().collect();
        while let Some(task) = open.pop() {
            for need in &self.plan.task(task).needs {
                let is_done = self.tasks[need.index()].is_done() && !self.is_turned(*need);
                if is_done && super::lines::relies(&self.plan, task, *need) && found.insert(*need) {
                    open.push(*need);
                }
            }
        }
        found
    }

    fn refuse(&self, event: &Event) -> ApplyError {
        ApplyError::Phase { phase: self.phase.name(), event: event.name() }
    }
}

/// Whether a task may take an event in the direction in which it goes.
enum Allowed {
    /// Only if it is to be done.
    Forward,
    /// Only if it is to be undone.
    Backward,
    /// In both: an attempt that was begun ends, whether its task is to be undone or not.
    Both,
    /// Only an undo, of its own work or of prior work, is given up; for other work its line is.
    Undo,
}

fn allowed(state: &TaskState, event: &Event) -> Allowed {
    if event.is_of_undo() {
        return Allowed::Backward;
    }
    if matches!(event, Event::GivenUp { .. }) {
        return Allowed::Undo;
    }
    match state {
        // An attempt does not begin if its task is to be undone.
        TaskState::Pending | TaskState::Retrying { .. } | TaskState::Failed { .. } => {
            Allowed::Forward
        }
        TaskState::Stuck { .. } => Allowed::Backward,
        TaskState::Running { .. }
        | TaskState::Waiting { .. }
        | TaskState::CalledBack { .. }
        | TaskState::Done(_)
        | TaskState::Undoing { .. }
        | TaskState::UndoWaiting { .. }
        | TaskState::UndoCalledBack { .. }
        | TaskState::Undone
        | TaskState::GivenUp { .. } => Allowed::Both,
    }
}
