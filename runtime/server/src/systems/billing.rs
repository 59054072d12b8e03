//! Rating and billing: usage is rated as it comes in, bills are drawn by cycle or on demand, what
//! is paid and refunded is noted, and every change of money is an entry in the books.
//!
//! All decisions are those of [`commerce::billing`]. All documents of a change are written in one batch
//! that expects each document to be as it was read, so of two runs at once for an account one is
//! refused, and nothing is billed twice.

mod assured;
mod bills;
mod charges;
mod cycles;
mod faults;
mod money;
mod report;
mod run;
mod undo;
mod usage;

use commerce::billing::timeline::Timeline;
use engine::documents::{Document, Put, versions};
use model::pricing::ledger::{self, Entry};
use model::pricing::rate::{self, Rate};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tmf::document::customer_bill::AppliedRate;
use tmf::document::{self, write};
use tmf::field::Malformed;
use tmf::time::Timestamp;

pub(crate) use assured::findings;
pub(crate) use bills::{move_all, move_one};
pub(crate) use money::{adjust, pay, write_off};
pub(crate) use report::{statement, trial_balance};
pub(crate) use run::{Asked, run};
pub(crate) use undo::{one as one_run, runs, undo};

use super::{Draft, Refusal};
use crate::app::App;

/// Max documents of one product or one account that are read.
const DOCUMENTS_MAX: usize = 100_000;

/// Does what billing does about a document that a client changes.
pub(super) async fn settle(app: &App, draft: &mut Draft) -> Result<(), Refusal> {
    match draft.resource.key {
        "usage" => usage::settle(app, draft).await,
        "product" => {
            if app.commerce.strictness.product_prices.refuses() {
                let wrong = |refusal: Refusal| refusal.by_setting("inventory", "prices");
                check_prices(draft).map_err(wrong)?;
                usage::check_tariffs(app, draft).map_err(wrong)?;
            }
            charges::removed(app, draft).await
        }
        "productOfferingPrice" if app.commerce.strictness.offering_prices.refuses() => {
            let wrong = |refusal: Refusal| refusal.by_setting("catalog", "prices");
            usage::check_tariffs(app, draft).map_err(wrong)
        }
        "billingAccount" | "settlementAccount" | "billingCycleSpecification" => {
            cycles::check(app, draft)
        }
        "customerBillOnDemand" => run::on_demand(app, draft).await,
        "customerBill" => bills::settle(app, draft),
        _ => Ok(()),
    }
}

/// Checks the prices of a product if they change.
fn check_prices(draft: &Draft) -> Result<(), Refusal> {
    let Some(after) = &draft.after else { return Ok(()) };
    let before = draft.before.as_ref().map(|before| &before.body);
    if before.and_then(|before| before.get("productPrice")) == after.get("productPrice") {
        return Ok(());
    }
    let wrong = |wrong: Malformed| Refusal::unprocessable(&wrong.attribute, wrong.to_string());
    model::pricing::product_price::check(after).map_err(wrong)
}

/// What a product was when: its document now, and those before. What another product of the same
/// id was, which is removed, is none of its past.
fn timeline(app: &App, product: &Document) -> Result<Timeline, Refusal> {
    let id = product.body.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut versions = past(app, id)?;
    versions.push((product.since, product.body.clone()));
    let timeline = Timeline::of_versions(&product.body, &versions, app.commerce.zone);
    timeline.map_err(|wrong| refused("product", id, &wrong))
}

/// What a product was before, each with the time since which it was so.
fn past(app: &App, product: &str) -> Result<Vec<(Timestamp, Value)>, Refusal> {
    let earlier = versions(&**app.engine.store(), "product", product, DOCUMENTS_MAX)?;
    Ok(earlier.into_iter().map(|version| (version.since, version.body)).collect())
}

/// The rates of a product or an account, as they are kept.
fn rates(app: &App, path: &'static str, id: &str) -> Result<Vec<Document>, Refusal> {
    Ok(app.documents_by(rate::RESOURCE, path, id, DOCUMENTS_MAX)?)
}

/// A stored document as its type, with its revision.
struct Stored<T> {
    body: T,
    revision: u64,
}

impl<T: DeserializeOwned> Stored<T> {
    fn read(resource: &'static str, document: &Document) -> Result<Self, Refusal> {
        Ok(Self { body: read(resource, document)?, revision: document.revision })
    }
}

/// Reads a stored document. The error names the document and the attribute.
fn read<T: DeserializeOwned>(resource: &'static str, document: &Document) -> Result<T, Refusal> {
    document::read(&document.body).map_err(|wrong| refused(resource, id_of(document), &wrong))
}

fn id_of(document: &Document) -> &str {
    document.body.get("id").and_then(Value::as_str).unwrap_or_default()
}

fn read_rate(document: &Document) -> Result<Rate, Refusal> {
    let rate = document::read::<AppliedRate>(&document.body).and_then(|rate| Rate::read(&rate));
    rate.map_err(|wrong| refused(rate::RESOURCE, id_of(document), &wrong))
}

/// The rates on a bill.
fn lines_of(app: &App, bill: &str) -> Result<Vec<Rate>, Refusal> {
    let lines = app.documents_by(rate::RESOURCE, "bill.id", bill, DOCUMENTS_MAX)?;
    lines.iter().map(read_rate).collect()
}

/// The entry of something in the books; posted once, by its id, and never changed.
fn posted(entry: &Entry) -> Put {
    Put::create(ledger::RESOURCE, entry.id(), write(&entry.document()))
}

/// The entry of a rate.
fn posted_rate(rate: &Rate) -> Result<Put, Refusal> {
    let entry = Entry::of_rate(rate);
    let entry = entry.map_err(|wrong| Refusal::unprocessable("rate", wrong.to_string()))?;
    Ok(posted(&entry))
}

/// The entry of a rate that may be in the books already, as one that was imported is not.
fn posted_once(app: &App, rate: &Rate) -> Result<Option<Put>, Refusal> {
    let put = posted_rate(rate)?;
    let is_there = app.document(&put.resource, &put.id)?.is_some();
    Ok((!is_there).then_some(put))
}

/// A stored document cannot be billed as it is.
fn refused(resource: &'static str, id: &str, wrong: &Malformed) -> Refusal {
    Refusal::Row { resource, id: id.to_owned(), wrong: wrong.clone() }
}

/// What a client sent is wrong.
fn malformed(path: &str, message: impl Into<String>) -> Refusal {
    Refusal::Malformed { path: path.into(), message: message.into() }
}
