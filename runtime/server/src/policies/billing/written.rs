//! The documents that billing writes: rates, bills and usages, and the entries of the books.

use std::collections::BTreeMap;

use commerce::billing::bill::Drawn;
use engine::documents::Put;
use engine::documents::{Change, Expected};
use model::pricing::ledger::{self, Entry};
use model::pricing::rate::{self, Rate};
use serde::Serialize;
use serde_json::json;
use tmf::document::customer_bill::AppliedRate;
use tmf::document::usage::Usage;
use tmf::document::write;

use super::Books;
use super::stored::Stored;
use crate::policies::Refusal;

/// Replaces a document unless it was changed meanwhile.
pub(super) fn replaced(
    resource: &'static str,
    id: &str,
    body: &impl Serialize,
    revision: u64,
) -> Put {
    Put::new(resource, id, Change::Set(write(body)), Expected::Revision(revision))
}

/// Replaces a usage unless it was changed meanwhile.
pub(super) fn changed_usage(usage: &Usage, revision: u64) -> Put {
    replaced("usage", &usage.id, usage, revision)
}

/// Removes a document unless it was changed meanwhile.
pub(super) fn removed(resource: &'static str, id: &str, revision: u64) -> Put {
    Put::new(resource, id, Change::Remove, Expected::Revision(revision))
}

/// The entry of something in the books; posted once, by its id, and never changed.
pub(super) fn posted(entry: Entry) -> Put {
    let entry = entry.into_document();
    Put::create(ledger::RESOURCE, &entry.id, write(&entry))
}

/// The entry of a rate.
pub(super) fn posted_rate(rate: &Rate) -> Result<Put, Refusal> {
    let entry = Entry::of_rate(rate);
    let entry = entry.map_err(|wrong| Refusal::unprocessable("rate", wrong.to_string()))?;
    Ok(posted(entry))
}

/// The entry of a rate that may be in the books already. That of an imported rate is not.
fn posted_once(books: &Books<'_>, rate: &Rate) -> Result<Option<Put>, Refusal> {
    let put = posted_rate(rate)?;
    let is_there = books.session.document(&put.resource, &put.id)?.is_some();
    Ok((!is_there).then_some(put))
}

/// The id of the entry that reverses that of a rate.
pub(super) fn reversal(rate: &str) -> String {
    format!("{}-reversal", ledger::rate_id(rate))
}

/// A document that a run writes, with the id of the run, so that it can be undone.
pub(super) fn of_run(mut put: Put, run: Option<&str>) -> Put {
    if let (Change::Set(body), Some(run)) = (&mut put.change, run) {
        body["billRun"] = json!({ "id": run });
    }
    put
}

/// The bills, the rates that are on them or new, and their entries in the books. `known` are the rates
/// that were not billed before.
pub(super) fn charges_and_bills(
    books: &Books<'_>,
    made: &[Rate],
    known: &[(Stored<AppliedRate>, Rate)],
    drawn: &[Drawn],
    run: Option<&str>,
) -> Result<Vec<Put>, Refusal> {
    let mut puts = Vec::new();
    let mut on_bills = BTreeMap::new();
    for Drawn { bill, rates } in drawn {
        puts.push(of_run(Put::create("customerBill", bill.id.as_str(), write(bill)), run));
        on_bills.extend(rates.iter().map(|rate| (rate.id.as_str(), rate)));
    }
    for rate in made {
        let document = on_bills.get(rate.id.as_str()).map(|rate| write(*rate));
        let document = document.unwrap_or_else(|| write(&rate.document(books.settings.zone)));
        puts.push(of_run(Put::create(rate::RESOURCE, &rate.id, document), run));
        puts.push(posted_rate(rate)?);
    }
    for (kept, rate) in known {
        let Some(billed) = on_bills.get(rate.id.as_str()) else { continue };
        puts.push(replaced(rate::RESOURCE, &rate.id, billed, kept.revision));
        puts.extend(posted_once(books, rate)?);
    }
    Ok(puts)
}
