//! Failures, sorted by who must act.

use crate::{Attribute, Context, Failure, FailureClass};

impl Failure {
    /// The host must act: the same call may succeed later.
    pub fn retry(code: &str, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Retry, code, message)
    }

    /// The customer's side must act: the order asks for the impossible.
    pub fn reject(code: &str, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Reject, code, message)
    }

    /// The operator must act: something here must be repaired first.
    pub fn operator(code: &str, message: impl Into<String>) -> Self {
        Self::new(FailureClass::Operator, code, message)
    }

    /// The same with a minimum delay of the retry.
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

    pub(crate) fn unexpected_callback(context: &Context) -> Self {
        let message = format!("task `{}` never waits, yet an answer came for it", context.name());
        Self::operator("UNEXPECTED_CALLBACK", message)
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
