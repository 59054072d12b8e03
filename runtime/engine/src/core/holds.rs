//! Who holds what of the pools, as of a commit, and what an event gives back.

use model::plan::Work;
use model::{Document, Event, Fulfilment, FulfilmentId, Hold, PoolId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::settle::Gathered;
use super::{Core, Step};
use crate::keys;
use crate::store::Write;

impl<R> Core<R> {
    /// Writes who holds what from now on.
    pub(super) fn write_taken(
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
    }

    /// Writes what is free from now on. A value that another holds is left alone. The writes must
    /// be those of the next commit: in memory a value is free at once, and what takes it now is
    /// written after.
    pub(super) fn write_freed(&self, freed: &[(Hold, String)], writes: &mut Vec<Write>) {
        for (hold, holder) in freed {
            if self.pools.release(&hold.pool, hold.index, holder) {
                writes.push((keys::hold(&hold.pool, hold.index), None));
            } else {
                let Hold { pool, value, .. } = hold;
                tracing::error!(%pool, value, holder, "a value that another holds is not released");
            }
        }
    }
}

/// The pool values that are free after an event, by the state before it, each with its holder:
/// those of a task that is undone, and of earlier work that is undone. What an operator gave up
/// stays reserved with what it was done with, unless they released it.
pub(super) fn freed(fulfilment: &Fulfilment, event: &Event) -> Vec<(Hold, String)> {
    let Some(task) = event.task().filter(|task| task.index() < fulfilment.tasks.len()) else {
        return Vec::new();
    };
    if fulfilment.stays_reserved(task) {
        return Vec::new();
    }
    let is_turned = fulfilment.is_turned(task);
    let is_released = matches!(event, Event::GivenUp { released: true, .. });
    let is_by_hand = matches!(event, Event::CompletedByHand { .. });
    let is_undone = matches!(event, Event::Undone { .. }) || (is_turned && is_by_hand);
    let is_done = matches!(event, Event::Succeeded { .. }) || (is_by_hand && !is_turned);
    let holds = match fulfilment.work(task) {
        Work::TakeBack(made) if is_done || (is_released && !is_turned) => made.holds.clone(),
        Work::Do | Work::Redo(_) if is_undone || is_released => {
            let kept = fulfilment.work(task).before().map(|made| made.holds.as_slice());
            let mut holds = fulfilment.tasks[task.index()].yielded().holds;
            // What it held before it was done again it holds now too.
            holds.retain(|hold| !kept.is_some_and(|kept| kept.contains(hold)));
            holds
        }
        Work::Do | Work::Redo(_) | Work::TakeBack(_) => Vec::new(),
    };
    let holder = fulfilment.holder(task);
    holds.into_iter().map(|hold| (hold, holder.clone())).collect()
}

/// The resources that cease when a task is undone, by the state before it.
pub(super) fn ended(fulfilment: &Fulfilment, event: &Event) -> Vec<Document> {
    let (Event::Undone { task } | Event::CompletedByHand { task, .. }) = event else {
        return Vec::new();
    };
    let is_turned = task.index() < fulfilment.tasks.len() && fulfilment.is_turned(*task);
    if is_turned { fulfilment.ending(*task) } else { Vec::new() }
}

/// Who holds a value, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The fulfilment that took it.
    pub fulfilment: FulfilmentId,
    /// The value.
    pub value: String,
    /// The instance, or the task that is for none; `None` if it was taken before holders were named.
    #[serde(default)]
    pub holder: Option<String>,
}

/// A value that an operator releases, since nothing uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Of this pool.
    pub pool: PoolId,
    /// Its position.
    pub index: u64,
    /// Who held it when the operator looked.
    pub holder: Option<String>,
}
