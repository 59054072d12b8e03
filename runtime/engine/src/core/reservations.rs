//! Writes and removes the reservations of pool values with the commits that they follow from.

use model::{Fulfilment, FulfilmentId, PoolId, Reservation};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::advance::Gathered;
use super::{Core, Step};
use crate::keys;
use crate::store::Write;

impl<R> Core<R> {
    /// Writes new reservations.
    pub(super) fn write_taken(
        &self,
        fulfilment: &Fulfilment,
        gathered: &mut Gathered,
        step: &mut Step<R>,
    ) {
        let writes = &mut step.commit.writes;
        for (reservation, holder) in gathered.taken.drain(..) {
            self.pools.keep(&reservation, &holder);
            let Reservation { pool, index, value, .. } = reservation;
            let held = Held { fulfilment: fulfilment.id().clone(), value, holder: Some(holder) };
            let bytes = json!(held).to_string().into_bytes();
            writes.push((keys::reservation(&pool, index), Some(bytes)));
        }
    }

    /// Removes reservations. One of another holder is left alone. The writes must be those of the next
    /// commit: in memory a value is free at once, and its next reservation is written after.
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

/// The holder of a pool value, as it is persisted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The fulfilment that reserved it.
    pub fulfilment: FulfilmentId,
    /// The value.
    pub value: String,
    /// The instance, or the task if it is for none.
    #[serde(default)]
    pub holder: Option<String>,
}

/// A value that an operator releases, since nothing uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    pub pool: PoolId,
    /// The position of the value.
    pub index: u64,
    /// The holder that the operator saw.
    pub holder: Option<String>,
}
