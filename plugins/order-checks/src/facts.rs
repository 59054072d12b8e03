//! Reads the inventories, as far as the checks need them.

use std::collections::{BTreeMap, BTreeSet};

use ferrule_plugin::Failure;
use ferrule_plugin::inventory::{self, Condition, Key, Search};
use serde_json::Value;

use crate::duplicate::{HAS, OPEN};
use crate::item::{self, Item};
use crate::{Input, duplicate};

/// The documents that the checks examine besides the order.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The id of the customer, if the order names one.
    pub(crate) customer: Option<String>,
    /// The customer's document, if there is one.
    pub(crate) profile: Option<Value>,
    /// The bills of the customer and of the order's account that are not fully paid.
    pub(crate) bills: Vec<Value>,
    /// The customer's open orders for the places of this one.
    pub(crate) orders: Vec<Value>,
    /// The customer's products at the places of this one.
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
    if let Some(rules) = &input.duplicate {
        let items = item::flatten(&input.order);
        let sought = Sought::of(rules, &items);
        facts.orders = orders(&id, &sought)?;
        facts.orders.retain(|order| order["id"] != fulfilment);
        facts.products = products(&id, &sought)?;
    }
    Ok(facts)
}

/// The states of bills that are not fully paid.
const OWED: [&str; 5] = ["new", "onHold", "validated", "sent", "partiallyPaid"];

/// The attributes that are read of a bill, an order and a product.
const OF_BILL: [&str; 3] = ["id", "paymentDueDate", "remainingAmount"];
const OF_ORDER: [&str; 3] = ["id", "state", "productOrderItem"];
const OF_PRODUCT: [&str; 5] = ["id", "status", "productOffering", "place", "productOrderItem"];

/// The paths of the place of an order's item, also of one in a bundle.
const PLACES: [&str; 3] = [
    "productOrderItem.product.place.id",
    "productOrderItem.productOrderItem.product.place.id",
    "productOrderItem.productOrderItem.productOrderItem.product.place.id",
];

/// Max places that one search is about.
const PLACES_MAX: usize = 32;

/// Max bills, and max orders or products of some places, that are read.
const BILLS_MAX: u32 = 1_000;
const FOUND_MAX: u32 = 100;

/// The ordered offerings and their places.
struct Sought<'a> {
    offerings: Vec<&'a str>,
    places: Vec<&'a str>,
    /// Whether a place is known by its name alone, which is not indexed.
    by_name: bool,
}

impl<'a> Sought<'a> {
    fn of(rules: &duplicate::Rules, items: &[Item<'a>]) -> Self {
        let (mut offerings, mut places) = (BTreeSet::new(), BTreeSet::new());
        let mut by_name = false;
        for item in items {
            let Some((offering, place)) = duplicate::looked_at(rules, items, *item) else {
                continue;
            };
            offerings.insert(offering);
            if item.has_place_id(items) {
                places.insert(place);
            } else {
                by_name = true;
            }
        }
        let (offerings, places) = (offerings.into_iter().collect(), places.into_iter().collect());
        Self { offerings, places, by_name }
    }
}

/// The bills of the customer, and of the order's account, that are not fully paid.
fn bills(order: &Value, customer: &str) -> Result<Vec<Value>, Failure> {
    let owed = Condition::any(&["state"], &OWED);
    let search = |of: Condition| {
        let conditions = [of, owed.clone()];
        let shown = &OF_BILL;
        inventory::search(Search {
            kind: "customerBill",
            conditions: &conditions,
            shown,
            limit: BILLS_MAX,
        })
    };
    let mut found = search(Condition::is("relatedParty.id", customer))?;
    if let Some(account) = order["billingAccount"]["id"].as_str() {
        found.extend(search(Condition::is("billingAccount.id", account))?);
    }
    let by_id: BTreeMap<String, Value> =
        found.into_iter().map(|bill| (bill["id"].to_string(), bill)).collect();
    Ok(by_id.into_values().collect())
}

/// The customer's open orders for the same places; the latest open ones for whatever place, if one
/// is known by its name alone.
fn orders(customer: &str, sought: &Sought<'_>) -> Result<Vec<Value>, Failure> {
    let open = [Condition::is("relatedParty.id", customer), Condition::any(&["state"], &OPEN)];
    let search = |conditions: &[Condition]| {
        let (kind, shown) = ("productOrder", &OF_ORDER);
        inventory::search(Search { kind, conditions, shown, limit: FOUND_MAX })
    };
    let mut found = Vec::new();
    if sought.by_name {
        found.extend(search(&open)?);
    }
    for places in sought.places.chunks(PLACES_MAX) {
        let [customer, state] = open.clone();
        found.extend(search(&[customer, state, Condition::any(&PLACES, places)])?);
    }
    Ok(found)
}

/// The customer's products of the same offerings at the same places.
fn products(customer: &str, sought: &Sought<'_>) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    for places in sought.places.chunks(PLACES_MAX) {
        let conditions = [
            Condition::is("relatedParty.id", customer),
            Condition::any(&["status"], &HAS),
            Condition::any(&["productOffering.id"], &sought.offerings),
            Condition::any(&["place.id"], places),
        ];
        let search = Search {
            kind: "product",
            conditions: &conditions,
            shown: &OF_PRODUCT,
            limit: FOUND_MAX,
        };
        found.extend(inventory::search(search)?);
    }
    Ok(found)
}

fn customer(order: &Value) -> Option<String> {
    let parties = order["relatedParty"].as_array()?;
    let is_customer = |party: &&Value| {
        party["role"].as_str().is_some_and(|role| role.eq_ignore_ascii_case("customer"))
    };
    Some(parties.iter().find(is_customer)?["id"].as_str()?.to_string())
}
