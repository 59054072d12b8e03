//! The calls that tasks are done by.

use model::fulfilment::Request;
use model::{FulfilmentId, TaskId};
use tmf::time::Timestamp;

use super::Core;
use crate::worker::Call;

impl<R> Core<R> {
    /// Makes a call of a request. The pool values of prior work are offered to it.
    pub(super) fn call(
        &self,
        fulfilment: &FulfilmentId,
        task: TaskId,
        attempt: u32,
        request: Request,
        now: Timestamp,
    ) -> Call {
        if !request.offered.is_empty() {
            self.pools.offer(fulfilment, task, request.offered);
        }
        Call {
            fulfilment: fulfilment.clone(),
            task,
            name: request.name,
            attempt,
            callback: self.addresses.of(&request.answer_name),
            idempotency_key: request.idempotency_key,
            operation: request.operation,
            plugin: request.plugin,
            digest: request.digest,
            spec: request.spec,
            action: request.action.as_str().into(),
            characteristics: request.characteristics,
            replaces: request.replaces,
            input: request.input,
            timeout_ms: request.timeout_ms,
            at: now,
            trace: None,
        }
    }
}
