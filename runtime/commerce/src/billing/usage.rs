//! Usage (TMF635): to which product and price it belongs, in which order it counts, its cost as a
//! rater gave it, and how it is billed.

mod billed;
mod change;
mod guide;
mod history;

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use tmf::day::Days;
use tmf::document::Reference;
use tmf::field::{Field, Malformed};
use tmf::money::{Money, TAX_CATEGORY, Tax, decimals, number};
use tmf::time::Timestamp;

pub use billed::{Billed, bill, unbilled};
pub use change::{Change, Refused, check_new, check_removal, follow, reopened};
pub use guide::{Candidate, Guided, GuidedBy, Rejection, guide};
pub use history::{History, Versions};
pub use tmf::UsageStatus as State;

/// Digits that a rated usage has beyond those of its currency.
const EXTRA_DIGITS: u32 = 4;

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
    /// The run that billed it is undone.
    Unbill,
}

/// A usage cannot take a step in its state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("usage that is `{}` cannot be {step}", .state.as_str())]
pub struct IllegalStep {
    pub state: State,
    pub step: &'static str,
}

/// The status of a usage; one without a status was received.
pub fn status_of(usage: &Value) -> Result<State, Malformed> {
    let root = Field::root(usage);
    let Some(field) = root.get("status") else { return Ok(State::Received) };
    State::parse(field.text()?).ok_or_else(|| field.wrong("is not the status of a usage"))
}

impl Step {
    /// The status that follows from a step in another one.
    pub fn after(self, state: State) -> Result<State, IllegalStep> {
        match (state, self) {
            (State::Received | State::Recycled, Self::Guide) => Ok(State::Guided),
            // A rated usage is refused if its product turns out to have ended before it.
            (
                State::Received | State::Recycled | State::Guided | State::Rated | State::Rerated,
                Self::Reject,
            ) => Ok(State::Rejected),
            // A rated usage waits again if it has to be rated anew and there is no rater.
            (State::Rejected | State::Rated | State::Rerated, Self::Recycle) => Ok(State::Recycled),
            (State::Guided, Self::Rate) => Ok(State::Rated),
            (State::Rated | State::Rerated, Self::Rate) => Ok(State::Rerated),
            (State::Rated | State::Rerated, Self::Bill) => Ok(State::Billed),
            (State::Billed, Self::Unbill) => Ok(State::Rated),
            (state, step) => Err(IllegalStep { state, step: step.done() }),
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Guide => "guided",
            Self::Rate => "rated",
            Self::Reject => "rejected",
            Self::Recycle => "recycled",
            Self::Bill => "billed",
            Self::Unbill => "taken off a bill",
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
    /// The account that pays; the product's own if nothing is noted.
    pub account: Option<String>,
    /// When it was rated.
    pub rated_at: Timestamp,
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
    /// With tax, if that is how the price is told.
    pub gross: Option<Money>,
    /// The taxes on it.
    pub taxes: Vec<Tax>,
    /// Whether it is on a bill.
    pub is_billed: bool,
}

impl Rated {
    /// Reads the cost of a usage; `None` if it is not rated.
    pub fn read(usage: &Value) -> Result<Option<Self>, Malformed> {
        let is_billed = match status_of(usage)? {
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
            account: rated.reference("billingAccount")?,
            rated_at: rated.get("ratingDate").map_or(Ok(Timestamp(0)), |date| date.time())?,
            price: rated.need("price")?.text()?.to_owned(),
            name: rated.text_or("priceName", "")?.to_owned(),
            units: rated.need("units")?.decimal()?,
            free: rated.need("freeUnits")?.decimal()?,
            before: rated.get("unitsBefore").map_or(Ok(Decimal::ZERO), |one| one.decimal())?,
            net: rated.need("taxExcludedRatingAmount")?.money()?,
            gross: match rated.value().get("includesTax") {
                Some(Value::Bool(true)) => Some(rated.need("taxIncludedRatingAmount")?.money()?),
                _ => None,
            },
            taxes: taxes(&rated)?,
            is_billed,
        }))
    }
}

impl Rated {
    /// What is added up for a bill: with tax if the price is told so.
    pub(super) fn charged(&self) -> &Money {
        self.gross.as_ref().unwrap_or(&self.net)
    }
}

/// The taxes on a rated usage. Earlier versions noted one percentage.
fn taxes(rated: &Field<'_>) -> Result<Vec<Tax>, Malformed> {
    if rated.get("tax").is_none() {
        let rate = rated.need("taxRate")?.decimal()?;
        return Ok(vec![Tax { rate, category: TAX_CATEGORY.into() }]);
    }
    let one = |tax: &Field<'_>| {
        let category = tax.text_or("taxCategory", TAX_CATEGORY)?.to_owned();
        Ok(Tax { rate: tax.need("taxRate")?.decimal()?, category })
    };
    rated.items("tax")?.iter().map(one).collect()
}

