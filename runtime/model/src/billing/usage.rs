//! Usage (TMF635): to which product and price it belongs, in which order it counts, what a rater
//! said it costs, and how it is billed.

mod billed;
mod guide;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::cycle::Cycle;
use super::day::Days;
use super::field::{Field, Malformed};
use super::rate::{number, reference};
use super::zone::Zone;
use crate::money::Money;
use crate::time::Timestamp;

pub use billed::{Billed, bill};
pub use guide::{Candidate, Guided, Rejection, guide};

/// The state of a usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It came in.
    Received,
    /// Its product and price are known.
    Guided,
    /// It has a price.
    Rated,
    /// It was rated again.
    Rerated,
    /// It belongs to nothing, or cannot be rated.
    Rejected,
    /// It was rejected and is tried again.
    Recycled,
    /// It is on a bill.
    Billed,
}

/// What happens to a usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its product was found.
    Guide,
    /// A rater gave it a price.
    Rate,
    /// It was refused.
    Reject,
    /// It is to be tried again.
    Recycle,
    /// It was put on a bill.
    Bill,
}

/// A usage cannot take a step in its state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("usage that is `{}` cannot be {step}", .state.as_str())]
pub struct IllegalStep {
    /// The state.
    pub state: State,
    /// What was to be done with it.
    pub step: &'static str,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Received,
        Self::Guided,
        Self::Rated,
        Self::Rerated,
        Self::Rejected,
        Self::Recycled,
        Self::Billed,
    ];

    /// How documents spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Guided => "guided",
            Self::Rated => "rated",
            Self::Rerated => "rerated",
            Self::Rejected => "rejected",
            Self::Recycled => "recycled",
            Self::Billed => "billed",
        }
    }

    /// Reads the state of a usage; one that does not say was received.
    pub fn of(usage: &Value) -> Result<Self, Malformed> {
        let root = Field::root(usage);
        let Some(field) = root.get("status") else { return Ok(Self::Received) };
        let text = field.text()?;
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| field.wrong("is not the status of a usage"))
    }

    /// What may follow what.
    pub fn after(self, step: Step) -> Result<Self, IllegalStep> {
        match (self, step) {
            (Self::Received | Self::Recycled, Step::Guide) => Ok(Self::Guided),
            (Self::Received | Self::Recycled | Self::Guided, Step::Reject) => Ok(Self::Rejected),
            (Self::Rejected, Step::Recycle) => Ok(Self::Recycled),
            (Self::Guided, Step::Rate) => Ok(Self::Rated),
            (Self::Rated | Self::Rerated, Step::Rate) => Ok(Self::Rerated),
            (Self::Rated | Self::Rerated, Step::Bill) => Ok(Self::Billed),
            (state, step) => Err(IllegalStep { state, step: step.done() }),
        }
    }
}

impl Step {
    fn done(self) -> &'static str {
        match self {
            Self::Guide => "guided",
            Self::Rate => "rated",
            Self::Reject => "rejected",
            Self::Recycle => "recycled",
            Self::Bill => "billed",
        }
    }
}

/// What a usage costs, as its document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rated {
    /// The usage.
    pub id: String,
    /// When it was used.
    pub at: Timestamp,
    /// The product that was used.
    pub product: String,
    /// The price that it was rated by.
    pub price: String,
    /// The name of that price.
    pub name: String,
    /// How many units it counts for.
    pub units: Decimal,
    /// How many of them were free.
    pub free: Decimal,
    /// How many units of its period it was rated after.
    pub before: Decimal,
    /// Before tax, with more digits than a bill has.
    pub net: Money,
    /// The tax in per cent.
    pub tax_rate: Decimal,
    /// Whether it is on a bill.
    pub is_billed: bool,
}

impl Rated {
    /// Reads what a usage costs; nothing where it is not rated.
    pub fn read(usage: &Value) -> Result<Option<Self>, Malformed> {
        let is_billed = match State::of(usage)? {
            State::Rated | State::Rerated => false,
            State::Billed => true,
            State::Received | State::Guided | State::Rejected | State::Recycled => return Ok(None),
        };
        let root = Field::root(usage);
        let Some(rated) = root.items("ratedProductUsage")?.into_iter().next() else {
            return Ok(None);
        };
        let product = rated.reference("productRef")?;
        Ok(Some(Self {
            id: root.need("id")?.text()?.to_owned(),
            at: root.need("usageDate")?.time()?,
            product: product.ok_or_else(|| rated.wrong("has no `productRef`"))?,
            price: rated.need("price")?.text()?.to_owned(),
            name: rated.text_or("priceName", "")?.to_owned(),
            units: rated.need("units")?.decimal()?,
            free: rated.need("freeUnits")?.decimal()?,
            before: rated.get("unitsBefore").map_or(Ok(Decimal::ZERO), |one| one.decimal())?,
            net: rated.need("taxExcludedRatingAmount")?.money()?,
            tax_rate: rated.need("taxRate")?.decimal()?,
            is_billed,
        }))
    }
}

/// What comes before a usage in its period: what is billed, and what was used earlier. So usage
/// that comes in late counts where it belongs, but changes no bill.
pub fn used_before(guided: &Guided, others: &[Rated], period: Days) -> Decimal {
    let mine = (guided.at, guided.usage.as_str());
    let same = others
        .iter()
        .filter(|other| other.id != guided.usage && shares_counter(guided, other, period));
    same.filter(|other| other.is_billed || (other.at, other.id.as_str()) < mine)
        .map(|other| other.units)
        .sum()
}

