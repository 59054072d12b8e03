//! What the books say, what billing missed, and bills for people.

use model::billing::cycle::Cycle;
use model::billing::ledger::{self, Entry, Ledger};
use model::billing::rate::{self, Rate};
use model::billing::statement::Statement;
use model::billing::terms::Terms;
use model::billing::{Day, assurance};
use model::money::Money;
use serde_json::{Value, json};

use super::charges::{cycle_of, gone, of_this_life};
use super::run::values;
use super::{DOCUMENTS_MAX, rates, read_rate, refused, timeline};
use crate::app::App;
use crate::systems::Refusal;

/// The balances of all accounts, and what they come to, which is nothing.
pub(crate) fn trial_balance(app: &App) -> Result<Value, Refusal> {
    let mut books = Ledger::default();
    let mut count = 0_usize;
    app.each_document::<Refusal>(ledger::RESOURCE, |document| {
        let entry = Entry::read(&document.body);
        books.post(&entry.map_err(|wrong| {
            refused(
                "journalEntry",
                document.body.get("id").and_then(Value::as_str).unwrap_or_default(),
                &wrong,
            )
        })?);
        count += 1;
        Ok(())
    })?;
    let accounts = books.trial_balance().map(|(currency, account, amount)| {
        let balance = Money { currency: currency.into(), amount };
        json!({ "account": account.to_string(), "balance": balance.to_tmf() })
    });
    let accounts: Vec<Value> = accounts.collect();
    let sums = books
        .difference()
        .into_iter()
        .map(|(currency, amount)| Money { currency: currency.into(), amount }.to_tmf());
    let sums: Vec<Value> = sums.collect();
    Ok(json!({ "entries": count, "account": accounts, "difference": sums }))
}

/// What is active and not charged, and charged and not active, before a day.
pub(crate) fn findings(app: &App, until: Day) -> Result<Value, Refusal> {
    let mut found = Vec::new();
    let mut take = |all: Vec<assurance::Finding>| found.extend(all.iter().map(written));
    app.each_document::<Refusal>("product", |product| {
        let Some(id) = product.body.get("id").and_then(Value::as_str) else { return Ok(()) };
        let account = product.body.pointer("/billingAccount/id").and_then(Value::as_str);
        let cycle = account.map_or(Ok(model::billing::cycle::Cycle::default()), |account| {
            cycle_of(app, account)
        })?;
        let terms = Terms { cycle, zone: app.commerce.zone, ..Terms::default() };
        let timeline = timeline(app, &product)?;
        let known = typed(app, id)?;
        let all = assurance::compare(&[(product.body.clone(), timeline)], &known, until, &terms);
        take(all.map_err(|wrong| refused("product", id, &wrong))?);
        Ok(())
    })?;
    for product in values(app, rate::RESOURCE, "product.id")? {
        if app.document("product", &product)?.is_none() {
            let gone: Vec<_> = gone(app, &product)?.into_iter().collect();
            let account = gone.first().and_then(|(product, _)| {
                product.pointer("/billingAccount/id")?.as_str().map(str::to_owned)
            });
            let cycle = account.map_or(Ok(Cycle::default()), |account| cycle_of(app, &account))?;
            let terms = Terms { cycle, zone: app.commerce.zone, ..Terms::default() };
            let all = assurance::compare(&gone, &typed(app, &product)?, until, &terms);
            take(all.map_err(|wrong| refused("product", &product, &wrong))?);
        }
    }
    Ok(json!({ "until": until.to_string(), "finding": found }))
}

/// A bill with its lines, for people; nothing where there is none.
pub(crate) fn statement(app: &App, id: &str) -> Result<Option<Statement>, Refusal> {
    let Some(bill) = app.document("customerBill", id)? else { return Ok(None) };
    let lines = app.documents_by(rate::RESOURCE, "bill.id", id, DOCUMENTS_MAX)?;
    let lines = lines.iter().map(|one| read_rate(&one.body)).collect::<Result<Vec<_>, _>>()?;
    let statement = Statement::read(&bill.body, &lines, app.commerce.zone);
    statement.map(Some).map_err(|wrong| refused("customerBill", id, &wrong))
}

fn typed(app: &App, product: &str) -> Result<Vec<Rate>, Refusal> {
    let all = rates(app, "product.id", product)?;
    let all = all.iter().map(|one| read_rate(&one.body)).collect::<Result<Vec<_>, _>>()?;
    of_this_life(app, product, &all)
}

fn written(finding: &assurance::Finding) -> Value {
    json!({
        "type": finding.kind.as_str(),
        "product": { "id": finding.product },
        "price": finding.price,
        "from": finding.days.from.to_string(),
        "to": finding.days.until.before().to_string(),
        "taxExcludedAmount": finding.net.to_tmf(),
    })
}
