//! What is owed for one task, and when something becomes due by time alone.

use serde_json::Map;

use super::watch::is_settled;
use super::{Due, Fulfilment, Phase};
use crate::id::TaskId;
use crate::task::TaskState;
use crate::time::Timestamp;

impl Fulfilment {
    /// Lists what is owed now. The same answer before and after a crash.
    pub fn due(&self, now: Timestamp) -> Vec<Due> {
        let whole = self.due_for_whole(now);
        if matches!(whole, Some(Due::End(_))) {
            return whole.into_iter().collect();
        }
        let tasks = self.active().filter_map(|task| self.due_for(task, now));
        whole.into_iter().chain(tasks).collect()
    }

    /// What is owed for no task but for all of it: its end, or a note that it is late.
    pub fn due_for_whole(&self, now: Timestamp) -> Option<Due> {
        let settled = self.watch.unsettled == 0;
        match &self.phase {
            Phase::Submitted | Phase::Held(_) | Phase::Ended(..) => None,
            Phase::Running if settled => {
                self.may_complete(now).then(|| Due::End(self.end_of_running()))
            }
            Phase::Running => self.alert_due(now).map(Due::Alert),
            Phase::Unwinding(cause) => settled.then(|| Due::End(self.end_of_unwinding(cause))),
        }
    }

    /// The tasks that something may be owed for, in order: those of which nothing else stands in
    /// the way.
    pub fn active(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.watch.active.iter().copied()
    }

    /// What is owed for a task now.
    pub fn due_for(&self, task: TaskId, now: Timestamp) -> Option<Due> {
        let is_open = matches!(self.phase, Phase::Running | Phase::Unwinding(_));
        if !is_open || !self.watch.active.contains(&task) {
            return None;
        }
        match self.is_turned(task) {
            true => self.due_backward(task, now),
            false => self.due_forward(task, now),
        }
    }

    /// The tasks that may stand open to be done, or undone, since a task changed.
    pub fn opened_by(&self, task: TaskId) -> impl Iterator<Item = TaskId> + '_ {
        let state = &self.tasks[task.index()];
        let is_turned = self.is_turned(task);
        let is_over =
            !matches!(state, TaskState::Pending) && is_settled(&self.tasks, &self.turned, task);
        let after = self.watch.dependents[task.index()].iter().filter(move |_| is_over);
        let before = self.plan.task(task).needs.iter().filter(move |_| is_over && is_turned);
        after.chain(before).copied()
    }

    fn due_forward(&self, task: TaskId, now: Timestamp) -> Option<Due> {
        let state = &self.tasks[task.index()];
        match state {
            TaskState::Pending => {
                let ready = self.plan.task(task).not_before.is_none_or(|time| time <= now);
                ready.then_some(Due::Run { task, attempt: 1, again: false })
            }
            TaskState::Retrying { attempt, at, .. } => {
                (*at <= now).then_some(Due::Run { task, attempt: attempt + 1, again: true })
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
            | TaskState::GivenUp { .. } => Self::due_under_way(task, state, now),
        }
    }

    fn due_backward(&self, task: TaskId, now: Timestamp) -> Option<Due> {
        let state = &self.tasks[task.index()];
        match state {
            TaskState::Retrying { .. }
            | TaskState::Failed { .. }
            | TaskState::Stuck { begun: false, .. } => {
                Some(Due::Undo { task, attempt: 1, outputs: Map::new() })
            }
            TaskState::Done(yielded) => {
                Some(Due::Undo { task, attempt: 1, outputs: yielded.outputs.clone() })
            }
            TaskState::Undoing { yielded, attempt, at, .. } => (*at <= now).then(|| Due::Undo {
                task,
                attempt: attempt + 1,
                outputs: yielded.outputs.clone(),
            }),
            TaskState::Pending
            | TaskState::Running { .. }
            | TaskState::Waiting { .. }
            | TaskState::CalledBack { .. }
            | TaskState::UndoWaiting { .. }
            | TaskState::UndoCalledBack { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => Self::due_under_way(task, state, now),
        }
    }

    fn due_under_way(task: TaskId, state: &TaskState, now: Timestamp) -> Option<Due> {
        match state {
            TaskState::Running { attempt } => Some(Due::Recover { task, attempt: *attempt }),
            TaskState::CalledBack { attempt, payload } => {
                Some(Due::Resume { task, attempt: *attempt, payload: payload.clone() })
            }
            TaskState::UndoCalledBack { attempt, payload, .. } => {
                let (attempt, payload) = (*attempt, payload.clone());
                Some(Due::ResumeUndo { task, attempt, payload })
            }
            TaskState::Waiting { attempt, until, .. }
            | TaskState::UndoWaiting { attempt, until, .. } => {
                (*until <= now).then_some(Due::Expire { task, attempt: *attempt })
            }
            TaskState::Pending
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
        let is_open = matches!(self.phase, Phase::Running | Phase::Unwinding(_));
        if !is_open || !self.watch.active.contains(&task) {
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
        let is_settled = self.phase == Phase::Running && self.watch.unsettled == 0;
        let completes = self.plan.completes.filter(|_| is_settled);
        self.alert_times().chain(completes).filter(|time| *time > now).min()
    }
}
