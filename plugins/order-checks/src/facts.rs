//! What is read of the inventories, and only that which a check asks for.

use std::collections::BTreeMap;

use ferrule_plugin::Failure;
use ferrule_plugin::inventory::{self, Key, Query};
use serde_json::Value;

use crate::Input;

/// What the checks look at besides the order.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The id of the customer, where the order names one.
    pub(crate) customer: Option<String>,
    /// The customer's document, where there is one.
    pub(crate) profile: Option<Value>,
    /// The latest bills of the customer and of the order's account.
    pub(crate) bills: Vec<Value>,
    /// The latest orders of the customer.
    pub(crate) orders: Vec<Value>,
    /// The latest products of the customer.
    pub(crate) products: Vec<Value>,
}

/// Reads what the checks of an order need.
pub(crate) fn gather(input: &Input, fulfilment: &str) -> Result<Facts, Failure> {
    let mut facts = Facts { customer: customer(&input.order), ..Facts::default() };
    let Some(id) = facts.customer.clone() else { return Ok(facts) };
    if let Some(rules) = &input.credit {
        facts.profile = inventory::get(Key { kind: "customer", id: &id })?;
        if rules.asks_for_bills() {
            facts.bills = bills(&input.order, &id)?;
        }
    }
    if input.duplicate.is_some() {
        facts.orders = of_customer("productOrder", &id)?;
        facts.orders.retain(|order| order["id"] != fulfilment);
        facts.products = of_customer("product", &id)?;
    }
    Ok(facts)
}

fn bills(order: &Value, customer: &str) -> Result<Vec<Value>, Failure> {
    let mut found = of_customer("customerBill", customer)?;
    if let Some(account) = order["billingAccount"]["id"].as_str() {
        let attribute = "billingAccount.id";
        found.extend(inventory::find(Query { kind: "customerBill", attribute, value: account })?);
    }
    let by_id: BTreeMap<String, Value> =
        found.into_iter().map(|bill| (bill["id"].to_string(), bill)).collect();
    Ok(by_id.into_values().collect())
}

fn of_customer(kind: &str, customer: &str) -> Result<Vec<Value>, Failure> {
    inventory::find(Query { kind, attribute: "relatedParty.id", value: customer })
}

fn customer(order: &Value) -> Option<String> {
    let parties = order["relatedParty"].as_array()?;
    let is_customer = |party: &&Value| {
        party["role"].as_str().is_some_and(|role| role.eq_ignore_ascii_case("customer"))
    };
    Some(parties.iter().find(is_customer)?["id"].as_str()?.to_string())
}
