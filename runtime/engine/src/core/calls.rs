//! The calls that tasks are done by.

use model::fulfilment::Request;
use model::{FulfilmentId, TaskId};
use tmf::time::Timestamp;

use super::Core;
use crate::worker::{Attempt, Call};

impl<R> Core<R> {
    /// Makes a call of a request. The pool values of prior work are offered to it.
    pub(super) fn call(
        &self,
        fulfilment: &FulfilmentId,
        task: TaskId,
        attempt: u32,
        mut request: Request,
        now: Timestamp,
    ) -> Call {
        if !request.offered.is_empty() {
            self.pools.offer(fulfilment, task, std::mem::take(&mut request.offered));
        }
        let callback = self.addresses.of(&request.answer_name);
        let fulfilment = fulfilment.clone();
        Call::of(request, Attempt { fulfilment, task, number: attempt, at: now }, callback)
    }
}
