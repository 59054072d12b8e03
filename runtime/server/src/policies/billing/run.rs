//! Bill runs: for one account or for all of them, by cycle or on demand.

use std::collections::BTreeSet;

use commerce::billing::bill::{Cause, Run, draw};
use commerce::billing::bill_state::Release;
use engine::documents::{Change, Document, Error, Expected, Put};
use model::pricing::rate::{self, Rate};
use serde_json::{Value, json};
use tmf::day::{Day, Days};
use tmf::document::account::BillingAccount;
use tmf::document::customer_bill::{AppliedRate, CustomerBill, CustomerBillOnDemand};
use tmf::document::{self, Reference, Rest, write};
use tmf::time::Timestamp;
use tmf::{Malformed, OnDemandState};

use super::Books;
use super::bill_run::{BillRun, BillSummary, Failed, RunReport, RunState};
use super::charges::{Charges, PAYER, When};
use super::stored::{DOCUMENTS_MAX, Stored, cycle_of, refused, values};
use super::usage;
use super::written::{charges_and_bills, of_run};
use crate::policies::{Draft, Refusal};

/// The document that counts bills.
const NUMBERS: &str = "billNumber";

/// Max bills, and max failures, in the answer of a run of all accounts.
const ANSWERS_MAX: usize = 1_000;

/// The request of a run.
pub(crate) struct Asked {
    /// The day of the run.
    pub(crate) date: Day,
    /// The only account to bill; all of them if `None`.
    pub(crate) account: Option<String>,
    /// The state that the bills get at once; the configured one if `None`.
    pub(crate) release: Option<Release>,
}

/// The part of a run that is done for an account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Its products are charged, and its bills are drawn.
    Products,
    /// Its products and the prices of others that it pays for are charged; its bills wait.
    Charges,
    /// Its bills are drawn.
    Bills,
    /// Its products and the prices of others that it pays for are charged, and its bills are drawn.
    All,
}

/// One run.
struct Running<'a> {
    date: Day,
    release: Release,
    cause: Cause,
    at: Timestamp,
    /// Its id; `None` on demand.
    id: Option<&'a str>,
}

/// The writes of an account's part of a run.
#[derive(Default)]
struct Drawing {
    puts: Vec<Put>,
    bills: Vec<CustomerBill>,
    /// The others who pay for what was charged.
    payers: BTreeSet<String>,
    /// The documents that could not be charged, each with the account that it belongs to.
    failed: Vec<(Option<String>, Refusal)>,
    /// Whether the account is not billed for that.
    is_held_up: bool,
}

/// Max attempts to bill an account while others change its documents.
const TRIES_MAX: usize = 16;

/// Bills everything that is due on a day, and reports each account. A failure is reported with its
/// account and delays no other bill; another run bills the rest.
pub(crate) async fn run(books: &Books<'_>, asked: &Asked) -> Result<RunReport, Refusal> {
    let at = books.session.now();
    let id = uuid::Uuid::now_v7().simple().to_string();
    let release = asked.release.unwrap_or(books.settings.release);
    let running = Running { date: asked.date, release, cause: Cause::Cycle, at, id: Some(&id) };
    let started = asked.started(&id, at);
    books.session.write(vec![started.stored()]).await?;
    let mut report = Report::default();
    for (account, refusal) in usage::waiting(books, at).await? {
        report.fail(account, refusal);
    }
    let accounts = match &asked.account {
        Some(account) => {
            let drawing = worked(books, account, &running, Work::All).await?;
            report.add(account, drawing);
            1
        }
        None => all(books, &running, &mut report).await?,
    };
    let report = report.of_run(started, accounts);
    let mut puts = vec![report.run.stored()];
    if asked.account.is_none() {
        puts.push(cycle_noted(books, asked.date));
    }
    books.session.write(puts).await?;
    Ok(report)
}

