//! What a price of a product must be to be written: what can be read, and charged to the cent.

use rust_decimal::Decimal;
use serde_json::Value;

use super::ProductPrice;
use tmf::field::{Field, Malformed};
use tmf::money::{Money, PriceKind, is_currency, is_too_fine};

/// Checks the prices of a product that is written. What was written before these checks is read as
/// far as it can be.
pub fn check(product: &Value) -> Result<(), Malformed> {
    let prices = ProductPrice::all(product)?;
    let fields = Field::root(product).items("productPrice")?;
    for (field, price) in fields.iter().zip(&prices) {
        let told = field.need("price")?;
        if let Some(percentage) = told.get("percentage") {
            return Err(percentage.wrong("is for what alters a price"));
        }
        amounts(&told, price.kind, Sign::NotNegative)?;
        for alteration in field.items("productPriceAlteration")? {
            if let Some(count) = alteration.get("applicationDuration").filter(|one| is_zero(one)) {
                return Err(count.wrong("is not 1 or more: leave it out for good"));
            }
            let period = alteration.get("recurringChargePeriod");
            if let Some(period) = period.filter(|_| alteration.get("applicationDuration").is_none())
                && field.get("recurringChargePeriod").map(|one| one.value()) != Some(period.value())
            {
                return Err(period.wrong("is not the price's: it needs `applicationDuration`"));
            }
            let told = alteration.need("price")?;
            if told.get("percentage").is_some() && told.get("dutyFreeAmount").is_some() {
                return Err(told.wrong("has a percentage and an amount: only one can count"));
            }
            amounts(&told, price.kind, Sign::Any)?;
        }
    }
    Ok(())
}

/// Whether an amount may be below zero.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    NotNegative,
    Any,
}

fn amounts(price: &Field<'_>, kind: PriceKind, sign: Sign) -> Result<(), Malformed> {
    for name in ["dutyFreeAmount", "taxIncludedAmount"] {
        let Some(field) = price.get(name) else { continue };
        let money: Money = field.money()?;
        if !is_currency(&money.currency) {
            return Err(field.need("unit")?.wrong("is no currency of ISO 4217"));
        }
        if sign == Sign::NotNegative && money.amount < Decimal::ZERO {
            return Err(field.need("value")?.wrong("is below zero"));
        }
        // An amount that only repeats the other one with its tax may have any digits.
        let counts = name == "dutyFreeAmount" || price.get("dutyFreeAmount").is_none();
        if counts && is_too_fine(&money, kind) {
            return Err(field.need("value")?.wrong("has more decimals than its currency"));
        }
    }
    Ok(())
}

fn is_zero(count: &Field<'_>) -> bool {
    count.count().is_ok_and(|count| count == 0)
}
