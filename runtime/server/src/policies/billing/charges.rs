//! What is charged: the products of an account, what it pays for of others' products, and usage.

use engine::documents::{Document, Put};
use std::collections::{BTreeMap, BTreeSet};

use commerce::billing::charge::{Until, due, number};
use commerce::billing::cycle::Cycle;
use commerce::billing::terms::Terms;
use commerce::billing::timeline::Timeline;
use commerce::billing::usage as used;
use model::pricing::ledger;
use model::pricing::rate::Rate;
use serde_json::{Value, json};
use tmf::day::Day;
use tmf::document::account::BillingAccount;
use tmf::time::Timestamp;

use super::undo::reversal;
use super::{Books, DOCUMENTS_MAX, money, rates, read, read_rate, refused, timeline, usage};
use crate::policies::{Draft, Refusal};

/// The documents that tell when products were removed.
const REMOVED: &str = "removedProduct";

/// New rates, the usages that are in them, and what could not be charged.
#[derive(Default)]
pub(super) struct Charges {
    pub(super) made: Vec<Rate>,
    pub(super) usages: Vec<Put>,
    /// What is wrong with products, each with the account that it belongs to.
    pub(super) failed: Vec<(Option<String>, Refusal)>,
}

/// When and up to which day an account is charged.
#[derive(Clone, Copy)]
pub(super) struct When {
    /// The day of the run.
    pub(super) date: Day,
    /// The first day that the account is not charged for.
    pub(super) until: Day,
    pub(super) at: Timestamp,
}

/// The cycle of an account.
pub(super) fn cycle_of(books: &Books<'_>, account: &str) -> Result<Cycle, Refusal> {
    let document = books.session.document("billingAccount", account)?;
    let body: BillingAccount = match document {
        Some(document) => read("billingAccount", &document)?,
        None => return Ok(Cycle::default()),
    };
    let id = body.cycle().and_then(|cycle| cycle.id.as_deref());
    let specification = match id {
        Some(id) => books.session.document("billingCycleSpecification", id)?,
        None => None,
    };
    match specification {
        Some(found) => {
            let found = read("billingCycleSpecification", &found)?;
            Cycle::of_account(&body, Some(&found)).map_err(|wrong| {
                refused("billingCycleSpecification", id.unwrap_or_default(), &wrong)
            })
        }
        None => Cycle::of_account(&body, None)
            .map_err(|wrong| refused("billingAccount", account, &wrong)),
    }
}

impl Charges {
    /// Charges the products of an account: also for others who pay for some of their prices, up to
    /// their own bill day.
    pub(super) async fn own(
        &mut self,
        books: &Books<'_>,
        account: &str,
        when: When,
    ) -> Result<(), Refusal> {
        let cycle = cycle_of(books, account)?;
        for product in
            books.session.documents_by("product", "billingAccount.id", account, DOCUMENTS_MAX)?
        {
            let charged = match timeline(books, &product) {
                Ok(timeline) => {
                    let until = self.until(books, account, &timeline, when)?;
                    self.product(books, &product.body, &timeline, (&until, cycle), when.at).await
                }
                Err(refusal) => Err(refusal),
            };
            self.note(charged, &product)?;
        }
        Ok(())
    }

    /// Charges what an account pays for of the products of others, by their cycles.
    pub(super) async fn paid(
        &mut self,
        books: &Books<'_>,
        account: &str,
        when: When,
    ) -> Result<(), Refusal> {
        let until = Until::only(account, when.until);
        for product in books.session.documents_by("product", PAYER, account, DOCUMENTS_MAX)? {
            let owner = account_of(&product.body);
            if owner == Some(account) {
                continue;
            }
            let charged = async {
                let cycle = owner.map_or(Ok(Cycle::default()), |owner| cycle_of(books, owner))?;
                let timeline = timeline(books, &product)?;
                self.product(books, &product.body, &timeline, (&until, cycle), when.at).await
            };
            let charged = charged.await;
            self.note(charged, &product)?;
        }
        Ok(())
    }

    /// Up to which day each account pays for the prices of a product of an account.
    fn until(
        &self,
        books: &Books<'_>,
        account: &str,
        timeline: &Timeline,
        when: When,
    ) -> Result<Until, Refusal> {
        let spans = timeline.spans().iter();
        let payers: BTreeSet<&str> =
            spans.filter_map(|span| span.price.account.as_deref()).collect();
        let mut until = Until::all(when.until);
        for payer in payers.into_iter().filter(|payer| *payer != account) {
            until = match cycle_of(books, payer) {
                Ok(cycle) => until.and(payer, cycle.over_by(when.date).until),
                Err(Refusal::Row { .. }) => until.without(payer),
                Err(refusal) => return Err(refusal),
            };
        }
        Ok(until)
    }

    /// Charges a product and its usage.
    async fn product(
        &mut self,
        books: &Books<'_>,
        product: &Value,
        timeline: &Timeline,
        (until, cycle): (&Until, Cycle),
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let id = product.get("id").and_then(Value::as_str).unwrap_or_default();
        let wrong = |wrong| refused("product", id, &wrong);
        let all = rates(books, "product.id", id)?;
        let all = all.iter().map(read_rate).collect::<Result<Vec<_>, _>>()?;
        let known = of_this_life(books, id, &all)?;
        let terms = Terms::of_product(product, &books.rulebooks.current(), cycle);
        let mut made = due(product, timeline, &known, until, &terms, at).map_err(wrong)?;
        number(id, &all, &mut made);
        usage::settled(books, id, at).await?;
        let usages = usage::documents(books, id)?;
        let bodies: Vec<Value> = usages.iter().map(|usage| usage.body.clone()).collect();
        let products = BTreeMap::from([(id.to_owned(), product.clone())]);
        let billed = used::bill(&bodies, &products, until, &terms, at).map_err(wrong)?;
        made.extend(billed.rates);
        for rate in &mut made {
            rate.id = free_id(books, &rate.id)?;
        }
        self.made.extend(money::limited(books, made, &self.made)?);
        for usage in billed.usages {
            let kept = usages.iter().find(|kept| kept.body.get("id") == usage.get("id"));
            let key = usage.get("id").and_then(Value::as_str).map(str::to_owned);
            if let (Some(kept), Some(key)) = (kept, key) {
                self.usages.push(usage::changed(&key, usage, kept.revision));
            }
        }
        Ok(())
    }

