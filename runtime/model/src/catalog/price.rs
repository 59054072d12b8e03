//! The prices of a catalog (TMF620 `ProductOfferingPrice`): charges, what alters them, and what
//! they are made of.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::Allowed;
use super::lifecycle::{Lifecycle, Validity};
use super::read::{ids, status, values_used};
use crate::pricing::effect::Effect;
use crate::pricing::tariff;
use tmf::Malformed;
use tmf::document::offering::{OfferedTax, OfferingTerm, ProductOfferingPrice};
use tmf::document::specification::Relationship;
use tmf::document::{self, Amount, Deferred, Number, Quantity, WrittenNumber};
use tmf::money::{Money, PERCENT_MAX, PriceKind, TAX_CATEGORY, Tax, is_too_fine};
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
    /// How much; `None` for a percentage, or if its parts have the amounts.
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

/// Reads a price that a client or a pack wrote, if it can be billed as it is.
pub fn read_price(entity: &Value) -> Result<OfferingPrice, PriceError> {
    let malformed = |found: Malformed| wrong(&found.attribute, found.to_string());
    let price: ProductOfferingPrice = document::read(entity).map_err(malformed)?;
    tariff::check_price(price.price_type.as_deref(), price.tariff.as_ref()).map_err(malformed)?;
    of_document(price)
}

fn of_document(price: ProductOfferingPrice) -> Result<OfferingPrice, PriceError> {
    let amount = amount(price.price)?;
    let percentage =
        percent("percentage", price.percentage).map_err(|message| wrong("percentage", message))?;
    let parts: Vec<String> = ids(price.bundled_pop_relationship).collect();
    let role = role(price.price_type.as_deref(), amount.is_none() && percentage.is_some())?;
    if amount.is_none() && percentage.is_none() && parts.is_empty() {
        return Err(wrong("price", NO_AMOUNT));
    }
    check_amount(role, amount.as_ref(), percentage)?;
    let period = period(
        price.recurring_charge_period_type.as_deref(),
        price.recurring_charge_period_length,
    )?;
    if role == PriceRole::Charge(PriceKind::Recurring) && period.is_none() && parts.is_empty() {
        let message = "a recurring price needs `recurringChargePeriodType`";
        return Err(wrong("recurringChargePeriodType", message));
    }
    let used = values_used(price.prod_spec_char_value_use)
        .map_err(|message| wrong("prodSpecCharValueUse", message))?;
    let altered =
        altered_by(price.pop_relationship).map_err(|message| wrong("popRelationship", message))?;
    let tariff = price.tariff.as_ref().and_then(Deferred::ok);
    Ok(OfferingPrice {
        id: price.id.unwrap_or_default(),
        name: price.name.unwrap_or_default(),
        role,
        amount,
        percentage,
        period,
        unit: price.unit_of_measure.as_ref().and_then(Deferred::ok).and_then(unit),
        usage: tariff.map(|tariff| tariff.usage_specification.clone()),
        taxes: taxes(price.tax).map_err(|message| wrong("tax", message))?,
        when: used,
        altered_by: altered,
        parts,
        lasts: lasts(
            price.application_duration,
            price.product_offering_term.first(),
            role,
            period,
        )?,
        priority: price.priority.unwrap_or(0),
        status: status(price.lifecycle_status.as_deref())
            .map_err(|message| wrong("lifecycleStatus", message))?,
        valid: Validity::of(price.valid_for.as_ref())
            .map_err(|message| wrong("validFor", message))?,
    })
}

const NO_AMOUNT: &str = "`price` needs `unit` (a currency) and `value` (a number)";

/// The role of a price by its type. A percentage alone of a kind of charge is a discount of it.
fn role(word: Option<&str>, is_percentage: bool) -> Result<PriceRole, PriceError> {
    let word = word.ok_or_else(|| wrong("priceType", "`priceType` is missing"))?;
    match (PriceKind::from_tmf(word), Effect::parse(word)) {
        (Some(kind), _) if is_percentage => Ok(PriceRole::Alteration(Effect::Discount, Some(kind))),
        (Some(kind), _) => Ok(PriceRole::Charge(kind)),
        (None, Some(effect)) => Ok(PriceRole::Alteration(effect, None)),
        (None, None) => {
            let message = "`priceType` is none of `oneTime`, `recurring`, `usage`, `discount`, \
                           `surcharge`";
            Err(wrong("priceType", message))
        }
    }
}

