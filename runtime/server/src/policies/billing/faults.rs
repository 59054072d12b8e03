//! The rows that revenue assurance finds wrong: what cannot be read, what the books do not have or
//! have otherwise, bills that do not add up, and usage that is not billed or not charged.

use engine::documents::Error;
use std::collections::BTreeMap;

use commerce::billing::adjustment::left_of;
use commerce::billing::assurance::books::{Booked, Cause, entry_of_rate, reversal};
use commerce::billing::assurance::usages::Usages;
use commerce::billing::assurance::{Fault, FaultKind};
use commerce::billing::usage::Rated;
use model::pricing::ledger::{self, Entry};
use model::pricing::rate::{self, Rate, RateKind};
use serde_json::Value;
use tmf::day::Day;
use tmf::document::customer_bill::AppliedRate;
use tmf::document::read;
use tmf::field::Malformed;
use tmf::money::Decimal;

use super::charges::cycle_of;
use super::{Books, DOCUMENTS_MAX, rates};
use crate::policies::Refusal;

/// The end of the id of an entry that reverses a rate's.
const REVERSAL: &str = "-reversal";

/// Lists what is wrong with rows, before a day as far as that matters.
pub(super) fn faults(books: &Books<'_>, until: Day) -> Result<Vec<Fault>, Refusal> {
    let mut faults = Vec::new();
    let mut usages = Usages::default();
    books.session.each_document::<Refusal>(rate::RESOURCE, |document| {
        let Some(rate) = readable(&mut faults, rate::RESOURCE, &document.body, rate_of) else {
            return Ok(());
        };
        usages.rate(&rate);
        of_rate(books, &rate, &mut faults)
    })?;
    books.session.each_document::<Refusal>("customerBill", |document| {
        of_bill(books, &document.body, &mut faults)
    })?;
    books.session.each_document::<Refusal>(ledger::RESOURCE, |document| {
        of_entry(books, &document.body, &mut faults)
    })?;
    let mut due: BTreeMap<String, Day> = BTreeMap::new();
    books.session.each_document::<Refusal>("usage", |document| {
        if let Some(Some(rated)) = readable(&mut faults, "usage", &document.body, Rated::read) {
            let until = billed_until(books, &rated, until, &mut due)?;
            faults.extend(usages.usage(&rated, until, books.settings.zone));
        }
        Ok(())
    })?;
    faults.extend(usages.faults());
    Ok(faults)
}

/// Up to which day a run on a day bills usage: the bill day of the account that pays for it.
fn billed_until(
    books: &Books<'_>,
    rated: &Rated,
    date: Day,
    known: &mut BTreeMap<String, Day>,
) -> Result<Day, Refusal> {
    if rated.is_billed {
        return Ok(date);
    }
    let account = match &rated.account {
        Some(account) => Some(account.clone()),
        None => books.session.document("product", &rated.product)?.and_then(|product| {
            product.body.pointer("/billingAccount/id")?.as_str().map(str::to_owned)
        }),
    };
    let Some(account) = account else { return Ok(date) };
    if let Some(until) = known.get(&account) {
        return Ok(*until);
    }
    // A cycle that cannot be read is told elsewhere.
    let cycle = match cycle_of(books, &account) {
        Ok(cycle) => cycle,
        Err(Refusal::Store(error)) => return Err(error.into()),
        Err(_) => return Ok(date),
    };
    let until = cycle.over_by(date).until;
    known.insert(account, until);
    Ok(until)
}

/// Reads a document; a fault if that is not possible.
pub(super) fn readable<T>(
    faults: &mut Vec<Fault>,
    resource: &'static str,
    document: &Value,
    read: impl FnOnce(&Value) -> Result<T, Malformed>,
) -> Option<T> {
    match read(document) {
        Ok(found) => Some(found),
        Err(wrong) => {
            faults.push(FaultKind::Unreadable.of(resource, id_of(document), wrong));
            None
        }
    }
}

/// What was asked of a row; a fault if that cannot be read, or something that it needs.
pub(super) fn told<T>(
    faults: &mut Vec<Fault>,
    resource: &'static str,
    id: &str,
    answer: Result<T, Refusal>,
) -> Result<Option<T>, Refusal> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Refusal::Store(error)) if !matches!(error, Error::Unreadable { .. }) => {
            Err(error.into())
        }
        Err(wrong) => {
            faults.push(FaultKind::Unreadable.of(resource, id, wrong));
            Ok(None)
        }
    }
}

