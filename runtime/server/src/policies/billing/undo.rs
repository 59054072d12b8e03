//! Undoing a bill run: its bills and its charges are removed, the charges are reversed in the books, and
//! the next run charges them anew. Each account is one commit, so an undo that was cut off is finished by
//! asking again.

use std::collections::BTreeSet;

use commerce::billing::bill_state::BillState;
use commerce::billing::usage::{Rated, unbilled};
use engine::documents::{Document, Error, Put};
use model::pricing::ledger::{self, Entry, JournalEntry};
use model::pricing::rate::{self, Rate, RateKind};
use tmf::document::Reference;
use tmf::document::customer_bill::{AppliedRate, CustomerBill};

use super::Books;
use super::bill_run::{BillRun, RunState, one};
use super::stored::{DOCUMENTS_MAX, Stored, id_of, rates, read, read_rate, refused, usages_of};
use super::written::{changed_usage, posted, removed, replaced, reversal};
use crate::policies::Refusal;

/// Max times an account is undone anew while others change its documents.
const TRIES_MAX: usize = 16;

/// Undoes a bill run; `None` if there is none of that id. Nothing is changed if one of its bills is
/// out, or if a later document refers to its charges.
pub(crate) async fn undo(books: &Books<'_>, id: &str) -> Result<Option<BillRun>, Refusal> {
    let Some(mut run) = one(books, id)? else { return Ok(None) };
    let made = Made::of(books, id)?;
    made.check(books, None)?;
    for account in made.accounts() {
        undo_account(books, id, account).await?;
    }
    run.state = RunState::Undone;
    run.undone_at = Some(books.session.now().into());
    books.session.write(vec![run.stored()]).await?;
    Ok(Some(run))
}

