//! The quotes that a person must approve.

use rust_decimal::Decimal;

use super::{Policy, all_charges};
use model::pricing::charge::Charge;
use model::pricing::total::totals;
use tmf::document::quote::Quote;
use tmf::money::{PERCENT_MAX, rounded};

/// The reasons why a person must approve a quote; empty if no approval is needed. Unreadable prices are
/// a reason too.
pub fn needs_approval(quote: &Quote, policy: &Policy) -> Vec<String> {
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

/// The discount by hand in percent. An amount counts by its share of the catalog's price for the first
/// period.
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
