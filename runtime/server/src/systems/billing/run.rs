//! Bill runs: for one account or for all of them, by cycle or on demand.

use std::collections::BTreeMap;

use engine::keys;
use engine::store::documents::{Change, Expected};
use engine::store::{Direction, Document, Error, Put, Scan};
use model::Timestamp;
use model::billing::bill::{Cause, Drawn, Run, draw};
use model::billing::bill_state::Release;
use model::billing::charge::due;
use model::billing::cycle::Cycle;
use model::billing::rate::{self, Rate};
use model::billing::terms::Terms;
use model::billing::{Day, Days, usage as used};
use serde_json::{Value, json};

use super::{
    DOCUMENTS_MAX, money, posted_once, posted_rate, rates, read_rate, reference, refused, timeline,
    usage,
};
use crate::app::App;
use crate::systems::{Draft, Refusal};

/// The document that counts bills.
const NUMBERS: &str = "billNumber";

/// A run of all accounts answers with so many bills, and so many failures.
const ANSWERS_MAX: usize = 1_000;

/// What a client asks for.
pub(crate) struct Asked {
    /// The day of the run.
    pub(crate) date: Day,
    /// The only account to bill; all of them where nothing.
    pub(crate) account: Option<String>,
    /// The first day to charge for; that after the last bill where nothing.
    pub(crate) from: Option<Day>,
    /// How far the bills go at once; as the operator has it where nothing.
    pub(crate) release: Option<Release>,
}

/// What billing one account writes.
struct Drawing {
    puts: Vec<Put>,
    bills: Vec<Value>,
}

/// An account is billed anew so many times while others change what it is made of.
const TRIES_MAX: usize = 16;

/// Bills what is due on a day, and says of each account what happened. What cannot be billed is told
/// with its account, and stops nobody else's bill; to run again bills what is left.
pub(crate) async fn run(app: &App, asked: &Asked) -> Result<Value, Refusal> {
    let at = app.now();
    usage::waiting(app, at).await?;
    let accounts = match &asked.account {
        Some(account) => vec![account.clone()],
        None => accounts(app)?,
    };
    let mut report = Report::default();
    for account in &accounts {
        match bill_account(app, account, asked, at).await {
            Err(Refusal::Store(error)) if !matches!(error, Error::Unreadable { .. }) => {
                return Err(error.into());
            }
            told => report.add(account, told),
        }
    }
    let Report { bills, nothing, failed, bill_count, nothing_count, failed_count } = report;
    if asked.account.is_none() {
        app.write(vec![cycle_noted(app, asked.date)]).await?;
    }
    Ok(json!({
        "date": asked.date.to_string(),
        "accounts": accounts.len(),
        "billCount": bill_count,
        "bill": bills,
        "nothingCount": nothing_count,
        "nothing": nothing,
        "failedCount": failed_count,
        "failed": failed,
    }))
}

