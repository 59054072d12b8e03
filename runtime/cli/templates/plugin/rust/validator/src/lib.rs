//! Rejects an order without a contact.

use ferrule_plugin::{Context, Failure, Validator};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

struct Adapter;

/// The order, as far as it matters here.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Order {
    /// The parties of the order.
    #[serde(default)]
    related_party: Vec<Party>,
}

#[derive(Deserialize, JsonSchema)]
struct Party {
    /// The role of the party in the order.
    #[serde(default)]
    role: String,
}

#[derive(Debug, JsonSchema, PartialEq, Serialize)]
struct Output {
    /// The number of contacts.
    contacts: usize,
}

impl Validator for Adapter {
    type Input = Order;
    type Output = Output;

    fn validate(_context: &Context, order: Order) -> Result<Output, Failure> {
        let contacts = order.related_party.iter().filter(|party| party.role == "contact").count();
        if contacts == 0 {
            let message = "the order has no contact: add a `relatedParty` with the role `contact`";
            return Err(Failure::reject("CONTACT_MISSING", message));
        }
        Ok(Output { contacts })
    }
}

ferrule_plugin::export!(Adapter as Validator);
