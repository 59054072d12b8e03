//! Bill runs: what an account owes and is not billed yet becomes a bill (TMF678 `customerBill`).
//!
//! A rate is billed once: it is marked with its bill in the same commit, and a run takes only what
//! is not marked. So a run for a period that was billed bills nothing.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::bill_state::Release;
use super::cycle::Cycle;
use super::statement;
use model::pricing::rate::{Rate, RateKind, href, tax_item};
use model::pricing::tax::AppliedTax;
use tmf::day::{Day, Days};
use tmf::document::account::BillingAccount;
use tmf::document::customer_bill::{AppliedRate, CustomerBill, TaxItem};
use tmf::document::{Amount, Date, Reference, Rest};
use tmf::malformed::Malformed;
use tmf::money::Currency;
use tmf::time::Timestamp;
use tmf::zone::Zone;

/// One run for one account.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The billing account (TMF666).
    pub account: &'a BillingAccount,
    /// The id of the bill; of several in one run that of the first.
    pub id: &'a str,
    /// The number that the customer knows it by.
    pub number: &'a str,
    pub period: Days,
    /// The account's cycle.
    pub cycle: Cycle,
    pub cause: Cause,
    /// How far its bills go at once.
    pub release: Release,
    /// When it runs.
    pub at: Timestamp,
    /// The zone of its days.
    pub zone: Zone,
}

/// The trigger of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The cycle.
    Cycle,
    /// The cycle, whose bill was drawn before: late charges are billed. Credits wait for the next bill.
    Late,
    /// A client requested a bill.
    OnDemand,
}

/// A bill and what is on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    pub bill: CustomerBill,
    /// Its rates, marked as billed.
    pub rates: Vec<AppliedRate>,
}

/// Draws the bills of an account: one for each currency, none if there is nothing to bill.
pub fn draw(run: &Run<'_>, rates: Vec<AppliedRate>) -> Result<Vec<Drawn>, Malformed> {
    let mut by_currency: BTreeMap<Currency, Vec<(Rate, AppliedRate)>> = BTreeMap::new();
    for document in rates {
        let rate = Rate::read(&document)?;
        if rate.account.as_ref() == Some(&run.account.id) && belongs(&rate, run) {
            by_currency.entry(rate.net.currency).or_default().push((rate, document));
        }
    }
    if run.cause == Cause::Late {
        by_currency.retain(|_, lines| lines.iter().any(|(rate, _)| rate.kind.is_charge()));
    }
    let several = by_currency.len() > 1;
    let drawn = by_currency.into_iter().map(|(currency, lines)| {
        let mark = if several { format!("-{currency}") } else { String::new() };
        let id = format!("{}{mark}", run.id);
        let (lines, mut rates): (Vec<Rate>, Vec<AppliedRate>) = lines.into_iter().unzip();
        rates.iter_mut().for_each(|rate| rate.mark_billed(&id));
        Drawn { bill: document(run, id, format!("{}{mark}", run.number), currency, &lines), rates }
    });
    Ok(drawn.collect())
}

/// Whether a rate goes on a bill. Credits, and the charges of the run itself, go on the next bill; what
/// was charged earlier for a later period waits for the bill of that.
fn belongs(rate: &Rate, run: &Run<'_>) -> bool {
    let (period, zone) = (run.period, run.zone);
    if rate.bill.is_some() {
        return false;
    }
    if rate.date == run.at {
        return true;
    }
    match rate.kind {
        RateKind::Credit | RateKind::Adjustment => true,
        RateKind::Recurring | RateKind::OneOff | RateKind::Usage => match rate.covers {
            Some(days) => days.from < period.until,
            None => zone.day_of(rate.date) < period.until,
        },
    }
}

fn document(
    run: &Run<'_>,
    id: String,
    number: String,
    currency: Currency,
    lines: &[Rate],
) -> CustomerBill {
    let net: Decimal = lines.iter().map(|line| line.net.amount).sum();
    let tax: Decimal = lines.iter().map(|line| line.tax().amount).sum();
    let gross = Amount::new(net + tax, currency);
    let (category, run_type) = match run.cause {
        Cause::Cycle | Cause::Late => ("normal", "onCycle"),
        Cause::OnDemand => ("interim", "offCycle"),
    };
    let date = |day: Day| Date::parse(&run.zone.written(day));
    let next = || run.cycle.around(run.period.until).until;
    let account = run.account;
    CustomerBill {
        href: Some(href("customerBill", &id)),
        bill_no: Some(number),
        bill_date: Some(run.at.into()),
        last_update: Some(run.at.into()),
        category: Some(category.into()),
        run_type: Some(run_type.into()),
        billing_period: Some(run.zone.time_period(run.period)),
        payment_due_date: date(run.cycle.due(run.zone.day_of(run.at))),
        next_bill_date: (run.cause != Cause::OnDemand).then(next).and_then(date),
        amount_due: Some(gross),
        remaining_amount: gross,
        tax_excluded_amount: Amount::new(net, currency),
        tax_included_amount: gross,
        tax_item: tax_items(lines, currency),
        applied_payment: Vec::new(),
        bill_document: statement::documents(&id),
        billing_account: Some(Reference::to("billingAccount", &account.id)),
        financial_account: account.financial_account.clone(),
        payment_method: account.default_payment_method.clone(),
        related_party: account.related_party.clone(),
        state: run.release.state(net + tax),
        bill_run: None,
        kind: Some("CustomerBill".into()),
        rest: Rest::new(),
        id,
    }
}

/// The tax of each kind and rate: the sum of that of its lines, as each line shows it.
fn tax_items(lines: &[Rate], currency: Currency) -> Vec<TaxItem> {
    let mut sums: BTreeMap<(&str, Option<Decimal>), Decimal> = BTreeMap::new();
    for tax in lines.iter().flat_map(|line| &line.taxes) {
        *sums.entry((&tax.category, tax.rate)).or_default() += tax.amount;
    }
    let item = |((category, rate), amount): ((&str, Option<Decimal>), Decimal)| {
        tax_item(&AppliedTax { category: category.into(), rate, amount }, currency)
    };
    sums.into_iter().map(item).collect()
}

#[cfg(test)]
mod tests;
