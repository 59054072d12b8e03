//! The balances of the books, and bills for people.

use commerce::billing::statement::Statement;
use model::pricing::ledger::{self, Entry, Ledger};
use model::pricing::rate;
use serde_json::{Value, json};
use tmf::money::Money;

use super::{DOCUMENTS_MAX, read_rate, refused};
use crate::app::App;
use crate::systems::Refusal;

/// Max entries that cannot be read in one answer.
const FAILED_MAX: usize = 1_000;

/// The balances of all accounts, and what they come to, which is nothing. Entries that cannot be read
/// are listed.
pub(crate) fn trial_balance(app: &App) -> Result<Value, Refusal> {
    let mut books = Ledger::default();
    let mut count = 0_usize;
    let mut failed = Vec::new();
    app.each_document::<Refusal>(ledger::RESOURCE, |document| {
        match Entry::read(&document.body) {
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

/// A bill with its lines, for people; nothing where there is none.
pub(crate) fn statement(app: &App, id: &str) -> Result<Option<Statement>, Refusal> {
    let Some(bill) = app.document("customerBill", id)? else { return Ok(None) };
    let lines = app.documents_by(rate::RESOURCE, "bill.id", id, DOCUMENTS_MAX)?;
    let lines = lines.iter().map(|one| read_rate(&one.body)).collect::<Result<Vec<_>, _>>()?;
    let statement = Statement::read(&bill.body, &lines, app.commerce.zone);
    statement.map(Some).map_err(|wrong| refused("customerBill", id, &wrong))
}
