//! What a workflow says to a step of this plugin.

use ferrule_plugin::Task;
use ferrule_plugin::element::{Element, Outputs};
use ferrule_plugin::http::Method;
use serde::Deserialize;
use serde_json::Value;

/// The step's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Input {
    pub(crate) element: String,
    pub(crate) request: Call,
    /// How what `request` made is changed; `request` does it where nothing is said.
    pub(crate) change: Option<Change>,
    pub(crate) undo: Option<Call>,
    pub(crate) probe: Option<Probe>,
    #[serde(default)]
    pub(crate) outputs: Outputs,
    /// The media type of the bodies, `application/json` unless said otherwise.
    pub(crate) media: Option<String>,
    pub(crate) callback_timeout_ms: Option<u32>,
}

/// One request to the element.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// What follows the element's base address.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

/// A request that changes what is there; what it leaves out is that of the first request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub(crate) method: String,
    pub(crate) path: Option<String>,
    pub(crate) body: Option<Value>,
}

/// A request that finds out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// Where the answer repeats the body of `request`, as a JSON pointer.
    pub(crate) holds: Option<String>,
}

impl Probe {
    /// The request, and where its answer says what the element holds.
    pub(crate) fn apart(self) -> (Call, Option<String>) {
        (Call { method: self.method, path: self.path, body: self.body }, self.holds)
    }
}

impl Input {
    /// The request that changes what an earlier task did; `None` where the work is new, or where the
    /// first request does it.
    pub(crate) fn change(&mut self, task: &Task) -> Option<Call> {
        let change = self.change.take().filter(|_| task.replaces().is_some())?;
        Some(Call {
            method: change.method,
            path: change.path.unwrap_or_else(|| self.request.path.clone()),
            body: change.body.or_else(|| self.request.body.clone()),
        })
    }

    pub(crate) fn element<'a>(&'a self, task: &'a Task) -> Element<'a> {
        Element {
            name: &self.element,
            task,
            outputs: &self.outputs,
            callback_timeout_ms: self.callback_timeout_ms,
        }
    }
}

impl Call {
    pub(crate) fn method(&self) -> Method {
        match self.method.as_str() {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            other => Method::Other(other.into()),
        }
    }
}