/// What comes before a usage in its period: what is billed, and what was used earlier. So usage
/// that comes in late counts at its own time, but changes no bill. `period_of` has the time between
/// two bills that a usage is in.
pub fn used_before(
    guided: &Guided,
    others: &[Rated],
    period: Days,
    period_of: impl Fn(&Rated) -> Days,
) -> Decimal {
    let mine = (guided.at, guided.usage.as_str());
    let same = others.iter().filter(|other| {
        other.id != guided.usage
            && other.product == guided.product
            && other.price == guided.price.id
            && period_of(other) == period
    });
    same.filter(|other| other.is_billed || (other.at, other.id.as_str()) < mine)
        .map(|other| other.units)
        .sum()
}

/// Lists the usages that are not billed and may cost something else by now: what was rated after
/// other units than come before it, as when usage came in late or together with other usage; and
/// what was rated before the product became what it is, or before it was used. What is billed stays.
/// `period_of` has the time between two bills that a usage is in; `since` is when the product became
/// what it is, and `now` when this is asked.
pub fn stale(
    rated: &[Rated],
    period_of: impl Fn(&Rated) -> Days,
    since: Timestamp,
    now: Timestamp,
) -> Vec<String> {
    let mut counters: BTreeMap<(&str, &str, Days), Vec<&Rated>> = BTreeMap::new();
    for one in rated {
        counters.entry((&one.product, &one.price, period_of(one))).or_default().push(one);
    }
    let mut found = Vec::new();
    for mut counted in counters.into_values() {
        counted.sort_by_key(|one| (!one.is_billed, one.at, &one.id));
        let mut before = Decimal::ZERO;
        for one in counted {
            let is_old = one.rated_at <= since || (one.rated_at < one.at && one.at <= now);
            if !one.is_billed && (is_old || one.before != before) {
                found.push(one.id.clone());
            }
            before += one.units;
        }
    }
    found
}

/// The cost of a usage as a rater gave it.
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
            problem: "has no charge of this usage".into(),
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

impl Rating {
    /// Before and after tax. A price that includes tax was rated with it.
    fn amounts(&self, includes_tax: bool, tax_rate: Decimal) -> (Money, Money) {
        let currency = || self.net.currency.clone();
        if !includes_tax {
            let amount = self.net.amount + self.tax.amount;
            return (self.net.clone(), Money { currency: currency(), amount });
        }
        let share = Decimal::ONE_HUNDRED / (Decimal::ONE_HUNDRED + tax_rate);
        let digits = decimals(&self.net.currency) + EXTRA_DIGITS;
        let strategy = RoundingStrategy::MidpointAwayFromZero;
        let amount = (self.net.amount * share).round_dp_with_strategy(digits, strategy);
        (Money { currency: currency(), amount }, self.net.clone())
    }
}

/// Notes on a usage its cost as a rater gave it, after the units that were `used` before: guided and
/// rated, or rated anew.
pub fn rated(
    usage: &Value,
    guided: &Guided,
    rating: &Rating,
    used: Decimal,
    taxes: &[Tax],
    at: Timestamp,
) -> Result<Value, IllegalStep> {
    let state = status_of(usage).unwrap_or(State::Received);
    let state = match state {
        State::Received | State::Recycled => Step::Rate.after(Step::Guide.after(state)?)?,
        State::Guided | State::Rated | State::Rerated | State::Rejected | State::Billed => {
            Step::Rate.after(state)?
        }
    };
    let tax_rate: Decimal = taxes.iter().map(|tax| tax.rate).sum();
    let (net, gross) = rating.amounts(guided.price.includes_tax, tax_rate);
    let each = |tax: &Tax| json!({ "taxCategory": tax.category, "taxRate": number(tax.rate) });
    let mut line = json!({
        "isBilled": false,
        "isTaxExempt": tax_rate.is_zero(),
        "offerTariffType": rating.band,
        "ratingAmountType": "Total",
        "ratingDate": at.to_string(),
        "taxRate": number(tax_rate),
        "tax": taxes.iter().map(each).collect::<Vec<_>>(),
        "usageRatingTag": tag(guided, rating),
        "productRef": Reference::to("product", &guided.product),
        "guidedBy": guided.by.as_str(),
        "taxExcludedRatingAmount": net.to_tmf(),
        "taxIncludedRatingAmount": gross.to_tmf(),
        "price": guided.price.id,
        "priceName": guided.price.name,
        "units": number(rating.units),
        "freeUnits": number(rating.free),
        "unitsBefore": number(used),
        "@type": "RatedProductUsage",
    });
    if let Some(account) = &guided.account {
        line["billingAccount"] = json!(Reference::to("billingAccount", account));
    }
    if guided.price.includes_tax {
        line["includesTax"] = json!(true);
    }
    let attributes = [("ratedProductUsage", json!([line])), ("rejection", Value::Null)];
    Ok(changed(usage, state, &attributes))
}

/// Notes on a usage why it was refused. What it cost before, if anything, is left out.
pub fn rejected(usage: &Value, rejection: &Rejection) -> Result<Value, IllegalStep> {
    let state = Step::Reject.after(status_of(usage).unwrap_or(State::Received))?;
    let reason = json!({
        "code": rejection.code(),
        "reason": rejection.to_string(),
        "attribute": rejection.attribute(),
    });
    let mut after = changed(usage, state, &[("rejection", reason)]);
    change::forget_rating(&mut after);
    Ok(after)
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
