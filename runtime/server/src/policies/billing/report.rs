//! The balances of the books, and bills for people.

use commerce::billing::statement::Statement;
use model::pricing::ledger::{self, Entry, Ledger};
use serde::Serialize;
use tmf::document;
use tmf::document::Amount;

use super::Books;
use super::stored::{id_of, lines_of, read, refused};
use crate::policies::Refusal;

/// Max entries that cannot be read in one answer.
const FAILED_MAX: usize = 1_000;

/// The balances of the books.
#[derive(Debug, Serialize)]
pub(crate) struct TrialBalance {
    entries: usize,
    account: Vec<AccountBalance>,
    /// The sum of all balances of each currency, which is zero.
    difference: Vec<Amount>,
    failed: Vec<UnreadEntry>,
}

#[derive(Debug, Serialize)]
struct AccountBalance {
    account: String,
    balance: Amount,
}

/// An entry that cannot be read.
#[derive(Debug, Serialize)]
struct UnreadEntry {
    id: String,
    reason: String,
}

/// The balances of all accounts, and their sum, which is zero. Entries that cannot be read are listed.
pub(crate) fn trial_balance(books: &Books<'_>) -> Result<TrialBalance, Refusal> {
    let mut sums = Ledger::default();
    let mut entries = 0_usize;
    let mut failed = Vec::new();
    books.session.each_document::<Refusal>(ledger::RESOURCE, |document| {
        match document::read(&document.body).and_then(Entry::read) {
            Ok(entry) => {
                sums.post(entry);
                entries += 1;
            }
            Err(wrong) if failed.len() < FAILED_MAX => {
                let (id, reason) = (id_of(&document).to_owned(), wrong.to_string());
                failed.push(UnreadEntry { id, reason });
            }
            Err(_) => {}
        }
        Ok(())
    })?;
    let account = sums.trial_balance().map(|(currency, account, amount)| AccountBalance {
        account: account.to_string(),
        balance: Amount::new(amount, currency),
    });
    let difference = sums.difference().into_iter();
    Ok(TrialBalance {
        entries,
        account: account.collect(),
        difference: difference.map(|(currency, amount)| Amount::new(amount, currency)).collect(),
        failed,
    })
}

/// A bill with its lines, for people; `None` if there is no such bill.
pub(crate) fn statement(books: &Books<'_>, id: &str) -> Result<Option<Statement>, Refusal> {
    let Some(bill) = books.session.document("customerBill", id)? else { return Ok(None) };
    let lines = lines_of(books, id)?;
    let statement = Statement::read(read("customerBill", &bill)?, lines, books.settings.zone);
    statement.map(Some).map_err(|wrong| refused("customerBill", id, wrong))
}
