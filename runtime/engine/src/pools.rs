//! The reservations of pool values.
//!
//! A plugin that reserves gets its value at once, and no one else can get it; the commit with the task's
//! outcome makes the reservation durable. Without that commit it ends with the attempt. After a crash
//! only the reservations on disk exist.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{FulfilmentId, Pool, PoolId, Reservation, TaskId};

/// The pools of all packs and their reservations; cheap to clone, shared with the worker.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    pools: BTreeMap<PoolId, State>,
    attempts: BTreeMap<(FulfilmentId, TaskId), Attempt>,
}

/// The reservations of a running attempt.
#[derive(Debug, Default)]
struct Attempt {
    /// Not on disk yet.
    tentative: Vec<Reservation>,
    /// The earlier ones of a task that is repeated.
    offered: Vec<Reservation>,
}

#[derive(Debug)]
struct State {
    pool: Arc<Pool>,
    held: BTreeMap<u64, Holder>,
    /// Below this, only the positions in `freed` are free.
    next: u64,
    freed: BTreeSet<u64>,
}

/// The holder of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Holder {
    /// A running attempt.
    Attempt,
    /// An instance, or a task that is for none, as [`Fulfilment::holder`] names it.
    ///
    /// [`Fulfilment::holder`]: model::Fulfilment::holder
    Named(String),
    /// It is not known.
    Unnamed,
}

/// Why a reservation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    /// No pack defines the pool.
    #[error("no pool `{0}`: define it under `pools:` in a pack")]
    Unknown(PoolId),
    /// Every value is reserved.
    #[error(
        "pool `{pool}` is exhausted: all {len} values are reserved; extend it and retry the task"
    )]
    Exhausted {
        /// The pool.
        pool: PoolId,
        /// The number of its values.
        len: u64,
    },
}

impl Pools {
    /// Defines a pool, or changes its definition; reservations stay.
    pub fn define(&self, pool: Pool) {
        let mut inner = self.lock();
        let id = pool.id.clone();
        let pool = Arc::new(pool);
        inner.pools.entry(id).and_modify(|state| state.pool = Arc::clone(&pool)).or_insert_with(
            || State {
                pool: Arc::clone(&pool),
                held: BTreeMap::new(),
                next: 0,
                freed: BTreeSet::new(),
            },
        );
    }

    /// The definition of a pool.
    pub fn definition(&self, pool: &PoolId) -> Option<Arc<Pool>> {
        self.lock().pools.get(pool).map(|state| Arc::clone(&state.pool))
    }

    /// Adds a reservation from the store. Pools are defined first.
    pub fn restore(&self, pool: &PoolId, index: u64, holder: Option<String>) {
        if let Some(state) = self.lock().pools.get_mut(pool) {
            state.held.insert(index, holder.map_or(Holder::Unnamed, Holder::Named));
            state.freed.remove(&index);
        }
    }

    /// Offers a repeated task its earlier reservations: if it asks the same pool for the same name, it
    /// gets the same value.
    pub fn offer(&self, fulfilment: &FulfilmentId, task: TaskId, reservations: Vec<Reservation>) {
        let attempt = (fulfilment.clone(), task);
        self.lock().attempts.entry(attempt).or_default().offered = reservations;
    }

    /// Sets the holder of a value, with the commit that records it.
    pub fn keep(&self, reservation: &Reservation, holder: &str) {
        if let Some(state) = self.lock().pools.get_mut(&reservation.pool) {
            state.held.insert(reservation.index, Holder::Named(holder.into()));
        }
    }

