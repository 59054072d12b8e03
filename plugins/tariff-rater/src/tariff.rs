//! What usage costs: units counted up, an allowance, tiers and bands of the day.

use std::fmt;

use ferrule_plugin::money::{Rounding, minor_units};
use ferrule_plugin::rater::{Charge, ChargeKind, Price};
use ferrule_plugin::{Attribute, Money, money};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;

/// Digits that the charge of a usage has beyond those of its currency.
const EXTRA_DIGITS: u32 = 4;

/// A usage and the tariff that it is rated by.
#[derive(Debug)]
pub(crate) struct Usage {
    units: Decimal,
    round_to: Decimal,
    per: Decimal,
    allowance_left: Decimal,
    units_before: Decimal,
    tiers: Vec<Tier>,
    bands: Vec<Band>,
    time: String,
    weekday: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Tier {
    #[serde(default)]
    up_to: Option<String>,
    price: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Band {
    name: String,
    from: String,
    until: String,
    percent: String,
    #[serde(default)]
    days: Vec<u32>,
}

/// Why usage cannot be rated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// An attribute is no number, or not one that makes sense there.
    Number {
        /// Its name.
        name: String,
        /// What it says.
        value: String,
    },
    /// An attribute is not the JSON that it should be.
    Json {
        /// Its name.
        name: &'static str,
        /// What the parser says.
        cause: String,
    },
    /// The tiers end before the usage does.
    Tiers,
    /// The amount cannot be computed.
    Money(money::Error),
}

impl Usage {
    /// Reads what a price says of usage; nothing where it does not say how much was used.
    pub(crate) fn read(price: &Price) -> Result<Option<Self>, Error> {
        let Some(units) = price.attribute("units") else { return Ok(None) };
        let zero = Decimal::ZERO;
        let per = number(price, "per", Decimal::ONE)?;
        if per.is_zero() {
            return Err(Error::Number { name: "per".into(), value: "0".into() });
        }
        let weekday = price.attribute("weekday").map(|text| match text.parse() {
            Ok(day @ 1..=7) => Ok(day),
            Ok(_) | Err(_) => Err(Error::Number { name: "weekday".into(), value: text.into() }),
        });
        Ok(Some(Self {
            units: parsed("units", units)?,
            round_to: number(price, "round-to", zero)?,
            per,
            allowance_left: number(price, "allowance-left", zero)?,
            units_before: number(price, "units-before", zero)?,
            tiers: list(price, "tiers")?,
            bands: list(price, "bands")?,
            time: price.attribute("time").unwrap_or("00:00").into(),
            weekday: weekday.transpose()?,
        }))
    }

    /// The charge for it.
    pub(crate) fn charge(
        &self,
        price: &Price,
        tax_rate: Decimal,
        rounding: Rounding,
    ) -> Result<Charge, Error> {
        let counted = self.counted()?;
        let free = counted.min(self.allowance_left);
        let mut amount = self.amount(price.amount.amount(), counted - free)?;
        let band = self.bands.iter().find(|band| band.holds(&self.time, self.weekday));
        if let Some(band) = band {
            amount = product(amount, parsed("percent", &band.percent)?)? / Decimal::ONE_HUNDRED;
        }
        let currency = price.amount.currency();
        let rounded = |amount: Decimal| {
            Money::new(finely(amount, currency, rounding), currency).map_err(Error::Money)
        };
        let net = rounded(amount)?;
        let tax = rounded(product(net.amount(), tax_rate)? / Decimal::ONE_HUNDRED)?;
        let attribute = |name: &str, value: String| Attribute { name: name.into(), value };
        let mut attributes = vec![
            attribute("units", counted.normalize().to_string()),
            attribute("free-units", free.normalize().to_string()),
        ];
        attributes.extend(band.map(|band| attribute("band", band.name.clone())));
        Ok(Charge {
            price: price.id.clone(),
            name: price.name.clone(),
            kind: ChargeKind::Usage,
            net,
            tax,
            covers: None,
            attributes,
        })
    }

