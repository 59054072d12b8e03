//! What is owed for one task, and when something becomes due by time alone.

use serde_json::Map;

use super::{Due, Fulfilment, Phase};
use crate::id::TaskId;
use crate::task::TaskState;
use crate::time::Timestamp;

impl Fulfilment {
    pub(super) fn due_forward(&self, task: TaskId, now: Timestamp) -> Option<Due> {
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
            | TaskState::Stuck { .. }
            | TaskState::Undone => Self::due_under_way(task, state, now),
        }
    }

    pub(super) fn due_backward(&self, task: TaskId, now: Timestamp) -> Option<Due> {
        let state = &self.tasks[task.index()];
        match state {
            TaskState::Retrying { .. } | TaskState::Failed { .. } => {
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
            | TaskState::Stuck { .. }
            | TaskState::Undone => Self::due_under_way(task, state, now),
        }
    }

    fn due_under_way(task: TaskId, state: &TaskState, now: Timestamp) -> Option<Due> {
        match state {
            TaskState::Running { attempt } => Some(Due::Recover { task, attempt: *attempt }),
            TaskState::CalledBack { attempt, payload } => {
                Some(Due::Resume { task, attempt: *attempt, payload: payload.clone() })
            }
            TaskState::Waiting { attempt, until, .. } => {
                (*until <= now).then_some(Due::Expire { task, attempt: *attempt })
            }
            TaskState::Pending
            | TaskState::Retrying { .. }
            | TaskState::Done(_)
            | TaskState::Failed { .. }
            | TaskState::Undoing { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone => None,
        }
    }

    /// The next time after `now` at which something becomes due by time alone.
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let unwinding = matches!(self.phase, Phase::Unwinding(_));
        if !unwinding && self.phase != Phase::Running {
            return None;
        }
        let times = self.watch.active.iter().filter_map(|task| match &self.tasks[task.index()] {
            TaskState::Pending => self.plan.task(*task).not_before,
            TaskState::Retrying { at, .. } if !unwinding => Some(*at),
            TaskState::Undoing { at, .. } => Some(*at),
            TaskState::Waiting { until, .. } => Some(*until),
            TaskState::Retrying { .. }
            | TaskState::Running { .. }
            | TaskState::CalledBack { .. }
            | TaskState::Done(_)
            | TaskState::Failed { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone => None,
        });
        times.chain(self.alert_times()).filter(|time| *time > now).min()
    }
}
