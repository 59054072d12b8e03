//! Values out of pools: ports, VLANs, addresses, numbers, serials. Committed together with the
//! outcome of the task and given back when it fails or is undone.

use crate::bindings::step::ferrule::plugin::reservation;
use crate::{Failure, host};

pub use reservation::{Request, Reserved};

impl Request {
    /// The next free value of a pool, under the name `value`.
    pub fn new(pool: &str) -> Self {
        Self { pool: pool.into(), name: "value".into(), attributes: Vec::new() }
    }

    /// The same under another name, for a task that reserves more than one value.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }
}

/// Reserves the next free value; the same value when asked twice under one name. Fails with
/// `POOL_EXHAUSTED` (class operator), `UNKNOWN_POOL` or `NOT_GRANTED`.
pub fn reserve(request: &Request) -> Result<Reserved, Failure> {
    host::reserve(request)
}
