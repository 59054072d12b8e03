//! What follows from the end of an attempt. Each function answers with events and changes nothing.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::ending::Reach;
use super::{Fulfilment, Phase};
use crate::codes::FailureCode;
use crate::id::{FulfilmentId, TaskId};
use crate::journal::Event;
use crate::outcome::{Failure, FailureClass, Outcome, Reservation};
use crate::plan::{OnFailure, Retry, Work};
use crate::task::TaskState;
use tmf::time::Timestamp;

impl Fulfilment {
    /// The events that follow from the outcome of an attempt. Empty if the attempt is not the current
    /// one, so a repeated or late outcome changes nothing.
    pub fn conclude(
        &self,
        task: TaskId,
        attempt: u32,
        outcome: Outcome,
        reservations: Vec<Reservation>,
        now: Timestamp,
    ) -> Vec<Event> {
        if !self.awaits_outcome(task, attempt) {
            return Vec::new();
        }
        match outcome {
            Outcome::Done(outputs) => {
                vec![Event::Succeeded { task, attempt, outputs, reservations }]
            }
            Outcome::Waiting(wait) => {
                let until = now.plus_ms(wait.timeout_ms);
                vec![Event::Waiting { task, attempt, wait, until }]
            }
            Outcome::Failed(failure) => self.after_failure(task, attempt, failure, now),
        }
    }

    /// The events that follow if an awaited answer did not come in time; empty if it came after all.
    pub fn expire(&self, task: TaskId, attempt: u32, now: Timestamp) -> Vec<Event> {
        if !self.awaits_callback(task, attempt) {
            return Vec::new();
        }
        let failure = Failure::new(
            FailureClass::Retry,
            FailureCode::CallbackTimeout,
            "the answer did not come in time; the element is asked again",
        );
        if matches!(self.tasks[task.index()], TaskState::UndoWaiting { .. }) {
            return self.after_undo_failure(task, attempt, failure, now);
        }
        self.after_failure(task, attempt, failure, now)
    }

    /// The events that follow from a callback; empty if the task does not wait for it any more.
    pub fn called_back(&self, task: TaskId, attempt: u32, payload: Value) -> Vec<Event> {
        if !self.awaits_callback(task, attempt) {
            return Vec::new();
        }
        vec![Event::CalledBack { task, attempt, payload }]
    }

    /// What follows from the outcome of an attempt to undo a task.
    pub fn conclude_undo(
        &self,
        task: TaskId,
        attempt: u32,
        outcome: Outcome,
        now: Timestamp,
    ) -> Vec<Event> {
        let Some(state) = self.tasks.get(task.index()) else {
            return Vec::new();
        };
        let is_open = matches!(self.phase, Phase::Running | Phase::RollingBack(_));
        if !state.is_undo_attempt(attempt) || !is_open || !self.is_turned(task) {
            return Vec::new();
        }
        if !state.is_begun() {
            return vec![Event::Undone { task }];
        }
        match outcome {
            Outcome::Done(_) => vec![Event::Undone { task }],
            Outcome::Waiting(wait) => {
                let until = now.plus_ms(wait.timeout_ms);
                vec![Event::UndoWaiting { task, attempt, wait, until }]
            }
            Outcome::Failed(failure) => self.after_undo_failure(task, attempt, failure, now),
        }
    }

    fn after_undo_failure(
        &self,
        task: TaskId,
        attempt: u32,
        failure: Failure,
        now: Timestamp,
    ) -> Vec<Event> {
        let retry = self.plan.step(task).retry;
        if failure.class == FailureClass::Retry && attempt < retry.attempts {
            let at = now.plus_ms(self.pause(task, attempt, retry, &failure));
            vec![Event::UndoRetrying { task, attempt, failure, at }]
        } else {
            vec![Event::UndoFailed { task, attempt, failure }]
        }
    }

