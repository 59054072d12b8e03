//! What the tests of prices share.

use rust_decimal::Decimal;
use tmf::day::{Day, Days};
use tmf::money::{Currency, Money};
use tmf::time::Timestamp;

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

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(super) fn money(text: &str) -> Money {
    let (amount, currency) = text.split_once(' ').unwrap();
    Money { amount: decimal(amount), currency: Currency::parse(currency).unwrap() }
}
