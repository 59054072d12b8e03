//! Work that an earlier fulfilment did and that this one changes or undoes: which of a plugin's
//! functions does it, and when there is nothing to do after all.

use model::plan::Work;
use model::{Fulfilment, Hold, TaskId};
use serde_json::{Map, Value};

use super::Core;
use crate::worker::Operation;

impl<R> Core<R> {
    /// Which of a plugin's functions does the work of a task.
    pub(super) fn of_work(
        &mut self,
        fulfilment: &Fulfilment,
        task: TaskId,
        operation: Operation,
    ) -> Operation {
        match (fulfilment.work(task), operation) {
            (Work::TakeBack(_), Operation::Resume { payload }) => Operation::ResumeUndo { payload },
            (Work::TakeBack(made), _) => Operation::Undo { outputs: made.outputs.clone() },
            // What was there before was left alone, and is there still.
            (Work::Redo(_), operation @ Operation::Undo { .. })
                if fulfilment.moves(task, &mut self.expressions) =>
            {
                operation
            }
            (Work::Redo(_), Operation::Undo { .. }) => Operation::Reapply,
            (Work::Do | Work::Redo(_), operation) => operation,
        }
    }

    /// What a task yields that the plan could not leave out, and that needs no call now.
    pub(super) fn stands(
        &mut self,
        fulfilment: &Fulfilment,
        task: TaskId,
        operation: &Operation,
    ) -> Option<(Map<String, Value>, Vec<Hold>)> {
        match (fulfilment.work(task), operation) {
            (Work::Redo(made), Operation::Run | Operation::Recover) if made.if_changed => {
                let input = fulfilment.input(task, &mut self.expressions).ok()?;
                (input == *made.as_change()).then(|| (made.outputs.clone(), made.holds.clone()))
            }
            (Work::TakeBack(_), _) => {
                let stays = fulfilment.stays(task, &mut self.expressions);
                stays.then(|| (Map::new(), Vec::new()))
            }
            (Work::Do | Work::Redo(_), _) => None,
        }
    }
}
