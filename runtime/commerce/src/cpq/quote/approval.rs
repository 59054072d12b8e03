//! Which quotes a person must approve, and whether one has.

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Policy, all_charges};
use model::pricing::charge::Charge;
use model::pricing::total::totals;
use tmf::money::{PERCENT_MAX, rounded};

/// Why a person must approve a quote; nothing where nobody must. Prices that cannot be read are a
/// reason too.
pub fn needs_approval(quote: &Value, policy: &Policy) -> Vec<String> {
    let charges = match all_charges(quote) {
        Ok(charges) => charges,
        Err(error) => return vec![error.to_string()],
    };
    let mut reasons = Vec::new();
    for (_, charge) in &charges {
        let discount = by_hand(charge);
        if discount > policy.discount_max {
            let discount = rounded(discount, 2).normalize();
            let max = policy.discount_max.normalize();
            reasons.push(format!("`{}` is discounted by {discount} %, above {max} %", charge.name));
        }
    }
    for total in totals(charges.iter().map(|(quantity, charge)| (*quantity, charge))) {
        if total.net.amount > policy.total_max {
            let max = policy.total_max.normalize();
            reasons.push(format!("the total of {} is above {max}", total.net));
        }
    }
    reasons
}

/// How many percent were taken off by hand; an amount counts by its share of what the catalog asks
/// for the first period.
fn by_hand(charge: &Charge) -> Decimal {
    let granted = || charge.alterations.iter().filter(|change| change.price.is_empty());
    let asked = charge.first() - granted().map(|change| change.change).sum::<Decimal>();
    let shares = granted().map(|change| match change.percentage {
        Some(percentage) => percentage,
        None if asked <= Decimal::ZERO => Decimal::from(PERCENT_MAX),
        None => -change.change * Decimal::ONE_HUNDRED / asked,
    });
    shares.sum()
}

/// Whether a person approved: an authorization in that state that names who.
pub(super) fn is_authorized(quote: &Value) -> bool {
    let entries = quote.get("authorization").and_then(Value::as_array).into_iter().flatten();
    let mut approved = entries.filter(|entry| {
        let state = entry.get("state").and_then(Value::as_str).unwrap_or_default();
        ["approved", "validated"].iter().any(|word| state.eq_ignore_ascii_case(word))
    });
    approved.any(|entry| {
        let approvers = entry.get("approver").and_then(Value::as_array).into_iter().flatten();
        let mut named =
            approvers.filter_map(|person| person.get("id").or_else(|| person.get("name")));
        named.any(|name| name.as_str().is_some_and(|name| !name.is_empty()))
    })
}

pub(super) fn reasons_text(reasons: &[String]) -> String {
    reasons.join("; ")
}
