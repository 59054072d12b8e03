//! The products of an order after it: those that it gives, and those that are known already.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A product.
#[derive(Debug, Deserialize)]
pub(crate) struct Product {
    /// The id of its line in the order.
    pub(crate) id: String,
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) spec: String,
    #[serde(default)]
    pub(crate) offering: Option<String>,
    #[serde(default)]
    pub(crate) char: Map<String, Value>,
}

impl Product {
    pub(crate) fn is(&self, spec: &str) -> bool {
        self.spec == spec || self.offering.as_deref() == Some(spec)
    }

    /// The value of a characteristic; `None` if it is missing, null or an empty text.
    pub(crate) fn characteristic(&self, name: &str) -> Option<&Value> {
        self.char.get(name).filter(|value| !value.is_null() && *value != "")
    }
}