async fn undo_account(books: &Books<'_>, run: &str, account: &str) -> Result<(), Refusal> {
    for _ in 0..TRIES_MAX {
        let made = Made::of(books, run)?;
        made.check(books, Some(account))?;
        match books.session.write(made.puts(books, account)?).await {
            Ok(()) => return Ok(()),
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let message = format!("what account `{account}` was billed is changed all the time: try again");
    Err(Refusal::conflict("id", message))
}

/// The documents of a run that were not undone yet.
struct Made {
    run: String,
    bills: Vec<Stored<CustomerBill>>,
    rates: Vec<MadeRate>,
}

/// A rate with its revision.
struct MadeRate {
    revision: u64,
    rate: Rate,
}

impl Made {
    fn of(books: &Books<'_>, run: &str) -> Result<Self, Refusal> {
        let rates = books.session.documents_by(rate::RESOURCE, "billRun.id", run, DOCUMENTS_MAX)?;
        let read = |document: &Document| {
            Ok(MadeRate { revision: document.revision, rate: read_rate(document)? })
        };
        Ok(Self {
            run: run.to_owned(),
            bills: Stored::by(books, "customerBill", "billRun.id", run)?,
            rates: rates.iter().map(read).collect::<Result<Vec<_>, Refusal>>()?,
        })
    }

    fn accounts(&self) -> BTreeSet<&str> {
        let bills = self.bills.iter().map(|bill| bill.body.account());
        let rates = self.rates.iter().map(|made| made.rate.account.as_deref().unwrap_or_default());
        bills.chain(rates).collect()
    }

    fn bills_of<'a>(
        &'a self,
        account: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Stored<CustomerBill>> {
        self.bills
            .iter()
            .filter(move |bill| account.is_none_or(|account| bill.body.account() == account))
    }

    fn rates_of<'a>(&'a self, account: Option<&'a str>) -> impl Iterator<Item = &'a MadeRate> {
        self.rates.iter().filter(move |made| {
            let payer = made.rate.account.as_deref().unwrap_or_default();
            account.is_none_or(|account| payer == account)
        })
    }

    /// Whether it can be undone, for an account or for all.
    fn check(&self, books: &Books<'_>, account: Option<&str>) -> Result<(), Refusal> {
        let no = |message: String| Err(Refusal::unprocessable("id", message));
        for bill in self.bills_of(account) {
            let CustomerBill { id, state, .. } = &bill.body;
            match state {
                BillState::New | BillState::OnHold | BillState::Validated => {}
                BillState::Sent | BillState::PartiallyPaid | BillState::Settled => {
                    return no(format!("its bill `{id}` is `{state}`: it is out"));
                }
            }
        }
        let mine: BTreeSet<&str> = self.bills.iter().map(|bill| bill.body.id.as_str()).collect();
        let made: BTreeSet<&str> = self.rates.iter().map(|made| made.rate.id.as_str()).collect();
        let mut accounts: BTreeSet<&str> = BTreeSet::new();
        for MadeRate { rate, .. } in self.rates_of(account) {
            if let Some(bill) = rate.bill.as_deref().filter(|bill| !mine.contains(bill)) {
                return no(format!("`{}` is on bill `{bill}`, of a later run", rate.id));
            }
            accounts.extend(rate.account.as_deref());
        }
        accounts.extend(self.bills_of(account).map(|bill| bill.body.account()));
        for account in accounts {
            for later in rates(books, "billingAccount.id", account)? {
                let of = later.credits.as_deref();
                let is_about = of.is_some_and(|of| mine.contains(of) || made.contains(of));
                if is_about && !made.contains(later.id.as_str()) {
                    return no(format!("`{}` gives back something of it", later.id));
                }
            }
        }
        Ok(())
    }

    /// The writes that undo it for an account.
    fn puts(&self, books: &Books<'_>, account: &str) -> Result<Vec<Put>, Refusal> {
        let at = books.session.now();
        let mut puts = Vec::new();
        let made: BTreeSet<&str> = self.rates.iter().map(|made| made.rate.id.as_str()).collect();
        for bill in self.bills_of(Some(account)) {
            let id = bill.body.id.as_str();
            for line in books.session.documents_by(rate::RESOURCE, "bill.id", id, DOCUMENTS_MAX)? {
                if !made.contains(id_of(&line)) {
                    puts.push(waiting(&line)?);
                }
            }
            puts.push(removed("customerBill", id, bill.revision));
        }
        let mut products: BTreeSet<&str> = BTreeSet::new();
        for MadeRate { rate, revision } in self.rates_of(Some(account)) {
            puts.push(removed(rate::RESOURCE, &rate.id, *revision));
            let id = ledger::rate_id(&rate.id);
            if let Some(entry) = Stored::<JournalEntry>::find(books, ledger::RESOURCE, &id)? {
                let entry = Entry::read(entry.body)
                    .map_err(|wrong| refused(ledger::RESOURCE, &id, wrong))?;
                puts.push(posted(entry.reversed(reversal(&rate.id), at)));
            }
            if let (RateKind::Usage, Some(product)) = (rate.kind, &rate.product) {
                products.insert(product);
            }
        }
        for product in products {
            puts.extend(self.usage(books, account, product)?);
        }
        Ok(puts)
    }

    /// The usage of a product that an account was charged, which waits to be billed again.
    fn usage(&self, books: &Books<'_>, account: &str, product: &str) -> Result<Vec<Put>, Refusal> {
        let mut puts = Vec::new();
        for kept in usages_of(books, product)? {
            let usage = kept.body;
            let rated = Rated::read(&usage).map_err(|wrong| refused("usage", &usage.id, wrong))?;
            let Some(rated) = rated.filter(|rated| rated.is_billed) else { continue };
            let is_theirs = rated.account.as_deref().is_none_or(|payer| payer == account);
            let is_of_run = |run: &Reference| run.is_to(&self.run);
            if is_theirs && usage.bill_run.as_ref().is_some_and(is_of_run) {
                puts.push(changed_usage(&unbilled(usage)?, kept.revision));
            }
        }
        Ok(puts)
    }
}

/// A rate that was made before the run, and waits for a bill again.
fn waiting(line: &Document) -> Result<Put, Refusal> {
    let mut rate: AppliedRate = read(rate::RESOURCE, line)?;
    rate.mark_unbilled();
    Ok(replaced(rate::RESOURCE, &rate.id, &rate, line.revision))
}
