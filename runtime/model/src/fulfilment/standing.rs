//! What of a completed fulfilment's work stands, for a later order to change.

use super::{Fulfilment, Phase};
use crate::expr::Expressions;
use crate::id::{ItemId, TaskId};
use crate::journal::End;
use crate::outcome::{Failure, Hold};
use crate::plan::{Made, Step, Work};

impl Fulfilment {
    /// The work for an item that stands, in the order in which it was done, each with its step.
    pub fn standing(
        &self,
        item: ItemId,
        expressions: &mut Expressions,
    ) -> Result<Vec<(Step, Made)>, Failure> {
        let tasks: Vec<TaskId> = self.plan.tasks_of(item).collect();
        self.standing_of(item, &tasks, expressions)
    }

    /// The same, where the item's tasks are known.
    pub(crate) fn standing_of(
        &self,
        item: ItemId,
        tasks: &[TaskId],
        expressions: &mut Expressions,
    ) -> Result<Vec<(Step, Made)>, Failure> {
        let mut standing = Vec::new();
        let its = &self.plan.items[item.index()];
        let characteristics = Some(its.characteristics.clone());
        for made in its.origin.iter().flat_map(|origin| &origin.made) {
            let made = Made { characteristics: characteristics.clone(), ..made.clone() };
            standing.push((self.plan.steps[made.step as usize].clone(), made));
        }
        for task in tasks.iter().copied() {
            let state = &self.tasks[task.index()];
            if !state.is_done() || matches!(self.plan.task(task).work, Work::TakeBack(_)) {
                continue;
            }
            let yielded = state.yielded();
            let made = Made {
                step: self.plan.task(task).step,
                key: self.idempotency_key(task),
                input: self.input(task, expressions)?,
                outputs: yielded.outputs,
                holds: yielded.holds,
                change: self.input_of_change(task, expressions)?,
                characteristics: characteristics.clone(),
                if_changed: false,
            };
            standing.push((self.plan.step(task).clone(), made));
        }
        Ok(standing)
    }

    /// Who holds what a task takes out of pools: the instance that it is for, or the task itself.
    pub fn holder(&self, task: TaskId) -> String {
        match self.plan.task(task).item {
            Some(item) => self.instance_of(item).as_str().into(),
            None => self.idempotency_key(task),
        }
    }

    /// What work that was done again held before and does not hold now. It is given back when the
    /// order is complete: until then the order may be rolled back.
    pub fn given_up(&self) -> Vec<(Hold, String)> {
        if !matches!(self.phase, Phase::Ended(End::Completed | End::Partial, _)) {
            return Vec::new();
        }
        let mut given_up = Vec::new();
        for (index, task) in self.plan.tasks.iter().enumerate() {
            let Work::Redo(made) = &task.work else { continue };
            // A line that came to nothing holds what it held.
            if task.item.is_some_and(|item| self.has_failed(item)) {
                continue;
            }
            let id = TaskId::at(index);
            let now = self.tasks[index].yielded().holds;
            let gone = made.holds.iter().filter(|hold| !now.contains(hold));
            given_up.extend(gone.map(|hold| (hold.clone(), self.holder(id))));
        }
        given_up
    }

    /// What a task does of its step.
    pub fn work(&self, task: TaskId) -> &Work {
        &self.plan.task(task).work
    }
}
