//! The input of a step.

use ferrule_plugin::Context;
use ferrule_plugin::element::{Element, Outputs};
use ferrule_plugin::http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Input {
    /// the name of the element; its address is in the operator's settings
    pub(crate) element: String,
    /// the request that makes it
    pub(crate) request: Call,
    /// the request that changes what stands, if that is not `request`
    pub(crate) change: Option<Change>,
    /// the request that undoes it
    pub(crate) undo: Option<Call>,
    /// the request that finds out whether it was done
    pub(crate) probe: Option<Probe>,
    /// names of outputs, each with a JSON pointer into the answer
    #[serde(default)]
    pub(crate) outputs: Outputs,
    /// the media type of bodies, by default `application/json`
    pub(crate) media: Option<String>,
    /// the timeout of a callback, in milliseconds
    pub(crate) callback_timeout_ms: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    /// `PUT`, `POST`, …
    pub(crate) method: String,
    /// the path after the element's address
    pub(crate) path: String,
    /// the body, as JSON
    pub(crate) body: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// its method
    pub(crate) method: String,
    /// its path; by default that of `request`
    pub(crate) path: Option<String>,
    /// its body; by default that of `request`
    pub(crate) body: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    /// its method
    pub(crate) method: String,
    /// its path
    pub(crate) path: String,
    /// its body
    pub(crate) body: Option<Value>,
    /// a JSON pointer to where the answer repeats the body of `request`, for reconciliations
    pub(crate) holds: Option<String>,
}

impl Probe {
    /// The request, and where its answer repeats the body of `request`.
    pub(crate) fn apart(self) -> (Call, Option<String>) {
        (Call { method: self.method, path: self.path, body: self.body }, self.holds)
    }
}

impl Input {
    /// The request that changes what an earlier task did; `None` if the work is new, or if the
    /// first request does it.
    pub(crate) fn change(&mut self, context: &Context) -> Option<Call> {
        let change = self.change.take().filter(|_| context.replaces().is_some())?;
        Some(Call {
            method: change.method,
            path: change.path.unwrap_or_else(|| self.request.path.clone()),
            body: change.body.or_else(|| self.request.body.clone()),
        })
    }

    pub(crate) fn element<'a>(&'a self, context: &'a Context) -> Element<'a> {
        Element {
            name: &self.element,
            context,
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