    /// What follows when a person wants what failed tried again.
    pub fn retry(&self) -> Vec<Event> {
        if !matches!(self.phase, Phase::Running | Phase::RollingBack(_)) {
            return Vec::new();
        }
        let failed = self.tasks.iter().enumerate().filter(|(index, state)| match state {
            TaskState::Failed { .. } => !self.is_turned(TaskId::at(*index)),
            TaskState::Stuck { .. } => true,
            TaskState::Pending
            | TaskState::Running { .. }
            | TaskState::Waiting { .. }
            | TaskState::CalledBack { .. }
            | TaskState::Retrying { .. }
            | TaskState::Done(_)
            | TaskState::Undoing { .. }
            | TaskState::UndoWaiting { .. }
            | TaskState::UndoCalledBack { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => false,
        });
        failed.map(|(index, _)| Event::Retried { task: TaskId::at(index) }).collect()
    }

    fn awaits_callback(&self, task: TaskId, attempt: u32) -> bool {
        let state = self.tasks.get(task.index());
        matches!(
            state,
            Some(
                TaskState::Waiting { attempt: own, .. } | TaskState::UndoWaiting { attempt: own, .. }
            ) if *own == attempt
        )
    }

    fn awaits_outcome(&self, task: TaskId, attempt: u32) -> bool {
        let Some(state) = self.tasks.get(task.index()) else {
            return false;
        };
        if !matches!(self.phase, Phase::Running | Phase::RollingBack(_)) {
            return false;
        }
        match state {
            // What it comes after may be undone since its call began.
            TaskState::Pending if self.ready.blockers[task.index()] > 0 => false,
            TaskState::Pending | TaskState::Retrying { .. } => {
                !self.is_turned(task) && state.is_attempt(attempt)
            }
            TaskState::Running { .. } | TaskState::CalledBack { .. } => state.is_attempt(attempt),
            TaskState::Waiting { .. }
            | TaskState::Done(_)
            | TaskState::Failed { .. }
            | TaskState::Undoing { .. }
            | TaskState::UndoWaiting { .. }
            | TaskState::UndoCalledBack { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => false,
        }
    }

    fn after_failure(
        &self,
        task: TaskId,
        attempt: u32,
        failure: Failure,
        now: Timestamp,
    ) -> Vec<Event> {
        if self.is_turned(task) {
            return vec![Event::Failed { task, attempt, failure }];
        }
        let step = self.plan.step(task);
        if failure.class == FailureClass::Retry && attempt < step.retry.attempts {
            let at = now.plus_ms(self.pause(task, attempt, step.retry, &failure));
            return vec![Event::Retrying { task, attempt, failure, at }];
        }
        // Prior work must be undone in the end, so this waits for an operator.
        let undoes = matches!(self.work(task), Work::Undo(_));
        let rejects = failure.class == FailureClass::Reject;
        let roll_back = !undoes && (rejects || step.on_failure == OnFailure::RollBack);
        let failed = Event::Failed { task, attempt, failure: failure.clone() };
        if !roll_back {
            return vec![failed];
        }
        let reach = self.reach_of(task);
        if self.is_past_return(&reach, task) {
            return vec![failed];
        }
        vec![failed, Self::rolled_back(reach, task, failure)]
    }

    /// Whether a point of no return may have been passed by what would be undone; not by the task
    /// that has just failed.
    fn is_past_return(&self, reach: &Reach, failed: TaskId) -> bool {
        self.tasks_within(reach).into_iter().any(|task| {
            let state = &self.tasks[task.index()];
            let undoes = matches!(self.work(task), Work::Undo(_));
            let has_failed = matches!(state, TaskState::Failed { .. }) && !undoes;
            let may_be_done = !state.is_clear() && !has_failed;
            self.plan.is_point_of_no_return(task)
                && task != failed
                && may_be_done
                && !self.is_turned(task)
        })
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

fn seed(fulfilment: &FulfilmentId, task: TaskId, attempt: u32) -> u64 {
    let hash = Sha256::digest(format!("{fulfilment}/{task}/{attempt}"));
    hash.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
