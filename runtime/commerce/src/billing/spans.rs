//! Which prices a product had on which days.
//!
//! A price counts for a day as it is at the end of it, like the status of a product. So the day on
//! which an order changes a price is charged at the new one, and no day at both.

use std::collections::BTreeMap;

use serde_json::Value;

use model::pricing::product_price::{ProductPrice, keys};
use model::pricing::rate::Rate;
use tmf::day::{Day, Days};
use tmf::field::Malformed;
use tmf::time::Timestamp;
use tmf::zone::Zone;

/// A price and the days on which a product has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What tells the price apart from the others of its product, and what its rates name.
    pub key: String,
    /// The price.
    pub price: ProductPrice,
    /// The days.
    pub days: Days,
    /// Since when it is known.
    pub since: Timestamp,
}

/// What prices a product had: each version of its document with the time since which it is so, in
/// order. The present one counts from the beginning if there is no earlier one. A version that
/// cannot be read is passed over if a later one can be.
pub fn spans(
    product: &Value,
    versions: &[(Timestamp, Value)],
    zone: Zone,
) -> Result<Vec<Span>, Malformed> {
    let eras = eras(product, versions, zone)?;
    let mut spans: Vec<Span> = Vec::new();
    // What the era before had, as places in `spans`.
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    for (days, since, prices) in eras {
        let mut next = BTreeMap::new();
        for (key, price) in keyed(prices) {
            let same = open.get(&key).filter(|at| spans[**at].price.costs_as(&price));
            let at = same.copied().unwrap_or(spans.len());
            if at == spans.len() {
                spans.push(Span { key: key.clone(), price, days, since });
            }
            spans[at].days.until = days.until;
            next.insert(key, at);
        }
        open = next;
    }
    Ok(spans)
}

/// Prices with what tells each apart.
fn keyed(prices: Vec<ProductPrice>) -> Vec<(String, ProductPrice)> {
    let ids: Vec<&str> = prices.iter().map(|price| price.id.as_str()).collect();
    let keys = keys(&ids);
    keys.into_iter().zip(prices).collect()
}

type Era = (Days, Timestamp, Vec<ProductPrice>);

/// The days of each version that is the last one of a day, with its prices.
fn eras(
    product: &Value,
    versions: &[(Timestamp, Value)],
    zone: Zone,
) -> Result<Vec<Era>, Malformed> {
    let now = (Timestamp(0), product.clone());
    let versions = if versions.is_empty() { std::slice::from_ref(&now) } else { versions };
    let mut known: Vec<(Timestamp, Vec<ProductPrice>)> = Vec::with_capacity(versions.len());
    for (index, (since, version)) in versions.iter().enumerate() {
        match ProductPrice::all(version) {
            Ok(prices) => known.push((*since, prices)),
            Err(wrong) if index + 1 == versions.len() => return Err(wrong),
            Err(_) => {}
        }
    }
    let days: Vec<Day> = known.iter().map(|(since, _)| zone.day_of(*since)).collect();
    let mut found: Vec<Era> = Vec::new();
    for (index, (since, prices)) in known.into_iter().enumerate() {
        let from = if found.is_empty() { zone.day_of(Timestamp(0)) } else { days[index] };
        let until = days.get(index + 1).copied().unwrap_or_else(Day::never);
        if let Some(days) = Days::new(from, until) {
            found.push((days, since, prices));
        }
    }
    Ok(found)
}

/// The days for which a charge counts, of those on which the product is charged: those of its price
/// as it was known when the charge was made. A price that the product never had says nothing.
pub(super) fn owed(charge: &Rate, spans: &[Span], charged: &[Days]) -> Vec<Days> {
    let mut own = spans.iter().filter(|span| charge.price.as_ref() == Some(&span.key)).peekable();
    let Some(first) = own.peek().copied() else { return charged.to_vec() };
    let known = own.filter(|span| span.since <= charge.date || std::ptr::eq(*span, first));
    known.flat_map(|span| charged.iter().filter_map(|days| days.common(span.days))).collect()
}

#[cfg(test)]
mod tests;