impl Asked {
    /// The run when it begins.
    fn started(&self, id: &str, at: Timestamp) -> BillRun {
        let account = self.account.as_ref().map(|account| Reference {
            id: Some(account.clone()),
            href: None,
            name: None,
            role: None,
            referred_type: None,
            rest: Rest::new(),
        });
        BillRun {
            id: id.to_owned(),
            href: format!("/orchestration/v1/billing/runs/{id}"),
            state: RunState::Running,
            started_at: at.into(),
            date: self.date.to_string(),
            billing_account: account,
            accounts: None,
            bill_count: None,
            nothing_count: None,
            failed_count: None,
            undone_at: None,
            rest: Rest::new(),
        }
    }
}

/// Bills all accounts: those that pay for products of others when all are charged.
async fn all(
    books: &Books<'_>,
    running: &Running<'_>,
    report: &mut Report,
) -> Result<usize, Refusal> {
    let payers: BTreeSet<String> = values(books, "product", PAYER)?.into_iter().collect();
    let accounts = accounts(books)?;
    let (mut others, mut held_up) = (BTreeSet::new(), BTreeSet::new());
    for account in accounts.difference(&payers) {
        let mut drawing = worked(books, account, running, Work::Products).await?;
        others.append(&mut drawing.payers);
        report.add(account, drawing);
    }
    for account in &payers {
        let drawing = worked(books, account, running, Work::Charges).await?;
        for (owner, refusal) in drawing.failed {
            report.fail(owner, refusal);
        }
        others.extend(drawing.payers);
        if drawing.is_held_up {
            held_up.insert(account);
        }
    }
    let late: BTreeSet<&String> = payers.union(&others).collect();
    for account in late.difference(&held_up) {
        let drawing = worked(books, account, running, Work::Bills).await?;
        report.add(account, drawing);
    }
    Ok(accounts.iter().collect::<BTreeSet<_>>().union(&late).count())
}

/// That all accounts were billed on a day (TMF678 version 5, `billCycle`).
fn cycle_noted(books: &Books<'_>, date: Day) -> Put {
    let resource = "billCycle";
    let id = date.to_string();
    let at = books.settings.zone.written(date);
    let noted = json!({
        "id": id,
        "href": format!("{}/{id}", tmf::table::path(resource)),
        "name": format!("All accounts on {id}"),
        "billingDate": at,
        "chargeDate": at,
        "@type": "BillCycle",
    });
    Put::set(resource, id, noted)
}

/// The results of a run by account.
#[derive(Default)]
struct Report {
    bills: Vec<BillSummary>,
    nothing: BTreeSet<String>,
    failed: Vec<Failed>,
    bill_count: usize,
    failed_count: usize,
}

impl Report {
    fn add(&mut self, account: &str, drawing: Drawing) {
        for (owner, refusal) in drawing.failed {
            self.fail(owner, refusal);
        }
        if !drawing.bills.is_empty() {
            self.nothing.remove(account);
        } else if !drawing.is_held_up {
            self.nothing.insert(account.to_owned());
        }
        self.bill_count += drawing.bills.len();
        let room = ANSWERS_MAX.saturating_sub(self.bills.len());
        self.bills.extend(drawing.bills.into_iter().take(room).map(BillSummary::of));
    }

    fn fail(&mut self, account: Option<String>, refusal: Refusal) {
        let failed = Failed::of(account, refusal);
        // A product is looked at for its account, and for the accounts that pay for its prices.
        if self.failed.contains(&failed) {
            return;
        }
        self.failed_count += 1;
        if self.failed.len() < ANSWERS_MAX {
            self.failed.push(failed);
        }
    }

    /// The report of a run that is over.
    fn of_run(self, mut run: BillRun, accounts: usize) -> RunReport {
        run.state = RunState::Done;
        run.accounts = Some(accounts);
        run.bill_count = Some(self.bill_count);
        run.nothing_count = Some(self.nothing.len());
        run.failed_count = Some(self.failed_count);
        let nothing = self.nothing.into_iter().take(ANSWERS_MAX).collect();
        RunReport { run, bill: self.bills, nothing, failed: self.failed }
    }
}

