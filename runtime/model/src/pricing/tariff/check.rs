//! Checks of a tariff when it is written. Stored tariffs are read more leniently.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::{ATTRIBUTE, Tariff};
use tmf::Malformed;
use tmf::document::product::{Product, ProductPrice};
use tmf::document::tariff::{self as document, Band, OfferedTariff, Tier};
use tmf::document::{Deferred, Number, Rest, id_of};
use tmf::money::PriceKind;

/// Max decimals of the price of a unit.
const PRICE_DECIMALS_MAX: u32 = 6;

/// Max decimals of counts of units.
const UNIT_DECIMALS_MAX: u32 = 9;

/// Max percentage of a band.
const PERCENT_MAX: i64 = 1_000;

/// Whether the tariff of a price of the catalog (TMF620), if it has one, can be rated.
pub fn check_price(
    price_type: Option<&str>,
    tariff: Option<&Deferred<document::Tariff>>,
) -> Result<(), Malformed> {
    tariff.map_or(Ok(()), |tariff| check(price_type, tariff).map(drop))
}

/// Whether the tariffs of the prices of a product (TMF637) can be rated, and no two are for the same
/// usage. `offered` finds a price of the catalog, whose tariff counts if a price has none.
pub fn check_prices<'a>(
    product: &Product,
    offered: impl Fn(&str) -> Option<&'a OfferedTariff>,
) -> Result<(), Malformed> {
    let mut known: Vec<String> = Vec::new();
    for (path, price) in product.prices()? {
        let within = |wrong: Malformed| wrong.within(&path);
        let specification = match &price.tariff {
            Some(tariff) => {
                Some(check(price.price_type.as_deref(), tariff).map_err(within)?.specification)
            }
            None => offered_specification(price, &offered).map_err(within)?,
        };
        let Some(specification) = specification else { continue };
        if known.contains(&specification) {
            let own = if price.tariff.is_some() { ".tariff.usageSpecification" } else { "" };
            let problem = "is the second price for this usage: a product has one";
            return Err(Malformed::new(format!("{path}{own}"), problem));
        }
        known.push(specification);
    }
    Ok(())
}

/// The usage that the tariff of the catalog is for, of a price without a tariff of its own.
fn offered_specification<'a>(
    price: &ProductPrice,
    offered: impl Fn(&str) -> Option<&'a OfferedTariff>,
) -> Result<Option<String>, Malformed> {
    if !is_usage(price.price_type.as_deref()) {
        return Ok(None);
    }
    let id = id_of(price.product_offering_price.as_ref(), "productOfferingPrice")?;
    let tariff = id.and_then(offered).and_then(|offered| offered.tariff.as_ref()?.ok());
    Ok(tariff.map(|tariff| tariff.usage_specification.clone()))
}

fn is_usage(price_type: Option<&str>) -> bool {
    price_type.and_then(PriceKind::from_tmf) == Some(PriceKind::Usage)
}

fn check(
    price_type: Option<&str>,
    tariff: &Deferred<document::Tariff>,
) -> Result<Tariff, Malformed> {
    if !is_usage(price_type) {
        return Err(Malformed::new(ATTRIBUTE, "is for prices of usage alone"));
    }
    let read = Tariff::read(tariff)?;
    let document = tariff.get(ATTRIBUTE)?;
    check_document(document).map_err(|wrong| wrong.within(ATTRIBUTE))?;
    Ok(read)
}

fn check_document(tariff: &document::Tariff) -> Result<(), Malformed> {
    nothing_unknown(&tariff.rest)?;
    let texts = [
        ("usageSpecification", Some(&tariff.usage_specification)),
        ("quantity", Some(&tariff.quantity)),
        ("rater", tariff.rater.as_ref()),
    ];
    if let Some((name, _)) = texts.iter().find(|(_, text)| text.is_some_and(String::is_empty)) {
        return Err(Malformed::new(*name, "is empty"));
    }
    let counts =
        [("roundTo", tariff.round_to), ("per", tariff.per), ("allowance", tariff.allowance)];
    for (name, count) in counts {
        count.map_or(Ok(()), |count| decimals(count, UNIT_DECIMALS_MAX, name))?;
    }
    for (index, tier) in tariff.tiers.iter().enumerate() {
        check_tier(tier).map_err(|wrong| wrong.within(&format!("tiers[{index}]")))?;
    }
    for (index, band) in tariff.bands.iter().enumerate() {
        check_band(band).map_err(|wrong| wrong.within(&format!("bands[{index}]")))?;
    }
    Ok(())
}

fn check_tier(tier: &Tier) -> Result<(), Malformed> {
    nothing_unknown(&tier.rest)?;
    tier.up_to.map_or(Ok(()), |count| decimals(count, UNIT_DECIMALS_MAX, "upTo"))?;
    not_negative(tier.price, "price")?;
    decimals(tier.price, PRICE_DECIMALS_MAX, "price")
}

fn check_band(band: &Band) -> Result<(), Malformed> {
    nothing_unknown(&band.rest)?;
    if band.from == "24:00" {
        let problem = "is the end of the day: a band begins at `00:00` to `23:59`";
        return Err(Malformed::new("from", problem));
    }
    if band.from == band.until {
        return Err(Malformed::new("until", "is when the band begins: `24:00` ends the day"));
    }
    not_negative(band.percent, "percent")?;
    if band.percent.0 > Decimal::from(PERCENT_MAX) {
        return Err(Malformed::new("percent", "is more than 1000"));
    }
    decimals(band.percent, PRICE_DECIMALS_MAX, "percent")?;
    let mut days = BTreeSet::new();
    match band.days.iter().position(|day| !days.insert(*day)) {
        Some(index) => Err(Malformed::new(format!("days[{index}]"), "is there twice")),
        None => Ok(()),
    }
}

/// Rejects attributes without a meaning: one is misspelt.
fn nothing_unknown(rest: &Rest) -> Result<(), Malformed> {
    match rest.iter().find(|(_, value)| !value.is_null()) {
        Some((name, _)) => Err(Malformed::new(name, "is not an attribute that counts")),
        None => Ok(()),
    }
}

fn not_negative(Number(number): Number, attribute: &str) -> Result<(), Malformed> {
    if number < Decimal::ZERO {
        return Err(Malformed::new(attribute, "is less than zero"));
    }
    Ok(())
}

fn decimals(Number(number): Number, max: u32, attribute: &str) -> Result<(), Malformed> {
    if number.normalize().scale() > max {
        return Err(Malformed::new(attribute, "has too many decimals"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