fn of_rate(books: &Books<'_>, rate: &Rate, faults: &mut Vec<Fault>) -> Result<(), Refusal> {
    let entry = entry(books, &ledger::rate_id(&rate.id))?;
    if let Some(entry) = &entry {
        // One that cannot be read has a fault of its own.
        if let Ok(entry) = read_entry(entry) {
            faults.extend(entry_of_rate(rate, Some(&entry)));
        }
    } else {
        faults.extend(entry_of_rate(rate, None));
    }
    if let Some(bill) = &rate.bill
        && books.session.document("customerBill", bill)?.is_none()
    {
        let reason = format!("there is no bill `{bill}`");
        faults.push(FaultKind::WrongBill.of(rate::RESOURCE, &rate.id, reason));
    }
    let Some(of) = &rate.credits else { return Ok(()) };
    if rate.kind == RateKind::Adjustment {
        let mut known = Vec::new();
        for one in rates(books, "billingAccount.id", rate.account.as_deref().unwrap_or_default())? {
            known.extend(rate_of(&one.body));
        }
        if left_of(of, &rate.net.currency, &known).net.amount < Decimal::ZERO {
            let reason = format!("more of bill `{of}` was given back than it charged");
            faults.push(FaultKind::WrongCredit.of(rate::RESOURCE, &rate.id, reason));
        }
    }
    let resource = if books.session.document(rate::RESOURCE, of)?.is_some() {
        rate::RESOURCE
    } else {
        "customerBill"
    };
    let of_account =
        books.session.document(resource, of)?.map(|found| account_of(&found.body).to_owned());
    let reason = match of_account {
        None => format!("gives back `{of}`, which is not there"),
        Some(account) if Some(&account) != rate.account.as_ref() => {
            format!("gives back `{of}`, which is of account `{account}`")
        }
        Some(_) => return Ok(()),
    };
    faults.push(FaultKind::WrongCredit.of(rate::RESOURCE, &rate.id, reason));
    Ok(())
}

fn of_bill(books: &Books<'_>, bill: &Value, faults: &mut Vec<Fault>) -> Result<(), Refusal> {
    let Some(booked) = readable(faults, "customerBill", bill, booked) else { return Ok(()) };
    let id = id_of(bill);
    for (index, [now, formerly]) in booked.payments() {
        let found = match entry(books, &now)? {
            Some(found) => Some(found),
            None => entry(books, &formerly)?,
        };
        match found.as_ref().map(read_entry) {
            Some(Ok(entry)) => faults.extend(booked.entry_of_payment(index, Some(&entry))),
            None => faults.extend(booked.entry_of_payment(index, None)),
            Some(Err(_)) => {}
        }
    }
    let mut lines = Vec::new();
    for line in books.session.documents_by(rate::RESOURCE, "bill.id", id, DOCUMENTS_MAX)? {
        match rate_of(&line.body) {
            Ok(line) => lines.push(line),
            // It is reported as a rate; without it there is no sum to compare.
            Err(_) => return Ok(()),
        }
    }
    let written_off = entry(books, &ledger::write_off_id(id))?;
    let written_off = written_off.as_ref().and_then(|entry| read_entry(entry).ok());
    faults.extend(booked.sums(&lines, written_off.as_ref()));
    Ok(())
}

fn of_entry(books: &Books<'_>, document: &Value, faults: &mut Vec<Fault>) -> Result<(), Refusal> {
    let Some(read) = readable(faults, ledger::RESOURCE, document, read_entry) else {
        return Ok(());
    };
    let is_founded = match Cause::of(read.id()) {
        Cause::Rate(rate) => of_rate_entry(books, &read, rate, faults)?,
        Cause::Payment { payment, bill } => has_payment(books, bill, payment)?,
        Cause::FormerPayment(payment) => {
            let mut found = false;
            books.session.each_document::<Refusal>("customerBill", |bill| {
                found |= booked(&bill.body).is_ok_and(|bill| bill.has_payment(payment));
                Ok(())
            })?;
            found
        }
        Cause::WriteOff(bill) => books.session.document("customerBill", bill)?.is_some(),
        Cause::Unknown => false,
    };
    if !is_founded {
        let reason = "nothing that is there was booked by it";
        faults.push(FaultKind::EntryUnfounded.of(ledger::RESOURCE, read.id(), reason));
    }
    Ok(())
}

/// Whether there is what an entry of a rate is about: the rate, or its reversal; of a reversal, what
/// it reverses.
fn of_rate_entry(
    books: &Books<'_>,
    read: &Entry,
    rate: &str,
    faults: &mut Vec<Fault>,
) -> Result<bool, Refusal> {
    if books.session.document(rate::RESOURCE, rate)?.is_some() {
        return Ok(true);
    }
    if entry(books, &format!("{}{REVERSAL}", read.id()))?.is_some() {
        return Ok(true);
    }
    let Some(former) = rate.strip_suffix(REVERSAL) else { return Ok(false) };
    let Some(former) = entry(books, &ledger::rate_id(former))? else { return Ok(false) };
    if let Ok(former) = read_entry(&former) {
        faults.extend(reversal(&former, read));
    }
    Ok(true)
}

fn has_payment(books: &Books<'_>, bill: &str, payment: &str) -> Result<bool, Refusal> {
    let bill = books.session.document("customerBill", bill)?;
    // A bill that cannot be read has a fault of its own.
    let has = |bill: &Value| booked(bill).map_or(true, |bill| bill.has_payment(payment));
    Ok(bill.is_some_and(|bill| has(&bill.body)))
}

fn entry(books: &Books<'_>, id: &str) -> Result<Option<Value>, Refusal> {
    Ok(books.session.document(ledger::RESOURCE, id)?.map(|found| found.body))
}

fn rate_of(document: &Value) -> Result<Rate, Malformed> {
    read::<AppliedRate>(document).and_then(|rate| Rate::read(&rate))
}

fn read_entry(document: &Value) -> Result<Entry, Malformed> {
    read(document).and_then(Entry::read)
}

fn booked(bill: &Value) -> Result<Booked, Malformed> {
    read(bill).and_then(Booked::read)
}

fn id_of(document: &Value) -> &str {
    document.get("id").and_then(Value::as_str).unwrap_or_default()
}

fn account_of(document: &Value) -> &str {
    document.pointer("/billingAccount/id").and_then(Value::as_str).unwrap_or_default()
}
