//! Turns prices into the charges that are due at the start: one-off charges whole, recurring ones
//! prorated to the bill day. Usage is rated by its tariff. Every line is computed exactly and rounded
//! once; its tax is computed from the rounded line, as the bill shows it.

mod cycle;
mod tariff;

use ferrule_plugin::money::{self, Rounding};
use ferrule_plugin::rater::{Charge, Fraction, Period, Price, Request};
use ferrule_plugin::usage::{Usage, UsageCharge};
use ferrule_plugin::{Failure, Rater, UsageRater, config};
use rust_decimal::Decimal;

use cycle::Cycle;

#[cfg(test)]
mod tests;

struct TariffRater;

impl Rater for TariffRater {
    fn rate(request: &Request) -> Result<Vec<Charge>, Failure> {
        charges(request, rounding(config::get("rounding").as_deref())?)
    }
}

impl UsageRater for TariffRater {
    fn rate_usage(usage: &Usage) -> Result<UsageCharge, Failure> {
        used(usage, rounding(config::get("rounding").as_deref())?)
    }
}

ferrule_plugin::export!(TariffRater as Rater with UsageRater);

/// The setting `rounding`: `half-up`, which is also the default. Bills are rounded half up, and a
/// first charge that is rounded differently would not agree with them.
fn rounding(setting: Option<&str>) -> Result<Rounding, Failure> {
    match setting {
        None | Some("half-up") => Ok(Rounding::HalfUp),
        Some(other) => {
            let message = format!("setting `rounding` is `{other}`: bills are rounded `half-up`");
            Err(Failure::operator("ROUNDING", message))
        }
    }
}

fn charges(request: &Request, rounding: Rounding) -> Result<Vec<Charge>, Failure> {
    if let Some(day) = request.bill_day.filter(|day| !(1..=28).contains(day)) {
        let message = format!("bill day {day} is not in every month; use 1 to 28");
        return Err(Failure::operator("BILL_DAY", message));
    }
    not_negative(request.tax_rate)?;
    request.prices.iter().map(|price| charge(request, price, rounding)).collect()
}

fn charge(request: &Request, price: &Price, rounding: Rounding) -> Result<Charge, Failure> {
    let tax_rate = not_negative(price.tax_rate.unwrap_or(request.tax_rate))?;
    let cycle = price.period.map(|period: Period| {
        Cycle::first(request.start, period, request.bill_day)
            .map_err(|cause| uncountable(&price.id, &cause))
    });
    line(request, price, tax_rate, rounding, cycle.transpose()?.as_ref())
        .map_err(|cause| uncountable(&price.id, &cause))
}

/// The charge for a usage.
fn used(usage: &Usage, rounding: Rounding) -> Result<UsageCharge, Failure> {
    not_negative(usage.tax_rate)?;
    tariff::charge(usage, rounding).map_err(|cause| uncountable(&usage.price, &cause))
}

fn line(
    request: &Request,
    price: &Price,
    tax_rate: Decimal,
    rounding: Rounding,
    cycle: Option<&Cycle>,
) -> Result<Charge, money::Error> {
    let mut net = price.amount.times(request.quantity)?;
    if let Some(cycle) = cycle {
        // Multiplied first: the product is exact, and the quotient is rounded right away.
        net = net.times(cycle.days)?.divided_by(cycle.period_days)?;
    }
    let net = net.rounded(rounding);
    let tax = net.percent(tax_rate)?.rounded(rounding);
    Ok(Charge {
        price: price.id.clone(),
        net,
        tax,
        tax_rate: Some(tax_rate),
        covers: cycle.map(|cycle| (cycle.from, cycle.to)),
        prorated: cycle.and_then(prorated),
    })
}

fn not_negative(rate: Decimal) -> Result<Decimal, Failure> {
    if rate < Decimal::ZERO { Err(untaxable(&rate.to_string())) } else { Ok(rate) }
}

fn untaxable(rate: &str) -> Failure {
    Failure::operator("TAX_RATE", format!("tax rate `{rate}` is negative, or no number"))
}

/// The fraction of its price that a charge is; `None` for a whole period.
fn prorated(cycle: &Cycle) -> Option<Fraction> {
    let days = u32::try_from(cycle.days).ok()?;
    let of_days = u32::try_from(cycle.period_days).ok()?;
    (days != of_days).then_some(Fraction { days, of_days })
}

fn uncountable(price: &str, cause: &dyn std::error::Error) -> Failure {
    Failure::operator("PRICE", format!("price `{price}` cannot be charged: {cause}"))
}
