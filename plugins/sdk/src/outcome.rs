//! The answers of a step.

use serde_json::{Map, Value};

use crate::bindings::observable::exports::ferrule::plugin::observation as wire;

pub use crate::bindings::step::ferrule::plugin::types::Callback;
pub use wire::Owner;

/// How a call that did not fail ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The work is done.
    Done(T),
    /// The element has accepted the work and will answer later, by callback.
    Waiting(Callback),
}

/// The result of a probe: the fate of a task whose outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding<T> {
    /// The work was applied.
    Applied(T),
    /// The work was not applied: it is safe to do it now.
    NotApplied,
    /// The element has accepted the work and will answer later.
    Waiting(Callback),
}

/// The result of an observation.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// The element has nothing of the work.
    Absent,
    /// The element is still working on it.
    Pending,
    /// The element has this.
    Present(State),
}

/// The work as it is on the element.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The outputs as far as the element shows them.
    pub outputs: Map<String, Value>,
    /// Its owner.
    pub owner: Owner,
    /// The values that differ from the ones that were asked for.
    pub differences: Vec<Difference>,
}

/// A value that differs from the one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// The value that was asked for.
    pub expected: Value,
    /// The value on the element; `None` if it has none.
    pub found: Option<Value>,
}

impl<T> Outcome<T> {
    /// The element will answer under this key, usually [`Context::key`](crate::Context::key).
    pub fn waiting(key: &str, timeout_ms: u32) -> Self {
        Self::Waiting(Callback::new(key, timeout_ms))
    }
}

impl<T> Finding<T> {
    /// The element is still working on it and will answer under this key.
    pub fn waiting(key: &str, timeout_ms: u32) -> Self {
        Self::Waiting(Callback::new(key, timeout_ms))
    }
}

impl Callback {
    /// An answer under this key within this time.
    pub fn new(key: &str, timeout_ms: u32) -> Self {
        Self { keys: vec![key.into()], timeout_ms, attributes: Vec::new() }
    }
}

impl Observation {
    pub(crate) fn write(self) -> wire::Observed {
        match self {
            Self::Absent => wire::Observed::Absent,
            Self::Pending => wire::Observed::Pending,
            Self::Present(state) => wire::Observed::Present(wire::State {
                outputs: Value::Object(state.outputs).to_string(),
                owner: state.owner,
                differences: state.differences.into_iter().map(Difference::write).collect(),
                attributes: Vec::new(),
            }),
        }
    }
}

impl Difference {
    fn write(self) -> wire::Difference {
        wire::Difference {
            name: self.name,
            expected: self.expected.to_string(),
            found: self.found.map(|found| found.to_string()),
        }
    }
}
