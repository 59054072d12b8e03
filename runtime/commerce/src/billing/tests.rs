//! What the tests of billing share, and the property that ties all of it together: the books.

mod books;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::charge::Until;
use super::cycle::Cycle;
use super::terms::Terms;
use super::timeline::{Status, Timeline};
use super::versions::Versions;
use model::pricing::amount::{Rounding, written};
use model::pricing::rate::Rate;
use tmf::Malformed;
use tmf::day::{Day, Days};
use tmf::money::{Currency, Money, Tax};
use tmf::time::Timestamp;
use tmf::zone::Zone;

pub(super) fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// Days such as `2026-03-01..2026-04-01`.
pub(super) fn days(text: &str) -> Days {
    let (from, until) = text.split_once("..").unwrap();
    Days::new(day(from), day(until)).unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The first instant of a day in UTC.
pub(super) fn start(day: Day) -> Timestamp {
    Zone::UTC.start_of(day)
}

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(super) fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

pub(super) fn money(text: &str) -> Money {
    let (amount, currency) = text.split_once(' ').unwrap();
    Money { amount: decimal(amount), currency: Currency::parse(currency).unwrap() }
}

/// Monthly on the first, 19 per cent.
pub(super) fn terms() -> Terms {
    Terms {
        cycle: Cycle::default(),
        tax: Tax { rate: decimal("19"), category: "VAT".into() },
        taxes: BTreeMap::new(),
        rounding: Rounding::Commercial,
        zone: Zone::UTC,
    }
}

/// A product with its status and its prices.
pub(super) fn product(status: &str, start: &str, prices: &Value) -> Value {
    json!({
        "id": "prod-1",
        "name": "Fibre",
        "status": status,
        "startDate": format!("{start}T10:00:00Z"),
        "billingAccount": { "id": "acc-1" },
        "productPrice": prices,
    })
}

pub(super) fn recurring(amount: &str, period: &str) -> Value {
    json!({
        "name": "Access",
        "priceType": "recurring",
        "recurringChargePeriod": period,
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": amount } },
    })
}

pub(super) fn one_off(amount: &str) -> Value {
    json!({
        "name": "Setup",
        "priceType": "oneTime",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": amount } },
    })
}

/// The typed document of a JSON document.
pub(super) fn read<T: serde::de::DeserializeOwned>(document: &Value) -> T {
    tmf::document::read(document).unwrap()
}

/// The versions of a document, the last of which is the present one.
pub(super) fn versions<T: serde::de::DeserializeOwned>(
    versions: &[(Timestamp, Value)],
) -> Versions<T> {
    let versions = versions.iter().map(|(since, version)| (*since, read(version)));
    Versions::new(versions.collect()).unwrap()
}

/// The charges and refunds of a product.
pub(super) fn due(
    product: &Value,
    timeline: &Timeline,
    rates: &[Rate],
    until: &Until,
    terms: &Terms,
    at: Timestamp,
) -> Result<Vec<Rate>, Malformed> {
    crate::billing::charge::due(&read(product), timeline, rates, until, terms, at)
}

/// A timeline such as `2026-03-10 active, 2026-03-20 suspended`; each at ten o'clock.
pub(super) fn timeline(product: &Value, history: &str) -> Timeline {
    let changes = history.split(", ").filter(|change| !change.is_empty()).map(|change| {
        let (day, status) = change.split_once(' ').unwrap();
        (at(&format!("{day}T10:00:00Z")), Status::parse(status).unwrap())
    });
    Timeline::of(&read(product), changes.collect(), Zone::UTC).unwrap()
}

/// Rates, one a line.
pub(super) fn shown(rates: &[Rate]) -> String {
    let lines = rates.iter().map(|rate| {
        let days = rate.covers.map(|days| days.to_string()).unwrap_or_default();
        let (net, tax) = (written(&rate.net), written(&rate.tax()));
        let text = &rate.description;
        format!("{} {} | {days} | {net} + {tax} | {text}", rate.kind.as_str(), rate.name)
    });
    let lines: Vec<_> = lines.map(|line| line.trim_end_matches([' ', '|']).to_owned()).collect();
    lines.join("\n")
}
