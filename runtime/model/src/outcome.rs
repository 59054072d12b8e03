//! How a call to a plugin ended.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::codes::FailureCode;
use crate::id::{PoolId, SpecId};

/// How one attempt at a task, or at undoing it, ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is done; the outputs are what later steps can read.
    Done(Map<String, Value>),
    /// The element will answer later, under any of these keys.
    Waiting(Wait),
    /// It did not succeed.
    Failed(Failure),
}

/// An answer that is awaited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Any of these names the answer when it comes.
    pub keys: Vec<String>,
    /// How long to wait, in milliseconds.
    pub timeout_ms: u64,
}

/// Why an attempt failed, sorted by who must act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Who must act.
    pub class: FailureClass,
    /// A stable code; operators group by it.
    pub code: FailureCode,
    /// What happened, where, and what to do next.
    pub message: String,
    /// With [`FailureClass::Retry`]: not sooner than this many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The attribute of the order that is wrong, such as `productOrderItem[0].action`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
}

impl Failure {
    /// A failure of this class, code and message.
    pub fn new(
        class: FailureClass,
        code: impl Into<FailureCode>,
        message: impl Into<String>,
    ) -> Self {
        let (code, message) = (code.into(), message.into());
        Self { class, code, message, retry_after_ms: None, attribute: None }
    }

    /// The same, because of an attribute of the order.
    #[must_use]
    pub fn about(self, attribute: impl Into<String>) -> Self {
        Self { attribute: Some(attribute.into()), ..self }
    }
}

/// Who must act on a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureClass {
    /// The host: the same call may succeed later.
    Retry,
    /// The customer's side: the order asks for the impossible.
    Reject,
    /// The operator: something must be repaired first.
    Operator,
}

/// A value taken out of a pool for a task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reservation {
    /// The pool.
    pub pool: PoolId,
    /// The position of the value in the pool.
    pub index: u64,
    /// The value, such as `100` or `olt-1/1/3`.
    pub value: String,
    /// The resource specification of the pool's values.
    pub resource: SpecId,
    /// The characteristic of the resource that the value fills, such as `vlanId`.
    pub characteristic: String,
    /// What tells it apart from other reservations of the same task.
    pub name: String,
}
