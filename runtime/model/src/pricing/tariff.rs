//! Tariffs of usage prices, and how a rater plugin is told of them.
//!
//! A usage price has an attribute `tariff`, on the product or in the catalog, that says which usage
//! it is for and what a unit costs:
//!
//! ```json
//! { "usageSpecification": "VOICE", "quantity": "duration", "roundTo": 60, "per": 60,
//!   "allowance": 6000, "tiers": [{ "upTo": 30000, "price": 0.09 }, { "price": 0.05 }],
//!   "bands": [{ "name": "night", "from": "20:00", "until": "06:00", "percent": 50 }] }
//! ```
//!
//! The price, or the tier's price, is for `per` units. Allowance and tiers count from the first
//! usage of a period; the tiers count what the allowance has left over.

mod check;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::pricing::product_price::{AlterationKey, ProductPrice};
use tmf::field::{Field, Malformed};
use tmf::money::PriceKind;
use tmf::time::Timestamp;
use tmf::zone::Zone;

pub use check::{check_price, check_prices};

/// Max tiers of a price, and max bands.
const STEPS_MAX: usize = 100;

/// What usage costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// The usage that it is for: the id of its specification.
    pub specification: String,
    /// The plugin that rates it; the default rater if `None`.
    pub rater: Option<String>,
    /// The usage characteristic that says how much was used.
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

/// What units cost up to some count; the last tier has no end.
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

/// How much of a usage there is, when it was, and what was used before it in its period.
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
        product_price: &Value,
        price: &ProductPrice,
        offered: Option<&Value>,
    ) -> Result<Option<Self>, Malformed> {
        if price.kind != PriceKind::Usage {
            return Ok(None);
        }
        let own = Field::root(product_price).get("tariff");
        let offered = || Field::root(offered?).get("tariff");
        own.or_else(offered).map(|field| Self::read(&field)).transpose()
    }

    fn read(field: &Field<'_>) -> Result<Self, Malformed> {
        let positive = |name: &str, fallback: Decimal| -> Result<Decimal, Malformed> {
            let Some(number) = field.get(name) else { return Ok(fallback) };
            let value = number.decimal()?;
            if value <= Decimal::ZERO {
                Err(number.wrong("is not more than zero"))
            } else {
                Ok(value)
            }
        };
        Ok(Self {
            specification: field.need("usageSpecification")?.text()?.to_owned(),
            rater: field.get("rater").map(|id| id.text().map(str::to_owned)).transpose()?,
            quantity: field.need("quantity")?.text()?.to_owned(),
            round_to: positive("roundTo", Decimal::ZERO)?,
            per: positive("per", Decimal::ONE)?,
            allowance: positive("allowance", Decimal::ZERO)?,
            tiers: tiers(field)?,
            bands: bands(field)?,
        })
    }

    /// Whether what a usage costs depends on what was used before it.
    pub fn counts_usage(&self) -> bool {
        self.allowance > Decimal::ZERO || !self.tiers.is_empty()
    }

    /// What a rater is told with the price, as attributes.
    fn attributes(&self, measure: &Measure, tiers: &[Tier]) -> Map<String, Value> {
        let left = (self.allowance - measure.used).max(Decimal::ZERO);
        let paid = (measure.used - self.allowance).max(Decimal::ZERO);
        let minute = measure.zone.minute_of_day(measure.at);
        let weekday = measure.zone.day_of_week(measure.at) + 1;
        let mut attributes = Map::new();
        let mut set = |name: &str, value: String| {
            attributes.insert(name.into(), Value::String(value));
        };
        set("units", measure.quantity.normalize().to_string());
        set("round-to", self.round_to.normalize().to_string());
        set("per", self.per.normalize().to_string());
        set("allowance-left", left.normalize().to_string());
        set("units-before", paid.normalize().to_string());
        set("time", format!("{:02}:{:02}", minute / 60, minute % 60));
        set("weekday", weekday.to_string());
        if !tiers.is_empty() {
            set("tiers", Value::Array(tiers.iter().map(Tier::written).collect()).to_string());
        }
        if !self.bands.is_empty() {
            set("bands", Value::Array(self.bands.iter().map(Band::written).collect()).to_string());
        }
        attributes
    }

    /// The input of a rater for some usage, whose taxes are `tax` per cent together. The alterations
    /// that apply change what a unit costs, in each tier.
    pub fn rating_input(
        &self,
        price: &ProductPrice,
        altered_by: &[AlterationKey],
        tax: Decimal,
        measure: &Measure,
    ) -> Value {
        let altered = |listed: Decimal| {
            let mut one = price.clone();
            one.amount.amount = listed;
            let (amount, _) = one.altered(|alteration| altered_by.contains(&alteration.key));
            amount.max(Decimal::ZERO)
        };
        let tier = |tier: &Tier| Tier { up_to: tier.up_to, price: altered(tier.price) };
        let tiers: Vec<Tier> = self.tiers.iter().map(tier).collect();
        json!({
            "prices": [{
                "id": price.id,
                "name": price.name,
                "kind": "usage",
                "amount": {
                    "currency": price.amount.currency,
                    "amount": altered(price.amount.amount).normalize().to_string(),
                },
                "attributes": self.attributes(measure, &tiers),
            }],
            "quantity": 1,
            "start": measure.zone.day_of(measure.at).to_string(),
            "billDay": 0,
            "taxRate": tax.to_string(),
        })
    }
}

