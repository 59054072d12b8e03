//! What becomes of bills once they are drawn: they are validated, held and sent, one or all.

use commerce::billing::bill_state::{BillState, NotMoved, moved};
use engine::store::documents::{Change, Expected};
use engine::store::{Document, Error, Put};
use model::pricing::rate;
use serde_json::{Value, json};

use super::{DOCUMENTS_MAX, read_rate, run};
use crate::app::App;
use crate::systems::{Draft, Refusal};

/// A bill is tried so many times while others change it.
const TRIES_MAX: usize = 16;

/// So many bills that could not be moved are told of.
const ANSWERS_MAX: usize = 1_000;

/// Holds what a client says of a bill's state against its lines.
pub(super) fn settle(app: &App, draft: &mut Draft) -> Result<(), Refusal> {
    let (Some(before), Some(after)) = (&draft.before, &draft.after) else { return Ok(()) };
    let Ok(to) = BillState::of(after) else { return Ok(()) };
    if before.body.get("state") != after.get("state") {
        draft.after = Some(next(app, &before.body, to, draft.at)?);
    }
    Ok(())
}

/// Moves a bill to a state; nothing where there is no such bill.
pub(crate) async fn move_one(app: &App, id: &str, to: BillState) -> Result<Option<Value>, Refusal> {
    for _ in 0..TRIES_MAX {
        let Some(bill) = app.document("customerBill", id)? else { return Ok(None) };
        let after = next(app, &bill.body, to, app.now())?;
        if after == bill.body {
            return Ok(Some(after));
        }
        let (change, expected) = (Change::Set(after.clone()), Expected::Revision(bill.revision));
        match app.write(vec![Put::new("customerBill", id, change, expected)]).await {
            Ok(()) => return Ok(Some(after)),
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::conflict("id", format!("others change the bill `{id}` all the time: try again")))
}

/// Moves all bills that are in some states to another one. What cannot be moved is told, and holds
/// up no other.
pub(crate) async fn move_all(
    app: &App,
    from: &[BillState],
    to: BillState,
) -> Result<Value, Refusal> {
    let (mut count, mut failed) = (0_usize, Vec::new());
    for state in from {
        let bills = app.documents_by("customerBill", "state", state.as_str(), DOCUMENTS_MAX)?;
        for id in bills.iter().filter_map(id_of) {
            match move_one(app, &id, to).await {
                Ok(moved) => count += usize::from(moved.is_some()),
                Err(Refusal::Store(error)) => return Err(error.into()),
                Err(refusal) => {
                    failed.push(json!({ "bill": id, "reason": refusal.to_string() }));
                    failed.truncate(ANSWERS_MAX);
                }
            }
        }
    }
    Ok(json!({ "state": to.as_str(), "billCount": count, "failed": failed }))
}

fn next(
    app: &App,
    bill: &Value,
    to: BillState,
    at: tmf::time::Timestamp,
) -> Result<Value, Refusal> {
    let id = bill.get("id").and_then(Value::as_str).unwrap_or_default();
    let lines = app.documents_by(rate::RESOURCE, "bill.id", id, DOCUMENTS_MAX)?;
    let lines = lines.iter().map(|one| read_rate(&one.body)).collect::<Result<Vec<_>, _>>()?;
    let account = bill.pointer("/billingAccount/id").and_then(Value::as_str);
    let cycle = run::cycle_of(app, account.unwrap_or_default())?;
    moved(bill, to, &lines, cycle, app.commerce.zone, at)
        .map_err(|wrong: NotMoved| Refusal::unprocessable("state", wrong.to_string()))
}

fn id_of(bill: &Document) -> Option<String> {
    Some(bill.body.get("id")?.as_str()?.to_owned())
}
