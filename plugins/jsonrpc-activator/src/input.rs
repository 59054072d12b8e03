//! What a workflow says to a step of this plugin.

use ferrule_plugin::Task;
use ferrule_plugin::element::{Element, Outputs};
use serde::Deserialize;
use serde_json::Value;

/// The step's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Input {
    pub(crate) element: String,
    pub(crate) method: String,
    #[serde(default = "no_params")]
    pub(crate) params: Value,
    /// How what `method` made is changed; `method` does it where nothing is said.
    pub(crate) change: Option<Change>,
    pub(crate) undo: Option<Call>,
    pub(crate) probe: Option<Probe>,
    #[serde(default)]
    pub(crate) outputs: Outputs,
    pub(crate) callback_timeout_ms: Option<u32>,
}

/// One call to the element.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    pub(crate) method: String,
    #[serde(default = "no_params")]
    pub(crate) params: Value,
}

/// A call that changes what is there; with the params of the first call unless it has its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub(crate) method: String,
    pub(crate) params: Option<Value>,
}

/// A call that finds out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    pub(crate) method: String,
    #[serde(default = "no_params")]
    pub(crate) params: Value,
    /// Where the result repeats the `params` of the method, as a JSON pointer.
    pub(crate) holds: Option<String>,
}

impl Probe {
    /// The call, and where its result says what the element holds.
    pub(crate) fn apart(self) -> (Call, Option<String>) {
        (Call { method: self.method, params: self.params }, self.holds)
    }
}

impl Input {
    pub(crate) fn element<'a>(&'a self, task: &'a Task) -> Element<'a> {
        Element {
            name: &self.element,
            task,
            outputs: &self.outputs,
            callback_timeout_ms: self.callback_timeout_ms,
        }
    }

    /// The call that changes what an earlier task did; `None` where the work is new, or where the
    /// first call does it.
    pub(crate) fn change(&mut self, task: &Task) -> Option<Call> {
        let change = self.change.take().filter(|_| task.replaces().is_some())?;
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
