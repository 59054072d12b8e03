//! Payments, adjustments and write-offs.

use std::collections::BTreeSet;

use commerce::billing::adjustment::{self, Adjustment};
use commerce::billing::cycle::Cycle;
use commerce::billing::payment::{self, Payment, note};
use commerce::billing::requested::{self, About, AdjustmentRequest, PaymentRequest};
use commerce::billing::terms::Terms;
use engine::store::documents::{Change, Expected};
use engine::store::{Document, Error, Put};
use model::pricing::ledger::{self, Entry};
use model::pricing::rate::{self, Rate, RateKind};
use serde_json::Value;
use tmf::field::Malformed;

use super::{posted, posted_rate, rates, read_rate};
use crate::app::App;
use crate::systems::Refusal;

/// Money came in for a bill: `bill.id`, `amount`, and an `id` by which it is noted once on this bill.
/// Answers with the bill.
pub(crate) async fn pay(app: &App, body: &Value) -> Result<Value, Refusal> {
    let asked = PaymentRequest::read(body).map_err(misread)?;
    let bill = find(app, &asked.bill)?;
    let payment =
        Payment { id: asked.id.unwrap_or_else(new_id), amount: asked.amount, at: app.now() };
    let noted = note(&bill.body, &payment).map_err(|error| unpaid(&error))?;
    let Some(paid) = noted else { return Ok(bill.body) };
    let entry = Entry::of_payment(&payment, &asked.bill, &account(&bill.body));
    save(app, &bill, paid, &entry.map_err(|error| unbalanced(&error))?).await
}

/// What is left of a bill is given up: `bill.id`. Answers with the bill.
pub(crate) async fn write_off(app: &App, body: &Value) -> Result<Value, Refusal> {
    let id = requested::write_off(body).map_err(misread)?;
    let bill = find(app, &id)?;
    let at = app.now();
    let (settled, amount) = payment::write_off(&bill.body, at).map_err(|error| unpaid(&error))?;
    let entry = Entry::of_write_off(&id, &account(&bill.body), &amount, at)
        .map_err(|error| unbalanced(&error))?;
    save(app, &bill, settled, &entry).await
}

/// Credit for a bill (`bill.id`) or an account (`billingAccount.id`): `amount` before tax, `reason`,
/// and an `id` by which it is granted once. Answers with its rate.
pub(crate) async fn adjust(app: &App, body: &Value) -> Result<Value, Refusal> {
    let AdjustmentRequest { id, about, amount, reason } =
        AdjustmentRequest::read(body).map_err(misread)?;
    let id = id.unwrap_or_else(new_id);
    let adjustment = Adjustment { id, net: amount, reason, at: app.now() };
    if let Some(before) = app.document(rate::RESOURCE, &adjustment.id)? {
        return repeated(&adjustment, &about, before.body);
    }
    if rate::is_of_charges(&adjustment.id) {
        let message =
            format!("`{}` has the form of the id of a charge: use another", adjustment.id);
        return Err(Refusal::unprocessable("id", message));
    }
    let (rate, bill) = match &about {
        About::Bill { bill, account } => {
            let bill = find(app, bill)?;
            (of_bill(app, &adjustment, &bill.body, account.as_deref())?, Some(bill))
        }
        About::Account(account) => {
            let terms = Terms::general(&app.rulebook(), Cycle::default());
            (adjustment.of_account(account, &terms).map_err(|error| unadjusted(&error))?, None)
        }
    };
    let document = rate.document(app.commerce.zone);
    let mut puts = vec![Put::create(rate::RESOURCE, &rate.id, document.clone())];
    puts.push(posted_rate(&rate)?);
    // Of two adjustments of a bill at once one is refused, since each saw the bill alone.
    puts.extend(bill.map(|bill| expecting(&bill, bill.body.clone())));
    write(app, puts).await?;
    Ok(document)
}

fn of_bill(
    app: &App,
    adjustment: &Adjustment,
    bill: &Value,
    named: Option<&str>,
) -> Result<Rate, Refusal> {
    let account = account(bill);
    if named.is_some_and(|named| named != account) {
        let message = format!("the bill is of the account `{account}`");
        return Err(Refusal::unprocessable("billingAccount.id", message));
    }
    let known = rates(app, "billingAccount.id", &account)?;
    let known = known.iter().map(|one| read_rate(&one.body)).collect::<Result<Vec<_>, _>>()?;
    let rounding = Terms::general(&app.rulebook(), Cycle::default()).rounding;
    adjustment.of_bill(bill, &known, rounding).map_err(|error| unadjusted(&error))
}

