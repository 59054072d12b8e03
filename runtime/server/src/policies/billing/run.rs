//! Bill runs: for one account or for all of them, by cycle or on demand.

use engine::documents::{Change, Document, Error, Expected, Put};
use std::collections::{BTreeMap, BTreeSet};

use commerce::billing::bill::{Cause, Drawn, Run, draw};
use commerce::billing::bill_state::Release;
use engine::keys;
use engine::store::{Direction, Scan};
use model::pricing::rate::{self, Rate};
use serde_json::{Value, json};
use tmf::OnDemandState;
use tmf::day::{Day, Days};
use tmf::document::account::BillingAccount;
use tmf::document::customer_bill::{AppliedRate, CustomerBill, CustomerBillOnDemand};
use tmf::document::{self, Reference, write};
use tmf::field::Malformed;
use tmf::time::Timestamp;

pub(super) use super::charges::cycle_of;

use super::charges::{Charges, PAYER, When};
use super::undo::RUNS;
use super::{
    Books, DOCUMENTS_MAX, id_of, malformed, posted_once, posted_rate, rates, read, read_rate,
    refused, usage,
};
use crate::policies::{Draft, Refusal};

/// The document that counts bills.
const NUMBERS: &str = "billNumber";

/// Max bills, and max failures, in the answer of a run of all accounts.
const ANSWERS_MAX: usize = 1_000;

/// What a client asks for.
pub(crate) struct Asked {
    /// The day of the run.
    pub(crate) date: Day,
    /// The only account to bill; all of them if `None`.
    pub(crate) account: Option<String>,
    /// How far the bills go at once; as the operator has it if `None`.
    pub(crate) release: Option<Release>,
}

/// What is done for an account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Its products are charged, and its bills are drawn.
    Products,
    /// Its products and what it pays for of others are charged; its bills wait.
    Charges,
    /// Its bills are drawn.
    Bills,
    /// Its products and what it pays for of others are charged, and its bills are drawn.
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

/// What an account's part of a run writes.
#[derive(Default)]
struct Drawing {
    puts: Vec<Put>,
    bills: Vec<CustomerBill>,
    /// The others who pay for what was charged.
    payers: BTreeSet<String>,
    /// What could not be charged, each with the account that it belongs to.
    failed: Vec<(Option<String>, Refusal)>,
    /// Whether the account is not billed for that.
    is_held_up: bool,
}

/// Max attempts to bill an account while others change its documents.
const TRIES_MAX: usize = 16;

/// Bills all that is due on a day, and reports each account. A failure is reported with its account and
/// delays no other bill; another run bills what is left.
pub(crate) async fn run(books: &Books<'_>, asked: &Asked) -> Result<Value, Refusal> {
    let at = books.session.now();
    let id = uuid::Uuid::now_v7().simple().to_string();
    let release = asked.release.unwrap_or(books.settings.release);
    let running = Running { date: asked.date, release, cause: Cause::Cycle, at, id: Some(&id) };
    let noted = json!({
        "id": id,
        "href": format!("/orchestration/v1/billing/runs/{id}"),
        "state": "running",
        "startedAt": at.to_string(),
        "date": asked.date.to_string(),
        "billingAccount": asked.account.as_ref().map(|account| json!({ "id": account })),
    });
    books.session.write(vec![Put::create(RUNS, id.clone(), noted.clone()).quiet()]).await?;
    let mut report = Report::default();
    for (account, refusal) in usage::waiting(books, at).await? {
        report.fail(account.as_deref(), &refusal);
    }
    let accounts = match &asked.account {
        Some(account) => {
            let told = worked(books, account, &running, Work::All).await?;
            report.add(account, &told);
            1
        }
        None => all(books, &running, &mut report).await?,
    };
    let told = report.told(noted, accounts);
    let mut puts = vec![Put::set(RUNS, id.clone(), counts(&told)).quiet()];
    if asked.account.is_none() {
        puts.push(cycle_noted(books, asked.date));
    }
    books.session.write(puts).await?;
    Ok(told)
}

