//! The rules that a workflow gives to this plugin. Specs are named by the id of the product
//! specification or of the product offering.

use serde::Deserialize;
use serde_json::Value;

/// What an order must have. What is left out is not asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// These need a place when they are added, their own or that of the bundle they are in.
    pub(crate) require_place: Vec<String>,
    /// The order names a customer.
    pub(crate) require_customer: bool,
    /// The order names a billing account, or every item that is added does.
    pub(crate) require_billing_account: bool,
    /// No item asks for more.
    pub(crate) max_quantity: Option<u64>,
    /// What one characteristic demands of others.
    pub(crate) required_when: Vec<RequiredWhen>,
}

/// Where an item of `spec` has `characteristic` equal to `equals`, it must have `requires` too.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequiredWhen {
    pub(crate) spec: String,
    pub(crate) characteristic: String,
    pub(crate) equals: Value,
    pub(crate) requires: Vec<String>,
}
