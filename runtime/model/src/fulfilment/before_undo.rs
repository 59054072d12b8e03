//! A fulfilment as it was before it undid what it did: what it had made can be read there, which
//! its end does not tell any more.

use std::collections::BTreeMap;

use super::{ApplyError, Fulfilment};
use crate::id::{FulfilmentId, TaskId};
use crate::journal::{Event, Record};
use crate::task::TaskState;

impl Fulfilment {
    /// Folds a journal. Each task that was undone is as it was before its undo began.
    pub fn fold_before_undo(id: FulfilmentId, records: &[Record]) -> Result<Self, ApplyError> {
        let mut before: BTreeMap<TaskId, TaskState> = BTreeMap::new();
        let mut fulfilment = Self::fold_with(id, records, |fulfilment, event| {
            let (Event::Undone { task }
            | Event::UndoWaiting { task, .. }
            | Event::UndoRetrying { task, .. }
            | Event::UndoFailed { task, .. }
            | Event::GivenUp { task, .. }) = event
            else {
                return;
            };
            if let Some(state) = fulfilment.tasks.get(task.index()) {
                before.entry(*task).or_insert_with(|| state.clone());
            }
        })?;
        for (task, state) in before {
            fulfilment.tasks[task.index()] = state;
        }
        Ok(fulfilment)
    }
}
