//! What adapters of network elements share, whatever protocol they speak: where an element is,
//! how its refusals are sorted, how outputs are taken from its answers, and what a callback says.

mod answer;
mod bounds;
mod read_back;
mod refusal;

pub use read_back::Asked;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::http::{self, Method, Timeouts};
use crate::{Done, Failure, Finding, Outcome, Task, config};

#[cfg(test)]
mod tests;

/// How long an answer by callback is waited for, unless the step's input says otherwise.
pub const CALLBACK_TIMEOUT_MS: u32 = 60_000;

/// An element as one task sees it.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// Its name, as in the setting `element.<name>`.
    pub name: &'a str,
    /// The task that it is to do.
    pub task: &'a Task,
    /// What to take from its answers.
    pub outputs: &'a Outputs,
    /// How long to wait for its callback.
    pub callback_timeout_ms: Option<u32>,
}

/// Outputs by name, each with a JSON pointer (RFC 6901) into the element's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Outputs(pub BTreeMap<String, String>);

/// What an adapter takes from answers where it says nothing of outputs.
static NO_OUTPUTS: Outputs = Outputs(BTreeMap::new());

impl<'a> Element<'a> {
    /// An element that gives no outputs and answers by callback in the usual time, if it does.
    pub fn new(name: &'a str, task: &'a Task) -> Self {
        Self { name, task, outputs: &NO_OUTPUTS, callback_timeout_ms: None }
    }

    /// The base address from the setting `element.<name>`, without a slash at its end.
    pub fn base_url(&self) -> Result<String, Failure> {
        let mut url = config::require(&format!("element.{}", self.name))?;
        url.truncate(url.trim_end_matches('/').len());
        Ok(url)
    }

    /// A request that carries the task's key, says where to call back, and ends in time. It has
    /// `X-Replace: true` where the task changes what is there ([`Task::replaces`]).
    pub fn request(&self, method: Method, url: &str) -> http::Request {
        let request = http::Request::new(method, url)
            .header("idempotency-key", &self.task.idempotency_key)
            .header("x-callback-url", &self.task.callback_url)
            .timeouts(Timeouts::within(self.task.deadline_ms));
        match self.task.replaces() {
            // What an earlier task put there is to be as this one says.
            Some(_) => request.header("x-replace", "true"),
            None => request,
        }
    }

    /// The work is done, with outputs from the element's answer.
    pub fn done(&self, answer: &Value) -> Result<Outcome, Failure> {
        let outputs = self.outputs.take(answer).map_err(|pointer| {
            let name = self.name;
            let message =
                format!("`{name}` did the work but its answer holds nothing at `{pointer}`");
            Failure::person("ELEMENT_ANSWER", message)
        })?;
        self.check_bounds(&outputs)?;
        Ok(Outcome::done(&outputs))
    }

    /// Checks what was taken from the element's answer.
    fn check_bounds(&self, outputs: &Value) -> Result<(), Failure> {
        let Some(exceeded) = bounds::exceeded(outputs) else { return Ok(()) };
        let name = self.name;
        let message = format!(
            "the outputs taken from the answer of `{name}` have {exceeded}: point them at less of \
             it; the work itself was done"
        );
        Err(Failure::person("ELEMENT_ANSWER", message))
    }

    /// The element will call back under the task's key.
    pub fn waiting(&self) -> Outcome {
        Outcome::waiting(&self.task.idempotency_key, self.callback_timeout())
    }

    /// The element has accepted the undo and will call back under the task's key. A host that does
    /// not know this takes it as done.
    pub fn undo_waiting(&self) -> Done {
        Done::waiting(&self.task.idempotency_key, self.callback_timeout())
    }

    /// Reads what the element holds: applied only where it carries the task's own key. What
    /// somebody else put there is left for `activate` to run into.
    pub fn finding(&self, document: &Value) -> Finding {
        if document.get("idempotencyKey").and_then(Value::as_str) != Some(self.key()) {
            return Finding::NotApplied;
        }
        if document.get("state").and_then(Value::as_str) == Some("pending") {
            return Finding::waiting(self.key(), self.callback_timeout());
        }
        // Without its outputs the work is as good as not done: doing it again with the same key
        // changes nothing at the element and gives the answer that holds them.
        match self.outputs.take(document) {
            Ok(outputs) if bounds::exceeded(&outputs).is_none() => Finding::applied(&outputs),
            Ok(_) | Err(_) => Finding::NotApplied,
        }
    }

    fn key(&self) -> &str {
        &self.task.idempotency_key
    }

    fn callback_timeout(&self) -> u32 {
        self.callback_timeout_ms.unwrap_or(CALLBACK_TIMEOUT_MS)
    }
}

impl Outputs {
    /// Those of the outputs that a document holds.
    fn found(&self, document: &Value) -> Value {
        let found = self
            .0
            .iter()
            .filter_map(|(name, pointer)| Some((name.clone(), document.pointer(pointer)?.clone())));
        Value::Object(found.collect())
    }

    /// The outputs as a JSON object, or the first pointer that leads nowhere.
    pub fn take(&self, document: &Value) -> Result<Value, &str> {
        let mut outputs = Map::new();
        for (name, pointer) in &self.0 {
            let value = document.pointer(pointer).ok_or(pointer.as_str())?;
            outputs.insert(name.clone(), value.clone());
        }
        Ok(Value::Object(outputs))
    }
}
