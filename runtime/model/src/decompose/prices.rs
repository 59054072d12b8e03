//! What the prices of a product become when an order changes it. Prices that were agreed, or that
//! count for the product whatever it is like, stay as they are; the catalog decides about those that
//! depend on what changes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::CheckedLine;
use super::charges::charges;
use super::draft::Builder;
use super::existing::ExistingLine;
use crate::documents::{PRICES, product_price};
use crate::order::Order;
use crate::plan::{Action, Item, Level};
use crate::pricing::charge::Charge;
use crate::pricing::sold::Price;
use crate::rulebook::Rulebook;
use tmf::money::{Decimal, PriceKind, decimal};

/// The catalog's charges for each line as it was before the order; `None` if the order changes no
/// characteristics of a product.
pub(super) fn before(
    order: &Order,
    lines: &[CheckedLine],
    existing: &BTreeMap<usize, ExistingLine<'_>>,
    rulebook: &Rulebook,
) -> Option<Vec<Vec<Charge>>> {
    let is_changed = |index: &usize| {
        order.level == Level::Product && order.lines[*index].action == Action::Modify
    };
    let mut was = lines.to_vec();
    let mut changes = false;
    for (index, existing) in existing.iter().filter(|(index, _)| is_changed(index)) {
        let own = &existing.known.item().characteristics;
        changes |= *own != was[*index].characteristics;
        was[*index].characteristics.clone_from(own);
    }
    changes.then(|| charges(order, &was, rulebook))
}

impl Builder<'_> {
    /// Notes the prices of a product that the order changes, where they change.
    pub(super) fn price(
        &mut self,
        index: usize,
        existing: &ExistingLine<'_>,
        charges: (&[Charge], &[Charge]),
    ) {
        let line = &self.order.lines[index];
        let item = &mut self.built.items[index];
        if item.level != Level::Product || line.action != Action::Modify {
            return;
        }
        let document = existing.known.document;
        let prices = changed(document, item, line.agreed.is_some(), charges);
        if let (Some(prices), Some(origin)) = (prices, &mut item.origin) {
            origin.shown.insert(PRICES.into(), Value::Array(prices));
        }
    }
}

/// The prices that a changed product has from now on; `None` if they stay as they are. `was` and
/// `now` are what the catalog charges for it before and after.
fn changed(
    document: &Value,
    item: &Item,
    is_agreed: bool,
    (was, now): (&[Charge], &[Charge]),
) -> Option<Vec<Value>> {
    let priced = |price: &Price| tmf::document::write(&product_price(price, item.quantity));
    if is_agreed {
        let agreed = item.prices.iter().map(|price| with_payer(priced(price), document));
        let mut prices: Vec<Value> = agreed.collect();
        let once = charged_once(document, &prices);
        prices.extend(once);
        return Some(prices);
    }
    if was == now {
        return None;
    }
    let of = |charges: &[Charge], id: &str| -> Option<Charge> {
        charges.iter().find(|charge| charge.price == id).cloned()
    };
    let own = document.get("productPrice").and_then(Value::as_array).cloned().unwrap_or_default();
    let id_of = |entry: &Value| -> Option<String> {
        Some(entry.pointer("/productOfferingPrice/id")?.as_str()?.into())
    };
    let is_there = |id: &str| own.iter().any(|entry| id_of(entry).as_deref() == Some(id));
    let mut prices = Vec::new();
    for entry in &own {
        let id = id_of(entry).unwrap_or_default();
        match (of(was, &id), of(now, &id)) {
            (Some(_), None) => {}
            (Some(was), Some(now)) if was != now => {
                let (was, now) = (priced(&was.billed(None)), priced(&now.billed(None)));
                let is_listed = amount(entry) == amount(&was);
                prices.push(if is_listed { moved(entry, &was, now) } else { entry.clone() });
            }
            (Some(_) | None, Some(_)) | (None, None) => prices.push(entry.clone()),
        }
    }
    let is_new = |charge: &&Charge| of(was, &charge.price).is_none() && !is_there(&charge.price);
    prices.extend(now.iter().filter(is_new).map(|charge| priced(&charge.billed(None))));
    (prices != own).then_some(prices)
}

/// A price of a product that goes from one list price to another: what the product has beside the
/// list price (who pays it, its tariff, a tax of its own, what alters it by hand) stays.
fn moved(entry: &Value, was: &Value, now: Value) -> Value {
    let mut moved = now;
    let Some(fields) = moved.as_object_mut() else { return moved };
    for (name, value) in entry.as_object().into_iter().flatten() {
        if was.get(name).is_none() && name != ALTERATIONS {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    if let Some(rate) = entry.pointer("/price/taxRate") {
        fields["price"]["taxRate"] = rate.clone();
    }
    let kept = altered(alterations(entry), alterations(was), alterations(&moved));
    if let Some(fields) = moved.as_object_mut() {
        fields.remove(ALTERATIONS);
        if !kept.is_empty() {
            fields.insert(ALTERATIONS.into(), Value::Array(kept));
        }
    }
    moved
}

const ALTERATIONS: &str = "productPriceAlteration";

/// What alters a price that moves: of the catalog's what the product still has, as it is now, and what
/// it has beside those. What was agreed in a quote stays so: it does not begin anew.
fn altered(own: &[Value], was: &[Value], now: &[Value]) -> Vec<Value> {
    let id = |one: &Value| one.pointer("/productOfferingPrice/id").cloned();
    let of = |all: &[Value], like: &Value| {
        let found = all.iter().find(|one| id(one).is_some() && id(one) == id(like));
        found.cloned()
    };
    let listed = now.iter().filter_map(|one| {
        let before = of(own, one);
        if before.is_none() && of(was, one).is_some() {
            return None;
        }
        let mut one = one.clone();
        let quote = before.and_then(|before| before.get("quote").cloned());
        if let (Some(quote), Some(fields)) = (quote, one.as_object_mut()) {
            fields.insert("quote".into(), quote);
        }
        Some(one)
    });
    let beside = own.iter().filter(|one| of(was, one).is_none() && of(now, one).is_none());
    listed.chain(beside.cloned()).collect()
}

fn alterations(price: &Value) -> &[Value] {
    price.get(ALTERATIONS).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The one-off prices of the catalog that a product has and that others do not name: they are charged.
fn charged_once(document: &Value, others: &[Value]) -> Vec<Value> {
    let id = |price: &Value| price.pointer("/productOfferingPrice/id").cloned();
    let own = document.get("productPrice").and_then(Value::as_array).into_iter().flatten();
    let once = own.filter(|own| {
        let kind = own.get("priceType").and_then(Value::as_str).and_then(PriceKind::from_tmf);
        kind == Some(PriceKind::OneOff) && id(own).is_some()
    });
    once.filter(|own| !others.iter().any(|other| id(other) == id(own))).cloned().collect()
}

/// An agreed price with the payer of the price that it takes the place of.
fn with_payer(mut price: Value, document: &Value) -> Value {
    let own = document.get("productPrice").and_then(Value::as_array).into_iter().flatten();
    let id = |price: &Value| price.pointer("/productOfferingPrice/id").cloned();
    let mut before = own.filter(|own| id(own).is_some() && id(own) == id(&price));
    let payer = before.find_map(|own| own.get("billingAccount").cloned());
    if let (Some(payer), Some(fields)) = (payer, price.as_object_mut()) {
        fields.insert("billingAccount".into(), payer);
    }
    price
}

/// What a price of a product amounts to.
fn amount(entry: &Value) -> Option<Decimal> {
    decimal(entry.pointer("/price/dutyFreeAmount/value")?)
}

#[cfg(test)]
mod tests;
