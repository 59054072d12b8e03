//! Payments, adjustments and write-offs.

use std::collections::BTreeSet;

use commerce::billing::adjustment::{self, Adjustment};
use commerce::billing::cycle::Cycle;
use commerce::billing::payment::{self, Noted, Payment, note};
use commerce::billing::requested::{
    About, AdjustmentBody, AdjustmentRequest, PaymentBody, PaymentRequest, WriteOffBody,
};
use commerce::billing::terms::Terms;
use engine::documents::{Error, Put};
use model::pricing::ledger::{self, Entry};
use model::pricing::rate::{self, Rate, RateKind};
use tmf::Malformed;
use tmf::document::customer_bill::{AppliedRate, CustomerBill};
use tmf::document::write as written;

use super::Books;
use super::stored::{Stored, rates, read};
use super::written::{posted, posted_rate, replaced};
use crate::policies::Refusal;

/// Notes a payment on a bill, once by its id, and returns the bill.
pub(crate) async fn pay(books: &Books<'_>, body: PaymentBody) -> Result<CustomerBill, Refusal> {
    let asked = PaymentRequest::try_from(body).map_err(misread)?;
    let bill = find(books, &asked.bill)?;
    let payment = Payment {
        id: asked.id.unwrap_or_else(new_id),
        amount: asked.amount,
        at: books.session.now(),
    };
    let paid = match note(bill.body, &payment).map_err(|error| unpaid(&error))? {
        Noted::Now(paid) => paid,
        Noted::Before(paid) => return Ok(paid),
    };
    let entry = Entry::of_payment(&payment, &asked.bill, paid.account());
    save(books, bill.revision, paid, entry.map_err(|error| unbalanced(&error))?).await
}

/// Writes off the rest of a bill, and returns the bill.
pub(crate) async fn write_off(
    books: &Books<'_>,
    body: WriteOffBody,
) -> Result<CustomerBill, Refusal> {
    let id = body.bill().map_err(misread)?;
    let bill = find(books, &id)?;
    let at = books.session.now();
    let (settled, amount) = payment::write_off(bill.body, at).map_err(|error| unpaid(&error))?;
    let entry = Entry::of_write_off(&id, settled.account(), amount, at)
        .map_err(|error| unbalanced(&error))?;
    save(books, bill.revision, settled, entry).await
}

/// Grants credit for a bill or an account, once by its id, and returns its rate.
pub(crate) async fn adjust(
    books: &Books<'_>,
    body: AdjustmentBody,
) -> Result<AppliedRate, Refusal> {
    let AdjustmentRequest { id, about, amount, reason } =
        AdjustmentRequest::try_from(body).map_err(misread)?;
    let id = id.unwrap_or_else(new_id);
    let adjustment = Adjustment { id, net: amount, reason, at: books.session.now() };
    if let Some(before) = books.session.document(rate::RESOURCE, &adjustment.id)? {
        return repeated(&adjustment, &about, read(rate::RESOURCE, &before));
    }
    if rate::is_of_charges(&adjustment.id) {
        let message =
            format!("`{}` has the form of the id of a charge: use another", adjustment.id);
        return Err(Refusal::unprocessable("id", message));
    }
    let (rate, bill) = match &about {
        About::Bill { bill, account } => {
            let bill = find(books, bill)?;
            (of_bill(books, adjustment, &bill.body, account.as_deref())?, Some(bill))
        }
        About::Account(account) => {
            let terms = Terms::general(&books.rulebooks.current(), Cycle::default());
            (adjustment.of_account(account, &terms).map_err(|error| unadjusted(&error))?, None)
        }
    };
    let document = rate.document(books.settings.zone);
    let mut puts = vec![Put::create(rate::RESOURCE, &rate.id, written(&document))];
    puts.push(posted_rate(&rate)?);
    // Of two adjustments of a bill at once one is refused, since each saw the bill alone.
    puts.extend(bill.map(|bill| expecting(bill.revision, &bill.body)));
    write(books, puts).await?;
    Ok(document)
}

fn of_bill(
    books: &Books<'_>,
    adjustment: Adjustment,
    bill: &CustomerBill,
    named: Option<&str>,
) -> Result<Rate, Refusal> {
    let account = bill.account();
    if named.is_some_and(|named| named != account) {
        let message = format!("the bill is of the account `{account}`");
        return Err(Refusal::unprocessable("billingAccount.id", message));
    }
    let known = rates(books, "billingAccount.id", account)?;
    let rounding = Terms::general(&books.rulebooks.current(), Cycle::default()).rounding;
    adjustment.of_bill(bill, &known, rounding).map_err(|error| unadjusted(&error))
}

/// The answer to an adjustment whose id is known: the earlier answer, if it is the same.
fn repeated(
    adjustment: &Adjustment,
    about: &About,
    before: Result<AppliedRate, Refusal>,
) -> Result<AppliedRate, Refusal> {
    let (bill, account) = match about {
        About::Bill { bill, account } => (Some(bill.as_str()), account.as_deref()),
        About::Account(account) => (None, Some(account.as_str())),
    };
    let is_it = |rate: &Rate| adjustment.is(rate, bill, account);
    match before {
        Ok(before) if Rate::read(&before).is_ok_and(|rate| is_it(&rate)) => Ok(before),
        Ok(_) | Err(_) => {
            let message = format!("`{}` is known, as something else: use another", adjustment.id);
            Err(Refusal::unprocessable("id", message))
        }
    }
}

/// New rates of a run. Their credits are limited to the amounts that adjustments have left, and the
/// earlier credits of the run.
pub(super) fn limited(
    books: &Books<'_>,
    made: Vec<Rate>,
    before: &[Rate],
) -> Result<Vec<Rate>, Refusal> {
    let credits = made.iter().filter(|rate| rate.kind == RateKind::Credit);
    let accounts: BTreeSet<&str> = credits.filter_map(|rate| rate.account.as_deref()).collect();
    let mut known = before.to_vec();
    for account in accounts {
        known.extend(rates(books, "billingAccount.id", account)?);
    }
    let rounding = Terms::general(&books.rulebooks.current(), Cycle::default()).rounding;
    Ok(adjustment::limited(made, &known, rounding))
}

async fn save(
    books: &Books<'_>,
    revision: u64,
    bill: CustomerBill,
    entry: Entry,
) -> Result<CustomerBill, Refusal> {
    let puts = vec![expecting(revision, &bill), posted(entry)];
    write(books, puts).await?;
    Ok(bill)
}

async fn write(books: &Books<'_>, puts: Vec<Put>) -> Result<(), Refusal> {
    match books.session.write(puts).await {
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

fn expecting(revision: u64, bill: &CustomerBill) -> Put {
    replaced("customerBill", &bill.id, bill, revision)
}

fn find(books: &Books<'_>, id: &str) -> Result<Stored<CustomerBill>, Refusal> {
    let missing = || Refusal::unprocessable("bill.id", format!("there is no bill `{id}`"));
    Stored::find(books, "customerBill", id)?.ok_or_else(missing)
}

/// An id for a request without one.
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
        payment::Error::NotPayable { .. } => "bill",
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