/// That all accounts were billed on a day (TMF678 version 5, `billCycle`).
fn cycle_noted(app: &App, date: Day) -> Put {
    let resource = "billCycle";
    let id = date.to_string();
    let at = app.commerce.zone.written(date);
    let noted = json!({
        "id": id,
        "href": format!("{}/{id}", model::resource::path(resource)),
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
    nothing: Vec<Value>,
    failed: Vec<Value>,
    bill_count: usize,
    nothing_count: usize,
    failed_count: usize,
}

impl Report {
    fn add(&mut self, account: &str, told: Result<Vec<Value>, Refusal>) {
        match told {
            Ok(drawn) if drawn.is_empty() => {
                self.nothing_count += 1;
                self.nothing.push(json!(account));
            }
            Ok(drawn) => {
                self.bill_count += drawn.len();
                self.bills.extend(drawn.iter().map(summary));
            }
            Err(refusal) => {
                self.failed_count += 1;
                let reason = refusal.to_string();
                self.failed.push(json!({ "billingAccount": account, "reason": reason }));
            }
        }
        for list in [&mut self.bills, &mut self.nothing, &mut self.failed] {
            list.truncate(ANSWERS_MAX);
        }
    }
}

/// Bills one account; anew where somebody changed meanwhile what its bills are made of.
async fn bill_account(
    app: &App,
    account: &str,
    asked: &Asked,
    at: Timestamp,
) -> Result<Vec<Value>, Refusal> {
    let mut last = String::new();
    for _ in 0..TRIES_MAX {
        let told = match bill(app, account, asked, Cause::Cycle, at).await {
            Ok(Drawing { puts, bills }) => app.write(puts).await.map(|()| bills),
            Err(Refusal::Store(error)) => Err(error),
            Err(refusal) => return Err(refusal),
        };
        match told {
            Err(Error::Conflict { resource, id, .. }) => last = format!("the {resource} `{id}`"),
            Err(error) => return Err(error.into()),
            Ok(bills) => return Ok(bills),
        }
    }
    let message = format!("{last} was changed each of {TRIES_MAX} times: run again");
    Err(Refusal::conflict("billingAccount", message))
}

/// Draws the bill that somebody asked for (TMF678 `customerBillOnDemand`).
pub(super) async fn on_demand(app: &App, draft: &mut Draft) -> Result<(), Refusal> {
    let (None, Some(after)) = (&draft.before, draft.after.as_mut()) else { return Ok(()) };
    let account = reference(after, "billingAccount")?.to_owned();
    usage::waiting(app, draft.at).await?;
    let asked = Asked {
        date: app.commerce.zone.day_of(draft.at),
        account: None,
        from: None,
        release: None,
    };
    let drawing = bill(app, &account, &asked, Cause::OnDemand, draft.at).await?;
    match drawing.bills.first().and_then(|bill| bill.get("id")?.as_str()) {
        Some(id) => {
            let href = format!("{}/{id}", model::resource::path("customerBill"));
            after["customerBill"] =
                json!({ "id": id, "href": href, "@referredType": "CustomerBill" });
            after["state"] = json!("done");
        }
        None => after["state"] = json!("rejected"),
    }
    draft.more.extend(drawing.puts);
    Ok(())
}

/// The cycle of an account.
pub(super) fn cycle_of(app: &App, account: &str) -> Result<Cycle, Refusal> {
    let account_document = app.document("billingAccount", account)?;
    let body = account_document.map_or_else(|| json!({}), |document| document.body);
    let id = body.pointer("/billStructure/cycleSpecification/id").and_then(Value::as_str);
    let specification = match id {
        Some(id) => app.document("billingCycleSpecification", id)?,
        None => None,
    };
    let specification = specification.map(|document| document.body);
    Cycle::of_account(&body, specification.as_ref())
        .map_err(|wrong| refused("account", account, &wrong))
}

/// Charges an account and draws its bills; nothing where it was billed up to there.
async fn bill(
    app: &App,
    account: &str,
    asked: &Asked,
    cause: Cause,
    at: Timestamp,
) -> Result<Drawing, Refusal> {
    let cycle = cycle_of(app, account)?;
    let nothing = Drawing { puts: Vec::new(), bills: Vec::new() };
    let last = last_day(app, account)?;
    let until = match cause {
        Cause::Cycle => cycle.over_by(asked.date).until,
        Cause::OnDemand => asked.date.plus_days(1),
    };
    let from = asked.from.or(last).unwrap_or_else(|| cycle.around(until.before()).from);
    let period = match (Days::new(from, until), cause) {
        (Some(period), _) => period,
        (None, Cause::Cycle) => return Ok(nothing),
        (None, Cause::OnDemand) => Days { from: until.before(), until },
    };
    let mut charges = charge(app, account, period, cycle, at).await?;
    charges.made = money::limited(app, charges.made)?;
    let mut known: Vec<Document> = rates(app, "billingAccount.id", account)?;
    known.retain(|document| document.body.get("isBilled") != Some(&json!(true)));
    let mut all: Vec<Value> = known.iter().map(|document| document.body.clone()).collect();
    all.extend(charges.made.iter().map(|rate| rate.document(app.commerce.zone)));
    let (number, count) = next_number(app)?;
    let id = uuid::Uuid::now_v7().simple().to_string();
    let document = app.document("billingAccount", account)?;
    let body = document.map_or_else(|| json!({ "id": account }), |document| document.body);
    let release = asked.release.unwrap_or(app.commerce.release);
    let (id, number, zone) = (id.as_str(), number.as_str(), app.commerce.zone);
    let run = Run { account: &body, id, number, period, cycle, cause, release, at, zone };
    let drawn = draw(&run, &all).map_err(|wrong| refused("account", account, &wrong))?;
    if drawn.is_empty() && charges.made.is_empty() {
        return Ok(nothing);
    }
    let mut puts = std::mem::take(&mut charges.usages);
    puts.extend(count.filter(|_| !drawn.is_empty()));
    puts.extend(writes(app, &charges.made, &known, &drawn)?);
    Ok(Drawing { puts, bills: drawn.into_iter().map(|drawn| drawn.bill).collect() })
}

/// New rates of an account, and the usages that are in them.
struct Charges {
    made: Vec<Rate>,
    usages: Vec<Put>,
}

/// Charges the products of an account.
async fn charge(
    app: &App,
    account: &str,
    period: Days,
    cycle: Cycle,
    at: Timestamp,
) -> Result<Charges, Refusal> {
    let rulebook = app.rulebook();
    let mut charges = Charges { made: Vec::new(), usages: Vec::new() };
    for product in app.documents_by("product", "billingAccount.id", account, DOCUMENTS_MAX)? {
        let Some(id) = product.body.get("id").and_then(Value::as_str) else { continue };
        let wrong = |wrong| refused("product", id, &wrong);
        let known = rates(app, "product.id", id)?;
        let known = known.iter().map(|one| read_rate(&one.body)).collect::<Result<Vec<_>, _>>()?;
        let timeline = timeline(app, &product)?;
        let terms = Terms::of_product(&product.body, &rulebook, cycle);
        let made = due(&product.body, &timeline, &known, period, &terms, at).map_err(wrong)?;
        charges.made.extend(made);
        usage::settled(app, id, at).await?;
        let usages = usage::documents(app, id)?;
        let bodies: Vec<Value> = usages.iter().map(|usage| usage.body.clone()).collect();
        let products = BTreeMap::from([(id.to_owned(), product.body.clone())]);
        let billed = used::bill(&bodies, &products, period.until, &terms, at).map_err(wrong)?;
        charges.made.extend(billed.rates);
        for usage in billed.usages {
            let kept = usages.iter().find(|kept| kept.body.get("id") == usage.get("id"));
            let key = usage.get("id").and_then(Value::as_str).map(str::to_owned);
            if let (Some(kept), Some(key)) = (kept, key) {
                charges.usages.push(usage::changed(&key, usage, kept.revision));
            }
        }
    }
    Ok(charges)
}

/// The bills, the rates that are on them or new, and their entries in the books.
fn writes(
    app: &App,
    made: &[Rate],
    known: &[Document],
    drawn: &[Drawn],
) -> Result<Vec<Put>, Refusal> {
    let mut puts = Vec::new();
    let mut on_bills = BTreeMap::new();
    for Drawn { bill, rates } in drawn {
        let id = bill.get("id").and_then(Value::as_str).unwrap_or_default();
        puts.push(Put::create("customerBill", id, bill.clone()));
        for rate in rates {
            on_bills.insert(rate.get("id").and_then(Value::as_str).unwrap_or_default(), rate);
        }
    }
    for rate in made {
        let document = on_bills.get(rate.id.as_str()).map(|rate| (*rate).clone());
        let document = document.unwrap_or_else(|| rate.document(app.commerce.zone));
        puts.push(Put::create(rate::RESOURCE, &rate.id, document));
        puts.push(posted_rate(rate)?);
    }
    for kept in known {
        let id = kept.body.get("id").and_then(Value::as_str).unwrap_or_default();
        let Some(billed) = on_bills.get(id) else { continue };
        let change = Change::Set((*billed).clone());
        puts.push(Put::new(rate::RESOURCE, id, change, Expected::Revision(kept.revision)));
        puts.extend(posted_once(app, &read_rate(&kept.body)?)?);
    }
    Ok(puts)
}

/// The first day after all bills of an account.
fn last_day(app: &App, account: &str) -> Result<Option<Day>, Refusal> {
    let bills = app.documents_by("customerBill", "billingAccount.id", account, DOCUMENTS_MAX)?;
    let ends = bills
        .iter()
        .filter_map(|bill| Day::parse(bill.body.pointer("/billingPeriod/endDateTime")?.as_str()?));
    Ok(ends.max())
}

/// The next number of a bill, and what counts it: two runs never take the same.
fn next_number(app: &App) -> Result<(String, Option<Put>), Refusal> {
    let kept = app.document(NUMBERS, "last")?;
    let last = kept.as_ref().and_then(|kept| kept.body.get("number")?.as_u64()).unwrap_or(0);
    let body = Change::Set(json!({ "number": last + 1 }));
    let expected = kept.map_or(Expected::Absent, |kept| Expected::Revision(kept.revision));
    let count = Put::new(NUMBERS, "last", body, expected).quiet();
    Ok((format!("B{:08}", last + 1), Some(count)))
}

fn summary(bill: &Value) -> Value {
    let mut summary = json!({});
    for name in ["id", "href", "billNo", "billingAccount", "amountDue", "state"] {
        summary[name] = bill.get(name).cloned().unwrap_or_default();
    }
    summary
}

/// The accounts that have products or rates, each once.
fn accounts(app: &App) -> Result<Vec<String>, Refusal> {
    let mut found = std::collections::BTreeSet::new();
    for resource in ["product", rate::RESOURCE] {
        found.extend(values(app, resource, "billingAccount.id")?);
    }
    Ok(found.into_iter().collect())
}

/// The values that an indexed attribute has, each once: the documents of a value are jumped over.
pub(super) fn values(app: &App, resource: &str, path: &str) -> Result<Vec<String>, Refusal> {
    let mut prefix = keys::entries(resource, path, "");
    prefix.pop();
    let mut scan = Scan { prefix, after: None, limit: 1, direction: Direction::Forward };
    let mut found = Vec::new();
    while let Some((key, _)) = app.engine.store().scan(&scan)?.pop() {
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