/// Bills all accounts: those that pay for products of others when all are charged.
async fn all(
    books: &Books<'_>,
    running: &Running<'_>,
    report: &mut Report,
) -> Result<usize, Refusal> {
    let payers: BTreeSet<String> = values(books, "product", PAYER)?.into_iter().collect();
    let accounts = accounts(books)?;
    let mut late = payers.clone();
    let mut held_up = BTreeSet::new();
    for account in accounts.difference(&payers) {
        let told = worked(books, account, running, Work::Products).await?;
        late.extend(told.payers.iter().cloned());
        report.add(account, &told);
    }
    for account in &payers {
        let told = worked(books, account, running, Work::Charges).await?;
        late.extend(told.payers.iter().cloned());
        for (owner, refusal) in &told.failed {
            report.fail(owner.as_deref(), refusal);
        }
        if told.is_held_up {
            held_up.insert(account.clone());
        }
    }
    for account in late.difference(&held_up) {
        let told = worked(books, account, running, Work::Bills).await?;
        report.add(account, &told);
    }
    Ok(accounts.union(&late).count())
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

/// What happened to the accounts of a run.
#[derive(Default)]
struct Report {
    bills: Vec<Value>,
    nothing: BTreeSet<String>,
    failed: Vec<Value>,
    bill_count: usize,
    failed_count: usize,
}

impl Report {
    fn add(&mut self, account: &str, told: &Drawing) {
        for (owner, refusal) in &told.failed {
            self.fail(owner.as_deref(), refusal);
        }
        self.bill_count += told.bills.len();
        let room = ANSWERS_MAX.saturating_sub(self.bills.len());
        self.bills.extend(told.bills.iter().take(room).map(summary));
        if !told.bills.is_empty() {
            self.nothing.remove(account);
        } else if !told.is_held_up {
            self.nothing.insert(account.to_owned());
        }
    }

    fn fail(&mut self, account: Option<&str>, refusal: &Refusal) {
        let mut failed = json!({ "reason": refusal.to_string() });
        if let Some(account) = account {
            failed["billingAccount"] = json!(account);
        }
        if let Refusal::Row { resource, id, .. } = refusal {
            failed["resource"] = json!(resource);
            failed["id"] = json!(id);
        }
        // A product is looked at for its account, and for who pays for its prices.
        if self.failed.contains(&failed) {
            return;
        }
        self.failed_count += 1;
        if self.failed.len() < ANSWERS_MAX {
            self.failed.push(failed);
        }
    }

    /// The run as it is told when it is over.
    fn told(self, mut run: Value, accounts: usize) -> Value {
        let Self { bills, nothing, failed, bill_count, failed_count } = self;
        let nothing_count = nothing.len();
        let nothing: Vec<String> = nothing.into_iter().take(ANSWERS_MAX).collect();
        let more = json!({
            "state": "done",
            "accounts": accounts,
            "billCount": bill_count,
            "bill": bills,
            "nothingCount": nothing_count,
            "nothing": nothing,
            "failedCount": failed_count,
            "failed": failed,
        });
        if let (Some(run), Value::Object(more)) = (run.as_object_mut(), more) {
            run.extend(more);
        }
        run
    }
}

/// What is kept of a run: how it went, without its lists.
fn counts(told: &Value) -> Value {
    let mut kept = told.clone();
    if let Some(fields) = kept.as_object_mut() {
        for list in ["bill", "nothing", "failed"] {
            fields.remove(list);
        }
    }
    kept
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
        let told = match bill(books, account, running, work).await {
            Ok(mut drawing) => {
                let puts = std::mem::take(&mut drawing.puts);
                books.session.write(puts).await.map(|()| drawing)
            }
            Err(Refusal::Store(error)) => Err(error),
            Err(refusal) => return Ok(Drawing::held_up(account, refusal)),
        };
        match told {
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
    let wrong = |wrong: Malformed| malformed(&wrong.attribute, wrong.to_string());
    let mut asked: CustomerBillOnDemand = document::read(after).map_err(wrong)?;
    let account = asked.billing_account.as_ref().and_then(|one| one.id.clone());
    let missing = || malformed("billingAccount.id", "`billingAccount.id` is missing");
    let account = account.ok_or_else(missing)?;
    usage::waiting(books, draft.at).await?;
    let running = Running {
        date: books.settings.zone.day_of(draft.at),
        release: books.settings.release,
        cause: Cause::OnDemand,
        at: draft.at,
        id: None,
    };
    let mut drawing = bill(books, &account, &running, Work::All).await?;
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
    let mut known: Vec<Document> = rates(books, "billingAccount.id", account)?;
    known.retain(|document| document.body.get("isBilled") != Some(&json!(true)));
    let mut drawn = Vec::new();
    let mut puts = usages.into_iter().map(|put| of_run(put, run)).collect::<Vec<_>>();
    if work != Work::Charges {
        for document in &known {
            read_rate(document)?;
        }
        let kept = known.iter().map(|document| read::<AppliedRate>(rate::RESOURCE, document));
        let mut all = kept.collect::<Result<Vec<_>, Refusal>>()?;
        all.extend(made.iter().map(|rate| rate.document(books.settings.zone)));
        let (number, count) = next_number(books)?;
        let id = uuid::Uuid::now_v7().simple().to_string();
        let document = books.session.document("billingAccount", account)?;
        let body = match document {
            Some(document) => read("billingAccount", &document)?,
            None => BillingAccount::unknown(account),
        };
        let (id, number, zone) = (id.as_str(), number.as_str(), books.settings.zone);
        let run = Run { account: &body, id, number, period, cycle, cause, release, at, zone };
        drawn = draw(&run, all).map_err(|wrong| refused("billingAccount", account, &wrong))?;
        puts.extend(count.filter(|_| !drawn.is_empty()));
    }
    puts.extend(writes(books, &made, &known, &drawn, run)?);
    let payers = made.iter().filter_map(|rate| rate.account.clone());
    let payers = payers.filter(|payer| payer != account).collect();
    let bills = drawn.into_iter().map(|drawn| drawn.bill).collect();
    Ok(Drawing { puts, bills, payers, failed, is_held_up: false })
}

/// What a run writes, with its id: so that it can be undone.
fn of_run(mut put: Put, run: Option<&str>) -> Put {
    if let (Change::Set(body), Some(run)) = (&mut put.change, run) {
        body["billRun"] = json!({ "id": run });
    }
    put
}

/// The bills, the rates that are on them or new, and their entries in the books.
pub(super) fn writes(
    books: &Books<'_>,
    made: &[Rate],
    known: &[Document],
    drawn: &[Drawn],
    run: Option<&str>,
) -> Result<Vec<Put>, Refusal> {
    let mut puts = Vec::new();
    let mut on_bills = BTreeMap::new();
    for Drawn { bill, rates } in drawn {
        puts.push(of_run(Put::create("customerBill", bill.id.as_str(), write(bill)), run));
        on_bills.extend(rates.iter().map(|rate| (rate.id.as_str(), rate)));
    }
    for rate in made {
        let document = on_bills.get(rate.id.as_str()).map(|rate| write(*rate));
        let document = document.unwrap_or_else(|| write(&rate.document(books.settings.zone)));
        puts.push(of_run(Put::create(rate::RESOURCE, &rate.id, document), run));
        puts.push(posted_rate(rate)?);
    }
    for kept in known {
        let Some(billed) = on_bills.get(id_of(kept)) else { continue };
        let change = Change::Set(write(*billed));
        let expected = Expected::Revision(kept.revision);
        puts.push(Put::new(rate::RESOURCE, billed.id.as_str(), change, expected));
        puts.extend(posted_once(books, &read_rate(kept)?)?);
    }
    Ok(puts)
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

fn summary(bill: &CustomerBill) -> Value {
    json!({
        "id": bill.id,
        "href": bill.href,
        "billNo": bill.bill_no,
        "billingAccount": bill.billing_account,
        "amountDue": bill.amount_due,
        "state": bill.state,
    })
}

/// The accounts that have products or rates.
fn accounts(books: &Books<'_>) -> Result<BTreeSet<String>, Refusal> {
    let mut found = BTreeSet::new();
    for resource in ["product", rate::RESOURCE] {
        found.extend(values(books, resource, "billingAccount.id")?);
    }
    Ok(found)
}

/// The values that an indexed attribute has, each once: the documents of a value are jumped over.
pub(super) fn values(
    books: &Books<'_>,
    resource: &str,
    path: &str,
) -> Result<Vec<String>, Refusal> {
    let mut prefix = keys::entries(resource, path, "");
    prefix.pop();
    let mut scan = Scan { prefix, after: None, limit: 1, direction: Direction::Forward };
    let mut found = Vec::new();
    while let Some((key, _)) = books.session.scan(&scan)?.pop() {
        let rest = key.get(scan.prefix.len()..).unwrap_or_default();
        let value = rest.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut after = scan.prefix.clone();
        after.extend_from_slice(value);
        // Past all ids of this value, which follow a zero.
        after.push(1);
        scan.after = Some(after);
        found.push(String::from_utf8_lossy(value).into_owned());
    }
    Ok(found)
}
