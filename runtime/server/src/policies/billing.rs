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

use engine::documents::{Document, Put};
use std::sync::Arc;

use commerce::billing::bill_state::BillState;
use commerce::billing::statement::Statement;
use commerce::billing::timeline::Timeline;
use futures_util::future::BoxFuture;
use host::Host;
use model::pricing::ledger::{self, Entry};
use model::pricing::rate::{self, Rate};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tmf::day::Day;
use tmf::document::customer_bill::{AppliedRate, CustomerBill};
use tmf::document::{self, write};
use tmf::field::Malformed;
use tmf::resource::Resource;
use tmf::time::Timestamp;

pub(crate) use run::Asked;

use super::{Draft, Policy, Refusal};
use crate::documents::{Documents, Session};
use crate::rulebooks::Rulebooks;
use crate::settings::BillingSettings;

/// Max documents of one product or one account that are read.
const DOCUMENTS_MAX: usize = 100_000;

/// The resources with prices and bills.
const RESOURCES: [&str; 8] = [
    "usage",
    "product",
    "productOfferingPrice",
    "billingAccount",
    "settlementAccount",
    "billingCycleSpecification",
    "customerBillOnDemand",
    "customerBill",
];

/// Rating and billing. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Billing {
    pub(crate) documents: Documents,
    pub(crate) rulebooks: Rulebooks,
    pub(crate) settings: Arc<BillingSettings>,
    /// Runs raters.
    pub(crate) host: Host,
}

/// Billing at work, on a thread that may wait for the disk.
struct Books<'a> {
    session: &'a Session,
    rulebooks: &'a Rulebooks,
    settings: &'a BillingSettings,
    host: &'a Host,
}

impl Policy for Billing {
    fn governs(&self, resource: &Resource) -> bool {
        RESOURCES.contains(&resource.key)
    }

    fn check(&self, session: &Session, draft: &mut Draft) -> Result<(), Refusal> {
        let books = self.books(session);
        let strictness = &self.settings.strictness;
        match draft.resource.key {
            "product" if strictness.product_prices.refuses() => {
                let wrong = |refusal: Refusal| refusal.by_setting("inventory", "prices");
                check_prices(draft).map_err(wrong)?;
                usage::check_tariffs(&books, draft).map_err(wrong)
            }
            "productOfferingPrice" if strictness.offering_prices.refuses() => {
                let wrong = |refusal: Refusal| refusal.by_setting("catalog", "prices");
                usage::check_tariffs(&books, draft).map_err(wrong)
            }
            "billingAccount" | "settlementAccount" | "billingCycleSpecification" => {
                cycles::check(&books, draft)
            }
            "customerBill" => bills::settle(&books, draft),
            _ => Ok(()),
        }
    }

    fn prepare(&self, mut draft: Draft) -> BoxFuture<'_, Result<Draft, Refusal>> {
        let is_removed = draft.after.is_none();
        match draft.resource.key {
            "usage" => Box::pin(self.drive(async move |books| {
                usage::settle(books, &mut draft).await?;
                Ok(draft)
            })),
            "product" if is_removed => Box::pin(self.drive(async move |books| {
                charges::removed(books, &mut draft).await?;
                Ok(draft)
            })),
            "customerBillOnDemand" => Box::pin(self.drive(async move |books| {
                run::on_demand(books, &mut draft).await?;
                Ok(draft)
            })),
            _ => Box::pin(std::future::ready(Ok(draft))),
        }
    }
}

/// The operations of billing.
impl Billing {
    /// Bills all that is due on a day, and reports each account.
    pub(crate) async fn run(&self, asked: Asked) -> Result<Value, Refusal> {
        self.drive(async move |books| run::run(books, &asked).await).await
    }

    /// Lists bill runs, the latest first.
    pub(crate) async fn runs(&self) -> Result<Value, Refusal> {
        self.read(undo::runs).await
    }

    /// A bill run; `None` if there is none of that id.
    pub(crate) async fn one_run(&self, id: &str) -> Result<Option<Value>, Refusal> {
        let id = id.to_owned();
        self.read(move |books| undo::one(books, &id)).await
    }

    /// Undoes a bill run; `None` if there is none of that id.
    pub(crate) async fn undo(&self, id: &str) -> Result<Option<Value>, Refusal> {
        let id = id.to_owned();
        self.drive(async move |books| undo::undo(books, &id).await).await
    }

