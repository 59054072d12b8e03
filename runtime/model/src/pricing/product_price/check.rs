//! Checks the prices of a product that is written: they can be read, and charged to the cent.

use rust_decimal::Decimal;

use super::{ALTERATIONS, ProductPrice};
use tmf::Malformed;
use tmf::document::Amount;
use tmf::document::product::{self, Price, PriceAlteration, Product};
use tmf::money::{Money, PriceKind, is_too_fine};

/// Checks the prices of a product that is written. Prices that were stored without these checks are
/// billed if they can be read.
pub fn check(product: &Product) -> Result<(), Malformed> {
    let prices = ProductPrice::all(product)?;
    for ((path, document), price) in product.prices()?.into_iter().zip(&prices) {
        check_price(document, price.kind).map_err(|wrong| wrong.within(&path))?;
    }
    Ok(())
}

fn check_price(document: &product::ProductPrice, kind: PriceKind) -> Result<(), Malformed> {
    let Some(price) = &document.price else { return Ok(()) };
    if price.percentage.is_some() {
        return Err(Malformed::new("price.percentage", "is for alterations of a price"));
    }
    amounts(price, kind, Sign::NotNegative)?;
    for (index, alteration) in document.product_price_alteration.iter().enumerate() {
        check_alteration(alteration, document.recurring_charge_period.as_deref(), kind)
            .map_err(|wrong| wrong.within(&format!("{ALTERATIONS}[{index}]")))?;
    }
    Ok(())
}

fn check_alteration(
    alteration: &PriceAlteration,
    of_price: Option<&str>,
    kind: PriceKind,
) -> Result<(), Malformed> {
    let duration = alteration.application_duration;
    if duration == Some(0) {
        let problem = "is not 1 or more: leave it out for good";
        return Err(Malformed::new("applicationDuration", problem));
    }
    let period = alteration.recurring_charge_period.as_deref();
    if duration.is_none() && period.is_some() && period != of_price {
        let problem = "is not the price's: it needs `applicationDuration`";
        return Err(Malformed::new("recurringChargePeriod", problem));
    }
    let Some(price) = &alteration.price else { return Ok(()) };
    if price.percentage.is_some() && price.duty_free_amount.is_some() {
        let problem = "has a percentage and an amount: only one can count";
        return Err(Malformed::new("price", problem));
    }
    amounts(price, kind, Sign::Any)
}

/// Whether an amount may be below zero.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    NotNegative,
    Any,
}

fn amounts(price: &Price, kind: PriceKind, sign: Sign) -> Result<(), Malformed> {
    let net = price.duty_free_amount.as_ref();
    if let Some(Amount(net)) = net {
        amount(net, sign).and_then(|()| digits(net, kind)).map_err(at("dutyFreeAmount"))?;
    }
    let Some(Amount(gross)) = &price.tax_included_amount else { return Ok(()) };
    let checked = amount(gross, sign);
    // An amount that only repeats the other one with its tax may have any digits.
    let checked = if net.is_none() { checked.and_then(|()| digits(gross, kind)) } else { checked };
    checked.map_err(at("taxIncludedAmount"))
}

fn at(name: &str) -> impl Fn(Malformed) -> Malformed {
    let path = format!("price.{name}");
    move |wrong| wrong.within(&path)
}

fn amount(money: &Money, sign: Sign) -> Result<(), Malformed> {
    if !money.currency.is_known() {
        return Err(Malformed::new("unit", "is no currency of ISO 4217"));
    }
    if sign == Sign::NotNegative && money.amount < Decimal::ZERO {
        return Err(Malformed::new("value", "is below zero"));
    }
    Ok(())
}

fn digits(money: &Money, kind: PriceKind) -> Result<(), Malformed> {
    if is_too_fine(money, kind) {
        return Err(Malformed::new("value", "has more decimals than its currency"));
    }
    Ok(())
}
