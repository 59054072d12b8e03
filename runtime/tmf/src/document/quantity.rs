//! Numbers and money in documents.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::money::{AMOUNT_MAX, Currency, Money, decimal, number};

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
        let value = present(deserializer)?;
        let number = decimal(&value).ok_or_else(|| de::Error::custom("is not a decimal number"))?;
        bounded(number).map(Self)
    }
}

/// Reads a value, which is missing if it is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() { Err(de::Error::custom("is missing")) } else { Ok(value) }
}

/// A number that can be computed with: products of two of them are exact and fit.
fn bounded<E: de::Error>(number: Decimal) -> Result<Decimal, E> {
    if number.abs() > Decimal::from(AMOUNT_MAX) {
        return Err(E::custom("is more than a million million"));
    }
    Ok(number)
}

/// Money as documents have it, TM Forum's `Money`: `unit` and `value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub Money);

impl Amount {
    /// An amount in a currency.
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self(Money { amount, currency })
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_tmf().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = present(deserializer)?;
        let is_code = |code: &str| code.bytes().all(|byte| byte.is_ascii_uppercase());
        let money = Money::from_tmf(&value).filter(|money| is_code(money.currency.as_str()));
        let needs = "needs `unit` (a currency) and `value` (a number)";
        let money = money.ok_or_else(|| de::Error::custom(needs))?;
        bounded(money.amount)?;
        Ok(Self(money))
    }
}

/// A decimal number of a client, which is written back with the digits that it was read with.
#[derive(Clone, Debug)]
pub struct WrittenNumber {
    written: Value,
    number: Decimal,
}

impl WrittenNumber {
    pub fn number(&self) -> Decimal {
        self.number
    }
}

impl From<Decimal> for WrittenNumber {
    fn from(amount: Decimal) -> Self {
        Self { written: number(amount), number: amount }
    }
}

/// Numbers are equal whatever their digits are: `1.5` is `1.50`.
impl PartialEq for WrittenNumber {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for WrittenNumber {}

impl Serialize for WrittenNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WrittenNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = present(deserializer)?;
        let number = decimal(&written);
        let number = number.ok_or_else(|| de::Error::custom("is not a decimal number"))?;
        Ok(Self { written, number: bounded(number)? })
    }
}

crate::document! {
    /// TM Forum's `Quantity`: an amount of units, one if it has no amount.
    #[derive(Default, Eq)]
    pub struct Quantity {
        amount?: WrittenNumber,
        units?: String,
    }
}

impl Quantity {
    pub fn new(amount: Decimal, units: Option<&str>) -> Self {
        let units = units.map(Into::into);
        Self { amount: Some(amount.into()), units, rest: super::Rest::new() }
    }
}
