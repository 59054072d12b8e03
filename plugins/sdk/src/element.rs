//! What adapters of network elements share, whatever protocol they speak: where an element is,
//! how its refusals are sorted, how outputs are taken from its answers, and how callbacks are read.

mod answer;
mod bounds;
mod observe;
mod refusal;

pub use observe::Asked;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::http::{self, Method, Timeouts};
use crate::{Context, Failure, Finding, Outcome, config};

#[cfg(test)]
mod tests;

/// The default timeout of a callback.
pub const CALLBACK_TIMEOUT_MS: u32 = 60_000;

/// An element that a task is carried out on.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// Its name, as in the setting `element.<name>`.
    pub name: &'a str,
    /// The task.
    pub context: &'a Context,
    /// The outputs to take from its answers.
    pub outputs: &'a Outputs,
    /// The timeout of its callback, in milliseconds; `None` for the default.
    pub callback_timeout_ms: Option<u32>,
}

/// Outputs by name, each with a JSON pointer (RFC 6901) into the element's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Outputs(pub BTreeMap<String, String>);

/// The outputs of an adapter that names none.
static NO_OUTPUTS: Outputs = Outputs(BTreeMap::new());

impl<'a> Element<'a> {
    /// An element that gives no outputs and has the default timeout for callbacks.
    pub fn new(name: &'a str, context: &'a Context) -> Self {
        Self { name, context, outputs: &NO_OUTPUTS, callback_timeout_ms: None }
    }

    /// The base address from the setting `element.<name>`, without a slash at its end.
    pub fn base_url(&self) -> Result<String, Failure> {
        let mut url = config::require(&format!("element.{}", self.name))?;
        url.truncate(url.trim_end_matches('/').len());
        Ok(url)
    }

    /// A request that carries the task's key and the address of callbacks, and ends in time. It has
    /// `X-Replace: true` if the task changes prior work ([`Context::replaces`]).
    pub fn request(&self, method: Method, url: &str) -> http::Request {
        let request = http::Request::new(method, url)
            .header("idempotency-key", self.key())
            .header("x-callback-url", self.context.callback_url())
            .timeouts(Timeouts::within(self.context.deadline_ms()));
        match self.context.replaces() {
            Some(_) => request.header("x-replace", "true"),
            None => request,
        }
    }

    /// The work is done, with outputs from the element's answer.
    pub fn done(&self, answer: &Value) -> Result<Outcome<Value>, Failure> {
        let outputs = self.outputs.take(answer).map_err(|pointer| {
            let name = self.name;
            let message =
                format!("`{name}` did the work but its answer has no value at `{pointer}`");
            Failure::operator("ELEMENT_ANSWER", message)
        })?;
        self.check_bounds(&outputs)?;
        Ok(Outcome::Done(outputs))
    }

    /// Checks the outputs that were taken from the element's answer.
    fn check_bounds(&self, outputs: &Value) -> Result<(), Failure> {
        let Some(exceeded) = bounds::exceeded(outputs) else { return Ok(()) };
        let name = self.name;
        let message = format!(
            "the outputs taken from the answer of `{name}` have {exceeded}: point them at less of \
             it; the work itself was done"
        );
        Err(Failure::operator("ELEMENT_ANSWER", message))
    }

    /// The element will call back under the task's key.
    pub fn waiting<T>(&self) -> Outcome<T> {
        Outcome::waiting(self.key(), self.callback_timeout())
    }

    /// Reads the work on the element: applied only if it carries the task's own key. Work of another
    /// task is left for `run` to find.
    pub fn finding(&self, document: &Value) -> Finding<Value> {
        if document.get("idempotencyKey").and_then(Value::as_str) != Some(self.key()) {
            return Finding::NotApplied;
        }
        if document.get("state").and_then(Value::as_str) == Some("pending") {
            return Finding::waiting(self.key(), self.callback_timeout());
        }
        // Without its outputs the work is as good as not done: doing it again with the same key
        // changes nothing at the element and gives the answer that holds them.
        match self.outputs.take(document) {
            Ok(outputs) if bounds::exceeded(&outputs).is_none() => Finding::Applied(outputs),
            Ok(_) | Err(_) => Finding::NotApplied,
        }
    }

    fn key(&self) -> &str {
        self.context.key()
    }

    fn callback_timeout(&self) -> u32 {
        self.callback_timeout_ms.unwrap_or(CALLBACK_TIMEOUT_MS)
    }
}

impl Outputs {
    /// Those of the outputs that a document has.
    fn found(&self, document: &Value) -> Map<String, Value> {
        let found = self
            .0
            .iter()
            .filter_map(|(name, pointer)| Some((name.clone(), document.pointer(pointer)?.clone())));
        found.collect()
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
