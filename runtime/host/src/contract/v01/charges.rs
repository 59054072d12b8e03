//! Translates requests to rate into contract 0.1, where the tariff of a usage is in attributes.

use serde::Serialize;

use super::bindings::rater::exports::ferrule::plugin::rating as old;
use super::old as old_types;
use super::translate;
use crate::contract::{Charge, malformed, rating, types, usage_rating};

/// The attribute of a price with a tax of its own, in per cent.
const TAX_RATE: &str = "tax-rate";

pub(super) fn request(request: &rating::Request) -> old::Request {
    let price = |price: &rating::Price| old::Price {
        id: price.id.clone(),
        name: price.name.clone(),
        kind: match price.period {
            Some(_) => old::ChargeKind::Recurring,
            None => old::ChargeKind::OneOff,
        },
        amount: money(price.amount.clone()),
        period: price.period.map(period).unwrap_or_default(),
        attributes: price
            .attributes
            .iter()
            .map(|one| attribute(&one.name, one.value.as_str()))
            .chain(price.tax_rate.as_deref().map(|rate| attribute(TAX_RATE, rate)))
            .collect(),
    };
    with_prices(request, request.prices.iter().map(price).collect())
}

fn with_prices(request: &rating::Request, prices: Vec<old::Price>) -> old::Request {
    old::Request {
        prices,
        quantity: request.quantity,
        start: request.start.clone(),
        bill_day: request.bill_day.unwrap_or(0),
        tax_rate: request.tax_rate.clone(),
        attributes: Vec::new(),
    }
}

/// A period such as `month` or `3 month`.
fn period(period: rating::Period) -> String {
    let unit = match period.unit {
        rating::Unit::Day => "day",
        rating::Unit::Week => "week",
        rating::Unit::Month => "month",
        rating::Unit::Year => "year",
    };
    if period.length == 1 { unit.into() } else { format!("{} {unit}", period.length) }
}

/// A request with the usage as its only price.
pub(super) fn usage_request(
    request: &rating::Request,
    usage: usage_rating::Request,
) -> old::Request {
    let mut attributes = vec![
        attribute("units", usage.units),
        attribute("per", usage.per),
        attribute("allowance-left", usage.allowance_left),
        attribute("units-before", usage.units_before),
        attribute("time", time(usage.minute)),
        attribute(TAX_RATE, usage.tax_rate),
    ];
    attributes.extend(usage.attributes.into_iter().map(|one| attribute(&one.name, one.value)));
    attributes.extend(usage.round_to.map(|units| attribute("round-to", units)));
    let weekday = usage.weekday.map(|day| day_number(day).to_string());
    attributes.extend(weekday.map(|day| attribute("weekday", day)));
    if !usage.tiers.is_empty() {
        let tiers: Vec<Tier<'_>> = usage.tiers.iter().map(tier).collect();
        attributes.push(attribute("tiers", json(&tiers)));
    }
    if !usage.bands.is_empty() {
        let bands: Vec<Band<'_>> = usage.bands.iter().map(band).collect();
        attributes.push(attribute("bands", json(&bands)));
    }
    let price = old::Price {
        id: usage.price,
        name: usage.name,
        kind: old::ChargeKind::Usage,
        amount: money(usage.amount),
        period: String::new(),
        attributes,
    };
    with_prices(request, vec![price])
}

/// A tier as contract 0.1 writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tier<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    up_to: Option<&'a str>,
    price: &'a str,
}

/// A band of the day as contract 0.1 writes it.
#[derive(Serialize)]
struct Band<'a> {
    name: &'a str,
    from: String,
    until: String,
    percent: &'a str,
    days: Vec<u32>,
}

fn tier(tier: &usage_rating::Tier) -> Tier<'_> {
    Tier { up_to: tier.up_to.as_deref(), price: &tier.price }
}

fn band(band: &usage_rating::Band) -> Band<'_> {
    Band {
        name: &band.name,
        from: time(band.first_minute),
        until: time(band.end_minute),
        percent: &band.percent,
        days: band.days.iter().map(|day| day_number(*day)).collect(),
    }
}

fn json<T: Serialize>(attribute: &T) -> String {
    serde_json::to_string(attribute).expect("texts and numbers are JSON")
}

fn time(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn day_number(day: usage_rating::Weekday) -> u32 {
    match day {
        usage_rating::Weekday::Monday => 1,
        usage_rating::Weekday::Tuesday => 2,
        usage_rating::Weekday::Wednesday => 3,
        usage_rating::Weekday::Thursday => 4,
        usage_rating::Weekday::Friday => 5,
        usage_rating::Weekday::Saturday => 6,
        usage_rating::Weekday::Sunday => 7,
    }
}

/// The charge for the one usage of a request.
pub(super) fn only(charges: Vec<old::Charge>) -> Result<Charge, types::Failure> {
    let [charge] = <[_; 1]>::try_from(charges)
        .map_err(|charges| malformed(&format!("{} charges for one usage", charges.len())))?;
    Ok(translate::charge(charge))
}

fn money(money: types::Money) -> old_types::Money {
    old_types::Money { currency: money.currency, amount: money.amount }
}

fn attribute(name: &str, value: impl Into<String>) -> old_types::Attribute {
    old_types::Attribute { name: name.into(), value: value.into() }
}