    /// The units, up to a multiple of what they are counted in.
    fn counted(&self) -> Result<Decimal, Error> {
        if self.round_to.is_zero() {
            return Ok(self.units);
        }
        product(quotient(self.units, self.round_to)?.ceil(), self.round_to)
    }

    /// What so many units cost at the amount of the price, or at the prices of the tiers.
    fn amount(&self, price: Decimal, units: Decimal) -> Result<Decimal, Error> {
        if self.tiers.is_empty() {
            return quotient(product(price, units)?, self.per);
        }
        let mut from = self.units_before;
        let mut left = units;
        let mut amount = Decimal::ZERO;
        for tier in &self.tiers {
            let up_to = tier.up_to.as_deref().map(|text| parsed("upTo", text)).transpose()?;
            let room = up_to.map_or(left, |up_to| (up_to - from).max(Decimal::ZERO));
            let part = left.min(room);
            amount += quotient(product(decimal("price", &tier.price)?, part)?, self.per)?;
            (from, left) = (from + part, left - part);
        }
        if left.is_zero() { Ok(amount) } else { Err(Error::Tiers) }
    }
}

impl Band {
    /// Whether a time of day is in it; `until` before `from` means over midnight.
    fn holds(&self, time: &str, weekday: Option<u32>) -> bool {
        let is_day = self.days.is_empty() || weekday.is_some_and(|day| self.days.contains(&day));
        let (from, until) = (self.from.as_str(), self.until.as_str());
        let is_time =
            if from < until { from <= time && time < until } else { time >= from || time < until };
        is_day && is_time
    }
}

fn finely(amount: Decimal, currency: &str, rounding: Rounding) -> Decimal {
    let strategy = match rounding {
        Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
    };
    let digits = minor_units(currency) + EXTRA_DIGITS;
    let mut amount = amount.round_dp_with_strategy(digits, strategy).normalize();
    if amount.scale() < minor_units(currency) {
        amount.rescale(minor_units(currency));
    }
    amount
}

fn product(left: Decimal, right: Decimal) -> Result<Decimal, Error> {
    left.checked_mul(right).ok_or(Error::Money(money::Error::Overflow))
}

fn quotient(left: Decimal, right: Decimal) -> Result<Decimal, Error> {
    left.checked_div(right).ok_or(Error::Money(money::Error::Overflow))
}

/// A number that is not negative.
fn parsed(name: &str, text: &str) -> Result<Decimal, Error> {
    let number = decimal(name, text)?;
    if number.is_sign_negative() && !number.is_zero() {
        return Err(Error::Number { name: name.into(), value: text.into() });
    }
    Ok(number)
}

/// A number up to a million million, so that none of what is reckoned with it is too large.
fn decimal(name: &str, text: &str) -> Result<Decimal, Error> {
    let number = text.parse::<Decimal>().ok();
    let number = number.filter(|number| number.abs() <= Decimal::from(1_000_000_000_000_i64));
    number.ok_or_else(|| Error::Number { name: name.into(), value: text.into() })
}

fn number(price: &Price, name: &str, fallback: Decimal) -> Result<Decimal, Error> {
    price.attribute(name).map_or(Ok(fallback), |text| parsed(name, text))
}

fn list<T: for<'a> Deserialize<'a>>(price: &Price, name: &'static str) -> Result<Vec<T>, Error> {
    let Some(text) = price.attribute(name) else { return Ok(Vec::new()) };
    serde_json::from_str(text).map_err(|error| Error::Json { name, cause: error.to_string() })
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { name, value } => {
                let value: String = value.chars().take(40).collect();
                write!(formatter, "`{name}` is `{value}`")
            }
            Self::Json { name, cause } => write!(formatter, "`{name}` cannot be read: {cause}"),
            Self::Tiers => write!(formatter, "its last tier ends before what was used"),
            Self::Money(cause) => write!(formatter, "{cause}"),
        }
    }
}

impl std::error::Error for Error {}
