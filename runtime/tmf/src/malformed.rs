//! The error of a malformed attribute.

use std::borrow::Cow;

/// An attribute is missing or malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{attribute}` {problem}")]
pub struct Malformed {
    /// Its path, such as `productPrice[0].price.dutyFreeAmount`.
    pub attribute: String,
    /// A description of the error.
    pub problem: Cow<'static, str>,
}

impl Malformed {
    pub fn new(attribute: impl Into<String>, problem: &'static str) -> Self {
        Self { attribute: attribute.into(), problem: problem.into() }
    }

    /// The same in a document that has the one that was read at a path.
    #[must_use]
    pub fn within(mut self, path: &str) -> Self {
        self.attribute = match self.attribute.as_str() {
            "" | "$" => path.into(),
            // An entry of a list.
            attribute if attribute.starts_with('[') => format!("{path}{attribute}"),
            attribute => format!("{path}.{attribute}"),
        };
        self
    }
}
