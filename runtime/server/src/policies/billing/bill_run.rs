//! Bill runs as they are stored and reported.

use engine::documents::Put;
use serde::{Deserialize, Serialize};
use tmf::document::customer_bill::CustomerBill;
use tmf::document::{Amount, DateTime, Reference, write};

use super::Books;
use super::stored::Stored;
use crate::policies::Refusal;

/// The resource of bill runs.
pub(super) const RUNS: &str = "billRun";

/// Max runs that are listed: the latest.
const RUNS_MAX: usize = 1_000;

tmf::document! {
    /// A bill run.
    pub(crate) struct BillRun {
        id: String,
        href: String,
        state: RunState,
        started_at: DateTime,
        /// The day of the run.
        date: String,
        /// The only account that is billed; `null` if all are.
        #[serde(default)]
        billing_account: Option<Reference>,
        accounts?: usize,
        bill_count?: usize,
        nothing_count?: usize,
        failed_count?: usize,
        undone_at?: DateTime,
    }
}

/// The state of a bill run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RunState {
    Running,
    Done,
    Undone,
}

/// A bill run with its lists, which are not stored.
#[derive(Debug, Serialize)]
pub(crate) struct RunReport {
    #[serde(flatten)]
    pub(super) run: BillRun,
    pub(super) bill: Vec<BillSummary>,
    /// The accounts without anything to bill.
    pub(super) nothing: Vec<String>,
    pub(super) failed: Vec<Failed>,
}

/// A bill in the report of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BillSummary {
    id: String,
    href: Option<String>,
    bill_no: Option<String>,
    billing_account: Option<Reference>,
    amount_due: Option<Amount>,
    state: tmf::BillState,
}

/// An account, or a document, that could not be billed.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failed {
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

impl BillSummary {
    pub(super) fn of(bill: CustomerBill) -> Self {
        let CustomerBill { id, href, bill_no, billing_account, amount_due, state, .. } = bill;
        Self { id, href, bill_no, billing_account, amount_due, state }
    }
}

impl Failed {
    pub(super) fn of(billing_account: Option<String>, refusal: Refusal) -> Self {
        let reason = refusal.to_string();
        let (resource, id) = match refusal {
            Refusal::Row { resource, id, .. } => (Some(resource), Some(id)),
            Refusal::Malformed { .. }
            | Refusal::Unprocessable { .. }
            | Refusal::Conflict { .. }
            | Refusal::Store(_)
            | Refusal::Failed(_)
            | Refusal::Submit(_) => (None, None),
        };
        Self { reason, billing_account, resource, id }
    }
}

impl BillRun {
    /// Stores it without an event.
    pub(super) fn stored(&self) -> Put {
        Put::set(RUNS, self.id.as_str(), write(self)).quiet()
    }
}

/// Lists bill runs, the latest first.
pub(crate) fn runs(books: &Books<'_>) -> Result<Vec<BillRun>, Refusal> {
    let mut found = Vec::new();
    books.session.each_document::<Refusal>(RUNS, |run| {
        found.push(Stored::read(RUNS, &run)?.body);
        Ok(())
    })?;
    found.reverse();
    found.truncate(RUNS_MAX);
    Ok(found)
}

/// A bill run; `None` if there is none of that id.
pub(crate) fn one(books: &Books<'_>, id: &str) -> Result<Option<BillRun>, Refusal> {
    Ok(Stored::find(books, RUNS, id)?.map(|run| run.body))
}
