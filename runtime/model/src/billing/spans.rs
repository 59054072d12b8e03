//! Which prices a product had on which days.
//!
//! A price counts for a day as it is at the end of it, like the status of a product. So the day on
//! which an order changes a price is charged at the new one, and no day at both.

use serde_json::Value;

use super::day::{Day, Days};
use super::field::Malformed;
use super::price::ProductPrice;
use super::rate::Rate;
use super::zone::Zone;
use crate::time::Timestamp;

/// A price and the days on which a product has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The price.
    pub price: ProductPrice,
    /// The days.
    pub days: Days,
    /// The first day on which the product had a price of this id without a break; nothing where
    /// that is from its beginning.
    pub begin: Option<Day>,
    /// Since when it is known.
    pub since: Timestamp,
}

/// What prices a product had: each version of its document with the time since which it is so, in
/// order. The present one counts from the beginning where there is no earlier one.
pub fn spans(
    product: &Value,
    versions: &[(Timestamp, Value)],
    zone: Zone,
) -> Result<Vec<Span>, Malformed> {
    let eras = eras(product, versions, zone)?;
    let mut spans: Vec<Span> = Vec::new();
    // What the era before had, as places in `spans`.
    let mut open: Vec<usize> = Vec::new();
    for (days, since, is_first, prices) in eras {
        let mut next = Vec::with_capacity(prices.len());
        for price in prices {
            if let Some(at) = open.iter().copied().find(|at| spans[*at].price.costs_as(&price)) {
                spans[at].days.until = days.until;
                next.push(at);
                continue;
            }
            let before = open.iter().copied().find(|at| spans[*at].price.id == price.id);
            let begin = match before {
                Some(at) => spans[at].begin,
                None if is_first => None,
                None => Some(days.from),
            };
            next.push(spans.len());
            spans.push(Span { price, days, begin, since });
        }
        open = next;
    }
    Ok(spans)
}

type Era = (Days, Timestamp, bool, Vec<ProductPrice>);

/// The days of each version that is the last one of a day, with its prices.
fn eras(
    product: &Value,
    versions: &[(Timestamp, Value)],
    zone: Zone,
) -> Result<Vec<Era>, Malformed> {
    let now = (Timestamp(0), product.clone());
    let versions = if versions.is_empty() { std::slice::from_ref(&now) } else { versions };
    let mut found: Vec<Era> = Vec::new();
    for (index, (since, version)) in versions.iter().enumerate() {
        let is_first = found.is_empty();
        let from = if is_first { zone.day_of(Timestamp(0)) } else { zone.day_of(*since) };
        let next = versions.get(index + 1);
        let until = next.map_or_else(Day::never, |(next, _)| zone.day_of(*next));
        if let Some(days) = Days::new(from, until) {
            found.push((days, *since, is_first, ProductPrice::all(version)?));
        }
    }
    Ok(found)
}

/// The days for which a charge counts, of those on which the product is charged: those of its price
/// as it was known when the charge was made. A price that the product never had says nothing.
pub(super) fn owed(charge: &Rate, spans: &[Span], charged: &[Days]) -> Vec<Days> {
    let mut own =
        spans.iter().filter(|span| charge.price.as_ref() == Some(&span.price.id)).peekable();
    let Some(first) = own.peek().copied() else { return charged.to_vec() };
    let known = own.filter(|span| span.since <= charge.date || std::ptr::eq(*span, first));
    known.flat_map(|span| charged.iter().filter_map(|days| days.common(span.days))).collect()
}

#[cfg(test)]
mod tests;
