//! Quantities (TMF687 `Quantity`): an amount and its units.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Wrong;
use tmf::money::{decimal, number};
use tmf::time::Timestamp;

/// A quantity may be so large.
const AMOUNT_MAX: u64 = 1_000_000_000_000;

/// How much of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    pub(super) amount: Decimal,
    units: Option<String>,
}

impl Quantity {
    pub(super) fn read(value: Option<&Value>, attribute: &str) -> Result<Self, Wrong> {
        let amount = value.and_then(|value| decimal(value.get("amount")?));
        let amount = amount.filter(|amount| amount.abs() <= Decimal::from(AMOUNT_MAX));
        let Some(amount) = amount else {
            let problem = format!("is a number up to {AMOUNT_MAX}");
            return Err(Wrong { attribute: format!("{attribute}.amount"), problem });
        };
        let units = value.and_then(|value| value.get("units")?.as_str()).map(Into::into);
        Ok(Self { amount, units })
    }

    /// One that somebody wants: more than nothing.
    pub(super) fn wanted(value: Option<&Value>, attribute: &str) -> Result<Self, Wrong> {
        let wanted = Self::read(value, attribute)?;
        if wanted.amount > Decimal::ZERO {
            return Ok(wanted);
        }
        Err(Wrong { attribute: format!("{attribute}.amount"), problem: "is more than 0".into() })
    }

    /// Whether a stock counts in the same units; who names none means those of the stock.
    pub(super) fn is_alike(&self, stock: &Value) -> bool {
        let units = stock.pointer("/productStockLevel/units").and_then(Value::as_str);
        match (&self.units, units) {
            (Some(own), Some(units)) => own == units,
            (None, _) | (_, None) => true,
        }
    }

    /// Whether a stock has so much.
    pub(super) fn is_in(&self, stock: &Value) -> bool {
        self.is_alike(stock) && self.amount <= level(stock)
    }

    pub(super) fn to_tmf(&self) -> Value {
        match &self.units {
            Some(units) => json!({ "amount": number(self.amount), "units": units }),
            None => json!({ "amount": number(self.amount) }),
        }
    }
}

/// How much there is in a stock; nothing where it does not say.
pub(super) fn level(stock: &Value) -> Decimal {
    stock.pointer("/productStockLevel/amount").and_then(decimal).unwrap_or_default()
}

/// Changes the level of a stock.
pub(super) fn add(stock: &mut Value, amount: Decimal, at: Timestamp) {
    let sum = level(stock) + amount;
    stock["productStockLevel"]["amount"] = number(sum);
    stock["lastUpdate"] = json!(at.to_string());
}
