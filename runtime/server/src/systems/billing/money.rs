//! Payments, adjustments and write-offs.

use engine::store::documents::{Change, Expected};
use engine::store::{Document, Error, Put};
use model::billing::adjustment::{self, Adjustment};
use model::billing::cycle::Cycle;
use model::billing::ledger::{self, Entry};
use model::billing::payment::{self, Payment, note};
use model::billing::rate;
use model::billing::terms::Terms;
use model::money::Money;
use serde_json::Value;

use super::{malformed, posted, posted_rate, rates, read_rate, reference, text};
use crate::app::App;
use crate::systems::Refusal;

/// Money came in for a bill: `bill.id`, `amount`, and an `id` by which it is noted once. Answers
/// with the bill.
pub(crate) async fn pay(app: &App, body: &Value) -> Result<Value, Refusal> {
    let bill = find(app, reference(body, "bill")?)?;
    let payment = Payment { id: id(body)?, amount: amount(body)?, at: app.now() };
    let noted = note(&bill.body, &payment).map_err(|error| unpaid(&error))?;
    let Some(paid) = noted else { return Ok(bill.body) };
    let entry =
        Entry::of_payment(&payment, &account(&bill.body)).map_err(|error| unbalanced(&error))?;
    save(app, &bill, paid, &entry).await
}

/// What is left of a bill is given up: `bill.id`. Answers with the bill.
pub(crate) async fn write_off(app: &App, body: &Value) -> Result<Value, Refusal> {
    let id = reference(body, "bill")?;
    let bill = find(app, id)?;
    let at = app.now();
    let (settled, amount) = payment::write_off(&bill.body, at).map_err(|error| unpaid(&error))?;
    let entry = Entry::of_write_off(id, &account(&bill.body), &amount, at)
        .map_err(|error| unbalanced(&error))?;
    save(app, &bill, settled, &entry).await
}

/// Credit for a bill (`bill.id`) or an account (`billingAccount.id`): `amount` before tax, `reason`,
/// and an `id` by which it is granted once. Answers with its rate.
pub(crate) async fn adjust(app: &App, body: &Value) -> Result<Value, Refusal> {
    let id = id(body)?;
    if let Some(before) = app.document(rate::RESOURCE, &id)? {
        return Ok(before.body);
    }
    let adjustment = Adjustment {
        id,
        net: amount(body)?,
        tax_rate: None,
        reason: text(body, "reason")?.to_owned(),
        at: app.now(),
    };
    let mut terms = Terms::general(&app.rulebook(), Cycle::default());
    let (rate, bill) = if body.get("bill").is_some() {
        let bill = find(app, reference(body, "bill")?)?;
        let known = rates(app, "billingAccount.id", &account(&bill.body))?;
        let known = known.iter().map(|one| read_rate(&one.body)).collect::<Result<Vec<_>, _>>()?;
        // The tax that the bill charged, where it is one.
        let taxes = bill.body.get("taxItem").and_then(Value::as_array);
        let tax = taxes.filter(|taxes| taxes.len() == 1).and_then(|taxes| taxes[0].get("taxRate"));
        let tax_rate = tax.and_then(|rate| rate.to_string().parse().ok());
        let category = taxes.and_then(|taxes| taxes.first()?.get("taxCategory")?.as_str());
        terms.tax.category =
            category.filter(|_| tax_rate.is_some()).unwrap_or(&terms.tax.category).to_owned();
        let adjustment = Adjustment { tax_rate, ..adjustment };
        let rate =
            adjustment.of_bill(&bill.body, &known, &terms).map_err(|error| unadjusted(&error))?;
        (rate, Some(bill))
    } else {
        let account = reference(body, "billingAccount")?;
        (adjustment.of_account(account, &terms).map_err(|error| unadjusted(&error))?, None)
    };
    let document = rate.document(app.commerce.zone);
    let mut puts = vec![Put::create(rate::RESOURCE, &rate.id, document.clone())];
    puts.push(posted_rate(&rate)?);
    // Of two adjustments of a bill at once one is refused, since each saw the bill alone.
    puts.extend(bill.map(|bill| expecting(&bill, bill.body.clone())));
    write(app, puts).await?;
    Ok(document)
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

/// What a client calls it, or a name of ours.
fn id(body: &Value) -> Result<String, Refusal> {
    match body.get("id") {
        None => Ok(uuid::Uuid::now_v7().simple().to_string()),
        Some(_) => {
            let id = text(body, "id")?;
            let is_short = id.len() <= 100 && id.bytes().all(|byte| byte.is_ascii_graphic());
            if is_short { Ok(id.to_owned()) } else { Err(malformed("id", "`id` is too long")) }
        }
    }
}

fn amount(body: &Value) -> Result<Money, Refusal> {
    let amount = body.get("amount").and_then(Money::from_tmf);
    amount.ok_or_else(|| malformed("amount", "`amount` needs `unit` and `value`"))
}

fn unpaid(error: &payment::Error) -> Refusal {
    let path = match error {
        payment::Error::Malformed(_) | payment::Error::NotPayable { .. } => "bill",
        payment::Error::Currency { .. } | payment::Error::Amount { .. } => "amount",
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

fn unbalanced(error: &model::billing::ledger::Unbalanced) -> Refusal {
    Refusal::unprocessable("amount", error.to_string())
}
