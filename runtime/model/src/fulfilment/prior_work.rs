//! What of a completed fulfilment's work stands, for a later order to change.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Fulfilment;
use crate::expr::Expressions;
use crate::id::{ItemId, TaskId};
use crate::outcome::Failure;
use crate::plan::{PriorWork, Step, Work};
use crate::task::{TaskOutput, TaskState};

impl Fulfilment {
    /// The work for an item that stands, in the order in which it was done, each with its step.
    pub fn prior_work(
        &self,
        item: ItemId,
        expressions: &mut Expressions,
    ) -> Result<Vec<(Step, PriorWork)>, Failure> {
        let its = &self.plan.items[item.index()];
        let kept = its.origin.iter().flat_map(|origin| &origin.made);
        let mut prior_work: Vec<(&Step, PriorWork)> =
            kept.map(|made| (&self.plan.steps[made.step as usize], made.clone())).collect();
        for task in self.tasks_of(item) {
            let made = self.done_for(task, expressions)?;
            prior_work.extend(made.map(|made| (self.plan.step(task), made)));
        }
        let of_item = |(step, mut made): (&Step, PriorWork)| {
            made.characteristics = Some(its.characteristics.clone());
            (step.clone(), made)
        };
        Ok(prior_work.into_iter().map(of_item).collect())
    }

    /// The work of a task that stands; `None` if it is not done, or undoes earlier work.
    fn done_for(
        &self,
        task: TaskId,
        expressions: &mut Expressions,
    ) -> Result<Option<PriorWork>, Failure> {
        let TaskState::Done(task_output) = &self.tasks[task.index()] else { return Ok(None) };
        if matches!(self.work(task), Work::Undo(_)) {
            return Ok(None);
        }
        // What was done by hand may have none, since it could not be made.
        let (input, change) = match self.input(task, expressions) {
            Ok(input) => (input, self.input_of_change(task, expressions)?),
            Err(_) => (Cow::default(), None),
        };
        if let Work::Modify(made) = self.work(task)
            && made.if_changed
            && *input == *made.as_change()
        {
            // It was not done again after all.
            return Ok(Some(PriorWork { if_changed: false, ..(**made).clone() }));
        }
        let TaskOutput { outputs, reservations } = (**task_output).clone();
        Ok(Some(PriorWork {
            step: self.plan.task(task).step,
            key: self.idempotency_key(task),
            input: input.into_owned(),
            outputs,
            reservations,
            change,
            ..PriorWork::default()
        }))
    }

    /// Who holds what a task takes out of pools: the instance that it is for, or the task itself.
    pub fn holder(&self, task: TaskId) -> String {
        match self.plan.task(task).item {
            Some(item) => self.instance_of(item).as_str().into(),
            None => self.idempotency_key(task),
        }
    }

    /// Whether the pool values of a task stay reserved though it is undone: the undo of work that was
    /// done after it for the same item was given up, so an element may use them.
    pub fn stays_reserved(&self, task: TaskId) -> bool {
        if self.left.is_empty() {
            return false;
        }
        let (mut open, mut seen) = (vec![task], BTreeSet::new());
        while let Some(next) = open.pop() {
            if self.left.contains(&next) && next != task {
                return true;
            }
            if !seen.insert(next) {
                continue;
            }
            let is_of_item =
                |other: &TaskId| self.plan.task(*other).item == self.plan.task(task).item;
            // What undoes earlier work comes after the undo of what that was needed for.
            let others = match self.work(next) {
                Work::Undo(_) => &self.plan.task(next).needs,
                Work::Do | Work::Modify(_) => &self.ready.dependents[next.index()],
            };
            open.extend(others.iter().copied().filter(is_of_item));
        }
        false
    }

    /// Whether a task that is done again is about something else than before: what was done before
    /// stays until the order is complete.
    pub fn moves(&self, task: TaskId, expressions: &mut Expressions) -> bool {
        let Work::Modify(made) = self.work(task) else { return false };
        self.input(task, expressions).is_ok_and(|input| made.moves(&input))
    }

    /// Whether a task would undo work that its step still does.
    pub fn stays(&self, task: TaskId, expressions: &mut Expressions) -> bool {
        let Work::Undo(made) = self.work(task) else { return false };
        let (own, step) = (self.plan.task(task), self.plan.step(task));
        let again = self.plan.tasks.iter().enumerate().find(|(index, other)| {
            let theirs = &self.plan.steps[other.step as usize];
            let is_same = theirs.workflow == step.workflow && theirs.step == step.step;
            let id = TaskId::at(*index);
            is_same && other.item == own.item && matches!(self.work(id), Work::Modify(_))
        });
        let moved = again.is_some_and(|(index, _)| self.moves(TaskId::at(index), expressions));
        made.if_moved && !moved
    }

    /// What a task does of its step.
    pub fn work(&self, task: TaskId) -> &Work {
        &self.plan.task(task).work
    }
}
