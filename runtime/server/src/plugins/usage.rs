//! Which versions of plugins open work began with.

use std::collections::BTreeMap;

use host::registry::Usage;
use model::{Digest, Fulfilment, PluginId, TaskId, TaskState};

/// Adds a fulfilment to the open work that began with each version.
pub(crate) fn add_usage(all: &mut BTreeMap<(PluginId, Digest), Usage>, fulfilment: &Fulfilment) {
    let plan = fulfilment.plan();
    let mut tasks: BTreeMap<&PluginId, u64> = BTreeMap::new();
    for (number, state) in (0..).zip(fulfilment.tasks()) {
        if is_open(state) {
            *tasks.entry(&plan.step(TaskId(number)).plugin).or_default() += 1;
        }
    }
    for (id, digest) in &plan.plugins {
        let key = (PluginId::new(id.as_str()), Digest::new(digest.as_str()));
        let usage = all.entry(key).or_default();
        usage.open_fulfilments += 1;
        usage.open_tasks += tasks.get(id).copied().unwrap_or(0);
    }
}

/// Whether a task may still be called for, if nothing fails.
pub(crate) fn is_open(state: &TaskState) -> bool {
    match state {
        TaskState::Pending
        | TaskState::Running { .. }
        | TaskState::Waiting { .. }
        | TaskState::CalledBack { .. }
        | TaskState::Retrying { .. }
        | TaskState::Failed { .. }
        | TaskState::UndoWaiting { .. }
        | TaskState::UndoCalledBack { .. }
        | TaskState::Undoing { .. }
        | TaskState::Stuck { .. } => true,
        TaskState::Done(_) | TaskState::Undone | TaskState::GivenUp { .. } => false,
    }
}
