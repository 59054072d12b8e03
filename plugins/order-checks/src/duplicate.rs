//! Whether the same was ordered before: the same offering by the same customer for the same place.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::facts::Facts;
use crate::item::{self, Item};
use crate::{Act, Finding};

/// The states of an order that may still deliver.
pub(crate) const OPEN: [&str; 6] = [
    "acknowledged",
    "inProgress",
    "pending",
    "held",
    "assessingCancellation",
    "pendingCancellation",
];

/// The states of a product that the customer has.
pub(crate) const HAS: [&str; 2] = ["active", "suspended"];

/// What follows from a duplicate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// the offerings that are checked; all by default
    pub(crate) offerings: Vec<String>,
    /// as for `credit`
    pub(crate) otherwise: Act,
}

/// Looks for each item that is added among the customer's orders and products.
pub(crate) fn check(
    rules: &Rules,
    items: &[Item<'_>],
    facts: &Facts,
    fulfilment: &str,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for item in items {
        let Some((offering, place)) = looked_at(rules, items, *item) else { continue };
        let before = ordered(facts, offering, place).or_else(|| {
            let product = product(facts, offering, place, fulfilment)?;
            Some(format!("product `{product}`"))
        });
        found.extend(before.map(|before| Finding {
            code: "ORDER_DUPLICATE",
            message: format!(
                "item `{}`: `productOffering` `{offering}` is there for `{place}` already: {before}",
                item.id()
            ),
            act: rules.otherwise,
        }));
    }
    found
}

/// The offering and the place of an item that is looked at: of each that is added, or of those that
/// the rules name.
pub(crate) fn looked_at<'a>(
    rules: &Rules,
    items: &[Item<'a>],
    item: Item<'a>,
) -> Option<(&'a str, &'a str)> {
    let offering = item.offering().filter(|_| item.action() == "add")?;
    let place = item.place_names(items).first().copied()?;
    let is_named = rules.offerings.is_empty() || rules.offerings.iter().any(|one| one == offering);
    is_named.then_some((offering, place))
}

/// An open order for the same.
fn ordered(facts: &Facts, offering: &str, place: &str) -> Option<String> {
    let is_open = |order: &&Value| order["state"].as_str().is_some_and(|s| OPEN.contains(&s));
    let is_same = |order: &&Value| {
        let items = item::flatten(order);
        items.iter().any(|item| {
            item.action() == "add"
                && item.offering() == Some(offering)
                && item.place_names(&items).first() == Some(&place)
        })
    };
    let order = facts.orders.iter().filter(is_open).find(is_same)?;
    let text = |name: &str| order[name].as_str().unwrap_or_default().to_string();
    Some(format!("order `{}`, which is `{}`", text("id"), text("state")))
}

/// A product that the customer has.
fn product<'a>(facts: &'a Facts, offering: &str, place: &str, fulfilment: &str) -> Option<&'a str> {
    let found = facts.products.iter().find(|product| {
        let has = product["status"].as_str().is_some_and(|status| HAS.contains(&status));
        let makers = product["productOrderItem"].as_array().map(Vec::as_slice).unwrap_or_default();
        has && product["productOffering"]["id"] == offering
            && product["place"][0]["id"] == place
            && !makers.iter().any(|link| link["productOrderId"] == fulfilment)
    });
    found?["id"].as_str()
}