fn amount(price: Option<Amount>) -> Result<Option<Money>, PriceError> {
    let Some(Amount(money)) = price else { return Ok(None) };
    if !money.currency.is_known() {
        let message = format!("`price.unit` is no currency of ISO 4217: {money}");
        return Err(wrong("price.unit", message));
    }
    Ok(Some(money))
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

fn percent(name: &str, number: Option<Number>) -> Result<Option<Decimal>, String> {
    let Some(Number(number)) = number else { return Ok(None) };
    if number < Decimal::ZERO || number > Decimal::from(PERCENT_MAX) {
        return Err(format!("`{name}` is from 0 to {PERCENT_MAX}, not {number}"));
    }
    Ok(Some(number))
}

/// The period: a unit and a length.
fn period(unit: Option<&str>, length: Option<u32>) -> Result<Option<Period>, PriceError> {
    let length = counted("recurringChargePeriodLength", length.unwrap_or(1))?;
    let Some(unit) = unit.filter(|unit| !unit.is_empty()) else { return Ok(None) };
    unit_of("recurringChargePeriodType", unit).map(|one| Some(one.times(length)))
}

/// The period that an attribute names.
fn unit_of(name: &str, unit: &str) -> Result<Period, PriceError> {
    Period::parse(unit).ok_or_else(|| {
        let known = "`day`, `week`, `month`, `quarter`, `year`";
        wrong(name, format!("`{name}` is none of {known}, but `{unit}`"))
    })
}

fn unit(quantity: &Quantity) -> Option<String> {
    let units = quantity.units.as_deref()?;
    let amount = quantity.amount.as_ref().map(WrittenNumber::number);
    match amount.filter(|amount| *amount != Decimal::ONE) {
        Some(amount) => Some(format!("{} {units}", amount.normalize())),
        None => Some(units.into()),
    }
}

/// The taxes that the catalog names.
fn taxes(entries: Vec<OfferedTax>) -> Result<Vec<Tax>, String> {
    let mut taxes = Vec::new();
    for tax in entries {
        if let Some(rate) = percent("taxRate", tax.tax_rate)? {
            let category = tax.tax_category.filter(|name| !name.is_empty());
            taxes.push(Tax { rate, category: category.unwrap_or_else(|| TAX_CATEGORY.into()) });
        }
    }
    Ok(taxes)
}

fn altered_by(entries: Vec<Relationship>) -> Result<Vec<(String, Effect)>, String> {
    let mut found = Vec::new();
    for entry in entries {
        if let Some(effect) = entry.relationship_type.as_deref().and_then(Effect::parse) {
            let id = entry.id.ok_or("an entry of `popRelationship` has no `id`")?;
            found.push((id, effect));
        }
    }
    Ok(found)
}

/// How long an alteration of another price lasts: `applicationDuration`, in its own periods or those of
/// the price, or the first term in the catalog's form, which has a unit.
fn lasts(
    duration: Option<u32>,
    term: Option<&OfferingTerm>,
    role: PriceRole,
    period: Option<Period>,
) -> Result<Option<Term>, PriceError> {
    let name = "applicationDuration";
    match (role, duration, term) {
        (PriceRole::Charge(_), None, _) | (PriceRole::Alteration(..), None, None) => Ok(None),
        (PriceRole::Charge(_), Some(_), _) => {
            Err(wrong(name, format!("`{name}` is for what alters a price; a charge has no end")))
        }
        (PriceRole::Alteration(..), Some(periods), _) => {
            Ok(Some(Term { periods: counted(name, periods)?, each: period }))
        }
        (PriceRole::Alteration(..), None, Some(term)) => term_of(term).map(Some),
    }
}

/// A term such as three months; without a unit it counts the periods of the price.
fn term_of(term: &OfferingTerm) -> Result<Term, PriceError> {
    let name = "productOfferingTerm.duration";
    let duration = term.duration.as_ref().ok_or_else(|| {
        wrong(name, format!("`{name}` is missing: leave the term out of what lasts for good"))
    })?;
    let amount = duration.amount.as_ref().and_then(Value::as_u64);
    let amount = amount.and_then(|amount| u32::try_from(amount).ok()).unwrap_or(0);
    let periods = counted("productOfferingTerm.duration.amount", amount)?;
    let unit = duration.units.as_deref();
    let each = unit.map(|unit| unit_of("productOfferingTerm.duration.units", unit)).transpose()?;
    Ok(Term { periods, each })
}

/// A number of periods.
fn counted(name: &str, count: u32) -> Result<u32, PriceError> {
    if (1..=LENGTH_MAX).contains(&count) {
        return Ok(count);
    }
    Err(wrong(name, format!("`{name}` is a whole number from 1 to {LENGTH_MAX}")))
}
