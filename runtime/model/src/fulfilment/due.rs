//! The work that is due for one task, and when something becomes due by time alone.

use serde_json::{Map, Value};

use super::ready_set::is_settled;
use super::{Context, Due, Fulfilment, Phase};
use crate::id::TaskId;
use crate::operation::Operation;
use crate::task::TaskState;
use tmf::time::Timestamp;

/// An attempt that is due by a task's state alone, as if no prior work were changed.
pub(super) struct Owed {
    pub(super) attempt: u32,
    pub(super) operation: Operation,
}

impl Owed {
    fn undo(attempt: u32, outputs: &Map<String, Value>) -> Self {
        Self { attempt, operation: Operation::Undo { outputs: outputs.clone() } }
    }
}

impl Fulfilment {
    /// Lists the work that is due now. The same answer before and after a crash.
    pub fn due(&self, context: &mut Context<'_>) -> Vec<Due> {
        let whole = self.due_for_whole(context.now);
        if matches!(whole, Some(Due::End(_))) {
            return whole.into_iter().collect();
        }
        let tasks = self.active().filter_map(|task| self.due_for(task, context));
        whole.into_iter().chain(tasks).collect()
    }

    /// The work that is due for no single task: the end, or a note that it is late.
    pub fn due_for_whole(&self, now: Timestamp) -> Option<Due> {
        let settled = self.ready.unsettled == 0;
        match &self.phase {
            Phase::Submitted | Phase::Held(_) | Phase::Ended(..) => None,
            Phase::Running if settled => {
                self.may_complete(now).then(|| Due::End(self.end_of_running()))
            }
            Phase::Running => self.sla_risk_due(now).map(Due::Alert),
            Phase::RollingBack(cause) => settled.then(|| Due::End(self.end_of_rollback(cause))),
        }
    }

    /// The tasks that work may be due for, in order: those without a blocker.
    pub fn active(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.ready.active.iter().copied()
    }

    /// The work that is due for a task now.
    pub fn due_for(&self, task: TaskId, context: &mut Context<'_>) -> Option<Due> {
        let is_open = matches!(self.phase, Phase::Running | Phase::RollingBack(_));
        if !is_open || !self.ready.active.contains(&task) {
            return None;
        }
        if let Some(attempt) = self.expired(task, context.now) {
            return Some(Due::Expire { task, attempt });
        }
        let owed = match self.is_turned(task) {
            true => self.owed_backward(task, context.now),
            false => self.owed_forward(task, context.now),
        };
        owed.map(|owed| self.carried_out(task, owed, context))
    }

    /// The attempt that waited for its answer until now.
    fn expired(&self, task: TaskId, now: Timestamp) -> Option<u32> {
        match &self.tasks[task.index()] {
            TaskState::Waiting { attempt, until, .. }
            | TaskState::UndoWaiting { attempt, until, .. } => (*until <= now).then_some(*attempt),
            TaskState::Pending
            | TaskState::Running { .. }
            | TaskState::CalledBack { .. }
            | TaskState::Retrying { .. }
            | TaskState::Done(_)
            | TaskState::Failed { .. }
            | TaskState::Undoing { .. }
            | TaskState::UndoCalledBack { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => None,
        }
    }

    /// The tasks that may stand open to be done, or undone, since a task changed.
    pub fn opened_by(&self, task: TaskId) -> impl Iterator<Item = TaskId> + '_ {
        let state = &self.tasks[task.index()];
        let is_turned = self.is_turned(task);
        let is_over =
            !matches!(state, TaskState::Pending) && is_settled(&self.tasks, &self.turned, task);
        let after = self.ready.dependents[task.index()].iter().filter(move |_| is_over);
        let before = self.plan.task(task).needs.iter().filter(move |_| is_over && is_turned);
        after.chain(before).copied()
    }

