//! Checks of a tariff when it is written. Stored tariffs of earlier versions are read more leniently.

use rust_decimal::Decimal;
use serde_json::Value;

use super::Tariff;
use tmf::field::{Field, Malformed};

/// What a tariff may have.
const TARIFF: [&str; 8] =
    ["usageSpecification", "rater", "quantity", "roundTo", "per", "allowance", "tiers", "bands"];

/// What a tier may have: it begins where the one before it ends.
const TIER: [&str; 2] = ["upTo", "price"];

/// What a band may have.
const BAND: [&str; 5] = ["name", "from", "until", "percent", "days"];

/// Max decimals of what a unit costs.
const PRICE_DECIMALS_MAX: u32 = 6;

/// Max decimals of counts of units.
const UNIT_DECIMALS_MAX: u32 = 9;

/// Max percentage of a band.
const PERCENT_MAX: i64 = 1_000;

/// Whether the tariff of a price of the catalog (TMF620), if it has one, can be rated.
pub fn check_price(price: &Value) -> Result<(), Malformed> {
    check(&Field::root(price)).map(drop)
}

/// Whether the tariffs of the prices of a product (TMF637) can be rated, and no two are for the same
/// usage. `offered` finds a price of the catalog, whose tariff counts if a price has none.
pub fn check_prices<'a>(
    product: &Value,
    offered: impl Fn(&str) -> Option<&'a Value>,
) -> Result<(), Malformed> {
    let mut known: Vec<String> = Vec::new();
    for price in Field::root(product).items("productPrice")? {
        let specification = match check(&price)? {
            Some(tariff) => Some(tariff.specification),
            None => price
                .reference("productOfferingPrice")?
                .and_then(|id| offered(&id)?.pointer("/tariff/usageSpecification")?.as_str())
                .filter(|_| is_usage(&price))
                .map(str::to_owned),
        };
        let Some(specification) = specification else { continue };
        if known.contains(&specification) {
            let tariff = price.get("tariff");
            let tariff =
                tariff.and_then(|tariff| tariff.get("usageSpecification")).unwrap_or(price);
            return Err(tariff.wrong("is the second price for this usage: a product has one"));
        }
        known.push(specification);
    }
    Ok(())
}

fn is_usage(price: &Field<'_>) -> bool {
    let kind = price.value().get("priceType").and_then(Value::as_str);
    kind.and_then(tmf::money::PriceKind::from_tmf) == Some(tmf::money::PriceKind::Usage)
}

fn check(price: &Field<'_>) -> Result<Option<Tariff>, Malformed> {
    let Some(field) = price.get("tariff") else { return Ok(None) };
    if !is_usage(price) {
        return Err(field.wrong("is for prices of usage alone"));
    }
    known_keys(&field, &TARIFF)?;
    let tariff = Tariff::read(&field)?;
    for name in ["usageSpecification", "quantity", "rater"] {
        if let Some(empty) = field.get(name).filter(|text| text.text() == Ok("")) {
            return Err(empty.wrong("is empty"));
        }
    }
    for name in ["roundTo", "per", "allowance"] {
        field.get(name).map_or(Ok(()), |count| decimals(&count, UNIT_DECIMALS_MAX))?;
    }
    for tier in field.items("tiers")? {
        known_keys(&tier, &TIER)?;
        tier.get("upTo").map_or(Ok(()), |count| decimals(&count, UNIT_DECIMALS_MAX))?;
        let price = tier.need("price")?;
        not_negative(&price)?;
        decimals(&price, PRICE_DECIMALS_MAX)?;
    }
    for band in field.items("bands")? {
        check_band(&band)?;
    }
    Ok(Some(tariff))
}

fn check_band(band: &Field<'_>) -> Result<(), Malformed> {
    known_keys(band, &BAND)?;
    let (from, until) = (band.need("from")?, band.need("until")?);
    if from.text()? == "24:00" {
        return Err(from.wrong("is the end of the day: a band begins at `00:00` to `23:59`"));
    }
    if from.text()? == until.text()? {
        return Err(until.wrong("is when the band begins: `24:00` ends the day"));
    }
    let percent = band.need("percent")?;
    not_negative(&percent)?;
    if percent.decimal()? > Decimal::from(PERCENT_MAX) {
        return Err(percent.wrong("is more than 1000"));
    }
    decimals(&percent, PRICE_DECIMALS_MAX)?;
    let mut days = Vec::new();
    for day in band.items("days")? {
        if days.contains(&day.count()?) {
            return Err(day.wrong("is there twice"));
        }
        days.push(day.count()?);
    }
    Ok(())
}

fn known_keys(field: &Field<'_>, known: &[&str]) -> Result<(), Malformed> {
    let fields = field.value().as_object().ok_or_else(|| field.wrong("is not an object"))?;
    match fields.iter().find(|(name, value)| !known.contains(&name.as_str()) && !value.is_null()) {
        Some((name, _)) => Err(field.need(name)?.wrong("is not an attribute that counts")),
        None => Ok(()),
    }
}

fn not_negative(field: &Field<'_>) -> Result<(), Malformed> {
    if field.decimal()? < Decimal::ZERO { Err(field.wrong("is less than zero")) } else { Ok(()) }
}

fn decimals(field: &Field<'_>, max: u32) -> Result<(), Malformed> {
    if field.decimal()?.normalize().scale() > max {
        return Err(field.wrong("has too many decimals"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
