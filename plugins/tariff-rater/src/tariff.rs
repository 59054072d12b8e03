//! The charge for a usage: units counted up, an allowance, tiers and bands of the day.

use std::fmt;

use ferrule_plugin::Money;
use ferrule_plugin::money::{self, Rounding, minor_units};
use ferrule_plugin::usage::{Band, Usage, UsageCharge, Weekday};
use rust_decimal::{Decimal, RoundingStrategy};

/// Digits that the charge of a usage has beyond those of its currency.
const EXTRA_DIGITS: u32 = 4;

/// The largest number that is accepted, so that no product overflows.
const NUMBER_MAX: i64 = 1_000_000_000_000;

/// Why a usage cannot be rated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// A number is negative or too large.
    Number {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: Decimal,
    },
    /// The tiers end before the usage does.
    Tiers,
    /// The amount cannot be computed.
    Money(money::Error),
}

/// The charge for a usage.
pub(crate) fn charge(usage: &Usage, rounding: Rounding) -> Result<UsageCharge, Error> {
    check(usage)?;
    let counted = counted(usage)?;
    let free = counted.min(usage.allowance_left);
    let mut amount = amount(usage, counted - free)?;
    let band = usage.bands.iter().find(|band| applies(band, usage.minute, usage.weekday));
    if let Some(band) = band {
        amount = product(amount, band.percent)? / Decimal::ONE_HUNDRED;
    }
    let currency = usage.amount.currency();
    let rounded = |amount: Decimal| {
        Money::new(finely(amount, currency, rounding), currency).map_err(Error::Money)
    };
    let net = rounded(amount)?;
    let tax = rounded(product(net.amount(), usage.tax_rate)? / Decimal::ONE_HUNDRED)?;
    let band = band.map(|band| band.name.clone());
    Ok(UsageCharge { net, tax, units: counted, free_units: free, band })
}

/// Checks the numbers of a usage.
fn check(usage: &Usage) -> Result<(), Error> {
    if usage.per.is_zero() {
        return Err(Error::Number { name: "per", value: usage.per });
    }
    not_negative("units", usage.units)?;
    not_negative("round-to", usage.round_to.unwrap_or_default())?;
    not_negative("per", usage.per)?;
    not_negative("allowance-left", usage.allowance_left)?;
    not_negative("units-before", usage.units_before)?;
    for tier in &usage.tiers {
        not_negative("tiers", tier.up_to.unwrap_or_default())?;
        bounded("tiers", tier.price)?;
    }
    usage.bands.iter().try_for_each(|band| not_negative("bands", band.percent))
}

fn not_negative(name: &'static str, value: Decimal) -> Result<(), Error> {
    if value.is_sign_negative() && !value.is_zero() {
        return Err(Error::Number { name, value });
    }
    bounded(name, value)
}

fn bounded(name: &'static str, value: Decimal) -> Result<(), Error> {
    match value.abs() <= Decimal::from(NUMBER_MAX) {
        true => Ok(()),
        false => Err(Error::Number { name, value }),
    }
}

/// The units, up to a multiple of the units that they are counted in.
fn counted(usage: &Usage) -> Result<Decimal, Error> {
    match usage.round_to.filter(|round_to| !round_to.is_zero()) {
        Some(round_to) => product(quotient(usage.units, round_to)?.ceil(), round_to),
        None => Ok(usage.units),
    }
}

/// The amount for units at the price, or at the prices of the tiers.
fn amount(usage: &Usage, units: Decimal) -> Result<Decimal, Error> {
    if usage.tiers.is_empty() {
        return quotient(product(usage.amount.amount(), units)?, usage.per);
    }
    let mut from = usage.units_before;
    let mut left = units;
    let mut amount = Decimal::ZERO;
    for tier in &usage.tiers {
        let room = tier.up_to.map_or(left, |up_to| (up_to - from).max(Decimal::ZERO));
        let part = left.min(room);
        amount += quotient(product(tier.price, part)?, usage.per)?;
        (from, left) = (from + part, left - part);
    }
    if left.is_zero() { Ok(amount) } else { Err(Error::Tiers) }
}

/// Whether a band applies at a minute of a day.
fn applies(band: &Band, minute: u32, weekday: Option<Weekday>) -> bool {
    let is_day = band.days.is_empty() || weekday.is_some_and(|day| band.days.contains(&day));
    let (first, end) = (band.first_minute, band.end_minute);
    let is_time =
        if first < end { (first..end).contains(&minute) } else { minute >= first || minute < end };
    is_day && is_time
}

fn finely(amount: Decimal, currency: &str, rounding: Rounding) -> Decimal {
    let strategy = match rounding {
        Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
    };
    let digits = minor_units(currency) + EXTRA_DIGITS;
    let mut amount = amount.round_dp_with_strategy(digits, strategy).normalize();
    if amount.scale() < minor_units(currency) {
        amount.rescale(minor_units(currency));
    }
    amount
}

fn product(left: Decimal, right: Decimal) -> Result<Decimal, Error> {
    left.checked_mul(right).ok_or(Error::Money(money::Error::Overflow))
}

fn quotient(left: Decimal, right: Decimal) -> Result<Decimal, Error> {
    left.checked_div(right).ok_or(Error::Money(money::Error::Overflow))
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { name, value } => write!(formatter, "`{name}` is `{value}`"),
            Self::Tiers => write!(formatter, "its last tier ends before what was used"),
            Self::Money(cause) => write!(formatter, "{cause}"),
        }
    }
}

impl std::error::Error for Error {}
