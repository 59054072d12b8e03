//! The prices of a catalog (TMF620 `ProductOfferingPrice`): charges, what alters them, and what
//! they are made of.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::Allowed;
use super::lifecycle::{Lifecycle, Validity};
use super::read::{allowed, array, ids, status, text};
use crate::money::{AMOUNT_MAX, Money, PERCENT_MAX, PriceKind, TAX_CATEGORY, Tax, decimal};

/// A price as the catalog has it.
#[derive(Clone, Debug, PartialEq)]
pub struct OfferingPrice {
    /// Its id.
    pub id: String,
    /// Its name on the bill.
    pub name: String,
    /// What it does.
    pub role: PriceRole,
    /// How much; nothing for a percentage, or where its parts say it.
    pub amount: Option<Money>,
    /// How many percent, of what alters another price.
    pub percentage: Option<Decimal>,
    /// The period of a recurring price, such as `month` or `3 month`; else empty.
    pub period: String,
    /// What is counted, of usage, such as `GB`.
    pub unit: Option<String>,
    /// The taxes on it, if the catalog names any.
    pub taxes: Vec<Tax>,
    /// The values of characteristics that it is for; any where none is listed.
    pub when: BTreeMap<String, Vec<Allowed>>,
    /// What alters it.
    pub altered_by: Vec<(String, Effect)>,
    /// The prices that it is made of.
    pub parts: Vec<String>,
    /// For how many periods it counts, of what alters another; for ever where nothing is said.
    pub duration: Option<u32>,
    /// What alters a price is applied in this order.
    pub priority: i64,
    /// Where it stands.
    pub status: Lifecycle,
    /// When it counts.
    pub valid: Validity,
}

/// What a price does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceRole {
    /// It is charged.
    Charge(PriceKind),
    /// It changes what is charged; of one kind, or of all.
    Alteration(Effect, Option<PriceKind>),
}

/// Which way a price is altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It becomes less.
    Discount,
    /// It becomes more.
    Surcharge,
}

impl Effect {
    /// Reads it out of a type, such as `discount` or `promotionalDiscount`; nothing where the
    /// type is about something else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if says(&["surcharge", "markup"]) {
            Some(Self::Surcharge)
        } else if says(&["discount", "allowance", "alter", "promotion"]) {
            Some(Self::Discount)
        } else {
            None
        }
    }
}

impl OfferingPrice {
    /// Whether it counts at a time.
    pub fn holds(&self, at: Option<crate::Timestamp>) -> bool {
        self.status.is_on_sale() && self.valid.holds(at)
    }
}

pub(super) fn price(entity: &Value, id: &str, name: String) -> Result<OfferingPrice, String> {
    let word = text(entity, "priceType").ok_or("`priceType` is missing")?;
    let amount = amount(entity)?;
    let percentage = number(entity, "percentage")?;
    let parts: Vec<String> = ids(entity, "bundledPopRelationship").collect();
    let kind = PriceKind::from_tmf(word);
    let role = match (kind, Effect::parse(word)) {
        (Some(kind), _) if amount.is_none() && percentage.is_some() => {
            PriceRole::Alteration(Effect::Discount, Some(kind))
        }
        (Some(kind), _) => PriceRole::Charge(kind),
        (None, Some(effect)) => PriceRole::Alteration(effect, None),
        (None, None) => {
            return Err("`priceType` is none of `oneTime`, `recurring`, `usage`, `discount`, \
                        `surcharge`"
                .into());
        }
    };
    if amount.is_none() && percentage.is_none() && parts.is_empty() {
        return Err("`price` needs `unit` (a currency) and `value` (a number)".into());
    }
    let period = period(entity)?;
    if role == PriceRole::Charge(PriceKind::Recurring) && period.is_empty() && parts.is_empty() {
        return Err("a recurring price needs `recurringChargePeriodType`".into());
    }
    let unit = entity.get("unitOfMeasure").and_then(unit);
    Ok(OfferingPrice {
        id: id.into(),
        name,
        role,
        amount,
        percentage,
        period,
        unit,
        taxes: taxes(entity)?,
        when: values_used(entity)?,
        altered_by: altered_by(entity)?,
        parts,
        duration: duration(entity)?,
        priority: entity.get("priority").and_then(Value::as_i64).unwrap_or(0),
        status: status(entity)?,
        valid: Validity::of(entity)?,
    })
}

