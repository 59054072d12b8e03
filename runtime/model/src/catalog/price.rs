//! The prices of a catalog (TMF620 `ProductOfferingPrice`): charges, what alters them, and what
//! they are made of.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::Allowed;
use super::lifecycle::{Lifecycle, Validity};
use super::read::{allowed, array, ids, status, text};
use crate::money::{AMOUNT_MAX, Money, PERCENT_MAX, PriceKind, TAX_CATEGORY, Tax, decimal};
use crate::period::{LENGTH_MAX, Period, Term};

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
    if role == PriceRole::Charge(PriceKind::Recurring) && period.is_none() && parts.is_empty() {
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
        lasts: lasts(entity, role, period)?,
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

/// The period: a unit and a length.
fn period(entity: &Value) -> Result<Option<Period>, String> {
    let length = match entity.get("recurringChargePeriodLength") {
        None | Some(Value::Null) => 1,
        Some(value) => {
            let length = value.as_u64().and_then(|length| u32::try_from(length).ok());
            length.filter(|length| (1..=LENGTH_MAX).contains(length)).ok_or(format!(
                "`recurringChargePeriodLength` is a whole number from 1 to {LENGTH_MAX}"
            ))?
        }
    };
    let Some(unit) = text(entity, "recurringChargePeriodType").filter(|unit| !unit.is_empty())
    else {
        return Ok(None);
    };
    let one = Period::parse(unit).ok_or_else(|| {
        format!(
            "`recurringChargePeriodType` is none of `day`, `week`, `month`, `quarter`, `year`, \
             but `{unit}`"
        )
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

/// How long what alters another price lasts: `applicationDuration`, in its own periods or those of
/// the price, or the first term in the catalog's form, which has a unit.
fn lasts(entity: &Value, role: PriceRole, period: Option<Period>) -> Result<Option<Term>, String> {
    let told = entity.get("applicationDuration").filter(|amount| !amount.is_null());
    let term = array(entity, "productOfferingTerm").first().and_then(|term| term.get("duration"));
    match (role, told, term) {
        (PriceRole::Charge(_), None, _) => Ok(None),
        (PriceRole::Charge(_), Some(_), _) => {
            Err("`applicationDuration` is for what alters a price; a price has none".into())
        }
        (PriceRole::Alteration(..), Some(amount), _) => {
            let wrong = "`applicationDuration` is a whole number from 1 to 1200";
            Ok(Some(Term { periods: count(amount).ok_or(wrong)?, each: period }))
        }
        (PriceRole::Alteration(..), None, Some(duration)) => {
            let wrong = "`productOfferingTerm.duration.amount` is a whole number from 1 to 1200";
            let periods = duration.get("amount").and_then(count).ok_or(wrong)?;
            let each = match text(duration, "units") {
                None => None,
                Some(unit) => Some(Period::parse(unit).ok_or_else(|| {
                    format!(
                        "`productOfferingTerm.duration.units` is none of `day`, `week`, `month`, \
                         `quarter`, `year`, but `{unit}`"
                    )
                })?),
            };
            Ok(Some(Term { periods, each }))
        }
        (PriceRole::Alteration(..), None, None) => Ok(None),
    }
}

fn count(amount: &Value) -> Option<u32> {
    let count = amount.as_u64().and_then(|amount| u32::try_from(amount).ok());
    count.filter(|count| (1..=LENGTH_MAX).contains(count))
}
