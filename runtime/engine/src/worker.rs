//! The interface through which the engine runs plugins.

use std::pin::Pin;

use model::fulfilment::Request;
use model::{Digest, FulfilmentId, Outcome, PluginId, TaskId};
pub use model::{Effects, Operation};
use serde_json::{Map, Value};
use tmf::document::Characteristics;
use tmf::time::Timestamp;

use crate::scratch::{Changes, Scratch};
use crate::telemetry::Telemetry;
use crate::trace::Trace;

/// Runs plugins.
pub trait Worker: Send + Sync + 'static {
    /// The version of a plugin that new plans use; `None` if the plugin is not active.
    fn resolve(&self, plugin: &PluginId) -> Option<Resolved>;

    /// The effects that the plugin with these bytes can have; `None` if it is not installed.
    fn effects(&self, digest: &Digest) -> Option<Effects>;

    /// The scratch spaces that the quotas of calls are checked by; the engine fills them. A worker that wraps
    /// another one returns those of that.
    fn scratch(&self) -> Scratch {
        Scratch::default()
    }

    /// Carries out one call. Never panics and always answers: within the call's time limit, or
    /// with a failure that reports that it was exceeded.
    fn run(&self, call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>>;
}

/// A version of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The digest of its bytes.
    pub digest: Digest,
    /// The effects that it can have.
    pub effects: Effects,
}

/// One call to a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The fulfilment that the task is part of.
    pub fulfilment: FulfilmentId,
    /// The task.
    pub task: TaskId,
    /// The task's name, such as `RFS-VLAN.activate`.
    pub name: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The same for every attempt; for the undo of prior work, the key of that work.
    pub idempotency_key: String,
    /// The name under which the element may answer later, at the end of its URL.
    pub callback: String,
    /// Which of the plugin's functions is called.
    pub operation: Operation,
    /// The plugin.
    pub plugin: PluginId,
    /// The version of it.
    pub digest: Digest,
    /// The specification of the task's item; empty for a task of the whole order.
    pub spec: String,
    /// The action on the item: `add`, `modify`, `delete` or `noChange`.
    pub action: String,
    /// The item's characteristics.
    pub characteristics: Characteristics,
    /// The key of the prior work that this call modifies or reapplies, if any.
    pub replaces: Option<String>,
    /// The step's input, evaluated.
    pub input: Map<String, Value>,
    /// How long the call may take, in milliseconds.
    pub timeout_ms: u64,
    /// When it was due.
    pub at: Timestamp,
    /// The span that it is a part of, if its fulfilment is traced.
    pub trace: Option<Trace>,
}

/// Which attempt a call is.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The fulfilment that the task is part of.
    pub fulfilment: FulfilmentId,
    /// The task.
    pub task: TaskId,
    /// Its number, from 1.
    pub number: u32,
    /// When it was due.
    pub at: Timestamp,
}

impl Call {
    /// The call of a request; `callback` is the name under which the element may answer later.
    pub fn of(request: Request, attempt: Attempt, callback: String) -> Self {
        Self {
            fulfilment: attempt.fulfilment,
            task: attempt.task,
            name: request.name,
            attempt: attempt.number,
            callback,
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
            at: attempt.at,
            trace: None,
        }
    }
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// What the plugin logged, one line each, capped by the worker.
    pub log: Vec<String>,
    /// What the call took and did; `None` if the worker does not measure.
    pub telemetry: Option<Telemetry>,
    /// What it wrote into the scratch space of its plugin, which counts if the outcome is applied.
    pub scratch: Option<Changes>,
}

impl Report {
    /// The result of a call that was not measured.
    pub fn new(outcome: Outcome, log: Vec<String>) -> Self {
        Self { outcome, log, telemetry: None, scratch: None }
    }
}