    /// Books a payment; returns its bill.
    pub(crate) async fn pay(&self, body: Value) -> Result<CustomerBill, Refusal> {
        self.drive(async move |books| money::pay(books, &body).await).await
    }

    /// Grants a credit; returns its rate.
    pub(crate) async fn adjust(&self, body: Value) -> Result<AppliedRate, Refusal> {
        self.drive(async move |books| money::adjust(books, &body).await).await
    }

    /// Writes off the rest of a bill; returns the bill.
    pub(crate) async fn write_off(&self, body: Value) -> Result<CustomerBill, Refusal> {
        self.drive(async move |books| money::write_off(books, &body).await).await
    }

    /// Moves a bill to a state; `None` if there is no such bill.
    pub(crate) async fn move_one(
        &self,
        id: &str,
        to: BillState,
    ) -> Result<Option<CustomerBill>, Refusal> {
        let id = id.to_owned();
        self.drive(async move |books| bills::move_one(books, &id, to).await).await
    }

    /// Moves all bills that are in some states to another one.
    pub(crate) async fn move_all(
        &self,
        from: &'static [BillState],
        to: BillState,
    ) -> Result<Value, Refusal> {
        self.drive(async move |books| bills::move_all(books, from, to).await).await
    }

    /// The balances of the books.
    pub(crate) async fn trial_balance(&self) -> Result<Value, Refusal> {
        self.read(report::trial_balance).await
    }

    /// A bill with its lines, for people; `None` if there is no such bill.
    pub(crate) async fn statement(&self, id: &str) -> Result<Option<Statement>, Refusal> {
        let id = id.to_owned();
        self.read(move |books| report::statement(books, &id)).await
    }

    /// Compares charges, bills and books before a day.
    pub(crate) async fn findings(&self, until: Day) -> Result<Value, Refusal> {
        self.read(move |books| assured::findings(books, until)).await
    }

    /// Reads and decides, on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Books<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let own = self.clone();
        self.documents.read(move |session| read(&own.books(session))).await
    }

    /// Reads, decides and writes by turns, on a thread that may wait for the disk.
    async fn drive<T: Send + 'static>(
        &self,
        job: impl AsyncFnOnce(&Books<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let own = self.clone();
        let driven = self.documents.drive(async move |session| job(&own.books(&session)).await);
        driven.await
    }

    fn books<'a>(&'a self, session: &'a Session) -> Books<'a> {
        let Self { rulebooks, settings, host, .. } = self;
        Books { session, rulebooks, settings, host }
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

/// The history of a product: its current document and the earlier versions. A removed product of the
/// same id is not a part of it.
fn timeline(books: &Books<'_>, product: &Document) -> Result<Timeline, Refusal> {
    let id = product.body.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut versions = past(books, id)?;
    versions.push((product.since, product.body.clone()));
    let timeline = Timeline::of_versions(&product.body, &versions, books.settings.zone);
    timeline.map_err(|wrong| refused("product", id, &wrong))
}

/// The earlier versions of a product, each with its begin.
fn past(books: &Books<'_>, product: &str) -> Result<Vec<(Timestamp, Value)>, Refusal> {
    let earlier = books.session.versions("product", product, DOCUMENTS_MAX)?;
    Ok(earlier.into_iter().map(|version| (version.since, version.body)).collect())
}

/// The rates of a product or an account, as they are kept.
fn rates(books: &Books<'_>, path: &'static str, id: &str) -> Result<Vec<Document>, Refusal> {
    Ok(books.session.documents_by(rate::RESOURCE, path, id, DOCUMENTS_MAX)?)
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
fn lines_of(books: &Books<'_>, bill: &str) -> Result<Vec<Rate>, Refusal> {
    let lines = books.session.documents_by(rate::RESOURCE, "bill.id", bill, DOCUMENTS_MAX)?;
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
fn posted_once(books: &Books<'_>, rate: &Rate) -> Result<Option<Put>, Refusal> {
    let put = posted_rate(rate)?;
    let is_there = books.session.document(&put.resource, &put.id)?.is_some();
    Ok((!is_there).then_some(put))
}

/// A stored document cannot be billed as it is.
fn refused(resource: &'static str, id: &str, wrong: &Malformed) -> Refusal {
    Refusal::Row { resource, id: id.to_owned(), wrong: wrong.clone() }
}

/// A client's document that is malformed.
fn malformed(path: &str, message: impl Into<String>) -> Refusal {
    Refusal::Malformed { path: path.into(), message: message.into() }
}
