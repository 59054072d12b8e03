//! Bill runs: what an account owes and is not billed yet becomes a bill (TMF678 `customerBill`).
//!
//! A rate is billed once: it is marked with its bill in the same commit, and a run takes only what
//! is not marked. So a run for a period that was billed bills nothing.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::bill_state::Release;
use super::cycle::Cycle;
use super::statement;
use model::pricing::rate::{Rate, RateKind, href, mark_billed, reference, tax_item};
use model::pricing::tax::AppliedTax;
use tmf::day::Days;
use tmf::field::{Field, Malformed};
use tmf::money::Money;
use tmf::time::Timestamp;
use tmf::zone::Zone;

/// One run for one account.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The billing account (TMF666).
    pub account: &'a Value,
    /// The id of the bill; of several in one run that of the first.
    pub id: &'a str,
    /// The number that the customer knows it by.
    pub number: &'a str,
    /// What it is for.
    pub period: Days,
    /// The account's cycle.
    pub cycle: Cycle,
    /// What started it.
    pub cause: Cause,
    /// How far its bills go at once.
    pub release: Release,
    /// When it runs.
    pub at: Timestamp,
    /// The zone of its days.
    pub zone: Zone,
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The cycle.
    Cycle,
    /// The cycle, whose bill was drawn before: what was told late is billed. What is given back waits
    /// for the next bill.
    Late,
    /// Somebody asked for a bill.
    OnDemand,
}

/// A bill and what is on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The bill.
    pub bill: Value,
    /// The documents of its rates, marked as billed.
    pub rates: Vec<Value>,
}

/// Draws the bills of an account: one for each currency, none where nothing is to be billed.
pub fn draw(run: &Run<'_>, rates: &[Value]) -> Result<Vec<Drawn>, Malformed> {
    let account = Field::root(run.account).need("id")?.text()?.to_owned();
    let mut by_currency: BTreeMap<String, Vec<(Rate, &Value)>> = BTreeMap::new();
    for document in rates {
        let rate = Rate::read(document)?;
        if rate.account.as_deref() == Some(&account) && belongs(&rate, run) {
            by_currency.entry(rate.net.currency.clone()).or_default().push((rate, document));
        }
    }
    if run.cause == Cause::Late {
        by_currency.retain(|_, lines| lines.iter().any(|(rate, _)| rate.kind.is_charge()));
    }
    let several = by_currency.len() > 1;
    let drawn = by_currency.into_iter().map(|(currency, lines)| {
        let mark = if several { format!("-{currency}") } else { String::new() };
        let id = format!("{}{mark}", run.id);
        let rates = lines.iter().map(|(_, document)| {
            let mut document = (*document).clone();
            mark_billed(&mut document, &id);
            document
        });
        let rates = rates.collect();
        let lines: Vec<Rate> = lines.into_iter().map(|(rate, _)| rate).collect();
        Drawn { bill: document(run, &id, &format!("{}{mark}", run.number), &lines), rates }
    });
    Ok(drawn.collect())
}

/// Whether a rate goes on a bill. What is given back goes on the next bill that there is, and what
/// a run charges on its own, also ahead; what was charged earlier for later waits for its own.
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

fn document(run: &Run<'_>, id: &str, number: &str, lines: &[Rate]) -> Value {
    let currency = lines.first().map_or("", |line| line.net.currency.as_str());
    let money = |amount: Decimal| Money { currency: currency.into(), amount }.to_tmf();
    let net: Decimal = lines.iter().map(|line| line.net.amount).sum();
    let tax: Decimal = lines.iter().map(|line| line.tax().amount).sum();
    let gross = net + tax;
    let day = run.zone.day_of(run.at);
    let (category, run_type) = match run.cause {
        Cause::Cycle | Cause::Late => ("normal", "onCycle"),
        Cause::OnDemand => ("interim", "offCycle"),
    };
    let account = run.account.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut bill = json!({
        "id": id,
        "href": href("customerBill", id),
        "billNo": number,
        "billDate": run.at.to_string(),
        "lastUpdate": run.at.to_string(),
        "category": category,
        "runType": run_type,
        "billingPeriod": run.zone.time_period(run.period),
        "paymentDueDate": run.zone.written(run.cycle.due(day)),
        "amountDue": money(gross),
        "remainingAmount": money(gross),
        "taxExcludedAmount": money(net),
        "taxIncludedAmount": money(gross),
        "taxItem": tax_items(lines),
        "appliedPayment": [],
        "billDocument": statement::documents(id),
        "billingAccount": reference("billingAccount", account),
        "relatedParty": run.account.get("relatedParty").cloned().unwrap_or_else(|| json!([])),
        "state": run.release.state(gross).as_str(),
        "@type": "CustomerBill",
    });
    if let Some(fields) = bill.as_object_mut() {
        if run.cause != Cause::OnDemand {
            let next = run.cycle.around(run.period.until).until;
            fields.insert("nextBillDate".into(), json!(run.zone.written(next)));
        }
        for (from, to) in
            [("financialAccount", "financialAccount"), ("defaultPaymentMethod", "paymentMethod")]
        {
            if let Some(value) = run.account.get(from) {
                fields.insert(to.into(), value.clone());
            }
        }
    }
    bill
}

/// The tax of each kind and rate: the sum of that of its lines, as each line shows it.
fn tax_items(lines: &[Rate]) -> Vec<Value> {
    let mut taxes: BTreeMap<(&str, Option<Decimal>), AppliedTax> = BTreeMap::new();
    for tax in lines.iter().flat_map(|line| &line.taxes) {
        let none = || AppliedTax { amount: Decimal::ZERO, ..tax.clone() };
        taxes.entry((&tax.category, tax.rate)).or_insert_with(none).amount += tax.amount;
    }
    let currency = lines.first().map_or("", |line| line.net.currency.as_str());
    taxes.values().map(|tax| tax_item(tax, currency)).collect()
}

#[cfg(test)]
mod tests;
