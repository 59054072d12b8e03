//! What the prices of a product become when an order changes it. Prices that were agreed, or that
//! count for the product whatever it is like, stay as they are; the catalog decides about those that
//! depend on what changes.

use std::collections::BTreeMap;

use super::charges::charges;
use super::draft::Builder;
use super::existing::ExistingLine;
use super::{Blocked, CheckedLine};
use crate::codes::FailureCode;
use crate::documents::{PRICES, product_price};
use crate::order::Order;
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Item, Level};
use crate::pricing::charge::Charge;
use crate::pricing::sold::Price;
use crate::rulebook::Rulebook;
use tmf::document;
use tmf::document::product::{PriceAlteration, ProductPrice};
use tmf::money::{Decimal, PriceKind};

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

tmf::document! {
    /// The prices of a product.
    struct Priced {
        product_price*: ProductPrice,
    }
}

impl Builder<'_> {
    /// Notes the prices of a product that the order changes, where they change.
    pub(super) fn price(
        &mut self,
        index: usize,
        existing: &ExistingLine<'_>,
        charges: (&[Charge], &[Charge]),
    ) -> Result<(), Blocked> {
        let line = &self.order.lines[index];
        let item = &mut self.built.items[index];
        if item.level != Level::Product || line.action != Action::Modify {
            return Ok(());
        }
        let own: Priced = document::read(existing.known.document).map_err(|malformed| {
            let message = format!("the product of item `{}`: {malformed}", line.id);
            let code = FailureCode::InventoryDocument;
            Blocked::Failure(Failure::new(FailureClass::Operator, code, message))
        })?;
        let prices = changed(&own.product_price, item, line.agreed.is_some(), charges);
        if let (Some(prices), Some(origin)) = (prices, &mut item.origin) {
            origin.shown.insert(PRICES.into(), document::write(&prices));
        }
        Ok(())
    }
}

