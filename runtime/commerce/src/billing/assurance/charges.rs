//! Whether the charges of a product have the right amount, go to the right account, and are made once.

use rust_decimal::Decimal;

use super::fault::{Fault, FaultKind};
use crate::billing::charge::{Exact, Exacts, kept};
use crate::billing::terms::Terms;
use crate::billing::timeline::Timeline;
use model::pricing::amount::written;
use model::pricing::rate::{self, Rate, RateKind, is_of_order};
use tmf::Malformed;
use tmf::day::Days;
use tmf::document::product::Product;
use tmf::time::Timestamp;

/// Compares the charges of a product with its prices. `account_at` has the account of the product
/// at a time.
pub fn faults<'a>(
    product: &Product,
    timeline: &Timeline,
    rates: &[Rate],
    terms: &Terms,
    account_at: impl Fn(Timestamp) -> Option<&'a str>,
) -> Result<Vec<Fault>, Malformed> {
    let all: Vec<&Rate> = rates.iter().collect();
    let Some(exacts) = Exacts::new(product, timeline, &all, terms)? else { return Ok(Vec::new()) };
    let mut faults = twice(rates, &all);
    for charge in rates {
        if charge.kind.is_charge() && !is_of_order(&charge.id) {
            faults.extend(taxed(charge, exacts.of(charge, &all).as_ref()));
        }
        match charge.kind {
            RateKind::Recurring | RateKind::OneOff => {}
            RateKind::Usage | RateKind::Credit | RateKind::Adjustment => continue,
        }
        faults.extend(overdrawn(charge, rates));
        let Some(exact) = exacts.of(charge, &all) else { continue };
        let own = account_at(charge.date);
        let pays = exact.payers.iter().any(|payer| payer.or(own) == charge.account.as_deref());
        if !pays {
            let reason = format!(
                "goes to account `{}`, which does not pay for it",
                charge.account.as_deref().unwrap_or_default(),
            );
            faults.push(FaultKind::WrongPayer.of(rate::RESOURCE, &charge.id, reason));
        }
        // The amount of a charge of an order is that of its rater; see the entry in the books. A charge
        // that was refunded as a whole may have been for something that the product never had, such as
        // an alteration after its end.
        let is_back = charge.kind == RateKind::Recurring && kept(charge, &all).is_empty();
        if !exact.is_right && !is_back && !is_of_order(&charge.id) {
            let told = if exact.includes_tax { charge.gross() } else { charge.net };
            let expected = told.with(exact.amount);
            let reason =
                format!("is {}, and its price gives {}", written(&told), written(&expected));
            faults.push(FaultKind::WrongAmount.of(rate::RESOURCE, &charge.id, reason));
        }
    }
    Ok(faults)
}

/// Days and one-off prices that are charged twice, and not refunded.
fn twice(rates: &[Rate], all: &[&Rate]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen: Vec<(&Rate, Vec<Days>)> = Vec::new();
    for charge in rates {
        let days = match charge.kind {
            RateKind::Recurring => kept(charge, all),
            RateKind::OneOff if kept(charge, all).is_empty() => continue,
            // It may have been charged on another day.
            RateKind::OneOff => charge.covers.into_iter().collect(),
            RateKind::Usage | RateKind::Credit | RateKind::Adjustment => continue,
        };
        let overlaps = |other: &[Days]| {
            charge.kind == RateKind::OneOff
                || days.iter().any(|one| other.iter().any(|two| one.common(*two).is_some()))
        };
        let same = seen.iter().find(|(other, covered)| {
            other.kind == charge.kind && other.price == charge.price && overlaps(covered)
        });
        if let Some((other, _)) = same {
            let reason = format!("charges what `{}` charges", other.id);
            faults.push(FaultKind::ChargedTwice.of(rate::RESOURCE, &charge.id, reason));
        }
        seen.push((charge, days));
    }
    faults
}

/// The taxes of a charge: each is that of its amount, at the rates that its price names.
fn taxed(charge: &Rate, exact: Option<&Exact<'_>>) -> Option<Fault> {
    let unit = Decimal::new(1, charge.net.currency.decimals());
    let parts = Decimal::from(charge.taxes.len());
    let max = match exact {
        Some(exact) if !exact.includes_tax => unit / Decimal::TWO,
        // Of an amount with tax, the last tax is the remainder.
        Some(_) | None => unit * parts,
    };
    let wrong = |reason: String| Some(FaultKind::WrongTax.of(rate::RESOURCE, &charge.id, reason));
    for tax in &charge.taxes {
        let Some(percent) = tax.rate else { continue };
        let due = charge.net.amount * percent / Decimal::ONE_HUNDRED;
        if (tax.amount - due).abs() > max {
            return wrong(format!("has a tax of {} at {percent} %, not {due}", tax.amount));
        }
    }
    let named = exact.and_then(|exact| exact.taxes.as_ref())?;
    let mut due: Vec<Decimal> = named.iter().map(|tax| tax.rate.normalize()).collect();
    let mut told: Vec<Decimal> =
        charge.taxes.iter().filter_map(|tax| tax.rate).map(|rate| rate.normalize()).collect();
    due.sort_unstable();
    told.sort_unstable();
    if due == told {
        return None;
    }
    wrong(format!("is taxed at {told:?} %, and its price at {due:?} %"))
}

/// A charge with refunds of more than its amount.
fn overdrawn(charge: &Rate, rates: &[Rate]) -> Option<Fault> {
    let back = rates.iter().filter(|rate| rate.credits.as_ref() == Some(&charge.id));
    let left = charge.net.amount + back.map(|rate| rate.net.amount).sum::<Decimal>();
    let is_over = !left.is_zero()
        && (charge.net.amount.is_zero()
            || left.is_sign_negative() != charge.net.amount.is_sign_negative());
    let reason = "more of it was given back than it was";
    is_over.then(|| FaultKind::WrongCredit.of(rate::RESOURCE, &charge.id, reason))
}
