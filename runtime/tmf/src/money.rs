//! Money: a decimal amount and its currency. Amounts never pass through floating point.

mod currency;

use std::fmt;
use std::str::FromStr;

pub use self::currency::Currency;
pub use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Its currency.
    pub currency: Currency,
    /// The amount; always written as text.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
}

impl Money {
    /// Reads TM Forum's `Money` (`unit`, `value`) from a document. The number is read from its
    /// shortest decimal text, so `89.0` is exactly 89.
    pub fn from_tmf(value: &Value) -> Option<Self> {
        let amount = decimal(value.get("value")?)?;
        Some(Self { currency: Currency::parse(value.get("unit")?.as_str()?)?, amount })
    }

    /// Another amount in the same currency.
    #[must_use]
    pub fn with(self, amount: Decimal) -> Self {
        Self { amount, ..self }
    }

    /// Writes TM Forum's `Money`: the number as its shortest decimal text.
    pub fn to_tmf(&self) -> Value {
        serde_json::json!({ "unit": self.currency, "value": number(self.amount) })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} {}", self.amount, self.currency)
    }
}

/// A tax on a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// In percent.
    #[serde(with = "rust_decimal::serde::str")]
    pub rate: Decimal,
    /// The name of the tax, such as `VAT`.
    pub category: String,
}

impl Tax {
    /// Several taxes as one, with their names joined; `None` if there are none.
    pub fn together(taxes: &[Self]) -> Option<Self> {
        let named = taxes.iter().map(|tax| tax.category.as_str()).filter(|name| !name.is_empty());
        let category = named.collect::<Vec<_>>().join(" + ");
        let rate = taxes.iter().map(|tax| tax.rate).sum();
        (!taxes.is_empty()).then_some(Self { rate, category })
    }
}

/// The default name of a tax.
pub const TAX_CATEGORY: &str = "VAT";

/// Max amount. A hundred thousand lines of four thousand million each fit into the
/// 28 digits of computations.
pub const AMOUNT_MAX: u64 = 1_000_000_000_000;

/// Max percentage.
pub const PERCENT_MAX: u64 = 1_000;

/// Max decimals of the unit price of usage.
pub const USAGE_DECIMALS: u32 = 6;

/// Whether an amount has more decimals than its currency.
pub fn is_finer(money: &Money) -> bool {
    money.amount.normalize().scale() > money.currency.decimals()
}

/// Whether a price has more decimals than can be charged.
pub fn is_too_fine(price: &Money, kind: PriceKind) -> bool {
    match kind {
        PriceKind::OneOff | PriceKind::Recurring => is_finer(price),
        PriceKind::Usage => is_finer(price) && price.amount.normalize().scale() > USAGE_DECIMALS,
    }
}

/// Rounds an amount; a tie goes away from zero, as on most bills.
pub fn rounded(amount: Decimal, decimals: u32) -> Decimal {
    amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

/// Reads a number of a document from its shortest decimal text, so that `0.1` is a tenth.
pub fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => &number.to_string(),
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Decimal::from_str(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

/// Writes a number of a document as its shortest decimal text.
pub fn number(amount: Decimal) -> Value {
    let text = amount.normalize().to_string();
    serde_json::Number::from_str(&text).map_or(Value::Null, Value::Number)
}

/// When a price is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PriceKind {
    /// Once (TMF620 `oneTime`).
    OneOff,
    Recurring,
    /// By usage.
    Usage,
}

impl PriceKind {
    /// Reads TMF620's `priceType`.
    pub fn from_tmf(text: &str) -> Option<Self> {
        match text {
            "oneTime" | "oneTimeCharge" | "onetime" => Some(Self::OneOff),
            "recurring" | "recurringCharge" => Some(Self::Recurring),
            "usage" | "usageCharge" => Some(Self::Usage),
            _ => None,
        }
    }

    /// TMF620's `priceType`.
    pub fn as_tmf(self) -> &'static str {
        match self {
            Self::OneOff => "oneTime",
            Self::Recurring => "recurring",
            Self::Usage => "usage",
        }
    }
}