fn amount(entity: &Value) -> Result<Option<Money>, String> {
    match entity.get("price") {
        None | Some(Value::Null) => Ok(None),
        Some(price) => match Money::from_tmf(price) {
            Some(money) if money.amount.abs() > Decimal::from(AMOUNT_MAX) => {
                Err(format!("`price` is beyond {AMOUNT_MAX}"))
            }
            Some(money) if !money.currency.is_empty() => Ok(Some(money)),
            _ => Err("`price` needs `unit` (a currency) and `value` (a number)".into()),
        },
    }
}

fn number(entity: &Value, name: &str) -> Result<Option<Decimal>, String> {
    match entity.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match decimal(value) {
            Some(number) if Decimal::ZERO <= number && number <= Decimal::from(PERCENT_MAX) => {
                Ok(Some(number))
            }
            Some(number) => Err(format!("`{name}` is from 0 to {PERCENT_MAX}, not {number}")),
            None => Err(format!("`{name}` is no number")),
        },
    }
}

/// The period, in the words that billing knows where there is one.
fn period(entity: &Value) -> Result<String, String> {
    let word = text(entity, "recurringChargePeriodType").unwrap_or("").to_lowercase();
    let word = match word.as_str() {
        "daily" | "days" => "day",
        "weekly" | "weeks" => "week",
        "monthly" | "months" => "month",
        "yearly" | "years" | "annual" | "annually" => "year",
        other => other,
    };
    let length = match entity.get("recurringChargePeriodLength") {
        None | Some(Value::Null) => 1,
        Some(value) => value.as_u64().ok_or("`recurringChargePeriodLength` is a whole number")?,
    };
    Ok(match (length, word) {
        (0 | 1, word) => word.into(),
        (12, "month") => "year".into(),
        (length, word) => format!("{length} {word}"),
    })
}

fn unit(quantity: &Value) -> Option<String> {
    let units = text(quantity, "units")?;
    match quantity.get("amount").and_then(decimal) {
        None => Some(units.into()),
        Some(amount) if amount == Decimal::ONE => Some(units.into()),
        Some(amount) => Some(format!("{} {units}", amount.normalize())),
    }
}

/// The taxes that the catalog names.
fn taxes(entity: &Value) -> Result<Vec<Tax>, String> {
    let mut taxes = Vec::new();
    for tax in array(entity, "tax") {
        if let Some(rate) = number(tax, "taxRate")? {
            let category = text(tax, "taxCategory").filter(|name| !name.is_empty());
            taxes.push(Tax { rate, category: category.unwrap_or(TAX_CATEGORY).into() });
        }
    }
    Ok(taxes)
}

/// The values of characteristics that a price or an offering names.
pub(super) fn values_used(entity: &Value) -> Result<BTreeMap<String, Vec<Allowed>>, String> {
    let uses = array(entity, "prodSpecCharValueUse").iter().map(|entry| {
        let name = text(entry, "name").ok_or("an entry of `prodSpecCharValueUse` has no `name`")?;
        Ok((name.to_string(), allowed(array(entry, "productSpecCharacteristicValue"))?))
    });
    uses.collect()
}

fn altered_by(entity: &Value) -> Result<Vec<(String, Effect)>, String> {
    let mut found = Vec::new();
    for entry in array(entity, "popRelationship") {
        let effect = text(entry, "relationshipType").and_then(Effect::parse);
        if let Some(effect) = effect {
            let id = text(entry, "id").ok_or("an entry of `popRelationship` has no `id`")?;
            found.push((id.to_string(), effect));
        }
    }
    Ok(found)
}

/// For how many periods: `applicationDuration`, or the first term in the catalog's form.
fn duration(entity: &Value) -> Result<Option<u32>, String> {
    let term = array(entity, "productOfferingTerm").first();
    let amount = entity
        .get("applicationDuration")
        .or_else(|| term.and_then(|term| term.get("duration")?.get("amount")))
        .filter(|value| !value.is_null());
    let Some(amount) = amount else {
        return Ok(None);
    };
    let periods = amount.as_u64().and_then(|amount| u32::try_from(amount).ok());
    match periods.filter(|periods| *periods > 0) {
        Some(periods) => Ok(Some(periods)),
        None => Err("the duration is a whole number from 1".into()),
    }
}
