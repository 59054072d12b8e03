//! What follows from the end of an attempt. Each function answers with events and changes nothing.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Fulfilment, Phase};
use crate::id::{FulfilmentId, TaskId};
use crate::journal::{End, Event};
use crate::outcome::{Failure, FailureClass, Hold, Outcome};
use crate::plan::{OnFailure, Retry, Work};
use crate::task::TaskState;
use crate::time::Timestamp;

impl Fulfilment {
    /// What follows from the outcome of an attempt; nothing where the attempt is not the current
    /// one, so an outcome that comes twice or late changes nothing.
    pub fn conclude(
        &self,
        task: TaskId,
        attempt: u32,
        outcome: Outcome,
        holds: Vec<Hold>,
        now: Timestamp,
    ) -> Vec<Event> {
        if !self.awaits_outcome(task, attempt) {
            return Vec::new();
        }
        let takes_back = matches!(self.work(task), Work::TakeBack(_));
        match outcome {
            Outcome::Done(outputs) => vec![Event::Succeeded { task, attempt, outputs, holds }],
            Outcome::Waiting(_) if takes_back => {
                self.after_failure(task, attempt, undo_waits(), now)
            }
            Outcome::Waiting(wait) => {
                let until = now.plus_ms(wait.timeout_ms);
                vec![Event::Waiting { task, attempt, wait, until }]
            }
            Outcome::Failed(failure) => self.after_failure(task, attempt, failure, now),
        }
    }

    /// What follows when an awaited answer did not come in time; nothing where it came after all.
    pub fn expire(&self, task: TaskId, attempt: u32, now: Timestamp) -> Vec<Event> {
        if !self.awaits_callback(task, attempt) {
            return Vec::new();
        }
        let failure = Failure::new(
            FailureClass::Retry,
            "CALLBACK_TIMEOUT",
            "the answer did not come in time; the element is asked again",
        );
        self.after_failure(task, attempt, failure, now)
    }

    /// What follows from a callback; nothing where the task does not wait for it any more.
    pub fn called_back(&self, task: TaskId, attempt: u32, payload: Value) -> Vec<Event> {
        if !self.awaits_callback(task, attempt) {
            return Vec::new();
        }
        vec![Event::CalledBack { task, attempt, payload }]
    }

    /// What follows from the outcome of an attempt to take a task back.
    pub fn conclude_undo(
        &self,
        task: TaskId,
        attempt: u32,
        outcome: Outcome,
        now: Timestamp,
    ) -> Vec<Event> {
        let state = self.tasks.get(task.index());
        let current = state.is_some_and(|state| state.is_undo_attempt(attempt));
        if !current || !matches!(self.phase, Phase::Unwinding(_)) {
            return Vec::new();
        }
        match outcome {
            Outcome::Done(_) => vec![Event::Undone { task }],
            Outcome::Waiting(_) => {
                let failure = undo_waits();
                vec![Event::UndoFailed { task, attempt, failure }]
            }
            Outcome::Failed(failure) => {
                let retry = self.plan.step(task).retry;
                if failure.class == FailureClass::Retry && attempt < retry.attempts {
                    let at = now.plus_ms(self.pause(task, attempt, retry, &failure));
                    vec![Event::UndoRetrying { task, attempt, failure, at }]
                } else {
                    vec![Event::UndoFailed { task, attempt, failure }]
                }
            }
        }
    }

    /// What follows when a person wants what failed tried again.
    pub fn reopen(&self) -> Vec<Event> {
        let failed = self.tasks.iter().enumerate().filter(|(_, state)| match state {
            TaskState::Failed { .. } => self.phase == Phase::Running,
            TaskState::Stuck { .. } => true,
            TaskState::Pending
            | TaskState::Running { .. }
            | TaskState::Waiting { .. }
            | TaskState::CalledBack { .. }
            | TaskState::Retrying { .. }
            | TaskState::Done(_)
            | TaskState::Undoing { .. }
            | TaskState::Undone => false,
        });
        failed.map(|(index, _)| Event::Reopened { task: TaskId::at(index) }).collect()
    }

