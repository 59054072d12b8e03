//! The roles of plugins, and the optional parts of them: a trait for each interface of the contract.
//! [`export!`](crate::export) names the role of a plugin and the parts that it has.

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Context, Failure, Finding, Observation, Outcome};

pub use crate::bindings::decomposer::exports::ferrule::plugin::decomposition::{
    Production, Request,
};

/// Validates orders.
pub trait Validator {
    /// The step's input.
    type Input: DeserializeOwned + JsonSchema;
    /// The step's outputs.
    type Output: Serialize + JsonSchema;

    /// Accepts the order, or fails with class `reject` and a message for its sender.
    fn validate(context: &Context, input: Self::Input) -> Result<Self::Output, Failure>;

    /// The schema of the settings, as one object.
    fn settings() -> Option<Schema> {
        None
    }
}

/// Reserves values of pools.
pub trait Allocator {
    /// The step's input.
    type Input: DeserializeOwned + JsonSchema;
    /// The step's outputs.
    type Output: Serialize + JsonSchema;

    /// Reserves the values that the input asks for and gives them as outputs. There is no release:
    /// the host releases reservations when the task is undone.
    fn allocate(context: &Context, input: Self::Input) -> Result<Self::Output, Failure>;

    /// The schema of the settings, as one object.
    fn settings() -> Option<Schema> {
        None
    }
}

/// Decomposes items where rules in YAML do not suffice.
pub trait Decomposer {
    /// The productions, in an order that depends on the request alone.
    fn decompose(request: &Request) -> Result<Vec<Production>, Failure>;
}

/// Does a step: drives an element, calls another system, or computes something.
pub trait Step {
    /// The step's input.
    type Input: DeserializeOwned + JsonSchema;
    /// The step's outputs.
    type Output: Serialize + DeserializeOwned + JsonSchema;

    /// Does the work. Called again with the same idempotency key after a failure of class
    /// `retry`, a crash or a lost answer; doing it twice must be as good as once.
    fn run(context: &Context, input: Self::Input) -> Result<Outcome<Self::Output>, Failure>;

    /// The schema of the settings, as one object.
    fn settings() -> Option<Schema> {
        None
    }
}

/// A step whose work can be undone.
pub trait Undo: Step {
    /// Undoes the work, under a key of its own. `output` is that of the work; `None` if it had none
    /// or its answer was never received. If there is no work, that is success.
    fn undo(
        context: &Context,
        input: Self::Input,
        output: Option<Self::Output>,
    ) -> Result<Outcome<()>, Failure>;

    /// Reads an answer to an undo, or to the rollback of a change, that came by callback. Only for a
    /// plugin that waits for such an answer.
    fn resume_undo(
        context: &Context,
        _input: Self::Input,
        _answer: &Value,
    ) -> Result<Outcome<()>, Failure> {
        Err(Failure::unexpected_callback(context))
    }
}

/// A step whose work can be found.
pub trait Probe: Step {
    /// Finds out whether the work was applied, after a crash or a lost answer. It changes nothing.
    /// Without a probe the host does the work again with the same key.
    fn probe(context: &Context, input: Self::Input) -> Result<Finding<Self::Output>, Failure>;
}

/// A step that waits for callbacks.
pub trait Callbacks: Step {
    /// Reads an answer that came by callback; `answer` is its body.
    fn resume(
        context: &Context,
        input: Self::Input,
        answer: &Value,
    ) -> Result<Outcome<Self::Output>, Failure>;
}

/// A step whose work can be compared with the element, for reconciliations.
pub trait Observe: Step {
    /// Compares. Requests that change anything are denied. Fails if it cannot tell.
    fn observe(context: &Context, input: Self::Input) -> Result<Observation, Failure>;
}