/// Does an account's part of a run, anew if its documents were changed meanwhile. The result lists the
/// documents that failed.
async fn worked(
    books: &Books<'_>,
    account: &str,
    running: &Running<'_>,
    work: Work,
) -> Result<Drawing, Refusal> {
    let mut last = String::new();
    for _ in 0..TRIES_MAX {
        let written = match bill(books, account, running, work).await {
            Ok(mut drawing) => {
                let puts = std::mem::take(&mut drawing.puts);
                books.session.write(puts).await.map(|()| drawing)
            }
            Err(Refusal::Store(error)) => Err(error),
            Err(refusal) => return Ok(Drawing::held_up(account, refusal)),
        };
        match written {
            Err(Error::Conflict { resource, id, .. }) => last = format!("the {resource} `{id}`"),
            Err(error @ Error::Unreadable { .. }) => {
                return Ok(Drawing::held_up(account, error.into()));
            }
            Err(error) => return Err(error.into()),
            Ok(drawing) => return Ok(drawing),
        }
    }
    let message = format!("{last} was changed each of {TRIES_MAX} times: run again");
    Ok(Drawing::held_up(account, Refusal::conflict("billingAccount", message)))
}

impl Drawing {
    fn held_up(account: &str, refusal: Refusal) -> Self {
        let failed = vec![(Some(account.to_owned()), refusal)];
        Self { failed, is_held_up: true, ..Self::default() }
    }
}

/// Draws the bills of a request (TMF678 `customerBillOnDemand`): one for each currency. The standard has
/// an attribute for one; all of them are in `customerBills`.
pub(super) async fn on_demand(books: &Books<'_>, draft: &mut Draft) -> Result<(), Refusal> {
    let (None, Some(after)) = (&draft.before, &draft.after) else { return Ok(()) };
    let mut asked: CustomerBillOnDemand = document::read(after).map_err(malformed)?;
    let account = asked.billing_account.as_ref().and_then(|one| one.id.as_deref());
    let missing = || malformed(Malformed::new("billingAccount.id", "is missing"));
    let account = account.ok_or_else(missing)?;
    usage::waiting(books, draft.at).await?;
    let running = Running {
        date: books.settings.zone.day_of(draft.at),
        release: books.settings.release,
        cause: Cause::OnDemand,
        at: draft.at,
        id: None,
    };
    let mut drawing = bill(books, account, &running, Work::All).await?;
    if drawing.is_held_up
        && let Some((_, refusal)) = drawing.failed.pop()
    {
        return Err(refusal);
    }
    let references = drawing.bills.iter().map(|bill| Reference::to("customerBill", &bill.id));
    let references: Vec<Reference> = references.collect();
    let first = references.first().cloned();
    asked.state = Some(first.as_ref().map_or(OnDemandState::Rejected, |_| OnDemandState::Done));
    asked.customer_bill = first.or(asked.customer_bill);
    if references.len() > 1 {
        asked.customer_bills = references;
    }
    draft.after = Some(write(&asked));
    draft.more.extend(drawing.puts);
    Ok(())
}

