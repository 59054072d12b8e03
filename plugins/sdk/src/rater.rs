//! The role of turning prices into charges. Amounts, rates and days arrive parsed, so a rater
//! does arithmetic and nothing else.

use std::marker::PhantomData;

use rust_decimal::Decimal;

use crate::bindings::rater::exports::ferrule::plugin::rating as wire;
use crate::{Attribute, Date, Failure, Money};

pub use wire::ChargeKind;

/// Turns prices into charges. Export an implementation with [`rater!`](crate::rater).
pub trait Rater {
    /// The charges that are due at the start.
    fn rate(request: &Request) -> Result<Vec<Charge>, Failure>;
}

/// What to rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The prices that apply.
    pub prices: Vec<Price>,
    /// How many of the item.
    pub quantity: u32,
    /// The day from which it is active.
    pub start: Date,
    /// The day of the month on which bills are cut, 1 to 28; 0 for no proration.
    pub bill_day: u32,
    /// The tax to add, in per cent.
    pub tax_rate: Decimal,
    /// What later versions add.
    pub attributes: Vec<Attribute>,
}

/// A price of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Its id in the product catalog.
    pub id: String,
    /// Its name on the bill.
    pub name: String,
    /// When it is charged.
    pub kind: ChargeKind,
    /// The amount before tax, for one of the item and one period.
    pub amount: Money,
    /// The period of a recurring price: `day`, `week`, `month` or `year`; else empty.
    pub period: String,
    /// What the contract says in attributes: of a usage price what was used, and its tariff.
    pub attributes: Vec<Attribute>,
}

/// One line to bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The id of the price it comes from.
    pub price: String,
    /// Its name on the bill.
    pub name: String,
    /// When it is charged.
    pub kind: ChargeKind,
    /// Before tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// The first and the last day it covers; nothing for a one-off charge.
    pub covers: Option<(Date, Date)>,
    /// What later versions add, such as `prorated` with the fraction.
    pub attributes: Vec<Attribute>,
}

impl Request {
    fn read(request: wire::Request) -> Result<Self, Failure> {
        let start = request.start.parse().map_err(|cause| unreadable("start", &cause))?;
        let tax_rate = request.tax_rate.parse().map_err(|cause| unreadable("tax-rate", &cause))?;
        let prices = request.prices.into_iter().map(Price::read).collect::<Result<_, _>>()?;
        Ok(Self {
            prices,
            quantity: request.quantity,
            start,
            bill_day: request.bill_day,
            tax_rate,
            attributes: request.attributes,
        })
    }
}

impl Price {
    fn read(price: wire::Price) -> Result<Self, Failure> {
        let amount = Money::parse(&price.amount.amount, &price.amount.currency)
            .map_err(|cause| unreadable(&format!("amount of price `{}`", price.id), &cause))?;
        let wire::Price { id, name, kind, period, attributes, .. } = price;
        Ok(Self { id, name, kind, amount, period, attributes })
    }

    /// An attribute, by its name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|attribute| attribute.name == name);
        found.map(|attribute| attribute.value.as_str())
    }
}

impl Charge {
    fn write(self) -> wire::Charge {
        let (from, to) = match self.covers {
            Some((from, to)) => (from.to_string(), to.to_string()),
            None => (String::new(), String::new()),
        };
        wire::Charge {
            price: self.price,
            name: self.name,
            kind: self.kind,
            net: self.net.write(),
            tax: self.tax.write(),
            from,
            to,
            attributes: self.attributes,
        }
    }
}

fn unreadable(field: &str, cause: &dyn std::error::Error) -> Failure {
    Failure::person("RATING_REQUEST", format!("the {field} to rate cannot be read: {cause}"))
}

/// Joins a [`Rater`] to the generated trait.
#[doc(hidden)]
pub struct Glue<P>(PhantomData<P>);

impl<P: Rater> wire::Guest for Glue<P> {
    fn rate(request: wire::Request) -> Result<Vec<wire::Charge>, Failure> {
        let charges = P::rate(&Request::read(request)?)?;
        Ok(charges.into_iter().map(Charge::write).collect())
    }
}

/// Exports a type as the [`Rater`] of this component and embeds `plugin.toml`.
#[macro_export]
macro_rules! rater {
    ($plugin:ident) => {
        // Uses the plugin where nothing is exported, as in its tests.
        const _: ::core::marker::PhantomData<$crate::rater::Glue<$plugin>> =
            ::core::marker::PhantomData;
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::rater::Glue<$plugin>;
    $crate::bindings::rater::export!(Exported with_types_in $crate::bindings::rater);
            $crate::__embed_manifest!();
        };
    };
}
