//! The calls that tasks are done by.

use model::plan::Work;
use model::{Event, Failure, FailureClass, Fulfilment, Outcome, TaskId, Timestamp};

use super::Core;
use crate::worker::{Call, Effects, Operation};

impl<R> Core<R> {
    /// What follows at once where no plugin need be called to undo a task, or to undo earlier
    /// work.
    pub(super) fn without_call(
        &self,
        fulfilment: &Fulfilment,
        task: TaskId,
        attempt: u32,
        undo: bool,
        now: Timestamp,
    ) -> Option<Vec<Event>> {
        let takes_back = matches!(fulfilment.work(task), Work::TakeBack(_));
        let is_begun = fulfilment.tasks[task.index()].is_begun();
        // What never began has nothing to undo; and what was begun to be undone of
        // earlier work cannot be brought back: as far as it is there it stands.
        if undo && (!is_begun || takes_back) {
            return Some(vec![Event::Undone { task }]);
        }
        let is_pure = self.effects(fulfilment, task) == Some(Effects::Pure);
        if !is_pure && fulfilment.plan.step(task).undo {
            return None;
        }
        let done = || Outcome::Done(serde_json::Map::new());
        match (undo, takes_back) {
            (true, _) => Some(vec![Event::Undone { task }]),
            (false, true) => Some(fulfilment.conclude(task, attempt, done(), Vec::new(), now)),
            (false, false) => None,
        }
    }

    /// A call that cannot even be made counts as an attempt that failed.
    pub(super) fn cannot_call(
        fulfilment: &Fulfilment,
        task: TaskId,
        attempt: u32,
        undo: bool,
        failure: Failure,
        now: Timestamp,
    ) -> Vec<Event> {
        let outcome = Outcome::Failed(failure);
        if undo {
            fulfilment.conclude_undo(task, attempt, outcome, now)
        } else {
            fulfilment.conclude(task, attempt, outcome, Vec::new(), now)
        }
    }

    pub(super) fn effects(&self, fulfilment: &Fulfilment, task: TaskId) -> Option<Effects> {
        let plugin = &fulfilment.plan.step(task).plugin;
        self.worker.effects(fulfilment.plan.plugins.get(plugin)?)
    }

    pub(super) fn call(
        &mut self,
        fulfilment: &Fulfilment,
        task: TaskId,
        attempt: u32,
        operation: Operation,
        now: Timestamp,
    ) -> Result<Call, Failure> {
        let plan = &fulfilment.plan;
        let step = plan.step(task);
        let Some(digest) = plan.plugins.get(&step.plugin) else {
            return Err(missing(fulfilment, task));
        };
        let item = plan.item_of(task);
        let work = fulfilment.work(task);
        let idempotency_key = match work {
            Work::TakeBack(made) => made.key.clone(),
            Work::Do | Work::Redo(_) => fulfilment.idempotency_key(task),
        };
        let answer = match operation.reverts() {
            true => fulfilment.undo_name(task),
            false => idempotency_key.clone(),
        };
        let input = match (work.replaced(), &operation) {
            // Restoring is a change too: back to what was there.
            (Some(made), Operation::Reapply) => made.as_change().clone(),
            _ => fulfilment.input(task, &mut self.expressions)?,
        };
        let replaces = work
            .replaced()
            .filter(|made| operation == Operation::Reapply || !made.moves(&input))
            .map(|made| made.key.clone());
        let before = match (work, &operation) {
            (Work::TakeBack(made), _) | (Work::Redo(made), Operation::Reapply) => {
                made.characteristics.as_ref()
            }
            (Work::Do | Work::Redo(_), _) => None,
        };
        let characteristics = before.or_else(|| item.map(|item| &item.characteristics));
        let characteristics = characteristics.cloned().unwrap_or_default();
        if let Work::Redo(made) = work
            && !made.holds.is_empty()
        {
            self.pools.offer(&fulfilment.id, task, made.holds.clone());
        }
        Ok(Call {
            fulfilment: fulfilment.id.clone(),
            task,
            name: plan.task_name(task),
            attempt,
            callback: self.addresses.of(&answer),
            idempotency_key,
            operation,
            plugin: step.plugin.clone(),
            digest: digest.clone(),
            spec: item.map(|item| item.spec.to_string()).unwrap_or_default(),
            action: item.map_or("add", |item| item.action.as_str()).into(),
            characteristics,
            replaces,
            input,
            timeout_ms: step.timeout_ms,
            at: now,
        })
    }
}

pub(super) fn missing(fulfilment: &Fulfilment, task: TaskId) -> Failure {
    let plugin = &fulfilment.plan.step(task).plugin;
    let message = format!(
        "no plugin `{plugin}` is active in the version that this order was planned with: put its \
         .wasm into the plugins folder and retry"
    );
    Failure::new(FailureClass::Person, "PLUGIN_MISSING", message)
}
