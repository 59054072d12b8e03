//! Rating and billing: usage is rated as it comes in, bills are drawn by cycle or on demand, payments
//! and refunds are noted, and every change of money is an entry in the books.
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

mod bill_run;
mod stored;
mod written;

use std::sync::Arc;

use commerce::billing::bill_state::BillState;
use commerce::billing::requested::{AdjustmentBody, PaymentBody, WriteOffBody};
use commerce::billing::statement::Statement;
use futures_util::future::BoxFuture;
use host::Host;
use tmf::Malformed;
use tmf::day::Day;
use tmf::document;
use tmf::document::customer_bill::{AppliedRate, CustomerBill};
use tmf::resource::Resource;

use self::assured::Findings;
use self::bill_run::{BillRun, RunReport};
use self::bills::Moved;
use self::report::TrialBalance;
pub(crate) use run::Asked;

use super::{Draft, Policy, Refusal};
use crate::documents::{Documents, Session};
use crate::rulebooks::Rulebooks;
use crate::settings::BillingSettings;

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

/// Rating and billing.
pub(crate) struct Billing(Arc<Inner>);

struct Inner {
    documents: Documents,
    rulebooks: Rulebooks,
    settings: Arc<BillingSettings>,
    /// Runs raters.
    host: Host,
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
        let books = self.0.books(session);
        let strictness = &self.0.settings.strictness;
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

    fn prepare<'a>(
        &'a self,
        _: &'a Documents,
        mut draft: Draft,
    ) -> BoxFuture<'a, Result<Draft, Refusal>> {
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
    pub(crate) fn new(
        documents: Documents,
        rulebooks: Rulebooks,
        settings: Arc<BillingSettings>,
        host: Host,
    ) -> Self {
        Self(Arc::new(Inner { documents, rulebooks, settings, host }))
    }

    /// Bills all that is due on a day, and reports each account.
    pub(crate) async fn run(&self, asked: Asked) -> Result<RunReport, Refusal> {
        self.drive(async move |books| run::run(books, &asked).await).await
    }

    /// Lists bill runs, the latest first.
    pub(crate) async fn runs(&self) -> Result<Vec<BillRun>, Refusal> {
        self.read(bill_run::runs).await
    }

    /// A bill run; `None` if there is none of that id.
    pub(crate) async fn one_run(&self, id: &str) -> Result<Option<BillRun>, Refusal> {
        let id = id.to_owned();
        self.read(move |books| bill_run::one(books, &id)).await
    }

    /// Undoes a bill run; `None` if there is none of that id.
    pub(crate) async fn undo(&self, id: &str) -> Result<Option<BillRun>, Refusal> {
        let id = id.to_owned();
        self.drive(async move |books| undo::undo(books, &id).await).await
    }

    /// Books a payment; returns its bill.
    pub(crate) async fn pay(&self, body: PaymentBody) -> Result<CustomerBill, Refusal> {
        self.drive(async move |books| money::pay(books, body).await).await
    }

    /// Grants a credit; returns its rate.
    pub(crate) async fn adjust(&self, body: AdjustmentBody) -> Result<AppliedRate, Refusal> {
        self.drive(async move |books| money::adjust(books, body).await).await
    }

    /// Writes off the rest of a bill; returns the bill.
    pub(crate) async fn write_off(&self, body: WriteOffBody) -> Result<CustomerBill, Refusal> {
        self.drive(async move |books| money::write_off(books, body).await).await
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
    ) -> Result<Moved, Refusal> {
        self.drive(async move |books| bills::move_all(books, from, to).await).await
    }

    /// The balances of the books.
    pub(crate) async fn trial_balance(&self) -> Result<TrialBalance, Refusal> {
        self.read(report::trial_balance).await
    }

    /// A bill with its lines, for people; `None` if there is no such bill.
    pub(crate) async fn statement(&self, id: &str) -> Result<Option<Statement>, Refusal> {
        let id = id.to_owned();
        self.read(move |books| report::statement(books, &id)).await
    }

    /// Compares charges, bills and books before a day.
    pub(crate) async fn findings(&self, until: Day) -> Result<Findings, Refusal> {
        self.read(move |books| assured::findings(books, until)).await
    }

    /// Reads and decides, on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Books<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let own = Arc::clone(&self.0);
        self.0.documents.read(move |session| read(&own.books(session))).await
    }

    /// Reads, decides and writes by turns, on a thread that may wait for the disk.
    async fn drive<T: Send + 'static>(
        &self,
        job: impl AsyncFnOnce(&Books<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let own = Arc::clone(&self.0);
        let driven = self.0.documents.drive(async move |session| job(&own.books(&session)).await);
        driven.await
    }
}

impl Inner {
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
    document::read(after)
        .and_then(|product| model::pricing::product_price::check(&product))
        .map_err(invalid)
}

/// An attribute of a document that a client writes is wrong.
fn invalid(wrong: Malformed) -> Refusal {
    let message = wrong.to_string();
    Refusal::unprocessable(wrong.attribute, message)
}
