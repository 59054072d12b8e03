//! The cost of a usage as a rater gave it.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;

use tmf::Malformed;
use tmf::document::Number;
use tmf::money::{Currency, Money};

/// Digits that a rated usage has beyond those of its currency.
const EXTRA_DIGITS: u32 = 4;

/// The outputs of a rater for one usage.
#[derive(Debug, Deserialize)]
pub struct RaterCharges {
    #[serde(default)]
    charges: Vec<RaterCharge>,
}

#[derive(Debug, Deserialize)]
struct RaterCharge {
    attributes: RaterAttributes,
    net: RaterAmount,
    tax: RaterAmount,
}

#[derive(Debug, Deserialize)]
struct RaterAmount {
    currency: Currency,
    amount: Number,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RaterAttributes {
    units: Option<Number>,
    free_units: Option<Number>,
    band: Option<String>,
}

/// The cost of a usage, before it is rounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    net: Money,
    tax: Money,
    units: Decimal,
    free: Decimal,
    band: String,
}

impl Rating {
    /// Reads the one charge of a rater's outputs.
    pub fn of(outputs: RaterCharges) -> Result<Self, Malformed> {
        let charge = outputs.charges.into_iter().next();
        let charge =
            charge.ok_or_else(|| Malformed::new("charges", "has no charge of this usage"))?;
        let needed = |number: Option<Number>, name: &str| {
            let path = || format!("charges[0].attributes.{name}");
            let number = number.ok_or_else(|| Malformed::new(path(), "is missing"))?;
            Ok(number.0)
        };
        let RaterAttributes { units, free_units, band } = charge.attributes;
        Ok(Self {
            net: charge.net.into_money(),
            tax: charge.tax.into_money(),
            units: needed(units, "units")?,
            free: needed(free_units, "free-units")?,
            band: band.unwrap_or_else(|| "Normal".into()),
        })
    }

    /// The units that it counts for.
    pub(super) fn units(&self) -> Decimal {
        self.units
    }

    /// The units of the allowance among them.
    pub(super) fn free(&self) -> Decimal {
        self.free
    }

    /// The name of the time of day with a price of its own.
    pub(super) fn into_band(self) -> String {
        self.band
    }

    /// Before and after tax. A price that includes tax was rated with it.
    pub(super) fn amounts(&self, includes_tax: bool, tax_rate: Decimal) -> (Money, Money) {
        let rated = self.net;
        if !includes_tax {
            return (rated, rated.with(rated.amount + self.tax.amount));
        }
        let share = Decimal::ONE_HUNDRED / (Decimal::ONE_HUNDRED + tax_rate);
        let digits = rated.currency.decimals() + EXTRA_DIGITS;
        let strategy = RoundingStrategy::MidpointAwayFromZero;
        let net = (rated.amount * share).round_dp_with_strategy(digits, strategy);
        (rated.with(net), rated)
    }
}

impl RaterAmount {
    fn into_money(self) -> Money {
        Money { currency: self.currency, amount: self.amount.0 }
    }
}
