//! Turns prices into the charges that are due at the start: one-off charges whole, recurring ones
//! prorated to the bill day, usage by its tariff as soon as it is known. Every line is computed exactly and rounded once; its
//! tax is taken from the rounded line, as the bill shows it.

mod cycle;
mod tariff;

use ferrule_plugin::money::{self, Rounding};
use ferrule_plugin::rater::{Charge, ChargeKind, Price, Request};
use ferrule_plugin::{Attribute, Failure, Rater, config};
use rust_decimal::Decimal;

use cycle::Cycle;
use tariff::Usage;

#[cfg(test)]
mod tests;

struct TariffRater;

impl Rater for TariffRater {
    fn rate(request: &Request) -> Result<Vec<Charge>, Failure> {
        charges(request, rounding(config::get("rounding").as_deref())?)
    }
}

ferrule_plugin::rater!(TariffRater);

/// The setting `rounding`: `half-up`, which is also meant if it is not set. Bills are rounded so, and
/// a first charge that is rounded in another manner would not agree with them.
fn rounding(setting: Option<&str>) -> Result<Rounding, Failure> {
    match setting {
        None | Some("half-up") => Ok(Rounding::HalfUp),
        Some(other) => {
            let message = format!("setting `rounding` is `{other}`: bills are rounded `half-up`");
            Err(Failure::person("ROUNDING", message))
        }
    }
}

fn charges(request: &Request, rounding: Rounding) -> Result<Vec<Charge>, Failure> {
    if request.bill_day > 28 {
        let message = format!("bill day {} is not in every month; use 1 to 28", request.bill_day);
        return Err(Failure::person("BILL_DAY", message));
    }
    not_negative(request.tax_rate)?;
    let mut charges = Vec::with_capacity(request.prices.len());
    for price in &request.prices {
        match price.kind {
            ChargeKind::OneOff => charges.push(one_off(request, price, rounding)?),
            ChargeKind::Recurring => charges.push(recurring(request, price, rounding)?),
            ChargeKind::Usage => charges.extend(used(request, price, rounding)?),
        }
    }
    Ok(charges)
}

fn one_off(request: &Request, price: &Price, rounding: Rounding) -> Result<Charge, Failure> {
    let tax_rate = tax_rate(request, price)?;
    line(request, price, tax_rate, rounding, None).map_err(|cause| uncountable(price, &cause))
}

fn recurring(request: &Request, price: &Price, rounding: Rounding) -> Result<Charge, Failure> {
    let cycle = Cycle::first(request.start, &price.period, request.bill_day)
        .map_err(|cause| uncountable(price, &cause))?;
    let tax_rate = tax_rate(request, price)?;
    line(request, price, tax_rate, rounding, Some(&cycle))
        .map_err(|cause| uncountable(price, &cause))
}

/// What usage costs; nothing where it is not known yet.
fn used(request: &Request, price: &Price, rounding: Rounding) -> Result<Option<Charge>, Failure> {
    let usage = Usage::read(price).map_err(|cause| uncountable(price, &cause))?;
    let Some(usage) = usage else { return Ok(None) };
    let charge = usage.charge(price, tax_rate(request, price)?, rounding);
    charge.map(Some).map_err(|cause| uncountable(price, &cause))
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
        name: price.name.clone(),
        kind: price.kind,
        net,
        tax,
        covers: cycle.map(|cycle| (cycle.from, cycle.to)),
        attributes: cycle.and_then(prorated).into_iter().chain([taxed(tax_rate)]).collect(),
    })
}

/// The attribute of a price, and of a charge, that says the tax on it in per cent.
const TAX_RATE: &str = "tax-rate";

/// The tax on a price: its own, or that of the request.
fn tax_rate(request: &Request, price: &Price) -> Result<Decimal, Failure> {
    match price.attribute(TAX_RATE) {
        Some(text) => not_negative(text.parse().map_err(|_| untaxable(text))?),
        None => Ok(request.tax_rate),
    }
}

fn not_negative(rate: Decimal) -> Result<Decimal, Failure> {
    if rate < Decimal::ZERO { Err(untaxable(&rate.to_string())) } else { Ok(rate) }
}

fn untaxable(rate: &str) -> Failure {
    Failure::person("TAX_RATE", format!("tax rate `{rate}` is negative, or no number"))
}

fn taxed(rate: Decimal) -> Attribute {
    Attribute { name: TAX_RATE.into(), value: rate.normalize().to_string() }
}

/// Says by how much a charge differs from its price; nothing where it covers one whole period.
fn prorated(cycle: &Cycle) -> Option<Attribute> {
    let fraction = format!("{}/{}", cycle.days, cycle.period_days);
    let whole = Decimal::from(cycle.days) == Decimal::from(cycle.period_days);
    (!whole).then(|| Attribute { name: "prorated".into(), value: fraction })
}

fn uncountable(price: &Price, cause: &dyn std::error::Error) -> Failure {
    Failure::person("PRICE", format!("price `{}` cannot be charged: {cause}", price.id))
}