    /// Notes what is wrong with a product, which holds up its account; what else goes wrong is told.
    fn note(&mut self, charged: Result<(), Refusal>, product: &Document) -> Result<(), Refusal> {
        match charged {
            Err(refusal @ Refusal::Row { .. }) => {
                let owner = account_of(&product.body).map(str::to_owned);
                self.failed.push((owner, refusal));
                Ok(())
            }
            other => other,
        }
    }
}

/// Where products name who pays for a price.
pub(super) const PAYER: &str = "productPrice.billingAccount.id";

fn account_of(product: &Value) -> Option<&str> {
    product.pointer("/billingAccount/id").and_then(Value::as_str)
}

/// An id that no reversed rate had.
fn free_id(books: &Books<'_>, id: &str) -> Result<String, Refusal> {
    let mut free = id.to_owned();
    let mut number = 2;
    while books.session.document(ledger::RESOURCE, &reversal(&free))?.is_some() {
        free = format!("{id}-{number}");
        number += 1;
    }
    Ok(free)
}

/// Charges a product that is removed: up to this day, and what was charged ahead is given back. One
/// that cannot be read is removed as it is.
pub(super) async fn removed(books: &Books<'_>, draft: &mut Draft) -> Result<(), Refusal> {
    let (Some(before), None) = (&draft.before, &draft.after) else { return Ok(()) };
    let at = draft.at;
    let ended = match ended(books, before, at) {
        Ok(Some(ended)) => ended,
        Ok(None) | Err(Refusal::Row { .. }) => return Ok(()),
        Err(refusal) => return Err(refusal),
    };
    let (product, timeline) = ended;
    let cycle =
        account_of(&product).map_or(Ok(Cycle::default()), |account| cycle_of(books, account));
    let mut charges = Charges::default();
    let until = Until::all(books.settings.zone.day_of(at).plus_days(1));
    let charged = match cycle {
        Ok(cycle) => charges.product(books, &product, &timeline, (&until, cycle), at).await,
        Err(refusal) => Err(refusal),
    };
    match charged {
        Ok(()) => {}
        Err(Refusal::Row { .. }) => return Ok(()),
        Err(refusal) => return Err(refusal),
    }
    let before = books.session.document(REMOVED, &draft.id)?;
    let before = before.and_then(|before| before.body.get("terminationDate").cloned());
    let told = json!({ "id": draft.id, "terminationDate": at.to_string(), "before": before });
    let mut puts = vec![Put::set(REMOVED, draft.id.clone(), told).quiet()];
    puts.extend(charges.usages);
    puts.extend(super::run::writes(books, &charges.made, &[], &[], None)?);
    draft.more.extend(puts);
    Ok(())
}

/// A product that ended at a time, and what it was before.
fn ended(
    books: &Books<'_>,
    last: &Document,
    at: Timestamp,
) -> Result<Option<(Value, Timeline)>, Refusal> {
    let id = last.body.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut product = last.body.clone();
    let Some(fields) = product.as_object_mut() else { return Ok(None) };
    let day = |value: &Value| Timestamp::parse(value.as_str()?);
    let is_over = fields.get("terminationDate").and_then(day).is_some_and(|end| end < at);
    if !is_over {
        fields.insert("terminationDate".into(), json!(at.to_string()));
    }
    let mut versions = super::past(books, id)?;
    versions.push((last.since, last.body.clone()));
    let timeline = Timeline::of_versions(&product, &versions, books.settings.zone);
    Ok(Some((product, timeline.map_err(|wrong| refused("product", id, &wrong))?)))
}

/// Of the rates of a product those that are not of another one of its id, which was removed.
pub(super) fn of_this_life(
    books: &Books<'_>,
    id: &str,
    all: &[Rate],
) -> Result<Vec<Rate>, Refusal> {
    let told = books.session.document(REMOVED, id)?;
    let is_there = books.session.document("product", id)?.is_some();
    let name = if is_there { "terminationDate" } else { "before" };
    let since = told.and_then(|told| Timestamp::parse(told.body.get(name)?.as_str()?));
    let mine = all.iter().filter(|rate| since.is_none_or(|since| rate.date > since));
    Ok(mine.cloned().collect())
}

/// A product that was removed, as it was when it was charged for the last time; `None` if
/// that time is not known.
pub(super) fn gone(books: &Books<'_>, id: &str) -> Result<Option<(Value, Timeline)>, Refusal> {
    let Some(told) = books.session.document(REMOVED, id)? else { return Ok(None) };
    let at = told.body.get("terminationDate").and_then(|at| Timestamp::parse(at.as_str()?));
    let mut versions = super::past(books, id)?;
    let (Some(at), Some((since, body))) = (at, versions.pop()) else { return Ok(None) };
    let last = Document { body, revision: 0, since };
    ended(books, &last, at)
}
