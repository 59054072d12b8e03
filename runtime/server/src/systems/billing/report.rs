//! The balances of the books, and bills for people.

use commerce::billing::statement::Statement;
use model::pricing::ledger::{self, Entry, Ledger};
use serde_json::{Value, json};
use tmf::document;
use tmf::money::Money;

use super::{lines_of, read, refused};
use crate::app::App;
use crate::systems::Refusal;

/// Max entries that cannot be read in one answer.
const FAILED_MAX: usize = 1_000;

/// The balances of all accounts, and their sum, which is zero. Entries that cannot be read are listed.
pub(crate) fn trial_balance(app: &App) -> Result<Value, Refusal> {
    let mut books = Ledger::default();
    let mut count = 0_usize;
    let mut failed = Vec::new();
    app.each_document::<Refusal>(ledger::RESOURCE, |document| {
        match document::read(&document.body).and_then(Entry::read) {
            Ok(entry) => {
                books.post(&entry);
                count += 1;
            }
            Err(wrong) => {
                let id = document.body.get("id").cloned().unwrap_or_default();
                failed.push(json!({ "id": id, "reason": wrong.to_string() }));
                failed.truncate(FAILED_MAX);
            }
        }
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
    Ok(json!({ "entries": count, "account": accounts, "difference": sums, "failed": failed }))
}

/// A bill with its lines, for people; `None` if there is no such bill.
pub(crate) fn statement(app: &App, id: &str) -> Result<Option<Statement>, Refusal> {
    let Some(bill) = app.document("customerBill", id)? else { return Ok(None) };
    let lines = lines_of(app, id)?;
    let statement = Statement::read(&read("customerBill", &bill)?, &lines, app.commerce.zone);
    statement.map(Some).map_err(|wrong| refused("customerBill", id, &wrong))
}
