//! The input of a step.

use ferrule_plugin::Context;
use ferrule_plugin::element::{Element, Outputs};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Input {
    /// the name of the element; its address is in the operator's settings
    pub(crate) element: String,
    /// the method that makes it
    pub(crate) method: String,
    /// its params
    #[serde(default = "no_params")]
    pub(crate) params: Value,
    /// the call that changes what stands, if that is not `method`
    pub(crate) change: Option<Change>,
    /// the call that undoes it
    pub(crate) undo: Option<Call>,
    /// the call that finds out whether it was done
    pub(crate) probe: Option<Probe>,
    /// names of outputs, each with a JSON pointer into the result
    #[serde(default)]
    pub(crate) outputs: Outputs,
    /// the timeout of a callback, in milliseconds
    pub(crate) callback_timeout_ms: Option<u32>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    /// its method
    pub(crate) method: String,
    /// its params
    #[serde(default = "no_params")]
    pub(crate) params: Value,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// its method
    pub(crate) method: String,
    /// its params; by default those of `method`
    pub(crate) params: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    /// its method
    pub(crate) method: String,
    /// its params
    #[serde(default = "no_params")]
    pub(crate) params: Value,
    /// a JSON pointer to where the result repeats `params`, for reconciliations
    pub(crate) holds: Option<String>,
}

impl Probe {
    /// The call, and where its result repeats the params.
    pub(crate) fn apart(self) -> (Call, Option<String>) {
        (Call { method: self.method, params: self.params }, self.holds)
    }
}

impl Input {
    pub(crate) fn element<'a>(&'a self, context: &'a Context) -> Element<'a> {
        Element {
            name: &self.element,
            context,
            outputs: &self.outputs,
            callback_timeout_ms: self.callback_timeout_ms,
        }
    }

    /// The call that changes what an earlier task did; `None` if the work is new, or if the
    /// first call does it.
    pub(crate) fn change(&mut self, context: &Context) -> Option<Call> {
        let change = self.change.take().filter(|_| context.replaces().is_some())?;
        let params = change.params.unwrap_or_else(|| self.params.clone());
        Some(Call { method: change.method, params })
    }

    pub(crate) fn call(&self) -> Call {
        Call { method: self.method.clone(), params: self.params.clone() }
    }
}

/// Params may be left out, but where they are there they must be an object or a list.
fn no_params() -> Value {
    Value::Object(serde_json::Map::new())
}
