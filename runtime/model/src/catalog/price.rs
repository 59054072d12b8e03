//! The prices of a catalog (TMF620 `ProductOfferingPrice`): charges, what alters them, and what
//! they are made of.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::Allowed;
use super::lifecycle::{Lifecycle, Validity};
use super::read::{array, ids, status, text, values_used};
use crate::pricing::effect::Effect;
use crate::pricing::tariff;
use tmf::money::{
    AMOUNT_MAX, Money, PERCENT_MAX, PriceKind, TAX_CATEGORY, Tax, decimal, is_currency, is_too_fine,
};
use tmf::period::{LENGTH_MAX, Period, Term};

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
    /// The period of a recurring price.
    pub period: Option<Period>,
    /// What is counted, of usage, such as `GB`.
    pub unit: Option<String>,
    /// The specification of the usage that its tariff is for, if it has one.
    pub usage: Option<String>,
    /// The taxes on it, if the catalog names any.
    pub taxes: Vec<Tax>,
    /// The values of characteristics that it is for; any where none is listed.
    pub when: BTreeMap<String, Vec<Allowed>>,
    /// What alters it.
    pub altered_by: Vec<(String, Effect)>,
    /// The prices that it is made of.
    pub parts: Vec<String>,
    /// How long it lasts, of what alters another; for good if `None`.
    pub lasts: Option<Term>,
    /// The alterations of a price are applied in ascending order of this.
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

impl OfferingPrice {
    /// Whether it counts at a time.
    pub fn holds(&self, at: Option<tmf::time::Timestamp>) -> bool {
        self.status.is_on_sale() && self.valid.holds(at)
    }
}

/// Why a price of a catalog cannot be billed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PriceError {
    /// The attribute.
    pub attribute: String,
    /// What is wrong with it.
    pub message: String,
}

impl From<PriceError> for String {
    fn from(error: PriceError) -> Self {
        error.message
    }
}

fn wrong(attribute: &str, message: impl Into<String>) -> PriceError {
    PriceError { attribute: attribute.into(), message: message.into() }
}

/// Checks that a price of a catalog can be billed as it is.
pub fn check_price(entity: &Value) -> Result<(), PriceError> {
    price(entity, "", String::new()).map(|_| ())
}

pub(super) fn price(entity: &Value, id: &str, name: String) -> Result<OfferingPrice, PriceError> {
    let word = text(entity, "priceType");
    let word = word.ok_or_else(|| wrong("priceType", "`priceType` is missing"))?;
    let amount = amount(entity)?;
    let percentage =
        number(entity, "percentage").map_err(|message| wrong("percentage", message))?;
    let parts: Vec<String> = ids(entity, "bundledPopRelationship").collect();
    let kind = PriceKind::from_tmf(word);
    let role = match (kind, Effect::parse(word)) {
        (Some(kind), _) if amount.is_none() && percentage.is_some() => {
            PriceRole::Alteration(Effect::Discount, Some(kind))
        }
        (Some(kind), _) => PriceRole::Charge(kind),
        (None, Some(effect)) => PriceRole::Alteration(effect, None),
        (None, None) => {
            let message = "`priceType` is none of `oneTime`, `recurring`, `usage`, `discount`, \
                           `surcharge`";
            return Err(wrong("priceType", message));
        }
    };
    if amount.is_none() && percentage.is_none() && parts.is_empty() {
        return Err(wrong("price", NO_AMOUNT));
    }
    check_amount(role, amount.as_ref(), percentage)?;
    let period = period(entity)?;
    if role == PriceRole::Charge(PriceKind::Recurring) && period.is_none() && parts.is_empty() {
        let message = "a recurring price needs `recurringChargePeriodType`";
        return Err(wrong("recurringChargePeriodType", message));
    }
    tariff::check_price(entity).map_err(|found| wrong(&found.attribute, found.to_string()))?;
    let unit = entity.get("unitOfMeasure").and_then(unit);
    let used = values_used(entity).map_err(|message| wrong("prodSpecCharValueUse", message))?;
    let altered = altered_by(entity).map_err(|message| wrong("popRelationship", message))?;
    Ok(OfferingPrice {
        id: id.into(),
        name,
        role,
        amount,
        percentage,
        period,
        unit,
        usage: entity.pointer("/tariff/usageSpecification").and_then(Value::as_str).map(Into::into),
        taxes: taxes(entity).map_err(|message| wrong("tax", message))?,
        when: used,
        altered_by: altered,
        parts,
        lasts: lasts(entity, role, period)?,
        priority: entity.get("priority").and_then(Value::as_i64).unwrap_or(0),
        status: status(entity).map_err(|message| wrong("lifecycleStatus", message))?,
        valid: Validity::of(entity).map_err(|message| wrong("validFor", message))?,
    })
}

const NO_AMOUNT: &str = "`price` needs `unit` (a currency) and `value` (a number)";

