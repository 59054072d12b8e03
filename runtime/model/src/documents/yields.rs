//! The outputs of the work for an item.

use serde_json::{Map, Value};

use crate::fulfilment::Fulfilment;
use crate::id::ItemId;
use crate::outcome::Reservation;
use crate::plan::{PriorWork, Work};
use crate::task::{TaskOutput, TaskState};

/// The outputs of some work for an item.
pub(super) struct Yield<'a> {
    pub(super) outputs: &'a Map<String, Value>,
    pub(super) reservations: &'a [Reservation],
    /// Whether the work still stands.
    pub(super) stands: bool,
}

impl<'a> Yield<'a> {
    fn of_task(left: &'a TaskOutput) -> Self {
        Self { outputs: &left.outputs, reservations: &left.reservations, stands: true }
    }

    fn of_prior(made: &'a PriorWork, stands: bool) -> Self {
        Self { outputs: &made.outputs, reservations: &made.reservations, stands }
    }
}

impl Fulfilment {
    /// The outputs of the work for an item, now or before.
    pub(super) fn yields(&self, id: ItemId) -> Vec<Yield<'_>> {
        let origin = self.plan().items[id.index()].origin.as_ref();
        let kept = origin.iter().flat_map(|origin| &origin.made);
        let mut yields: Vec<Yield<'_>> = kept.map(|made| Yield::of_prior(made, true)).collect();
        let is_gone = |state: &TaskState| {
            state.is_done() || matches!(state, TaskState::GivenUp { released: true, .. })
        };
        for task in self.tasks_of(id) {
            let state = &self.tasks()[task.index()];
            // The same step is done again with the new input.
            if matches!(self.work(task), Work::Undo(made) if made.if_moved) {
                continue;
            }
            yields.extend(match self.work(task) {
                Work::Undo(made) => Some(Yield::of_prior(made, !is_gone(state))),
                Work::Modify(made) if !state.is_done() => Some(Yield::of_prior(made, true)),
                Work::Do | Work::Modify(_) => state.task_output().map(Yield::of_task),
            });
        }
        yields
    }
}