/// The answer to an adjustment whose id is known: that of before, if it is the same.
fn repeated(adjustment: &Adjustment, about: &About, before: Value) -> Result<Value, Refusal> {
    let (bill, account) = match about {
        About::Bill { bill, account } => (Some(bill.as_str()), account.as_deref()),
        About::Account(account) => (None, Some(account.as_str())),
    };
    match Rate::read(&before) {
        Ok(rate) if adjustment.is(&rate, bill, account) => Ok(before),
        Ok(_) | Err(_) => {
            let message = format!("`{}` is known, as something else: use another", adjustment.id);
            Err(Refusal::unprocessable("id", message))
        }
    }
}

/// New rates of a run: their credits give back no more than adjustments have left, nor than others
/// that the run made before.
pub(super) fn limited(app: &App, made: Vec<Rate>, before: &[Rate]) -> Result<Vec<Rate>, Refusal> {
    let credits = made.iter().filter(|rate| rate.kind == RateKind::Credit);
    let accounts: BTreeSet<String> = credits.filter_map(|rate| rate.account.clone()).collect();
    let mut known = before.to_vec();
    for account in &accounts {
        for rate in rates(app, "billingAccount.id", account)? {
            known.push(read_rate(&rate.body)?);
        }
    }
    let rounding = Terms::general(&app.rulebook(), Cycle::default()).rounding;
    Ok(adjustment::limited(made, &known, rounding))
}

async fn save(app: &App, bill: &Document, now: Value, entry: &Entry) -> Result<Value, Refusal> {
    let puts = vec![expecting(bill, now.clone()), posted(entry)];
    write(app, puts).await?;
    Ok(now)
}

async fn write(app: &App, puts: Vec<Put>) -> Result<(), Refusal> {
    match app.write(puts).await {
        Err(Error::Conflict { resource, id, .. }) if resource == ledger::RESOURCE => {
            let message =
                format!("the books have an entry `{id}` already, for something else: use a new id");
            Err(Refusal::unprocessable("id", message))
        }
        Err(Error::Conflict { resource, id, .. }) => {
            let message = format!("the {resource} `{id}` was changed meanwhile: try again");
            Err(Refusal::conflict("id", message))
        }
        other => Ok(other?),
    }
}

fn expecting(bill: &Document, now: Value) -> Put {
    let id = bill.body.get("id").and_then(Value::as_str).unwrap_or_default();
    Put::new("customerBill", id, Change::Set(now), Expected::Revision(bill.revision))
}

fn find(app: &App, id: &str) -> Result<Document, Refusal> {
    let found = app.document("customerBill", id)?;
    found.ok_or_else(|| Refusal::unprocessable("bill.id", format!("there is no bill `{id}`")))
}

fn account(bill: &Value) -> String {
    let id = bill.pointer("/billingAccount/id").and_then(Value::as_str);
    id.unwrap_or_default().to_owned()
}

/// A name of ours for what a client gives none.
fn new_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// A body that cannot be read.
fn misread(wrong: Malformed) -> Refusal {
    let message = wrong.to_string();
    Refusal::Malformed { path: wrong.attribute, message }
}

fn unpaid(error: &payment::Error) -> Refusal {
    let path = match error {
        payment::Error::Malformed(_) | payment::Error::NotPayable { .. } => "bill",
        payment::Error::Repeated { .. }
        | payment::Error::Finer { .. }
        | payment::Error::Currency { .. }
        | payment::Error::Amount { .. } => "amount",
    };
    Refusal::unprocessable(path, error.to_string())
}

fn unadjusted(error: &adjustment::Error) -> Refusal {
    let path = match error {
        adjustment::Error::Malformed(_) => "bill",
        adjustment::Error::Amount { .. } | adjustment::Error::TooMuch { .. } => "amount",
    };
    Refusal::unprocessable(path, error.to_string())
}

fn unbalanced(error: &model::pricing::ledger::Unbalanced) -> Refusal {
    Refusal::unprocessable("amount", error.to_string())
}
