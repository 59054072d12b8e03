//! The request and the answer of a rater, as a step's input and outputs have them.

use std::collections::BTreeMap;

use model::{Failure, FailureClass, Outcome};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use tmf::money::{AMOUNT_MAX, Decimal, decimal};

use crate::answer::malformed;
use crate::bindings::rater::exports::ferrule::plugin::rating;
use crate::bindings::types::{Attribute, Money};

/// The attribute of a price that says its own tax, in percent.
const TAX_RATE: &str = "tax-rate";

/// How many digits an amount of a charge may have: more would be rounded without a word.
const DIGITS_MAX: usize = 28;

/// The input of a rating step.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    prices: Vec<Price>,
    #[serde(default = "one")]
    quantity: u32,
    start: String,
    #[serde(default)]
    bill_day: u32,
    #[serde(default = "zero", deserialize_with = "text")]
    tax_rate: String,
}

#[derive(Debug, Deserialize)]
struct Price {
    id: String,
    name: String,
    kind: Kind,
    amount: Amount,
    #[serde(default)]
    period: String,
    #[serde(default)]
    alterations: Vec<Alteration>,
    #[serde(default)]
    tax: Option<Tax>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// The tax on a price, where it has one of its own.
#[derive(Debug, Deserialize)]
struct Tax {
    #[serde(deserialize_with = "text")]
    rate: String,
}

/// What makes a price another one for the first periods, and so for the first charge.
#[derive(Debug, Deserialize)]
struct Alteration {
    #[serde(deserialize_with = "text")]
    amount: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    #[serde(alias = "one-off")]
    OneOff,
    Recurring,
    Usage,
}

#[derive(Debug, Deserialize)]
struct Amount {
    currency: String,
    #[serde(deserialize_with = "text")]
    amount: String,
}

/// Makes the typed request of a step's input.
pub(crate) fn request(input: Map<String, Value>) -> Result<rating::Request, Failure> {
    let input: Input = serde_json::from_value(Value::Object(input)).map_err(|error| {
        let message = format!("the input of the rating step is wrong: {error}; mend the workflow");
        Failure::new(FailureClass::Person, "RATING_INPUT", message)
    })?;
    let attribute = |(name, value)| Attribute { name, value };
    let price = |price: Price| rating::Price {
        id: price.id,
        name: price.name,
        kind: match price.kind {
            Kind::OneOff => rating::ChargeKind::OneOff,
            Kind::Recurring => rating::ChargeKind::Recurring,
            Kind::Usage => rating::ChargeKind::Usage,
        },
        amount: first_amount(price.amount, &price.alterations),
        period: price.period,
        attributes: price
            .attributes
            .into_iter()
            .chain(price.tax.map(|tax| (TAX_RATE.into(), tax.rate)))
            .map(attribute)
            .collect(),
    };
    Ok(rating::Request {
        prices: input.prices.into_iter().map(price).collect(),
        quantity: input.quantity,
        start: input.start,
        bill_day: input.bill_day,
        tax_rate: input.tax_rate,
        attributes: Vec::new(),
    })
}

/// What is charged for the first period. A text that is no number is left to the rater to refuse.
fn first_amount(listed: Amount, alterations: &[Alteration]) -> Money {
    let Amount { currency, amount } = listed;
    if alterations.is_empty() {
        return Money { currency, amount };
    }
    let number = |text: &str| decimal(&Value::String(text.into()));
    let mut sum = number(&amount);
    for change in alterations {
        sum = sum.zip(number(&change.amount)).and_then(|(sum, change)| sum.checked_add(change));
    }
    Money { currency, amount: sum.map_or(amount, |sum| sum.to_string()) }
}

/// Makes a step's outputs of the charges.
pub(crate) fn outputs(charges: Vec<rating::Charge>) -> Outcome {
    let wrong = charges
        .iter()
        .flat_map(|charge| [&charge.net, &charge.tax])
        .find(|money| !is_decimal(&money.amount) || money.currency.len() != 3);
    if let Some(money) = wrong {
        let what = format!("`{} {}`, which is no money", money.amount, money.currency);
        return Outcome::Failed(malformed(&what));
    }
    let charges = charges.into_iter().map(charge).collect();
    Outcome::Done([("charges".to_owned(), Value::Array(charges))].into_iter().collect())
}

fn charge(charge: rating::Charge) -> Value {
    let kind = match charge.kind {
        rating::ChargeKind::OneOff => "oneOff",
        rating::ChargeKind::Recurring => "recurring",
        rating::ChargeKind::Usage => "usage",
    };
    let money = |money: Money| json!({ "currency": money.currency, "amount": money.amount });
    let attributes: Map<_, _> = charge
        .attributes
        .into_iter()
        .map(|attribute| (attribute.name, Value::String(attribute.value)))
        .collect();
    json!({
        "price": charge.price,
        "name": charge.name,
        "kind": kind,
        "net": money(charge.net),
        "tax": money(charge.tax),
        "from": charge.from,
        "to": charge.to,
        "attributes": attributes,
    })
}

/// Whether a text is a decimal that keeps all its digits, of an amount that may be charged.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole =
        [whole, fraction].into_iter().all(is_part) && whole.len() + fraction.len() <= DIGITS_MAX;
    let amount = is_whole.then(|| decimal(&Value::String(text.into()))).flatten();
    amount.is_some_and(|amount| amount.abs() <= Decimal::from(AMOUNT_MAX))
}

fn one() -> u32 {
    1
}

fn zero() -> String {
    "0".into()
}

/// Takes a decimal as text or as a number, whose shortest text is taken.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(serde::de::Error::custom("expected a decimal number"))
        }
    }
}

#[cfg(test)]
mod tests;
