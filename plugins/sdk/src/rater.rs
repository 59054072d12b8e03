//! The role of turning prices into charges. Amounts, rates and days arrive parsed, so a rater
//! does arithmetic and nothing else.

use rust_decimal::Decimal;

use crate::bindings::rater::exports::ferrule::plugin::rating as wire;
use crate::{Date, Failure, Money};

pub use wire::{Fraction, Period, Unit};

/// Turns prices into charges.
pub trait Rater {
    /// The charges that are due at the start.
    fn rate(request: &Request) -> Result<Vec<Charge>, Failure>;
}

/// A request to rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The prices that apply.
    pub prices: Vec<Price>,
    /// The quantity of the item.
    pub quantity: u32,
    /// The day from which it is active.
    pub start: Date,
    /// The day of the month on which bills are cut, 1 to 28; `None` for no proration.
    pub bill_day: Option<u32>,
    /// The tax, in per cent, on prices without a tax of their own.
    pub tax_rate: Decimal,
}

/// A price of the catalog that is charged at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Its id in the product catalog.
    pub id: String,
    /// Its name on the bill.
    pub name: String,
    /// The amount before tax, for one of the item and one period.
    pub amount: Money,
    /// The period; `None` for a price that is charged once.
    pub period: Option<Period>,
    /// Its own tax, in per cent; `None` for that of the request.
    pub tax_rate: Option<Decimal>,
}

/// One line to bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The id of its price.
    pub price: String,
    /// The amount before tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// The tax rate that was applied, in per cent; `None` if it is not to be shown.
    pub tax_rate: Option<Decimal>,
    /// The first and the last day that it covers; `None` for a price that is charged once.
    pub covers: Option<(Date, Date)>,
    /// The fraction of the price; `None` for whole periods.
    pub prorated: Option<Fraction>,
}

impl Request {
    pub(crate) fn read(request: wire::Request) -> Result<Self, Failure> {
        let start = request.start.parse().map_err(|cause| unreadable("start", &cause))?;
        let prices = request.prices.into_iter().map(Price::read).collect::<Result<_, _>>()?;
        Ok(Self {
            prices,
            quantity: request.quantity,
            start,
            bill_day: request.bill_day,
            tax_rate: decimal("tax-rate", &request.tax_rate)?,
        })
    }
}

impl Price {
    fn read(price: wire::Price) -> Result<Self, Failure> {
        let wire::Price { id, name, amount, period, tax_rate, .. } = price;
        let amount = money(&id, &amount)?;
        let tax_rate = tax_rate.map(|rate| decimal("tax-rate", &rate)).transpose()?;
        Ok(Self { id, name, amount, period, tax_rate })
    }
}

impl Charge {
    pub(crate) fn write(self) -> wire::Charge {
        let span = |(first, last): (Date, Date)| wire::Span {
            first: first.to_string(),
            last: last.to_string(),
        };
        wire::Charge {
            price: self.price,
            net: self.net.write(),
            tax: self.tax.write(),
            tax_rate: self.tax_rate.map(|rate| rate.normalize().to_string()),
            covers: self.covers.map(span),
            prorated: self.prorated,
            attributes: Vec::new(),
        }
    }
}

pub(crate) fn money(
    price: &str,
    amount: &crate::bindings::step::ferrule::plugin::types::Money,
) -> Result<Money, Failure> {
    Money::parse(&amount.amount, &amount.currency)
        .map_err(|cause| unreadable(&format!("amount of price `{price}`"), &cause))
}

pub(crate) fn decimal(field: &str, text: &str) -> Result<Decimal, Failure> {
    text.parse().map_err(|cause: rust_decimal::Error| unreadable(field, &cause))
}

fn unreadable(field: &str, cause: &dyn std::error::Error) -> Failure {
    Failure::operator("RATING_REQUEST", format!("the {field} to rate cannot be read: {cause}"))
}
