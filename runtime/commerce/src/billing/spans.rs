//! Which prices a product had on which days.
//!
//! A price counts for a day as it is at the end of it, like the status of a product. So the day on
//! which an order changes a price is charged at the new one, and no day at both.

use std::collections::BTreeMap;

use model::pricing::product_price::{ProductPrice, keys};
use model::pricing::rate::Rate;
use tmf::Malformed;
use tmf::day::{Day, Days};
use tmf::document::product::Product;
use tmf::time::Timestamp;
use tmf::zone::Zone;

/// A price and the days on which a product has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Identifies the price among those of its product, and in its rates.
    pub key: String,
    pub price: ProductPrice,
    pub days: Days,
    /// The time since which it is known.
    pub since: Timestamp,
}

/// The prices of a product by its versions, oldest first, each with the time since which it is so. The
/// first one counts from the beginning. A version whose prices cannot be read is passed over if those of
/// a later one can be.
pub fn spans<'a>(
    versions: impl ExactSizeIterator<Item = (Timestamp, &'a Product)>,
    zone: Zone,
) -> Result<Vec<Span>, Malformed> {
    let eras = eras(versions, zone)?;
    let mut spans: Vec<Span> = Vec::new();
    // The places of the prices of the era before, in `spans`.
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    for (days, since, prices) in eras {
        let mut next = BTreeMap::new();
        for (key, price) in keyed(prices) {
            let same = open.remove(&key).filter(|at| spans[*at].price.costs_as(&price));
            let at = same.unwrap_or(spans.len());
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

/// Prices, each with its key.
fn keyed(prices: Vec<ProductPrice>) -> Vec<(String, ProductPrice)> {
    let ids: Vec<&str> = prices.iter().map(|price| price.id.as_str()).collect();
    let keys = keys(&ids);
    keys.into_iter().zip(prices).collect()
}

type Era = (Days, Timestamp, Vec<ProductPrice>);

/// The days of each version that is the last one of a day, with its prices.
fn eras<'a>(
    versions: impl ExactSizeIterator<Item = (Timestamp, &'a Product)>,
    zone: Zone,
) -> Result<Vec<Era>, Malformed> {
    let count = versions.len();
    let mut known: Vec<(Timestamp, Vec<ProductPrice>)> = Vec::with_capacity(count);
    for (index, (since, version)) in versions.enumerate() {
        match ProductPrice::all(version) {
            Ok(prices) => known.push((since, prices)),
            Err(wrong) if index + 1 == count => return Err(wrong),
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
/// as it was known when the charge was made. All charged days if the product never had the price.
pub(super) fn owed(charge: &Rate, spans: &[Span], charged: &[Days]) -> Vec<Days> {
    let mut own = spans.iter().filter(|span| charge.price.as_ref() == Some(&span.key)).peekable();
    let Some(first) = own.peek().copied() else { return charged.to_vec() };
    let known = own.filter(|span| span.since <= charge.date || std::ptr::eq(*span, first));
    known.flat_map(|span| charged.iter().filter_map(|days| days.common(span.days))).collect()
}

#[cfg(test)]
mod tests;
