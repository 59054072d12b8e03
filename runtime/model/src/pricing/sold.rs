//! The prices that a product was sold at, as the plan keeps them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tmf::money::{Money, PriceKind, Tax};
use tmf::period::{Period, Term};

/// A price of a product, as it was sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// Its id in the catalog.
    pub id: String,
    /// Its name on the bill.
    pub name: String,
    /// When it is charged.
    pub kind: PriceKind,
    /// Before tax unless it includes tax, for one of the product and one period.
    pub amount: Money,
    /// Whether the amount and what alters it include tax.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub includes_tax: bool,
    /// The period of a recurring price.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "tmf::period::of_plan"
    )]
    pub period: Option<Period>,
    /// What alters it for the first periods only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alterations: Vec<PriceAlteration>,
    /// All taxes on it as one, if any is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Tax>,
    /// The taxes on it, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<Tax>,
    /// The quote that it was agreed in; `None` if it is the catalog's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
}

impl Price {
    /// The taxes on it, one by one.
    pub fn taxes(&self) -> &[Tax] {
        if self.taxes.is_empty() { self.tax.as_slice() } else { &self.taxes }
    }
}

/// What makes a price another one for the first periods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceAlteration {
    /// Its id in the catalog; empty for one that was granted by hand.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its name on the bill.
    pub name: String,
    /// By how much it changes the price: below zero for a discount.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    /// How long it lasts; for good if `None`, which the discount of a bundle may.
    #[serde(flatten)]
    pub lasts: Option<Term>,
}
