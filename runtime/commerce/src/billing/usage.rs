//! Usage (TMF635): the product and the price that it belongs to, the order in which it counts, its cost
//! as a rater gave it, and its charges.

mod billed;
mod change;
mod guide;
mod history;
mod rated;
mod rating;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use tmf::day::Days;
use tmf::document::product::PriceTax;
use tmf::document::usage::{RatedProductUsage, Usage, UsageRejection};
use tmf::document::{Amount, Number, Reference, Rest};
use tmf::money::Tax;
use tmf::time::Timestamp;

pub use billed::{Billed, bill, unbilled};
pub use change::{Change, Refused, awaiting_rating, check_new, check_removal, follow};
pub use guide::{Guided, Rejection, guide};
pub use history::History;
pub use rated::Rated;
pub use rating::{RaterCharges, Rating};
pub use tmf::UsageStatus as State;
pub use tmf::document::usage::GuidedBy;

/// What happens to a usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its product was found.
    Guide,
    /// A rater gave it a price.
    Rate,
    /// It was rejected.
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

impl Step {
    /// The status that follows from a step in another one.
    pub fn after(self, state: State) -> Result<State, IllegalStep> {
        match (state, self) {
            (State::Received | State::Recycled, Self::Guide) => Ok(State::Guided),
            // A rated usage is rejected if its product turns out to have ended before it.
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

/// The units before a usage in its period: those that are billed, and those that were used earlier. So
/// usage that comes in late counts at its own time, but changes no bill. `period_of` has the time
/// between two bills that a usage is in.
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

/// Lists the usages that are not billed and have to be rated again: those that were rated after other
/// units than come before them, as when usage came in late or together with other usage; and those that
/// were rated before the present version of the product, or before they were used. `period_of` has the
/// time between two bills that a usage is in; `since` is the time since which the product is as it is.
pub fn stale(
    rated: &[Rated],
    period_of: impl Fn(&Rated) -> Days,
    since: Timestamp,
    now: Timestamp,
) -> Vec<&str> {
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
                found.push(one.id.as_str());
            }
            before += one.units;
        }
    }
    found
}

/// Notes on a usage its cost as a rater gave it, after the units that were `used` before: guided and
/// rated, or rated anew.
pub fn rated(
    mut usage: Usage,
    guided: Guided,
    rating: Rating,
    used: Decimal,
    taxes: &[Tax],
    at: Timestamp,
) -> Result<Usage, IllegalStep> {
    let state = usage.state();
    let state = match state {
        State::Received | State::Recycled => Step::Rate.after(Step::Guide.after(state)?)?,
        State::Guided | State::Rated | State::Rerated | State::Rejected | State::Billed => {
            Step::Rate.after(state)?
        }
    };
    usage.status = Some(state);
    usage.rated_product_usage = vec![line(guided, rating, used, taxes, at)];
    usage.rejection = None;
    Ok(usage)
}

fn line(
    guided: Guided,
    rating: Rating,
    used: Decimal,
    taxes: &[Tax],
    at: Timestamp,
) -> RatedProductUsage {
    let rate: Decimal = taxes.iter().map(|tax| tax.rate).sum();
    let (net, gross) = rating.amounts(guided.price.includes_tax, rate);
    let tax = |tax: &Tax| PriceTax {
        tax_category: Some(tax.category.clone()),
        tax_rate: Number(tax.rate),
        rest: Rest::new(),
    };
    let account = guided.account.as_deref();
    RatedProductUsage {
        product_ref: Some(Reference::to("product", &guided.product)),
        guided_by: Some(guided.by),
        billing_account: account.map(|account| Reference::to("billingAccount", account)),
        is_billed: Some(false),
        is_tax_exempt: Some(rate.is_zero()),
        rating_amount_type: Some("Total".into()),
        rating_date: Some(at.into()),
        usage_rating_tag: Some(rating_tag(&guided, &rating).into()),
        tax_excluded_rating_amount: Some(Amount(net)),
        tax_included_rating_amount: Some(Amount(gross)),
        includes_tax: guided.price.includes_tax.then_some(true),
        tax_rate: Some(Number(rate)),
        tax: taxes.iter().map(tax).collect(),
        price: Some(guided.price.id),
        price_name: Some(guided.price.name),
        units: Some(Number(rating.units())),
        free_units: Some(Number(rating.free())),
        units_before: Some(Number(used)),
        offer_tariff_type: Some(rating.into_band()),
        kind: Some("RatedProductUsage".into()),
        rest: Rest::new(),
    }
}

/// Notes on a usage why it was rejected, and removes its cost if it had any.
pub fn rejected(mut usage: Usage, rejection: &Rejection) -> Result<Usage, IllegalStep> {
    usage.status = Some(Step::Reject.after(usage.state())?);
    usage.rejection = Some(UsageRejection {
        code: Some(rejection.code().into()),
        reason: Some(rejection.to_string()),
        attribute: Some(rejection.attribute().into()),
        rest: Rest::new(),
    });
    change::forget_rating(&mut usage);
    Ok(usage)
}

/// TMF635's tag for the part that an allowance had in the cost.
fn rating_tag(guided: &Guided, rating: &Rating) -> &'static str {
    match (guided.tariff.allowance.is_zero(), rating.free() == rating.units()) {
        (true, _) => "usage",
        (false, true) => "included usage",
        (false, false) => "non included usage",
    }
}

#[cfg(test)]
mod tests;