    fn owed_forward(&self, task: TaskId, now: Timestamp) -> Option<Owed> {
        let state = &self.tasks[task.index()];
        match state {
            TaskState::Pending => {
                let ready = self.plan.task(task).not_before.is_none_or(|time| time <= now);
                ready.then_some(Owed { attempt: 1, operation: Operation::Run })
            }
            // The failed attempt may have had an effect.
            TaskState::Retrying { attempt, at, .. } => {
                (*at <= now).then_some(Owed { attempt: attempt + 1, operation: Operation::Recover })
            }
            TaskState::Running { .. }
            | TaskState::Waiting { .. }
            | TaskState::CalledBack { .. }
            | TaskState::Done(_)
            | TaskState::Failed { .. }
            | TaskState::Undoing { .. }
            | TaskState::UndoWaiting { .. }
            | TaskState::UndoCalledBack { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => Self::owed_under_way(state),
        }
    }

    fn owed_backward(&self, task: TaskId, now: Timestamp) -> Option<Owed> {
        let state = &self.tasks[task.index()];
        match state {
            TaskState::Retrying { .. }
            | TaskState::Failed { .. }
            | TaskState::Stuck { begun: false, .. } => Some(Owed::undo(1, &Map::new())),
            TaskState::Done(task_output) => Some(Owed::undo(1, &task_output.outputs)),
            TaskState::Undoing { task_output, attempt, at, .. } => {
                (*at <= now).then(|| Owed::undo(attempt + 1, &task_output.outputs))
            }
            TaskState::Pending
            | TaskState::Running { .. }
            | TaskState::Waiting { .. }
            | TaskState::CalledBack { .. }
            | TaskState::UndoWaiting { .. }
            | TaskState::UndoCalledBack { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => Self::owed_under_way(state),
        }
    }

    fn owed_under_way(state: &TaskState) -> Option<Owed> {
        match state {
            TaskState::Running { attempt } => {
                Some(Owed { attempt: *attempt, operation: Operation::Recover })
            }
            TaskState::CalledBack { attempt, payload } => {
                let operation = Operation::Resume { payload: payload.clone() };
                Some(Owed { attempt: *attempt, operation })
            }
            TaskState::UndoCalledBack { attempt, payload, .. } => {
                let operation = Operation::ResumeUndo { payload: payload.clone() };
                Some(Owed { attempt: *attempt, operation })
            }
            TaskState::Pending
            | TaskState::Waiting { .. }
            | TaskState::UndoWaiting { .. }
            | TaskState::Retrying { .. }
            | TaskState::Done(_)
            | TaskState::Failed { .. }
            | TaskState::Undoing { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => None,
        }
    }

    /// The next time after `now` at which something becomes due by time alone.
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let tasks = self.active().filter_map(|task| self.wake_for(task, now));
        tasks.chain(self.wake_for_whole(now)).min()
    }

    /// The next time after `now` at which something becomes due for a task by time alone.
    pub fn wake_for(&self, task: TaskId, now: Timestamp) -> Option<Timestamp> {
        let is_open = matches!(self.phase, Phase::Running | Phase::RollingBack(_));
        if !is_open || !self.ready.active.contains(&task) {
            return None;
        }
        let time = match &self.tasks[task.index()] {
            TaskState::Pending => self.plan.task(task).not_before,
            TaskState::Retrying { at, .. } => (!self.is_turned(task)).then_some(*at),
            TaskState::Undoing { at, .. } => Some(*at),
            TaskState::Waiting { until, .. } | TaskState::UndoWaiting { until, .. } => Some(*until),
            TaskState::Running { .. }
            | TaskState::CalledBack { .. }
            | TaskState::Done(_)
            | TaskState::Failed { .. }
            | TaskState::UndoCalledBack { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => None,
        };
        time.filter(|time| *time > now)
    }

    /// The next time after `now` at which it may be complete, where all is done before its date, or
    /// at which it may be late, where it is owed that that is noted.
    pub fn wake_for_whole(&self, now: Timestamp) -> Option<Timestamp> {
        let is_settled = self.phase == Phase::Running && self.ready.unsettled == 0;
        let completes = self.plan.completes.filter(|_| is_settled);
        self.alert_times().chain(completes).filter(|time| *time > now).min()
    }
}
