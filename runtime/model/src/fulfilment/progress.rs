//! How far the items are, kept up to date as tasks change, so that the state of an item is known
//! without a look at every task below it.

use std::collections::BTreeSet;

use super::Fulfilment;
use crate::id::{ItemId, TaskId};
use crate::plan::{Action, Plan};
use crate::task::TaskState;
use tmf::table::OrderState;

/// What is so of the tasks of each item and of everything below it. It holds nothing that could not
/// be derived: `Progress::derive` is its definition, and a test holds it to that.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Progress {
    /// Tasks that are not done.
    open: Tally,
    /// Tasks that were begun, as far as anyone can tell.
    begun: Tally,
    /// Tasks that failed for good.
    failed: Tally,
    /// Tasks that could not be undone.
    stuck: Tally,
    /// Tasks that are not clear.
    left: Tally,
}

/// How much there is of something, at each item and below it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tally {
    /// How many tasks of an item, and how many of its children have any at or below them.
    counts: Vec<u32>,
}

impl Progress {
    /// Derives it from the states alone.
    pub(super) fn derive(plan: &Plan, tasks: &[TaskState]) -> Self {
        let tally = |counts: fn(&TaskState) -> bool| Tally::derive(plan, tasks, counts);
        Self {
            open: tally(is_open),
            begun: tally(is_begun),
            failed: tally(has_failed),
            stuck: tally(is_stuck),
            left: tally(is_left),
        }
    }

    /// Follows the change of one task of an item.
    pub(super) fn changed(
        &mut self,
        plan: &Plan,
        item: ItemId,
        before: &TaskState,
        after: &TaskState,
    ) {
        self.open.change(plan, item, (is_open(before), is_open(after)));
        self.begun.change(plan, item, (is_begun(before), is_begun(after)));
        self.failed.change(plan, item, (has_failed(before), has_failed(after)));
        self.stuck.change(plan, item, (is_stuck(before), is_stuck(after)));
        self.left.change(plan, item, (is_left(before), is_left(after)));
    }
}

impl Fulfilment {
    /// The state of an item while the order is carried out: that of its tasks and of everything
    /// that it was decomposed into.
    pub(crate) fn state_of_work(&self, item: ItemId) -> OrderState {
        let Progress { open, begun, failed, stuck, left } = &self.progress;
        if self.has_failed(item) {
            return match (stuck.any(item), left.any(item)) {
                (true, _) => OrderState::Held,
                (false, true) => OrderState::InProgress,
                (false, false) => OrderState::Failed,
            };
        }
        match (failed.any(item) || stuck.any(item), open.any(item), begun.any(item)) {
            (true, ..) => OrderState::Held,
            (false, false, _) => OrderState::Completed,
            (false, true, true) => OrderState::InProgress,
            (false, true, false) => OrderState::Acknowledged,
        }
    }

    /// Whether there is any task for an item, or for what it was decomposed into.
    pub(crate) fn has_tasks(&self, item: ItemId) -> bool {
        self.within(item).any(|item| self.tasks_of(item).next().is_some())
    }

    /// Whether an item is made of what was there before and is changed.
    pub(crate) fn rests_on_changes(&self, item: ItemId) -> bool {
        let is_changed = |part: ItemId| self.plan.items[part.index()].action == Action::Modify;
        self.within(item).any(|part| is_changed(part) && self.tasks_of(part).next().is_some())
    }

    /// Whether an item was delivered and its rollback, if it was begun, has undone nothing yet: by its
    /// own tasks, and by those of what it was decomposed into if it has none.
    pub(crate) fn was_delivered(&self, item: ItemId) -> bool {
        let stands = |task: TaskId| match &self.tasks[task.index()] {
            TaskState::Done(_)
            | TaskState::UndoWaiting { .. }
            | TaskState::UndoCalledBack { .. }
            | TaskState::Undoing { .. }
            | TaskState::Stuck { .. }
            | TaskState::GivenUp { .. } => true,
            TaskState::Pending
            | TaskState::Running { .. }
            | TaskState::Waiting { .. }
            | TaskState::CalledBack { .. }
            | TaskState::Retrying { .. }
            | TaskState::Failed { .. }
            | TaskState::Undone => false,
        };
        if self.tasks_of(item).next().is_some() {
            return self.tasks_of(item).all(stands);
        }
        // Items that were decomposed last are rolled back first, so they are looked at first.
        self.has_tasks(item) && self.within(item).all(|item| self.tasks_of(item).all(stands))
    }

    /// An item with all that it was decomposed into, each once.
    pub(crate) fn within(&self, item: ItemId) -> impl Iterator<Item = ItemId> + '_ {
        let (mut open, mut seen) = (vec![item], BTreeSet::from([item]));
        std::iter::from_fn(move || {
            let next = open.pop()?;
            open.extend(self.children_of(next).filter(|child| seen.insert(*child)));
            Some(next)
        })
    }
}

impl Tally {
    fn derive(plan: &Plan, tasks: &[TaskState], counts: fn(&TaskState) -> bool) -> Self {
        let mut tally = Self { counts: vec![0; plan.items.len()] };
        for (task, state) in plan.tasks.iter().zip(tasks) {
            if let Some(item) = task.item.filter(|_| counts(state)) {
                tally.change(plan, item, (false, true));
            }
        }
        tally
    }

    fn any(&self, item: ItemId) -> bool {
        self.counts.get(item.index()).is_some_and(|count| *count > 0)
    }

    /// Counts a task of an item that is so now and was not before, or the other way round. The
    /// items above are told only if it is the first, or was the last.
    fn change(&mut self, plan: &Plan, item: ItemId, (before, after): (bool, bool)) {
        if before == after {
            return;
        }
        let mut open = vec![item];
        while let Some(item) = open.pop() {
            let count = &mut self.counts[item.index()];
            let turned = if after {
                *count += 1;
                *count == 1
            } else {
                *count -= 1;
                *count == 0
            };
            if turned {
                open.extend(&plan.items[item.index()].parents);
            }
        }
    }
}

fn is_open(state: &TaskState) -> bool {
    !state.is_done() && !matches!(state, TaskState::GivenUp { .. })
}

fn is_begun(state: &TaskState) -> bool {
    !matches!(state, TaskState::Pending)
}

fn has_failed(state: &TaskState) -> bool {
    matches!(state, TaskState::Failed { .. })
}

fn is_stuck(state: &TaskState) -> bool {
    matches!(state, TaskState::Stuck { .. })
}

fn is_left(state: &TaskState) -> bool {
    !state.is_clear()
}

#[cfg(test)]
mod tests;