impl Tier {
    fn written(&self) -> Value {
        let price = self.price.normalize().to_string();
        match &self.up_to {
            Some(up_to) => json!({ "upTo": up_to.normalize().to_string(), "price": price }),
            None => json!({ "price": price }),
        }
    }
}

impl Band {
    fn written(&self) -> Value {
        json!({
            "name": self.name,
            "from": self.from,
            "until": self.until,
            "percent": self.percent.normalize().to_string(),
            "days": self.days,
        })
    }
}

fn tiers(field: &Field<'_>) -> Result<Vec<Tier>, Malformed> {
    let fields = field.items("tiers")?;
    if fields.len() > STEPS_MAX {
        return Err(field.wrong("has more than 100 `tiers`"));
    }
    let mut tiers: Vec<Tier> = Vec::with_capacity(fields.len());
    for (index, one) in fields.iter().enumerate() {
        let up_to = one.get("upTo").map(|number| number.decimal()).transpose()?;
        let is_last = index + 1 == fields.len();
        if up_to.is_none() != is_last {
            return Err(one.wrong("needs `upTo` unless it is the last one, which has none"));
        }
        let before = tiers.last().and_then(|tier| tier.up_to).unwrap_or(Decimal::ZERO);
        if up_to.is_some_and(|up_to| up_to <= before) {
            return Err(one.wrong("ends before it begins"));
        }
        tiers.push(Tier { up_to, price: one.need("price")?.decimal()? });
    }
    Ok(tiers)
}

fn bands(field: &Field<'_>) -> Result<Vec<Band>, Malformed> {
    let fields = field.items("bands")?;
    if fields.len() > STEPS_MAX {
        return Err(field.wrong("has more than 100 `bands`"));
    }
    let band = |one: &Field<'_>| {
        let days = one.items("days")?;
        let days = days.iter().map(|day| match day.count()? {
            number @ 1..=7 => Ok(number),
            _ => Err(day.wrong("is no day of the week, 1 to 7")),
        });
        Ok(Band {
            name: one.need("name")?.text()?.to_owned(),
            from: time_of_day(&one.need("from")?)?,
            until: time_of_day(&one.need("until")?)?,
            percent: one.need("percent")?.decimal()?,
            days: days.collect::<Result<_, Malformed>>()?,
        })
    };
    fields.iter().map(band).collect()
}

/// A time such as `20:00`; `24:00` is the end of the day.
fn time_of_day(field: &Field<'_>) -> Result<String, Malformed> {
    let text = field.text()?;
    let is_time = text.len() == 5
        && text.split_once(':').is_some_and(|(hours, minutes)| {
            let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() == 2);
            let (hours, minutes) = (number(hours), number(minutes));
            matches!((hours, minutes), (Some(0..=23), Some(0..=59)) | (Some(24), Some(0)))
        });
    if is_time { Ok(text.into()) } else { Err(field.wrong("is not a time such as `20:00`")) }
}

#[cfg(test)]
mod tests;