fn amount(entity: &Value) -> Result<Option<Money>, PriceError> {
    match entity.get("price") {
        None | Some(Value::Null) => Ok(None),
        Some(price) => match Money::from_tmf(price) {
            Some(money) if money.amount.abs() > Decimal::from(AMOUNT_MAX) => {
                Err(wrong("price", format!("`price` is beyond {AMOUNT_MAX}")))
            }
            Some(money) if is_currency(&money.currency) => Ok(Some(money)),
            Some(money) => {
                let message = format!("`price.unit` is no currency of ISO 4217: {money}");
                Err(wrong("price.unit", message))
            }
            None => Err(wrong("price", NO_AMOUNT)),
        },
    }
}

/// An amount that can be charged: not below zero, no finer than its currency, and one of amount and
/// percentage.
fn check_amount(
    role: PriceRole,
    amount: Option<&Money>,
    percentage: Option<Decimal>,
) -> Result<(), PriceError> {
    if amount.is_some() && percentage.is_some() {
        return Err(wrong("percentage", "`percentage` stands beside `price`: only one can count"));
    }
    if let (PriceRole::Alteration(Effect::Discount, _), Some(percent)) = (role, percentage)
        && percent > Decimal::ONE_HUNDRED
    {
        return Err(wrong("percentage", "`percentage` of a discount is at most 100"));
    }
    let Some(money) = amount else { return Ok(()) };
    let kind = match role {
        PriceRole::Charge(kind) => Some(kind),
        PriceRole::Alteration(_, kind) => kind,
    };
    if matches!(role, PriceRole::Charge(_)) && money.amount < Decimal::ZERO {
        return Err(wrong("price.value", "`price.value` is below zero"));
    }
    if is_too_fine(money, kind.unwrap_or(PriceKind::OneOff)) {
        let message = format!("`price.value` has more decimals than {} has", money.currency);
        return Err(wrong("price.value", message));
    }
    Ok(())
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

/// The period: a unit and a length.
fn period(entity: &Value) -> Result<Option<Period>, PriceError> {
    let name = "recurringChargePeriodLength";
    let length = match entity.get(name) {
        None | Some(Value::Null) => 1,
        Some(value) => count(value).ok_or_else(|| {
            wrong(name, format!("`{name}` is a whole number from 1 to {LENGTH_MAX}"))
        })?,
    };
    let name = "recurringChargePeriodType";
    let Some(unit) = text(entity, name).filter(|unit| !unit.is_empty()) else { return Ok(None) };
    let one = Period::parse(unit).ok_or_else(|| {
        let known = "`day`, `week`, `month`, `quarter`, `year`";
        wrong(name, format!("`{name}` is none of {known}, but `{unit}`"))
    })?;
    Ok(Some(one.times(length)))
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

/// How long what alters another price lasts: `applicationDuration`, in its own periods or those of
/// the price, or the first term in the catalog's form, which has a unit.
fn lasts(
    entity: &Value,
    role: PriceRole,
    period: Option<Period>,
) -> Result<Option<Term>, PriceError> {
    let name = "applicationDuration";
    let told = entity.get(name).filter(|amount| !amount.is_null());
    let term = array(entity, "productOfferingTerm").first();
    match (role, told, term) {
        (PriceRole::Charge(_), None, _) | (PriceRole::Alteration(..), None, None) => Ok(None),
        (PriceRole::Charge(_), Some(_), _) => {
            Err(wrong(name, format!("`{name}` is for what alters a price; a charge has no end")))
        }
        (PriceRole::Alteration(..), Some(amount), _) => {
            let message = format!("`{name}` is a whole number from 1 to {LENGTH_MAX}");
            let periods = count(amount).ok_or_else(|| wrong(name, message))?;
            Ok(Some(Term { periods, each: period }))
        }
        (PriceRole::Alteration(..), None, Some(term)) => term_of(term).map(Some),
    }
}

/// A term such as three months; without a unit it counts the periods of the price.
fn term_of(term: &Value) -> Result<Term, PriceError> {
    let name = "productOfferingTerm.duration";
    let duration = term.get("duration").filter(|duration| duration.is_object());
    let duration = duration.ok_or_else(|| {
        wrong(name, format!("`{name}` is missing: leave the term out of what lasts for good"))
    })?;
    let name = "productOfferingTerm.duration.amount";
    let message = format!("`{name}` is a whole number from 1 to {LENGTH_MAX}");
    let periods = duration.get("amount").and_then(count).ok_or_else(|| wrong(name, message))?;
    let name = "productOfferingTerm.duration.units";
    let each = match text(duration, "units") {
        None => None,
        Some(unit) => Some(Period::parse(unit).ok_or_else(|| {
            let known = "`day`, `week`, `month`, `quarter`, `year`";
            wrong(name, format!("`{name}` is none of {known}, but `{unit}`"))
        })?),
    };
    Ok(Term { periods, each })
}

fn count(amount: &Value) -> Option<u32> {
    let count = amount.as_u64().and_then(|amount| u32::try_from(amount).ok());
    count.filter(|count| (1..=LENGTH_MAX).contains(count))
}
