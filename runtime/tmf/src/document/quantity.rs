//! Numbers and money in documents.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::money::{Money, decimal, number};

/// A decimal number of a document, read from its shortest text: `0.1` is exactly a tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub Decimal);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        number(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        decimal(&value)
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("`{value}` is not a decimal number")))
    }
}

/// Money as documents have it, TM Forum's `Money`: `unit` and `value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount(pub Money);

/// The attributes of TM Forum's `Money`.
#[derive(Serialize, Deserialize)]
struct Written {
    unit: String,
    value: Number,
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Money { currency, amount } = self.0.clone();
        Written { unit: currency, value: Number(amount) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { unit, value } = Written::deserialize(deserializer)?;
        Ok(Self(Money { currency: unit, amount: value.0 }))
    }
}

crate::document! {
    /// TM Forum's `Quantity`: an amount of units, one if it has no amount.
    #[derive(Eq)]
    pub struct Quantity {
        amount?: Number,
        units?: String,
    }
}
