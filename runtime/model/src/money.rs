//! Money: a decimal amount and its currency. Amounts never pass through floating point.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// An ISO 4217 code.
    pub currency: String,
    /// The amount; as text wherever it is written.
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
}

impl Money {
    /// Reads TM Forum's `Money` (`unit`, `value`) from a document. The number is read from its
    /// shortest decimal text, so `89.0` is exactly 89.
    pub fn from_tmf(value: &Value) -> Option<Self> {
        let amount = match value.get("value")? {
            Value::Number(number) => Decimal::from_str(&number.to_string()).ok()?,
            Value::String(text) => Decimal::from_str(text).ok()?,
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        Some(Self { currency: value.get("unit")?.as_str()?.into(), amount })
    }

    /// Writes TM Forum's `Money`: the number as its shortest decimal text.
    pub fn to_tmf(&self) -> Value {
        let number = self.amount.normalize().to_string();
        let value = serde_json::Number::from_str(&number).map_or(Value::Null, Value::Number);
        serde_json::json!({ "unit": self.currency, "value": value })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} {}", self.amount, self.currency)
    }
}

/// A price of a product, as the catalog has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// Its id in the catalog.
    pub id: String,
    /// Its name on the bill.
    pub name: String,
    /// When it is charged.
    pub kind: PriceKind,
    /// Before tax, for one of the product and one period.
    pub amount: Money,
    /// The period of a recurring price, such as `month`; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub period: String,
}

/// When a price is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PriceKind {
    /// Once (TMF620 `oneTime`).
    OneOff,
    /// Every period.
    Recurring,
    /// By what is used.
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
