//! The part of a rater that rates usage by its tariff.

use rust_decimal::Decimal;

use crate::bindings::usage_rater::exports::ferrule::plugin::usage_rating as wire;
use crate::rater::{Rater, decimal, money};
use crate::{Failure, Money};

pub use wire::Weekday;

/// A rater that rates usage too.
pub trait UsageRater: Rater {
    /// The charge for a usage.
    fn rate_usage(usage: &Usage) -> Result<UsageCharge, Failure>;
}

/// A usage and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The id of the price in the product catalog.
    pub price: String,
    /// The amount for `per` units, before tax.
    pub amount: Money,
    /// The units that the amount is for.
    pub per: Decimal,
    /// The units that were used.
    pub units: Decimal,
    /// Units are counted up to a multiple of this; `None` for no rounding.
    pub round_to: Option<Decimal>,
    /// The units that are still free.
    pub allowance_left: Decimal,
    /// The units of the period that were charged before.
    pub units_before: Decimal,
    /// The tiers, in ascending order; none for a flat amount.
    pub tiers: Vec<Tier>,
    /// The bands; the first that applies counts.
    pub bands: Vec<Band>,
    /// The minute of the day at which it began.
    pub minute: u32,
    /// The day on which it began; `None` if that is not known.
    pub weekday: Option<Weekday>,
    /// The tax on it, in per cent.
    pub tax_rate: Decimal,
}

/// The price of units up to a number of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The last unit of the period that it is for; `None` for all that follow.
    pub up_to: Option<Decimal>,
    /// The amount for `per` units.
    pub price: Decimal,
}

/// A time of day at which units cost more or less. Minutes count from midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Its name.
    pub name: String,
    /// The first minute.
    pub first_minute: u32,
    /// The minute after the last one; before `first_minute` if the band spans midnight.
    pub end_minute: u32,
    /// The part of the amount that is charged, in per cent.
    pub percent: Decimal,
    /// The days that it is for; every day if it is empty.
    pub days: Vec<Weekday>,
}

/// The charge for a usage. Its amounts may have more digits than the currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageCharge {
    /// The amount before tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// The units that were counted.
    pub units: Decimal,
    /// The units of them that are free.
    pub free_units: Decimal,
    /// The name of the band that applied; `None` if none did.
    pub band: Option<String>,
}

impl Usage {
    pub(crate) fn read(request: wire::Request) -> Result<Self, Failure> {
        let optional =
            |name: &str, text: Option<&String>| text.map(|text| decimal(name, text)).transpose();
        let tier = |tier: wire::Tier| {
            let up_to = optional("tiers", tier.up_to.as_ref())?;
            Ok(Tier { up_to, price: decimal("tiers", &tier.price)? })
        };
        let band = |band: wire::Band| {
            let percent = decimal("bands", &band.percent)?;
            let wire::Band { name, first_minute, end_minute, days, .. } = band;
            Ok(Band { name, first_minute, end_minute, percent, days })
        };
        Ok(Self {
            amount: money(&request.price, &request.amount)?,
            price: request.price,
            per: decimal("per", &request.per)?,
            units: decimal("units", &request.units)?,
            round_to: optional("round-to", request.round_to.as_ref())?,
            allowance_left: decimal("allowance-left", &request.allowance_left)?,
            units_before: decimal("units-before", &request.units_before)?,
            tiers: request.tiers.into_iter().map(tier).collect::<Result<_, Failure>>()?,
            bands: request.bands.into_iter().map(band).collect::<Result<_, Failure>>()?,
            minute: request.minute,
            weekday: request.weekday,
            tax_rate: decimal("tax-rate", &request.tax_rate)?,
        })
    }
}

impl UsageCharge {
    pub(crate) fn write(self) -> wire::Charge {
        wire::Charge {
            net: self.net.write(),
            tax: self.tax.write(),
            units: self.units.normalize().to_string(),
            free_units: self.free_units.normalize().to_string(),
            band: self.band,
            attributes: Vec::new(),
        }
    }
}
