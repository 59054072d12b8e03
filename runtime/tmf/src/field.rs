//! Reading attributes of documents, with the path of each for the error.

use std::borrow::Cow;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::Value;

use super::day::Day;
use crate::money::Money;
use crate::time::Timestamp;

/// Max amount or number.
const AMOUNT_MAX: i64 = 1_000_000_000_000;

/// An attribute is missing or malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{attribute}` {problem}")]
pub struct Malformed {
    /// Its path, such as `productPrice[0].price.dutyFreeAmount`.
    pub attribute: String,
    /// A description of the error.
    pub problem: Cow<'static, str>,
}

impl Malformed {
    pub fn new(attribute: impl Into<String>, problem: &'static str) -> Self {
        Self { attribute: attribute.into(), problem: problem.into() }
    }

    /// The same in a document that has the one that was read at a path.
    #[must_use]
    pub fn within(mut self, path: &str) -> Self {
        self.attribute = match self.attribute.as_str() {
            "" | "$" => path.into(),
            // An entry of a list.
            attribute if attribute.starts_with('[') => format!("{path}{attribute}"),
            attribute => format!("{path}.{attribute}"),
        };
        self
    }
}

/// An attribute of a document.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Field<'a> {
    pub fn root(document: &'a Value) -> Self {
        Self { value: document, path: String::new() }
    }

    pub fn wrong(&self, problem: &'static str) -> Malformed {
        Malformed { attribute: self.path.clone(), problem: problem.into() }
    }

    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// An attribute of this one; `None` if it is missing or null.
    pub fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Self { value, path: self.below(name) })
    }

    /// Rejects a value that is not an object, or has an attribute without one of these names.
    pub fn only(&self, names: &[&str]) -> Result<(), Malformed> {
        let fields = self.value.as_object().ok_or_else(|| self.wrong("is not an object"))?;
        match fields.keys().find(|name| !names.contains(&name.as_str())) {
            Some(name) => {
                Err(Malformed { attribute: self.below(name), problem: "is not known".into() })
            }
            None => Ok(()),
        }
    }

    pub fn need(&self, name: &str) -> Result<Self, Malformed> {
        let missing = || Malformed { attribute: self.below(name), problem: "is missing".into() };
        self.get(name).ok_or_else(missing)
    }

    /// The elements of an attribute that is a list; empty if it is missing.
    pub fn items(&self, name: &str) -> Result<Vec<Self>, Malformed> {
        let Some(field) = self.get(name) else { return Ok(Vec::new()) };
        let items = field.value.as_array().ok_or_else(|| field.wrong("is not a list"))?;
        let items = items.iter().enumerate();
        Ok(items
            .map(|(index, value)| Self { value, path: format!("{}[{index}]", field.path) })
            .collect())
    }

    pub fn text(&self) -> Result<&'a str, Malformed> {
        self.value.as_str().ok_or_else(|| self.wrong("is not a text"))
    }

    /// A number, or a text that is a number; never through floating point.
    pub fn decimal(&self) -> Result<Decimal, Malformed> {
        let text = match self.value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(self.wrong("is not a decimal number"));
            }
        };
        let parsed = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text));
        let number = parsed.map_err(|_| self.wrong("is not a decimal number"))?;
        self.bounded(number)
    }

    /// A number within the limits of computations: products of two of them are exact.
    fn bounded(&self, number: Decimal) -> Result<Decimal, Malformed> {
        if number.abs() > Decimal::from(AMOUNT_MAX) {
            return Err(self.wrong("is more than a million million"));
        }
        Ok(number)
    }

    /// A whole number that is not negative.
    pub fn count(&self) -> Result<u32, Malformed> {
        let number = self.value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| self.wrong("is not a whole number"))
    }

    pub fn money(&self) -> Result<Money, Malformed> {
        let money = Money::from_tmf(self.value);
        let money = money.filter(|money| {
            money.currency.len() == 3 && money.currency.bytes().all(|b| b.is_ascii_uppercase())
        });
        let money =
            money.ok_or_else(|| self.wrong("needs `unit` (a currency) and `value` (a number)"))?;
        self.bounded(money.amount)?;
        Ok(money)
    }

    pub fn time(&self) -> Result<Timestamp, Malformed> {
        Timestamp::parse(self.text()?).ok_or_else(|| self.wrong("is not a date-time"))
    }

    pub fn day(&self) -> Result<Day, Malformed> {
        Day::parse(self.text()?).ok_or_else(|| self.wrong("is neither a date-time nor a day"))
    }

    /// The id in a reference.
    pub fn reference(&self, name: &str) -> Result<Option<String>, Malformed> {
        let Some(reference) = self.get(name) else { return Ok(None) };
        Ok(Some(reference.need("id")?.text()?.to_owned()))
    }

    pub fn text_or(&self, name: &str, fallback: &'a str) -> Result<&'a str, Malformed> {
        self.get(name).map_or(Ok(fallback), |field| field.text())
    }

    fn below(&self, name: &str) -> String {
        if self.path.is_empty() { name.into() } else { format!("{}.{name}", self.path) }
    }
}
