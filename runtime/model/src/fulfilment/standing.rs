//! What of a completed fulfilment's work stands, for a later order to change.

use super::Fulfilment;
use crate::expr::Expressions;
use crate::id::{ItemId, TaskId};
use crate::outcome::Failure;
use crate::plan::{Made, Step, Work};

impl Fulfilment {
    /// The work for an item that stands, in the order in which it was done, each with its step.
    pub fn standing(
        &self,
        item: ItemId,
        expressions: &mut Expressions,
    ) -> Result<Vec<(Step, Made)>, Failure> {
        let mut standing = Vec::new();
        let its = &self.plan.items[item.index()];
        let characteristics = Some(its.characteristics.clone());
        for made in its.origin.iter().flat_map(|origin| &origin.made) {
            let made = Made { characteristics: characteristics.clone(), ..made.clone() };
            standing.push((self.plan.steps[made.step as usize].clone(), made));
        }
        for task in self.tasks_of(item) {
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
            };
            standing.push((self.plan.step(task).clone(), made));
        }
        Ok(standing)
    }

    /// What a task does of its step.
    pub fn work(&self, task: TaskId) -> &Work {
        &self.plan.task(task).work
    }
}
