//! How the items of a fulfilment end: what inventories, charges and records of instances ask.

use std::collections::BTreeSet;

use super::{Fulfilment, Phase};
use crate::id::{ItemId, TaskId};
use crate::journal::{End, Event};
use crate::outcome::{Failure, FailureClass};

/// What fails with a task.
pub(super) enum Reach {
    /// All that the order asks for.
    Order,
    /// These lines; others go on.
    Lines(Vec<ItemId>),
}

impl Fulfilment {
    /// Whether it has ended with what the item asks for done: what was to be added is there, what
    /// was to change has changed, what was to be deleted is gone. `false` while it is open, and for
    /// an item that was rolled back.
    pub fn is_delivered(&self, item: ItemId) -> bool {
        match &self.phase {
            Phase::Ended(End::Completed | End::Partial, _) => {
                item.index() < self.plan.items.len() && !self.has_failed(item)
            }
            Phase::Ended(End::Failed | End::Rejected | End::Cancelled, _)
            | Phase::Submitted
            | Phase::Held(_)
            | Phase::Running
            | Phase::RollingBack(_) => false,
        }
    }

    /// Whether every line that the item serves has failed, so that what was done for it is undone.
    /// What others delivered goes on.
    pub fn has_failed(&self, item: ItemId) -> bool {
        if self.failed.is_empty() {
            return false;
        }
        let lines = self.lines.of(&self.plan);
        let mut own = lines.of(item).iter().peekable();
        own.peek().is_some() && own.all(|line| self.failed.contains_key(line))
    }

    /// The lines of the order that an item serves.
    pub(super) fn lines_serving(&self, item: ItemId) -> Vec<ItemId> {
        self.lines.of(&self.plan).of(item).to_vec()
    }

    /// What fails with these lines: with all that rely on them.
    pub(super) fn reach_from(&self, lines: impl IntoIterator<Item = ItemId>) -> Reach {
        let known: BTreeSet<ItemId> = self.failed.keys().copied().collect();
        let own = self.lines.of(&self.plan);
        let all = own.closure(&self.plan, &self.ready.dependents, known, lines);
        if own.are_all(&all) || all.len() == self.failed.len() {
            return Reach::Order;
        }
        Reach::Lines(all.into_iter().filter(|line| !self.failed.contains_key(line)).collect())
    }

    /// What fails with a task.
    pub(super) fn reach_of(&self, task: TaskId) -> Reach {
        match self.plan.task(task).item {
            Some(item) => self.reach_from(self.lines_serving(item)),
            None => Reach::Order,
        }
    }

    /// The tasks that are undone when that fails.
    pub(super) fn tasks_within(&self, reach: &Reach) -> BTreeSet<TaskId> {
        match reach {
            Reach::Order => (0..self.tasks.len()).map(TaskId::at).collect(),
            Reach::Lines(more) => {
                let more: BTreeSet<ItemId> = more.iter().copied().collect();
                let all = self.failed.keys().copied().chain(more.iter().copied()).collect();
                self.lines.of(&self.plan).tasks_of(&more, &all)
            }
        }
    }

    /// That something fails because of a task.
    pub(super) fn rolled_back(reach: Reach, task: TaskId, cause: Failure) -> Event {
        let task = Some(task);
        match reach {
            Reach::Order => Event::RollingBack { cause, task, decision: None },
            Reach::Lines(lines) => Event::RollingBackLines { lines, cause, task, decision: None },
        }
    }

    /// How a fulfilment ends that went on to its end.
    pub(super) fn end_of_running(&self) -> End {
        if self.failed.is_empty() { End::Completed } else { End::Partial }
    }

    /// How an unwound fulfilment ends: cancelled where that was asked for, rejected where the order
    /// itself was wrong and nothing had been begun outside, failed otherwise.
    pub(super) fn end_of_rollback(&self, cause: &Failure) -> End {
        if self.cancelled_by.is_some() {
            End::Cancelled
        } else if cause.class == FailureClass::Reject && !self.started {
            End::Rejected
        } else {
            End::Failed
        }
    }
}
