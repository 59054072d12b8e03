//! Who holds what of the pools, as the commit that says so has it.

use model::{Document, Event, Fulfilment, FulfilmentId, Hold};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::settle::Gathered;
use super::{Core, Step};
use crate::keys;

impl<R> Core<R> {
    /// Writes who holds what from now on. A value that another holds is left alone.
    pub(super) fn write_holds(
        &self,
        fulfilment: &Fulfilment,
        gathered: &Gathered,
        step: &mut Step<R>,
    ) {
        let writes = &mut step.commit.writes;
        for (hold, holder) in &gathered.taken {
            let (fulfilment, value) = (fulfilment.id.clone(), hold.value.clone());
            let held = Held { fulfilment, value, holder: Some(holder.clone()) };
            let bytes = json!(held).to_string().into_bytes();
            writes.push((keys::hold(&hold.pool, hold.index), Some(bytes)));
            self.pools.keep(hold, holder);
        }
        for (hold, holder) in &gathered.freed {
            // In memory it is free at once: what takes it now is written after this commit.
            if self.pools.release(&hold.pool, hold.index, holder) {
                writes.push((keys::hold(&hold.pool, hold.index), None));
            } else {
                let Hold { pool, value, .. } = hold;
                tracing::error!(%pool, value, holder, "a value that another holds is not released");
            }
        }
    }
}

/// What is free, and what ceases, when a task is taken back.
pub(super) fn undone(
    fulfilment: &Fulfilment,
    event: &Event,
) -> (Vec<(Hold, String)>, Vec<Document>) {
    let Event::Undone { task } = event else {
        return (Vec::new(), Vec::new());
    };
    let Some(state) = fulfilment.tasks.get(task.index()) else {
        return (Vec::new(), Vec::new());
    };
    let kept = fulfilment.work(*task).before().map(|made| made.holds.as_slice());
    let mut holds = state.yielded().holds;
    // What it held before it was done again it holds now too.
    holds.retain(|hold| !kept.is_some_and(|kept| kept.contains(hold)));
    let holder = fulfilment.holder(*task);
    let holds = holds.into_iter().map(|hold| (hold, holder.clone())).collect();
    (holds, fulfilment.ending(*task).into_iter().collect())
}

/// Who holds a value, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Held {
    fulfilment: FulfilmentId,
    value: String,
    /// The instance, or the task that is for none.
    #[serde(default)]
    pub(super) holder: Option<String>,
}
