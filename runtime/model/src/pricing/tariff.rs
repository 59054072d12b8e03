//! Tariffs of usage prices, and the input that a rater plugin gets of them.
//!
//! A usage price has an attribute `tariff`, on the product or in the catalog, with the usage that it is
//! for and the price of a unit:
//!
//! ```json
//! { "usageSpecification": "VOICE", "quantity": "duration", "roundTo": 60, "per": 60,
//!   "allowance": 6000, "tiers": [{ "upTo": 30000, "price": 0.09 }, { "price": 0.05 }],
//!   "bands": [{ "name": "night", "from": "20:00", "until": "06:00", "percent": 50 }] }
//! ```
//!
//! The price, or the tier's price, is for `per` units. Allowance and tiers count from the first
//! usage of a period; the tiers count the units beyond the allowance.

mod check;
mod input;

use rust_decimal::Decimal;

use crate::pricing::product_price::ProductPrice;
use tmf::Malformed;
use tmf::document::tariff::{self as document, OfferedTariff};
use tmf::document::{Deferred, Number, product};
use tmf::money::PriceKind;
use tmf::time::Timestamp;
use tmf::zone::Zone;

pub use check::{check_price, check_prices};
pub use input::RatingInput;

/// The attribute of a price that has its tariff.
const ATTRIBUTE: &str = "tariff";

/// Max tiers of a price, and max bands.
const STEPS_MAX: usize = 100;

/// What usage costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// The usage that it is for: the id of its specification.
    pub specification: String,
    /// The plugin that rates it; the default rater if `None`.
    pub rater: Option<String>,
    /// The usage characteristic with the amount that was used.
    pub quantity: String,
    /// Usage is rounded up to a multiple of this; not at all if it is zero.
    pub round_to: Decimal,
    /// The number of units that the price is for.
    pub per: Decimal,
    /// Units of each period that cost nothing.
    pub allowance: Decimal,
    tiers: Vec<Tier>,
    bands: Vec<Band>,
}

/// The price of units up to some count; the last tier has no end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tier {
    up_to: Option<Decimal>,
    price: Decimal,
}

/// A time of day at which units cost more or less.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Band {
    name: String,
    from: String,
    until: String,
    percent: Decimal,
    /// Days of the week, from 1 for Monday; every day if there are none.
    days: Vec<u32>,
}

/// The amount of a usage, its time, and the usage before it in its period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// How many units.
    pub quantity: Decimal,
    /// When it began.
    pub at: Timestamp,
    /// The units of the period that come before it.
    pub used: Decimal,
    /// The zone of its day.
    pub zone: Zone,
}

impl Tariff {
    /// The tariff of a product's price: its own, or that of the price of the catalog; `None` if
    /// neither has one.
    pub fn of(
        product_price: &product::ProductPrice,
        price: &ProductPrice,
        offered: Option<&OfferedTariff>,
    ) -> Result<Option<Self>, Malformed> {
        if price.kind != PriceKind::Usage {
            return Ok(None);
        }
        let tariff = product_price.tariff.as_ref();
        let tariff = tariff.or_else(|| offered.and_then(|offered| offered.tariff.as_ref()));
        tariff.map(Self::read).transpose()
    }

    /// Reads the attribute `tariff` of a price.
    fn read(tariff: &Deferred<document::Tariff>) -> Result<Self, Malformed> {
        Self::of_document(tariff.get(ATTRIBUTE)?).map_err(|wrong| wrong.within(ATTRIBUTE))
    }

    fn of_document(document: &document::Tariff) -> Result<Self, Malformed> {
        Ok(Self {
            specification: document.usage_specification.clone(),
            rater: document.rater.clone(),
            quantity: document.quantity.clone(),
            round_to: positive(document.round_to, "roundTo", Decimal::ZERO)?,
            per: positive(document.per, "per", Decimal::ONE)?,
            allowance: positive(document.allowance, "allowance", Decimal::ZERO)?,
            tiers: tiers(&document.tiers)?,
            bands: bands(&document.bands)?,
        })
    }
}

/// A number above zero; a default if there is none.
fn positive(
    number: Option<Number>,
    attribute: &str,
    default: Decimal,
) -> Result<Decimal, Malformed> {
    match number {
        None => Ok(default),
        Some(Number(value)) if value <= Decimal::ZERO => {
            Err(Malformed::new(attribute, "is not more than zero"))
        }
        Some(Number(value)) => Ok(value),
    }
}

fn tiers(documents: &[document::Tier]) -> Result<Vec<Tier>, Malformed> {
    if documents.len() > STEPS_MAX {
        return Err(Malformed::new("", "has more than 100 `tiers`"));
    }
    let mut tiers: Vec<Tier> = Vec::with_capacity(documents.len());
    for (index, one) in documents.iter().enumerate() {
        let wrong = |problem| Malformed::new(format!("tiers[{index}]"), problem);
        let up_to = one.up_to.map(|Number(up_to)| up_to);
        let is_last = index + 1 == documents.len();
        if up_to.is_none() != is_last {
            return Err(wrong("needs `upTo` unless it is the last one, which has none"));
        }
        let before = tiers.last().and_then(|tier| tier.up_to).unwrap_or(Decimal::ZERO);
        if up_to.is_some_and(|up_to| up_to <= before) {
            return Err(wrong("ends before it begins"));
        }
        tiers.push(Tier { up_to, price: one.price.0 });
    }
    Ok(tiers)
}

fn bands(documents: &[document::Band]) -> Result<Vec<Band>, Malformed> {
    if documents.len() > STEPS_MAX {
        return Err(Malformed::new("", "has more than 100 `bands`"));
    }
    let read = |(index, one): (usize, &document::Band)| {
        band(one).map_err(|wrong| wrong.within(&format!("bands[{index}]")))
    };
    documents.iter().enumerate().map(read).collect()
}

fn band(document: &document::Band) -> Result<Band, Malformed> {
    let is_day = |day: &u32| (1..=7).contains(day);
    if let Some(index) = document.days.iter().position(|day| !is_day(day)) {
        return Err(Malformed::new(format!("days[{index}]"), "is no day of the week, 1 to 7"));
    }
    Ok(Band {
        name: document.name.clone(),
        from: time_of_day(&document.from, "from")?,
        until: time_of_day(&document.until, "until")?,
        percent: document.percent.0,
        days: document.days.clone(),
    })
}

/// A time such as `20:00`; `24:00` is the end of the day.
fn time_of_day(text: &str, attribute: &str) -> Result<String, Malformed> {
    let is_time = text.len() == 5
        && text.split_once(':').is_some_and(|(hours, minutes)| {
            let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() == 2);
            let (hours, minutes) = (number(hours), number(minutes));
            matches!((hours, minutes), (Some(0..=23), Some(0..=59)) | (Some(24), Some(0)))
        });
    if is_time {
        return Ok(text.into());
    }
    Err(Malformed::new(attribute, "is not a time such as `20:00`"))
}

#[cfg(test)]
mod tests;
