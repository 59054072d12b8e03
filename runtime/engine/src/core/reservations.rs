//! Who holds what of the pools, as of a commit, and what an event gives back.

use model::{Fulfilment, FulfilmentId, PoolId, Reservation};
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
        for (reservation, holder) in &gathered.taken {
            let (fulfilment, value) = (fulfilment.id().clone(), reservation.value.clone());
            let held = Held { fulfilment, value, holder: Some(holder.clone()) };
            let bytes = json!(held).to_string().into_bytes();
            writes.push((keys::reservation(&reservation.pool, reservation.index), Some(bytes)));
            self.pools.keep(reservation, holder);
        }
    }

    /// Writes what is free from now on. A value that another holds is left alone. The writes must
    /// be those of the next commit: in memory a value is free at once, and what takes it now is
    /// written after.
    pub(super) fn write_freed(&self, freed: &[(Reservation, String)], writes: &mut Vec<Write>) {
        for (reservation, holder) in freed {
            if self.pools.release(&reservation.pool, reservation.index, holder) {
                writes.push((keys::reservation(&reservation.pool, reservation.index), None));
            } else {
                let Reservation { pool, value, .. } = reservation;
                tracing::error!(%pool, value, holder, "a value that another holds is not released");
            }
        }
    }
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
