//! How a call that did not fail ended.

use serde_json::Value;

use crate::{Attribute, Callback, Done, Finding, Outcome};

impl Outcome {
    /// The work is done; `outputs` is the JSON object that later steps can read.
    pub fn done(outputs: &Value) -> Self {
        Self::Done(Done::new(outputs))
    }

    /// The element has accepted the work and will answer under this key, usually the task's
    /// idempotency key.
    pub fn waiting(key: &str, timeout_ms: u32) -> Self {
        Self::Waiting(Callback::new(key, timeout_ms))
    }
}

impl Done {
    /// Done with these outputs, a JSON object.
    pub fn new(outputs: &Value) -> Self {
        Self { outputs: outputs.to_string(), attributes: Vec::new() }
    }

    /// Done, with nothing to tell.
    pub fn empty() -> Self {
        Self { outputs: "{}".into(), attributes: Vec::new() }
    }

    /// Of an undo: the element has accepted it and will answer later, under this key and within
    /// this time.
    pub fn waiting(key: &str, timeout_ms: u32) -> Self {
        let attribute = |name: &str, value: String| Attribute { name: name.into(), value };
        let attributes =
            vec![attribute("waits-for", key.into()), attribute("waits-ms", timeout_ms.to_string())];
        Self { attributes, ..Self::empty() }
    }
}

impl Callback {
    /// An answer under this key within this time.
    pub fn new(key: &str, timeout_ms: u32) -> Self {
        Self { keys: vec![key.into()], timeout_ms, attributes: Vec::new() }
    }
}

impl Finding {
    /// The work was applied, and these are its outputs.
    pub fn applied(outputs: &Value) -> Self {
        Self::Applied(Done::new(outputs))
    }

    /// The element is still at it and will answer under this key.
    pub fn waiting(key: &str, timeout_ms: u32) -> Self {
        Self::Waiting(Callback::new(key, timeout_ms))
    }
}