/// Lists the usages that were rated and cost something else now that one came in before them.
pub fn to_rerate(guided: &Guided, others: &[Rated], period: Days) -> Vec<String> {
    if !guided.tariff.counts_usage() {
        return Vec::new();
    }
    let mine = (guided.at, guided.usage.as_str());
    let later = others.iter().filter(|other| {
        !other.is_billed
            && shares_counter(guided, other, period)
            && (other.at, other.id.as_str()) > mine
    });
    let mut later: Vec<_> = later.map(|other| (other.at, other.id.clone())).collect();
    later.sort();
    later.into_iter().map(|(_, id)| id).collect()
}

/// Lists the usages that were rated after other units than come before them by now, as when usage
/// came in late or at once with other usage. What is billed stays.
pub fn out_of_order(rated: &[Rated], cycle: Cycle, zone: Zone) -> Vec<String> {
    let mut counters: BTreeMap<(&str, &str, Days), Vec<&Rated>> = BTreeMap::new();
    for one in rated {
        let period = cycle.around(zone.day_of(one.at));
        counters.entry((&one.product, &one.price, period)).or_default().push(one);
    }
    let mut found = Vec::new();
    for mut counted in counters.into_values() {
        counted.sort_by_key(|one| (!one.is_billed, one.at, &one.id));
        let mut before = Decimal::ZERO;
        for one in counted {
            if !one.is_billed && one.before != before {
                found.push(one.id.clone());
            }
            before += one.units;
        }
    }
    found
}

fn shares_counter(guided: &Guided, other: &Rated, period: Days) -> bool {
    other.product == guided.product
        && other.price == guided.price.id
        && period.holds(guided.zone.day_of(other.at))
}

/// What a rater said of a usage: its outputs, as the host gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    net: Money,
    tax: Money,
    units: Decimal,
    free: Decimal,
    band: String,
}

impl Rating {
    /// Reads the one charge of a rater's outputs.
    pub fn read(outputs: &Value) -> Result<Self, Malformed> {
        let root = Field::root(outputs);
        let charge = root.items("charges")?.into_iter().next();
        let charge = charge.ok_or_else(|| Malformed {
            attribute: "charges".into(),
            problem: "has no charge of this usage",
        })?;
        let money = |name: &str| -> Result<Money, Malformed> {
            let field = charge.need(name)?;
            let currency = field.need("currency")?.text()?.to_owned();
            Ok(Money { currency, amount: field.need("amount")?.decimal()? })
        };
        let attributes = charge.need("attributes")?;
        Ok(Self {
            net: money("net")?,
            tax: money("tax")?,
            units: attributes.need("units")?.decimal()?,
            free: attributes.need("free-units")?.decimal()?,
            band: attributes.text_or("band", "Normal")?.to_owned(),
        })
    }
}

/// Notes on a usage what a rater said of it after so many units that were `used` before: guided and
/// rated, or rated anew.
pub fn rated(
    usage: &Value,
    guided: &Guided,
    rating: &Rating,
    used: Decimal,
    tax: Decimal,
    at: Timestamp,
) -> Result<Value, IllegalStep> {
    let state = State::of(usage).unwrap_or(State::Received);
    let state = match state {
        State::Received | State::Recycled => state.after(Step::Guide)?.after(Step::Rate)?,
        State::Guided | State::Rated | State::Rerated | State::Rejected | State::Billed => {
            state.after(Step::Rate)?
        }
    };
    let gross = Money { amount: rating.net.amount + rating.tax.amount, ..rating.net.clone() };
    let line = json!({
        "isBilled": false,
        "isTaxExempt": tax.is_zero(),
        "offerTariffType": rating.band,
        "ratingAmountType": "Total",
        "ratingDate": at.to_string(),
        "taxRate": number(tax),
        "usageRatingTag": tag(guided, rating),
        "productRef": reference("product", &guided.product),
        "taxExcludedRatingAmount": rating.net.to_tmf(),
        "taxIncludedRatingAmount": gross.to_tmf(),
        "price": guided.price.id,
        "priceName": guided.price.name,
        "units": number(rating.units),
        "freeUnits": number(rating.free),
        "unitsBefore": number(used),
        "@type": "RatedProductUsage",
    });
    Ok(changed(usage, state, &[("ratedProductUsage", json!([line]))]))
}

/// Notes on a usage why it was refused.
pub fn rejected(usage: &Value, rejection: &Rejection) -> Result<Value, IllegalStep> {
    let state = State::of(usage).unwrap_or(State::Received).after(Step::Reject)?;
    let reason = json!({ "code": rejection.code(), "reason": rejection.to_string() });
    Ok(changed(usage, state, &[("rejection", reason)]))
}

/// Takes a usage that was refused back in, to be tried again.
pub fn recycled(usage: &Value) -> Result<Value, IllegalStep> {
    let state = State::of(usage).unwrap_or(State::Received).after(Step::Recycle)?;
    Ok(changed(usage, state, &[("rejection", Value::Null)]))
}

/// The tag that TMF635 has for how an allowance took part.
fn tag(guided: &Guided, rating: &Rating) -> &'static str {
    match (guided.tariff.allowance.is_zero(), rating.free == rating.units) {
        (true, _) => "usage",
        (false, true) => "included usage",
        (false, false) => "non included usage",
    }
}

fn changed(usage: &Value, state: State, attributes: &[(&str, Value)]) -> Value {
    let mut usage = usage.clone();
    if let Some(fields) = usage.as_object_mut() {
        fields.insert("status".into(), json!(state.as_str()));
        for (name, value) in attributes {
            if value.is_null() {
                fields.remove(*name);
            } else {
                fields.insert((*name).into(), value.clone());
            }
        }
    }
    usage
}

#[cfg(test)]
mod tests;
