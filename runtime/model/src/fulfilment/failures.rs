//! What failed: what a person must look at, and what became of lines that are rolled back.

use std::borrow::Cow;

use super::{Fulfilment, Phase};
use crate::codes::FailureCode;
use crate::id::{ItemId, TaskId};
use crate::outcome::{Failure, FailureClass};
use crate::task::TaskState;

/// Why something is rolled back.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cause {
    /// The task that failed.
    pub(super) task: Option<TaskId>,
    /// Why.
    pub(super) failure: Failure,
}

/// A failure, and where it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault<'a> {
    /// The task that failed; `None` if the order as a whole did.
    pub task: Option<TaskId>,
    /// The task's name; empty without one.
    pub name: String,
    /// The lines that are rolled back because of it.
    pub lines: Vec<ItemId>,
    /// Why.
    pub failure: Cow<'a, Failure>,
}

impl Fulfilment {
    /// The failures that were not resolved, with the tasks' names: those that an operator must look at,
    /// and those that the order or lines of it failed by.
    pub fn failures(&self) -> Vec<Fault<'_>> {
        let mut faults = Vec::new();
        match (&self.phase, &self.cause) {
            (_, Some(cause)) => {
                self.add(&mut faults, cause.task, None, Cow::Borrowed(&cause.failure));
            }
            (Phase::Held(failure) | Phase::Ended(_, Some(failure)), None) => {
                self.add(&mut faults, None, None, Cow::Borrowed(failure));
            }
            (
                Phase::Submitted | Phase::Running | Phase::RollingBack(_) | Phase::Ended(_, None),
                None,
            ) => {}
        }
        for (line, cause) in &self.failed {
            self.add(&mut faults, cause.task, Some(*line), Cow::Borrowed(&cause.failure));
        }
        for (index, state) in self.tasks.iter().enumerate() {
            if let Some(failure) = state.failure() {
                self.add(&mut faults, Some(TaskId::at(index)), None, Cow::Borrowed(failure));
            }
        }
        for task in &self.turned.stays {
            self.add(&mut faults, Some(*task), None, Cow::Owned(left_behind()));
        }
        faults
    }

    /// Adds a failure, or a line to one that is there.
    fn add<'a>(
        &self,
        faults: &mut Vec<Fault<'a>>,
        task: Option<TaskId>,
        line: Option<ItemId>,
        failure: Cow<'a, Failure>,
    ) {
        let is_it = |fault: &&mut Fault<'_>| fault.task == task && fault.failure == failure;
        if let Some(known) = faults.iter_mut().rev().find(is_it) {
            known.lines.extend(line);
            return;
        }
        let name = task.map(|task| self.plan.task_name(task)).unwrap_or_default();
        faults.push(Fault { task, name, lines: line.into_iter().collect(), failure });
    }

    /// Whether anything failed that a person may mend.
    pub fn has_failures(&self) -> bool {
        matches!(self.phase, Phase::Held(_))
            || self.ready.active.iter().any(|task| {
                let state = &self.tasks[task.index()];
                matches!(state, TaskState::Failed { .. } | TaskState::Stuck { .. })
            })
    }

    /// Why an item came to nothing: what its line, or the whole order, failed by.
    pub fn failure_of(&self, item: ItemId) -> Option<(Option<TaskId>, &Failure)> {
        let lines = self.lines_serving(item);
        let own = lines.iter().find_map(|line| self.failed.get(line)).map(|cause| &**cause);
        let cause = own.filter(|_| self.has_failed(item)).or(self.cause.as_ref())?;
        Some((cause.task, &cause.failure))
    }
}

/// That work of a line that was given up stays done.
fn left_behind() -> Failure {
    Failure::new(
        FailureClass::Operator,
        FailureCode::NotUndone,
        "its line was given up past a point of no return: what it did stands, and the pool values \
         that it has stay reserved",
    )
}
