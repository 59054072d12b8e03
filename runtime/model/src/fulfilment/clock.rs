//! Adjusts times when the clock of the machine was set back.

use super::Fulfilment;
use crate::task::TaskState;
use tmf::time::Timestamp;

impl Fulfilment {
    /// Follows a clock that is behind the last record: timeouts and retries become due after their
    /// original delay, not later by as much as the clock was set back. Dates that the order names
    /// stay as they are. The journal is not changed: this is done once, after a journal was folded.
    pub fn follow_clock(&mut self, now: Timestamp) {
        let back_ms = self.updated_at.0.saturating_sub(now.0);
        if back_ms <= 0 {
            return;
        }
        for state in &mut self.tasks {
            match state {
                TaskState::Waiting { until: at, .. }
                | TaskState::UndoWaiting { until: at, .. }
                | TaskState::Retrying { at, .. }
                | TaskState::Undoing { at, .. } => at.0 = at.0.saturating_sub(back_ms),
                TaskState::Pending
                | TaskState::Running { .. }
                | TaskState::CalledBack { .. }
                | TaskState::Done(_)
                | TaskState::Failed { .. }
                | TaskState::UndoCalledBack { .. }
                | TaskState::Stuck { .. }
                | TaskState::Undone
                | TaskState::GivenUp { .. } => {}
            }
        }
    }
}
