//! The states of bills after they are drawn: they are validated, put on hold and sent, one or all.

use commerce::billing::bill_state::{BillState, NotMoved, moved};
use engine::documents::Error;
use serde::Serialize;
use serde_json::Value;
use tmf::document::customer_bill::CustomerBill;
use tmf::document::write;
use tmf::time::Timestamp;

use super::Books;
use super::stored::{DOCUMENTS_MAX, Stored, cycle_of, id_of, lines_of, read};
use super::written::replaced;
use crate::policies::{Draft, Refusal};

/// Max attempts to change a bill while others change it.
const TRIES_MAX: usize = 16;

/// Max bills in an answer that could not be moved.
const ANSWERS_MAX: usize = 1_000;

/// The result of moving all bills.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moved {
    state: BillState,
    bill_count: usize,
    failed: Vec<NotMovedBill>,
}

/// A bill that could not be moved.
#[derive(Debug, Serialize)]
struct NotMovedBill {
    bill: String,
    reason: String,
}

/// Validates a state of a bill that a client sets against the lines of the bill.
pub(super) fn settle(books: &Books<'_>, draft: &mut Draft) -> Result<(), Refusal> {
    let (Some(before), Some(after)) = (&draft.before, &draft.after) else { return Ok(()) };
    if before.body.get("state") == after.get("state") {
        return Ok(());
    }
    let to = after.get("state").and_then(Value::as_str).and_then(BillState::parse);
    if let Some(to) = to {
        draft.after = Some(write(&next(books, read("customerBill", before)?, to, draft.at)?));
    }
    Ok(())
}

/// Moves a bill to a state; `None` if there is no such bill.
pub(crate) async fn move_one(
    books: &Books<'_>,
    id: &str,
    to: BillState,
) -> Result<Option<CustomerBill>, Refusal> {
    for _ in 0..TRIES_MAX {
        let bill = Stored::<CustomerBill>::find(books, "customerBill", id)?;
        let Some(bill) = bill else { return Ok(None) };
        let from = bill.body.state;
        let after = next(books, bill.body, to, books.session.now())?;
        if after.state == from {
            return Ok(Some(after));
        }
        match books.session.write(vec![replaced("customerBill", id, &after, bill.revision)]).await {
            Ok(()) => return Ok(Some(after)),
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::conflict("id", format!("others change the bill `{id}` all the time: try again")))
}

/// Moves all bills that are in some states to another one. A bill that cannot be moved is reported, and
/// delays no other.
pub(crate) async fn move_all(
    books: &Books<'_>,
    from: &[BillState],
    to: BillState,
) -> Result<Moved, Refusal> {
    let (mut bill_count, mut failed) = (0_usize, Vec::new());
    for state in from {
        let bills =
            books.session.documents_by("customerBill", "state", state.as_str(), DOCUMENTS_MAX)?;
        for id in bills.iter().map(id_of) {
            match move_one(books, id, to).await {
                Ok(moved) => bill_count += usize::from(moved.is_some()),
                Err(Refusal::Store(error)) => return Err(error.into()),
                Err(refusal) if failed.len() < ANSWERS_MAX => {
                    let (bill, reason) = (id.to_owned(), refusal.to_string());
                    failed.push(NotMovedBill { bill, reason });
                }
                Err(_) => {}
            }
        }
    }
    Ok(Moved { state: to, bill_count, failed })
}

fn next(
    books: &Books<'_>,
    bill: CustomerBill,
    to: BillState,
    at: Timestamp,
) -> Result<CustomerBill, Refusal> {
    let lines = lines_of(books, &bill.id)?;
    let cycle = cycle_of(books, bill.account())?;
    moved(bill, to, &lines, cycle, books.settings.zone, at)
        .map_err(|wrong: NotMoved| Refusal::unprocessable("state", wrong.to_string()))
}
