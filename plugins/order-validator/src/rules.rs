//! The rules that a workflow gives to this plugin. Specs are named by the id of the product
//! specification or of the product offering.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The requirements on an order. Rules that are left out are not checked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// specifications whose products have a place
    pub(crate) require_place: Vec<String>,
    /// a related party in the role `Customer`
    pub(crate) require_customer: bool,
    /// a billing account
    pub(crate) require_billing_account: bool,
    /// the largest quantity of an item
    pub(crate) max_quantity: Option<u64>,
    /// characteristics that others make mandatory
    pub(crate) required_when: Vec<RequiredWhen>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequiredWhen {
    /// the specification
    pub(crate) spec: String,
    /// the characteristic that decides
    pub(crate) characteristic: String,
    /// its value
    pub(crate) equals: Value,
    /// the names of those that must be given then
    pub(crate) requires: Vec<String>,
}
