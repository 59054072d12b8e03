//! Failures, sorted by who must act.

use crate::{Attribute, Failure, FailureClass, Task};

impl Failure {
    /// Nobody must act: the same call may succeed later.
    pub fn retry(code: &str, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Retry, code, message)
    }

    /// The customer's side must act: the order asks for what cannot be.
    pub fn reject(code: &str, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Reject, code, message)
    }

    /// Operations staff must act: something here must be repaired first.
    pub fn person(code: &str, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Person, code, message)
    }

    /// The same, not to be retried sooner than this.
    #[must_use]
    pub fn after_ms(mut self, retry_after_ms: u32) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// The same with one more detail, such as the element's own error.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push(Attribute { name: name.into(), value: value.into() });
        self
    }

    pub(crate) fn unexpected_callback(task: &Task) -> Self {
        let message = format!("task `{}` never waits, yet an answer came for it", task.name);
        Self::person("UNEXPECTED_CALLBACK", message)
    }

    fn new(class: FailureClass, code: &str, message: impl Into<String>) -> Self {
        Self {
            class,
            code: code.into(),
            message: message.into(),
            retry_after_ms: None,
            attributes: Vec::new(),
        }
    }
}
