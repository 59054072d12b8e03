//! The rows that revenue assurance finds wrong: malformed documents, changes of money with a missing or
//! different entry in the books, bills that do not add up, and usage that is not billed or not charged.

use std::borrow::Cow;
use std::collections::BTreeMap;

use commerce::billing::adjustment::left_of;
use commerce::billing::assurance::books::{Booked, Cause, entry_of_rate, reversal};
use commerce::billing::assurance::usages::Usages;
use commerce::billing::assurance::{Fault, FaultKind};
use commerce::billing::usage::Rated;
use engine::documents::{Document, Error};
use model::pricing::ledger::{self, Entry};
use model::pricing::rate::{self, Rate, RateKind};
use tmf::Malformed;
use tmf::day::Day;
use tmf::document::read;
use tmf::document::usage::Usage;
use tmf::money::Decimal;

use super::Books;
use super::stored::{DOCUMENTS_MAX, account_of, cycle_of, id_of, rate_of};
use crate::policies::Refusal;

/// The end of the id of an entry that reverses a rate's.
const REVERSAL: &str = "-reversal";

/// Lists what is wrong with rows, before a day as far as that matters.
pub(super) fn faults(books: &Books<'_>, until: Day) -> Result<Vec<Fault>, Refusal> {
    let mut faults = Vec::new();
    let mut usages = Usages::default();
    books.session.each_document::<Refusal>(rate::RESOURCE, |document| {
        let Some(rate) = readable(&mut faults, rate::RESOURCE, &document, rate_of) else {
            return Ok(());
        };
        of_rate(books, &rate, &mut faults)?;
        usages.rate(rate);
        Ok(())
    })?;
    books.session.each_document::<Refusal>("customerBill", |document| {
        of_bill(books, &document, &mut faults)
    })?;
    books.session.each_document::<Refusal>(ledger::RESOURCE, |document| {
        of_entry(books, &document, &mut faults)
    })?;
    let mut due: BTreeMap<String, Day> = BTreeMap::new();
    books.session.each_document::<Refusal>("usage", |document| {
        let rated = |document: &Document| {
            read::<Usage>(&document.body).and_then(|usage| Rated::read(&usage))
        };
        if let Some(Some(rated)) = readable(&mut faults, "usage", &document, rated) {
            let until = billed_until(books, &rated, until, &mut due)?;
            faults.extend(usages.usage(rated, until, books.settings.zone));
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
        Some(account) => Some(Cow::Borrowed(account.as_str())),
        None => {
            let product = books.session.document("product", &rated.product)?;
            product.and_then(|product| Some(account_of(&product)?.to_owned().into()))
        }
    };
    let Some(account) = account else { return Ok(date) };
    if let Some(until) = known.get(&*account) {
        return Ok(*until);
    }
    // A malformed cycle is reported elsewhere.
    let cycle = match cycle_of(books, &account) {
        Ok(cycle) => cycle,
        Err(Refusal::Store(error)) => return Err(error.into()),
        Err(_) => return Ok(date),
    };
    let until = cycle.over_by(date).until;
    known.insert(account.into_owned(), until);
    Ok(until)
}

/// Reads a document; a fault if that is not possible.
pub(super) fn readable<T>(
    faults: &mut Vec<Fault>,
    resource: &'static str,
    document: &Document,
    read: impl FnOnce(&Document) -> Result<T, Malformed>,
) -> Option<T> {
    match read(document) {
        Ok(found) => Some(found),
        Err(wrong) => {
            faults.push(FaultKind::Unreadable.of(resource, id_of(document), wrong));
            None
        }
    }
}

/// The result of a check of a row; a fault if the row cannot be read, or another one that it needs.
pub(super) fn checked<T>(
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
        let account = rate.account.as_deref().unwrap_or_default();
        let path = "billingAccount.id";
        for one in books.session.documents_by(rate::RESOURCE, path, account, DOCUMENTS_MAX)? {
            known.extend(rate_of(&one));
        }
        if left_of(of, rate.net.currency, &known).net.amount < Decimal::ZERO {
            let reason = format!("more of bill `{of}` was given back than it charged");
            faults.push(FaultKind::WrongCredit.of(rate::RESOURCE, &rate.id, reason));
        }
    }
    let resource = if books.session.document(rate::RESOURCE, of)?.is_some() {
        rate::RESOURCE
    } else {
        "customerBill"
    };
    let found = books.session.document(resource, of)?;
    let of_account = found.as_ref().map(|found| account_of(found).unwrap_or_default());
    let reason = match of_account {
        None => format!("refunds `{of}`, which is not there"),
        Some(account) if Some(account) != rate.account.as_deref() => {
            format!("refunds `{of}`, which is of account `{account}`")
        }
        Some(_) => return Ok(()),
    };
    faults.push(FaultKind::WrongCredit.of(rate::RESOURCE, &rate.id, reason));
    Ok(())
}

fn of_bill(books: &Books<'_>, bill: &Document, faults: &mut Vec<Fault>) -> Result<(), Refusal> {
    let Some(booked) = readable(faults, "customerBill", bill, booked) else { return Ok(()) };
    let id = id_of(bill);
    for (index, id) in booked.payments() {
        match entry(books, &id)?.as_ref().map(read_entry) {
            Some(Ok(entry)) => faults.extend(booked.entry_of_payment(index, Some(&entry))),
            None => faults.extend(booked.entry_of_payment(index, None)),
            Some(Err(_)) => {}
        }
    }
    let mut lines = Vec::new();
    for line in books.session.documents_by(rate::RESOURCE, "bill.id", id, DOCUMENTS_MAX)? {
        match rate_of(&line) {
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

fn of_entry(
    books: &Books<'_>,
    document: &Document,
    faults: &mut Vec<Fault>,
) -> Result<(), Refusal> {
    let Some(read) = readable(faults, ledger::RESOURCE, document, read_entry) else {
        return Ok(());
    };
    let is_founded = match Cause::of(read.id()) {
        Cause::Rate(rate) => of_rate_entry(books, &read, rate, faults)?,
        Cause::Payment { payment, bill } => has_payment(books, bill, payment)?,
        Cause::WriteOff(bill) => books.session.document("customerBill", bill)?.is_some(),
        Cause::Unknown => false,
    };
    if !is_founded {
        let reason = "no document is booked by it";
        faults.push(FaultKind::EntryUnfounded.of(ledger::RESOURCE, read.id(), reason));
    }
    Ok(())
}

/// Whether an entry of a rate is founded: there is the rate, or the entry is reversed, or it is the
/// reversal of another one.
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
    // A malformed bill has a fault of its own.
    let has = |bill: &Document| booked(bill).map_or(true, |bill| bill.has_payment(payment));
    Ok(bill.as_ref().is_some_and(has))
}

fn entry(books: &Books<'_>, id: &str) -> Result<Option<Document>, Refusal> {
    Ok(books.session.document(ledger::RESOURCE, id)?)
}

fn read_entry(document: &Document) -> Result<Entry, Malformed> {
    read(&document.body).and_then(Entry::read)
}

fn booked(bill: &Document) -> Result<Booked, Malformed> {
    read(&bill.body).and_then(Booked::read)
}