/// The prices that a changed product has from now on; `None` if they stay as they are. `was` and
/// `now` are the catalog's charges for it before and after.
fn changed(
    own: &[ProductPrice],
    item: &Item,
    is_agreed: bool,
    (was, now): (&[Charge], &[Charge]),
) -> Option<Vec<ProductPrice>> {
    let priced = |price: &Price| product_price(price, item.quantity);
    if is_agreed {
        let mut prices: Vec<ProductPrice> =
            item.prices.iter().map(|price| with_payer(priced(price), own)).collect();
        let once = charged_once(own, &prices);
        prices.extend(once);
        return Some(prices);
    }
    if was == now {
        return None;
    }
    let is_there = |id: &str| own.iter().any(|entry| listed_as(entry) == Some(id));
    let mut prices = Vec::new();
    for entry in own {
        let id = listed_as(entry).unwrap_or_default();
        match (of(was, id), of(now, id)) {
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

/// The charge of a price of the catalog.
fn of<'a>(charges: &'a [Charge], price: &str) -> Option<&'a Charge> {
    charges.iter().find(|charge| charge.price == price)
}

/// The id of the price of the catalog that a price of a product is for.
fn listed_as(price: &ProductPrice) -> Option<&str> {
    price.product_offering_price.as_ref()?.id.as_deref()
}

/// A price of a product that goes from one list price to another. What the product has besides the
/// list price (a payer, a tariff, a tax of its own, alterations made by hand) stays.
fn moved(entry: &ProductPrice, was: &ProductPrice, now: ProductPrice) -> ProductPrice {
    let alterations = altered(
        &entry.product_price_alteration,
        &was.product_price_alteration,
        now.product_price_alteration,
    );
    let mut rest = now.rest;
    for (name, value) in entry.rest.iter().filter(|(name, _)| !was.rest.contains_key(*name)) {
        rest.entry(name).or_insert_with(|| value.clone());
    }
    let tax = if now.tax.is_empty() && was.tax.is_empty() { entry.tax.clone() } else { now.tax };
    let mut price = kept(entry.price.as_ref(), was.price.as_ref(), now.price);
    if let (Some(price), Some(own)) = (&mut price, &entry.price)
        && own.tax_rate.is_some()
    {
        price.tax_rate.clone_from(&own.tax_rate);
    }
    ProductPrice {
        name: kept(entry.name.as_ref(), was.name.as_ref(), now.name),
        price_type: kept(entry.price_type.as_ref(), was.price_type.as_ref(), now.price_type),
        recurring_charge_period: kept(
            entry.recurring_charge_period.as_ref(),
            was.recurring_charge_period.as_ref(),
            now.recurring_charge_period,
        ),
        recurring_charge_period_type: kept(
            entry.recurring_charge_period_type.as_ref(),
            was.recurring_charge_period_type.as_ref(),
            now.recurring_charge_period_type,
        ),
        recurring_charge_period_length: kept(
            entry.recurring_charge_period_length.as_ref(),
            was.recurring_charge_period_length.as_ref(),
            now.recurring_charge_period_length,
        ),
        price,
        product_offering_price: kept(
            entry.product_offering_price.as_ref(),
            was.product_offering_price.as_ref(),
            now.product_offering_price,
        ),
        billing_account: kept(
            entry.billing_account.as_ref(),
            was.billing_account.as_ref(),
            now.billing_account,
        ),
        tax,
        product_price_alteration: alterations,
        tariff: kept(entry.tariff.as_ref(), was.tariff.as_ref(), now.tariff),
        kind: kept(entry.kind.as_ref(), was.kind.as_ref(), now.kind),
        rest,
    }
}

/// The new value of an attribute; the product's own if the list price had none.
fn kept<T: Clone>(entry: Option<&T>, was: Option<&T>, now: Option<T>) -> Option<T> {
    now.or_else(|| entry.filter(|_| was.is_none()).cloned())
}

/// The alterations of a price that moves: those of the catalog that the product still has, as they are
/// now, and those that it has besides. The terms that were agreed in a quote stay: they do not begin
/// anew.
fn altered(
    own: &[PriceAlteration],
    was: &[PriceAlteration],
    now: Vec<PriceAlteration>,
) -> Vec<PriceAlteration> {
    let beside = own.iter().filter(|one| like(was, one).is_none() && like(&now, one).is_none());
    let beside: Vec<PriceAlteration> = beside.cloned().collect();
    let listed = now.into_iter().filter_map(|one| {
        let before = like(own, &one);
        if before.is_none() && like(was, &one).is_some() {
            return None;
        }
        let quote = before.and_then(|before| before.quote.clone());
        Some(PriceAlteration { quote: quote.or(one.quote), ..one })
    });
    listed.chain(beside).collect()
}

/// The alteration that is for the same price of the catalog as another.
fn like<'a>(all: &'a [PriceAlteration], one: &PriceAlteration) -> Option<&'a PriceAlteration> {
    let id = one.product_offering_price.as_ref()?.id.as_deref()?;
    all.iter()
        .find(|other| other.product_offering_price.as_ref().is_some_and(|price| price.is_to(id)))
}

/// The one-off prices of the catalog that a product has and that others do not name: they are charged.
fn charged_once(own: &[ProductPrice], others: &[ProductPrice]) -> Vec<ProductPrice> {
    let once = own.iter().filter(|own| {
        let kind = own.price_type.as_deref().and_then(PriceKind::from_tmf);
        kind == Some(PriceKind::OneOff) && listed_as(own).is_some()
    });
    let is_named = |own: &&ProductPrice| others.iter().any(|one| listed_as(one) == listed_as(own));
    once.filter(|own| !is_named(own)).cloned().collect()
}

/// An agreed price with the payer of the price that it takes the place of.
fn with_payer(price: ProductPrice, own: &[ProductPrice]) -> ProductPrice {
    let is_same =
        |own: &&ProductPrice| listed_as(own).is_some() && listed_as(own) == listed_as(&price);
    let payer = own.iter().filter(is_same).find_map(|own| own.billing_account.clone());
    ProductPrice { billing_account: payer.or(price.billing_account), ..price }
}

/// The amount of a price of a product.
fn amount(price: &ProductPrice) -> Option<Decimal> {
    Some(price.price.as_ref()?.duty_free_amount.as_ref()?.0.amount)
}

#[cfg(test)]
mod tests;
