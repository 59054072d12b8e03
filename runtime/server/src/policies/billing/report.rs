//! The balances of the books, and bills for people.

use commerce::billing::statement::Statement;
use model::pricing::ledger::{self, Entry, Ledger};
use serde_json::{Value, json};
use tmf::document;
use tmf::money::Money;

use super::{Books, lines_of, read, refused};
use crate::policies::Refusal;

/// Max entries that cannot be read in one answer.
const FAILED_MAX: usize = 1_000;

/// The balances of all accounts, and their sum, which is zero. Entries that cannot be read are listed.
pub(crate) fn trial_balance(books: &Books<'_>) -> Result<Value, Refusal> {
    let mut totals = Ledger::default();
    let mut count = 0_usize;
    let mut failed = Vec::new();
    books.session.each_document::<Refusal>(ledger::RESOURCE, |document| {
        match document::read(&document.body).and_then(Entry::read) {
            Ok(entry) => {
                totals.post(&entry);
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
    let accounts = totals.trial_balance().map(|(currency, account, amount)| {
        let balance = Money { currency: currency.into(), amount };
        json!({ "account": account.to_string(), "balance": balance.to_tmf() })
    });
    let accounts: Vec<Value> = accounts.collect();
    let sums = totals
        .difference()
        .into_iter()
        .map(|(currency, amount)| Money { currency: currency.into(), amount }.to_tmf());
    let sums: Vec<Value> = sums.collect();
    Ok(json!({ "entries": count, "account": accounts, "difference": sums, "failed": failed }))
}

/// A bill with its lines, for people; `None` if there is no such bill.
pub(crate) fn statement(books: &Books<'_>, id: &str) -> Result<Option<Statement>, Refusal> {
    let Some(bill) = books.session.document("customerBill", id)? else { return Ok(None) };
    let lines = lines_of(books, id)?;
    let statement = Statement::read(&read("customerBill", &bill)?, &lines, books.settings.zone);
    statement.map(Some).map_err(|wrong| refused("customerBill", id, &wrong))
}
