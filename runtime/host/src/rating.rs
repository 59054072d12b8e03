//! The request and the answer of a rater, as a step's input and outputs have them.

use std::collections::BTreeMap;

use model::{Failure, FailureClass, FailureCode, Outcome};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use tmf::money::{AMOUNT_MAX, Decimal, decimal};

use crate::answer::malformed;
use crate::contract::types::{Attribute, Money};
use crate::contract::{Charge, ChargeKind, rating, usage_rating};

use self::usage::usage;

mod usage;

/// Max digits of an amount of a charge: more would be rounded silently.
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

/// The tax on a price that has its own.
#[derive(Debug, Deserialize)]
struct Tax {
    #[serde(deserialize_with = "text")]
    rate: String,
}

/// A change of a price for its first periods, and so for the first charge.
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

/// What a rating step asks of its plugin.
#[derive(Debug)]
pub(crate) struct Request {
    /// The prices that are charged at the start.
    pub(crate) prices: rating::Request,
    /// The usages. A usage price without usage has nothing to rate yet.
    pub(crate) usages: Vec<usage_rating::Request>,
}

/// Makes the typed request of a step's input.
pub(crate) fn request(input: &Map<String, Value>) -> Result<Request, Failure> {
    let input = Input::deserialize(input).map_err(|error| wrong(&error.to_string()))?;
    let (mut prices, mut usages) = (Vec::new(), Vec::new());
    for price in input.prices {
        if let Kind::Usage = price.kind {
            usages.extend(usage(price, &input.tax_rate)?);
            continue;
        }
        let period = match price.kind {
            Kind::Recurring => Some(period(&price)?),
            Kind::OneOff | Kind::Usage => None,
        };
        prices.push(rating::Price {
            id: price.id,
            name: price.name,
            amount: first_amount(price.amount, &price.alterations),
            period,
            tax_rate: price.tax.map(|tax| tax.rate),
            attributes: price.attributes.into_iter().map(attribute).collect(),
        });
    }
    let prices = rating::Request {
        prices,
        quantity: input.quantity,
        start: input.start,
        bill_day: (input.bill_day != 0).then_some(input.bill_day),
        tax_rate: input.tax_rate,
        attributes: Vec::new(),
    };
    Ok(Request { prices, usages })
}

fn wrong(what: &str) -> Failure {
    let message = format!("the input of the rating step is wrong: {what}; mend the workflow");
    Failure::new(FailureClass::Operator, FailureCode::RatingInput, message)
}

/// The period of a price: a unit, or a number of them, such as `3 month`.
fn period(price: &Price) -> Result<rating::Period, Failure> {
    let text = price.period.as_str();
    let (length, unit) = match text.split_once(' ') {
        Some((length, unit)) => (length.parse().ok(), unit),
        None => (Some(1), text),
    };
    let (factor, unit) = match unit {
        "day" => (1, rating::Unit::Day),
        "week" => (1, rating::Unit::Week),
        "month" => (1, rating::Unit::Month),
        "quarter" => (3, rating::Unit::Month),
        "year" => (1, rating::Unit::Year),
        _ => (0, rating::Unit::Day),
    };
    let length = length.and_then(|length: u32| length.checked_mul(factor)).unwrap_or(0);
    if length == 0 {
        return Err(wrong(&format!(
            "period `{text}` of price `{}` is none of `day`, `week`, `month`, `quarter`, `year`, \
             nor a number of them",
            price.id
        )));
    }
    Ok(rating::Period { length, unit })
}

/// The amount of the first period. A text that is no number is left to the rater to refuse.
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

fn attribute((name, value): (String, String)) -> Attribute {
    Attribute { name, value }
}

/// Makes a step's outputs of the charges.
pub(crate) fn outputs(charges: Vec<Charge>) -> Outcome {
    let wrong = charges
        .iter()
        .flat_map(|charge| [&charge.net, &charge.tax])
        .find(|money| !is_decimal(&money.amount) || money.currency.len() != 3);
    if let Some(money) = wrong {
        let answer = format!("`{} {}`, which is no money", money.amount, money.currency);
        return Outcome::Failed(malformed(&answer));
    }
    let charges: Vec<Charged> = charges.into_iter().map(charge).collect();
    let charges = serde_json::to_value(charges).expect("texts are JSON");
    Outcome::Done([("charges".to_owned(), charges)].into_iter().collect())
}

/// A charge, as a step's outputs have it.
#[derive(Serialize)]
struct Charged {
    price: String,
    name: String,
    kind: &'static str,
    net: ChargedMoney,
    tax: ChargedMoney,
    from: String,
    to: String,
    attributes: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct ChargedMoney {
    currency: String,
    amount: String,
}

fn charge(charge: Charge) -> Charged {
    let (from, to) = charge.covers.unwrap_or_default();
    let attributes = charge.attributes.into_iter();
    Charged {
        price: charge.price,
        name: charge.name,
        kind: match charge.kind {
            ChargeKind::OneOff => "oneOff",
            ChargeKind::Recurring => "recurring",
            ChargeKind::Usage => "usage",
        },
        net: charge.net.into(),
        tax: charge.tax.into(),
        from,
        to,
        attributes: attributes.map(|attribute| (attribute.name, attribute.value)).collect(),
    }
}

impl From<Money> for ChargedMoney {
    fn from(money: Money) -> Self {
        Self { currency: money.currency, amount: money.amount }
    }
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
