//! Undoing a bill run: its bills go, what it charged is removed and reversed in the books, and the
//! next run charges it anew. Each account is one commit, so what was cut off is undone by asking again.

use engine::documents::{Change, Document, Error, Expected, Put};
use std::collections::BTreeSet;

use commerce::billing::bill_state::BillState;
use commerce::billing::usage::{Rated, unbilled};
use model::pricing::ledger::{self, Entry};
use model::pricing::rate::{self, Rate, RateKind};
use serde_json::{Value, json};
use tmf::document::customer_bill::{AppliedRate, CustomerBill};
use tmf::document::{self, write};

use super::{Books, DOCUMENTS_MAX, Stored, id_of, posted, rates, read, read_rate, refused, usage};
use crate::policies::Refusal;

/// The documents of bill runs.
pub(super) const RUNS: &str = "billRun";

/// Max runs that are listed: the latest.
const RUNS_MAX: usize = 1_000;

/// Max times an account is undone anew while others change what it is made of.
const TRIES_MAX: usize = 16;

/// Lists bill runs, the latest first.
pub(crate) fn runs(books: &Books<'_>) -> Result<Value, Refusal> {
    let mut found = Vec::new();
    books.session.each_document::<Refusal>(RUNS, |run| {
        found.push(run.body);
        Ok(())
    })?;
    found.reverse();
    found.truncate(RUNS_MAX);
    Ok(Value::Array(found))
}

/// A bill run; `None` if there is none of that id.
pub(crate) fn one(books: &Books<'_>, id: &str) -> Result<Option<Value>, Refusal> {
    Ok(books.session.document(RUNS, id)?.map(|run| run.body))
}

/// Undoes a bill run; `None` if there is none of that id. Nothing is changed if one of its bills is
/// out, or something that came later is about what it charged.
pub(crate) async fn undo(books: &Books<'_>, id: &str) -> Result<Option<Value>, Refusal> {
    let Some(run) = one(books, id)? else { return Ok(None) };
    let made = Made::of(books, id)?;
    made.check(books, None)?;
    for account in made.accounts() {
        undo_account(books, id, &account).await?;
    }
    let mut undone = run;
    undone["state"] = json!("undone");
    undone["undoneAt"] = json!(books.session.now().to_string());
    books.session.write(vec![Put::set(RUNS, id, undone.clone()).quiet()]).await?;
    Ok(Some(undone))
}

/// The id of the entry that reverses that of a rate.
pub(super) fn reversal(rate: &str) -> String {
    format!("{}-reversal", ledger::rate_id(rate))
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

/// What is left of what a run made.
struct Made {
    run: String,
    bills: Vec<Stored<CustomerBill>>,
    rates: Vec<(Document, Rate)>,
}

impl Made {
    fn of(books: &Books<'_>, run: &str) -> Result<Self, Refusal> {
        let bills = books.session.documents_by("customerBill", "billRun.id", run, DOCUMENTS_MAX)?;
        let bills = bills.iter().map(|bill| Stored::read("customerBill", bill));
        let bills = bills.collect::<Result<Vec<_>, Refusal>>()?;
        let rates = books.session.documents_by(rate::RESOURCE, "billRun.id", run, DOCUMENTS_MAX)?;
        let read = |document: Document| {
            let rate = read_rate(&document)?;
            Ok((document, rate))
        };
        let rates = rates.into_iter().map(read).collect::<Result<Vec<_>, Refusal>>()?;
        Ok(Self { run: run.to_owned(), bills, rates })
    }

    fn accounts(&self) -> BTreeSet<String> {
        let bills = self.bills.iter().map(|bill| bill.body.account().to_owned());
        let rates = self.rates.iter().map(|(_, rate)| rate.account.clone().unwrap_or_default());
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

    fn rates_of<'a>(
        &'a self,
        account: Option<&'a str>,
    ) -> impl Iterator<Item = &'a (Document, Rate)> {
        self.rates.iter().filter(move |(_, rate)| {
            account.is_none_or(|account| rate.account.as_deref().unwrap_or_default() == account)
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
        let made: BTreeSet<&str> = self.rates.iter().map(|(_, rate)| rate.id.as_str()).collect();
        let mut accounts: BTreeSet<String> = BTreeSet::new();
        for (_, rate) in self.rates_of(account) {
            if let Some(bill) = rate.bill.as_deref().filter(|bill| !mine.contains(bill)) {
                return no(format!("`{}` is on bill `{bill}`, of a later run", rate.id));
            }
            accounts.extend(rate.account.clone());
        }
        accounts.extend(self.bills_of(account).map(|bill| bill.body.account().to_owned()));
        for account in accounts {
            for later in rates(books, "billingAccount.id", &account)? {
                let later = read_rate(&later)?;
                let of = later.credits.as_deref();
                let is_about = of.is_some_and(|of| mine.contains(of) || made.contains(of));
                if is_about && !made.contains(later.id.as_str()) {
                    return no(format!("`{}` gives back something of it", later.id));
                }
            }
        }
        Ok(())
    }

    /// What undoing it for an account writes.
    fn puts(&self, books: &Books<'_>, account: &str) -> Result<Vec<Put>, Refusal> {
        let at = books.session.now();
        let mut puts = Vec::new();
        let made: BTreeSet<&str> = self.rates.iter().map(|(_, rate)| rate.id.as_str()).collect();
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
        for (document, rate) in self.rates_of(Some(account)) {
            puts.push(removed(rate::RESOURCE, &rate.id, document.revision));
            let entry = books.session.document(ledger::RESOURCE, &ledger::rate_id(&rate.id))?;
            if let Some(entry) = entry {
                let entry = document::read(&entry.body)
                    .and_then(Entry::read)
                    .map_err(|wrong| refused("journalEntry", &rate.id, &wrong))?;
                puts.push(posted(&entry.reversed(reversal(&rate.id), at)));
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
        for kept in usage::documents(books, product)? {
            let id = id_of(&kept);
            let run = kept.body.pointer("/billRun/id").and_then(Value::as_str);
            let rated = Rated::read(&kept.body).map_err(|wrong| refused("usage", id, &wrong))?;
            let Some(rated) = rated.filter(|rated| rated.is_billed) else { continue };
            let is_theirs = rated.account.as_deref().is_none_or(|payer| payer == account);
            if run == Some(&self.run) && is_theirs {
                let mut body = unbilled(&kept.body)?;
                if let Some(fields) = body.as_object_mut() {
                    fields.remove("billRun");
                }
                puts.push(usage::changed(id, body, kept.revision));
            }
        }
        Ok(puts)
    }
}

/// A rate that was made before the run, and waits for a bill again.
fn waiting(line: &Document) -> Result<Put, Refusal> {
    let mut rate: AppliedRate = read(rate::RESOURCE, line)?;
    rate.mark_unbilled();
    let (change, expected) = (Change::Set(write(&rate)), Expected::Revision(line.revision));
    Ok(Put::new(rate::RESOURCE, rate.id, change, expected))
}

fn removed(resource: &str, id: &str, revision: u64) -> Put {
    Put::new(resource, id, Change::Remove, Expected::Revision(revision))
}