    fn awaits_callback(&self, task: TaskId, attempt: u32) -> bool {
        let state = self.tasks.get(task.index());
        matches!(state, Some(TaskState::Waiting { attempt: own, .. }) if *own == attempt)
    }

    fn awaits_outcome(&self, task: TaskId, attempt: u32) -> bool {
        let Some(state) = self.tasks.get(task.index()) else {
            return false;
        };
        match (&self.phase, state) {
            (Phase::Running, TaskState::Pending | TaskState::Retrying { .. })
            | (
                Phase::Running | Phase::Unwinding(_),
                TaskState::Running { .. } | TaskState::CalledBack { .. },
            ) => state.is_attempt(attempt),
            _ => false,
        }
    }

    fn after_failure(
        &self,
        task: TaskId,
        attempt: u32,
        failure: Failure,
        now: Timestamp,
    ) -> Vec<Event> {
        if matches!(self.phase, Phase::Unwinding(_)) {
            return vec![Event::Failed { task, attempt, failure }];
        }
        let step = self.plan.step(task);
        if failure.class == FailureClass::Retry && attempt < step.retry.attempts {
            let at = now.plus_ms(self.pause(task, attempt, step.retry, &failure));
            return vec![Event::Retrying { task, attempt, failure, at }];
        }
        // What is taken back is taken back in the end, so this waits for a person.
        let takes_back = matches!(self.work(task), Work::TakeBack(_));
        let rejects = failure.class == FailureClass::Reject;
        let unwind = !takes_back && (rejects || step.on_failure == OnFailure::Unwind);
        let failed = Event::Failed { task, attempt, failure: failure.clone() };
        if unwind && !self.is_past_return(task) {
            vec![failed, Event::Unwinding { cause: failure }]
        } else {
            vec![failed]
        }
    }

    /// Whether a point of no return may have been passed; not by the task that has just failed.
    fn is_past_return(&self, failed: TaskId) -> bool {
        self.tasks.iter().enumerate().any(|(index, state)| {
            let task = TaskId::at(index);
            let takes_back = matches!(self.work(task), Work::TakeBack(_));
            let has_failed = matches!(state, TaskState::Failed { .. }) && !takes_back;
            let may_be_done = !state.is_clear() && !has_failed;
            self.plan.is_no_return(task) && task != failed && may_be_done
        })
    }

    /// How an unwound fulfilment ends: cancelled where that was asked for, rejected where the order
    /// itself was wrong and nothing had been begun outside, failed otherwise.
    pub(super) fn end_of_unwinding(&self, cause: &Failure) -> End {
        if self.cancelled_by.is_some() {
            End::Cancelled
        } else if cause.class == FailureClass::Reject && !self.started {
            End::Rejected
        } else {
            End::Failed
        }
    }

    /// The pause before the next attempt: it doubles each time, and half of it is drawn from a
    /// seed, so that tasks that failed together do not come back together.
    fn pause(&self, task: TaskId, attempt: u32, retry: Retry, failure: &Failure) -> u64 {
        let doubled = retry.first_ms.saturating_mul(1 << attempt.saturating_sub(1).min(32));
        let whole = doubled.min(retry.max_ms);
        let half = whole / 2;
        let pause = half + seed(&self.id, task, attempt) % (whole - half + 1);
        pause.max(failure.retry_after_ms.unwrap_or(0))
    }
}

/// The contract knows no waiting where work is taken back.
fn undo_waits() -> Failure {
    Failure::new(
        FailureClass::Person,
        "UNDO_WAITS",
        "the plugin answered an undo by `waiting`, which is not possible: an undo ends before it \
         answers",
    )
}

fn seed(fulfilment: &FulfilmentId, task: TaskId, attempt: u32) -> u64 {
    let hash = Sha256::digest(format!("{fulfilment}/{task}/{attempt}"));
    hash.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