    /// Reserves the next free value for a task, or gives the one that the task already got under
    /// this name in the same attempt.
    pub fn reserve(
        &self,
        fulfilment: &FulfilmentId,
        task: TaskId,
        pool: PoolId,
        name: &str,
    ) -> Result<Reservation, ReserveError> {
        let mut inner = self.lock();
        let Inner { pools, attempts } = &mut *inner;
        let attempt = attempts.entry((fulfilment.clone(), task)).or_default();
        let is_it =
            |reservation: &Reservation| reservation.pool == pool && reservation.name == name;
        if let Some(index) = attempt.tentative.iter().position(is_it) {
            return Ok(attempt.tentative[index].clone());
        }
        let reservation = match attempt.offered.iter().position(is_it) {
            Some(index) => attempt.offered.swap_remove(index),
            None => reserve(pools, pool, name)?,
        };
        attempt.tentative.push(reservation.clone());
        Ok(reservation)
    }

    /// Returns the reservations of a task, to be committed with its outcome.
    pub fn finish(&self, fulfilment: &FulfilmentId, task: TaskId) -> Vec<Reservation> {
        let (mut inner, attempt) = (self.lock(), (fulfilment.clone(), task));
        inner.attempts.remove(&attempt).unwrap_or_default().tentative
    }

    /// Releases the reservations of a failed attempt; earlier ones of its task stay.
    pub fn abandon(&self, fulfilment: &FulfilmentId, task: TaskId) {
        for reservation in self.finish(fulfilment, task) {
            self.abandon_value(&reservation.pool, reservation.index);
        }
    }

    /// Releases a value that an attempt reserved, unless the reservation is durable by now.
    pub fn abandon_value(&self, pool: &PoolId, index: u64) {
        if let Some(state) = self.lock().pools.get_mut(pool)
            && state.held.get(&index) == Some(&Holder::Attempt)
        {
            state.free(index);
        }
    }

    /// Releases a value if this is its holder. Returns `false` for a value of another holder, which is
    /// left alone.
    pub fn release(&self, pool: &PoolId, index: u64, holder: &str) -> bool {
        let mut inner = self.lock();
        let Some(state) = inner.pools.get_mut(pool) else { return true };
        let may = match state.held.get(&index) {
            Some(Holder::Named(own)) => own == holder,
            Some(Holder::Unnamed) => true,
            Some(Holder::Attempt) | None => false,
        };
        if may {
            state.free(index);
        }
        may
    }

    /// The number of reserved values of a pool.
    pub fn held(&self, pool: &PoolId) -> usize {
        self.lock().pools.get(pool).map_or(0, |state| state.held.len())
    }

    /// All reservations, and those of running attempts.
    #[cfg(test)]
    pub(crate) fn reserved(&self) -> String {
        let inner = self.lock();
        let held: Vec<_> = inner.pools.iter().map(|(id, state)| (id, &state.held)).collect();
        format!("{held:?} {:?}", inner.attempts)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change below leaves the maps consistent, so a poisoned lock is still good.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reserves the next free value of a pool.
fn reserve(
    pools: &mut BTreeMap<PoolId, State>,
    pool: PoolId,
    name: &str,
) -> Result<Reservation, ReserveError> {
    let Some(state) = pools.get_mut(&pool) else {
        return Err(ReserveError::Unknown(pool));
    };
    let Some(index) = state.take() else {
        return Err(ReserveError::Exhausted { pool, len: state.pool.len() });
    };
    Ok(Reservation {
        pool,
        index,
        value: state.pool.value(index),
        resource: state.pool.resource.clone(),
        characteristic: state.pool.characteristic.clone(),
        name: name.into(),
    })
}

impl State {
    fn take(&mut self) -> Option<u64> {
        let index = match self.freed.pop_first() {
            Some(index) => index,
            None => {
                while self.held.contains_key(&self.next) {
                    self.next += 1;
                }
                if self.next >= self.pool.len() {
                    return None;
                }
                self.next += 1;
                self.next - 1
            }
        };
        self.held.insert(index, Holder::Attempt);
        Some(index)
    }

    fn free(&mut self, index: u64) {
        self.held.remove(&index);
        if index < self.next {
            self.freed.insert(index);
        }
    }
}

#[cfg(test)]
mod tests;