/// Charges an account and draws its bills.
async fn bill(
    books: &Books<'_>,
    account: &str,
    running: &Running<'_>,
    work: Work,
) -> Result<Drawing, Refusal> {
    let &Running { date, release, cause, at, id: run } = running;
    let cycle = cycle_of(books, account)?;
    let last = last_day(books, account)?;
    let (period, cause) = match (cycle.over_by(date), cause) {
        (over, Cause::Cycle | Cause::Late) => {
            let was_billed = last.is_some_and(|last| last >= over.until);
            (over, if was_billed { Cause::Late } else { Cause::Cycle })
        }
        (_, Cause::OnDemand) => {
            let until = date.plus_days(1);
            let from = last.unwrap_or_else(|| cycle.around(date).from);
            let whole = Days::new(from, until);
            (whole.unwrap_or(Days { from: date, until }), Cause::OnDemand)
        }
    };
    let when = When { date, until: period.until, at };
    let mut charges = Charges::default();
    if work != Work::Bills {
        charges.own(books, account, when).await?;
    }
    if matches!(work, Work::Charges | Work::All) {
        charges.paid(books, account, when).await?;
    }
    let Charges { made, usages, failed } = charges;
    if failed.iter().any(|(owner, _)| owner.as_deref() == Some(account)) {
        return Ok(Drawing { failed, is_held_up: true, ..Drawing::default() });
    }
    let known = unbilled(books, account)?;
    let mut puts = usages.into_iter().map(|put| of_run(put, run)).collect::<Vec<_>>();
    let drawn = match work {
        Work::Charges => Vec::new(),
        Work::Products | Work::Bills | Work::All => {
            let mut all: Vec<AppliedRate> =
                known.iter().map(|(kept, _)| kept.body.clone()).collect();
            all.extend(made.iter().map(|rate| rate.document(books.settings.zone)));
            let (number, count) = next_number(books)?;
            let id = uuid::Uuid::now_v7().simple().to_string();
            let body = match Stored::<BillingAccount>::find(books, "billingAccount", account)? {
                Some(document) => document.body,
                None => BillingAccount::unknown(account),
            };
            let (id, number, zone) = (id.as_str(), number.as_str(), books.settings.zone);
            let run = Run { account: &body, id, number, period, cycle, cause, release, at, zone };
            let drawn =
                draw(&run, all).map_err(|wrong| refused("billingAccount", account, wrong))?;
            puts.extend(count.filter(|_| !drawn.is_empty()));
            drawn
        }
    };
    puts.extend(charges_and_bills(books, &made, &known, &drawn, run)?);
    let payers = made.into_iter().filter_map(|rate| rate.account);
    let payers = payers.filter(|payer| payer != account).collect();
    let bills = drawn.into_iter().map(|drawn| drawn.bill).collect();
    Ok(Drawing { puts, bills, payers, failed, is_held_up: false })
}

/// The rates of an account that are not billed.
fn unbilled(books: &Books<'_>, account: &str) -> Result<Vec<(Stored<AppliedRate>, Rate)>, Refusal> {
    let mut all =
        books.session.documents_by(rate::RESOURCE, "billingAccount.id", account, DOCUMENTS_MAX)?;
    all.retain(|document| document.body.get("isBilled") != Some(&Value::Bool(true)));
    let read = |document: &Document| {
        let document = Stored::<AppliedRate>::read(rate::RESOURCE, document)?;
        let rate = Rate::read(&document.body);
        let rate = rate.map_err(|wrong| refused(rate::RESOURCE, &document.body.id, wrong))?;
        Ok((document, rate))
    };
    all.iter().map(read).collect()
}

/// A request is malformed.
fn malformed(wrong: Malformed) -> Refusal {
    let message = wrong.to_string();
    Refusal::Malformed { path: wrong.attribute, message }
}

/// The first day after all bills of an account.
fn last_day(books: &Books<'_>, account: &str) -> Result<Option<Day>, Refusal> {
    let bills =
        books.session.documents_by("customerBill", "billingAccount.id", account, DOCUMENTS_MAX)?;
    let ends = bills
        .iter()
        .filter_map(|bill| Day::parse(bill.body.pointer("/billingPeriod/endDateTime")?.as_str()?));
    Ok(ends.max())
}

/// The next number of a bill, and what counts it: two runs never take the same.
fn next_number(books: &Books<'_>) -> Result<(String, Option<Put>), Refusal> {
    let kept = books.session.document(NUMBERS, "last")?;
    let last = kept.as_ref().and_then(|kept| kept.body.get("number")?.as_u64()).unwrap_or(0);
    let body = Change::Set(json!({ "number": last + 1 }));
    let expected = kept.map_or(Expected::Absent, |kept| Expected::Revision(kept.revision));
    let count = Put::new(NUMBERS, "last", body, expected).quiet();
    Ok((format!("B{:08}", last + 1), Some(count)))
}

/// The accounts that have products or rates.
fn accounts(books: &Books<'_>) -> Result<BTreeSet<String>, Refusal> {
    let mut found = BTreeSet::new();
    for resource in ["product", rate::RESOURCE] {
        found.extend(values(books, resource, "billingAccount.id")?);
    }
    Ok(found)
}
