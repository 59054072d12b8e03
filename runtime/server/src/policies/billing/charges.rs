//! Charges: of the products of an account, of the prices of others' products that it pays for, and of
//! usage.

use std::collections::{BTreeMap, BTreeSet};

use commerce::billing::charge::{Until, due, number};
use commerce::billing::cycle::Cycle;
use commerce::billing::terms::Terms;
use commerce::billing::timeline::Timeline;
use commerce::billing::usage as used;
use commerce::billing::versions::Versions;
use engine::documents::Put;
use model::pricing::ledger;
use model::pricing::rate::Rate;
use tmf::day::Day;
use tmf::document::product::Product;
use tmf::document::{DateTime, Rest};
use tmf::time::Timestamp;

use super::Books;
use super::stored::{
    DOCUMENTS_MAX, Stored, account_of, cycle_of, earlier, rates, refused, timeline, usages_of,
    versions_of,
};
use super::written::{changed_usage, charges_and_bills, reversal};
use super::{money, usage};
use crate::policies::{Draft, Refusal};

/// The resource of removals of products.
const REMOVED: &str = "removedProduct";

tmf::document! {
    /// The last removal of a product of some id.
    struct RemovedProduct {
        id: String,
        termination_date: DateTime,
        /// The removal before it.
        before?: DateTime,
    }
}

/// New rates, the usages that are in them, and the products that could not be charged.
#[derive(Default)]
pub(super) struct Charges {
    pub(super) made: Vec<Rate>,
    pub(super) usages: Vec<Put>,
    /// The errors of products, each with the account that it belongs to.
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
        for document in
            books.session.documents_by("product", "billingAccount.id", account, DOCUMENTS_MAX)?
        {
            let charged = async {
                let product = Stored::<Product>::read("product", &document)?;
                let sold = Sold::of(books, product)?;
                let until = self.until(books, account, &sold.timeline, when)?;
                self.product(books, &sold, (&until, cycle), when.at).await
            };
            let charged = charged.await;
            self.note(charged, Some(account))?;
        }
        Ok(())
    }

    /// Charges the prices of others' products that an account pays for, by their cycles.
    pub(super) async fn paid(
        &mut self,
        books: &Books<'_>,
        account: &str,
        when: When,
    ) -> Result<(), Refusal> {
        let until = Until::only(account, when.until);
        for document in books.session.documents_by("product", PAYER, account, DOCUMENTS_MAX)? {
            let owner = account_of(&document);
            if owner == Some(account) {
                continue;
            }
            let charged = async {
                let cycle = owner.map_or(Ok(Cycle::default()), |owner| cycle_of(books, owner))?;
                let sold = Sold::of(books, Stored::read("product", &document)?)?;
                self.product(books, &sold, (&until, cycle), when.at).await
            };
            let charged = charged.await;
            self.note(charged, owner)?;
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
        sold: &Sold,
        (until, cycle): (&Until, Cycle),
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let Sold { product, timeline } = sold;
        let id = product.id.as_str();
        let wrong = |wrong| refused("product", id, wrong);
        let all = rates(books, "product.id", id)?;
        let known = of_this_life(books, id, &all)?;
        let terms = Terms::of_product(product, &books.rulebooks.current(), cycle);
        let mut made = due(product, timeline, &known, until, &terms, at).map_err(wrong)?;
        number(id, &all, &mut made);
        usage::rated_again(books, id, at).await?;
        let usages = usages_of(books, id)?;
        let revisions: BTreeMap<String, u64> =
            usages.iter().map(|usage| (usage.body.id.clone(), usage.revision)).collect();
        let usages = usages.into_iter().map(|usage| usage.body);
        let billed = used::bill(usages, |_| product.account(), until, &terms, at).map_err(wrong)?;
        made.extend(billed.rates);
        for rate in &mut made {
            if let Some(free) = free_id(books, &rate.id)? {
                rate.id = free;
            }
        }
        self.made.extend(money::limited(books, made, &self.made)?);
        let puts = billed.usages.iter().filter_map(|usage| {
            let revision = revisions.get(&usage.id)?;
            Some(changed_usage(usage, *revision))
        });
        self.usages.extend(puts);
        Ok(())
    }

    /// Notes the error of a product, which delays its account; other errors are returned.
    fn note(&mut self, charged: Result<(), Refusal>, owner: Option<&str>) -> Result<(), Refusal> {
        match charged {
            Err(refusal @ Refusal::Row { .. }) => {
                self.failed.push((owner.map(str::to_owned), refusal));
                Ok(())
            }
            other => other,
        }
    }
}

/// A product with its timeline.
pub(super) struct Sold {
    pub(super) product: Product,
    pub(super) timeline: Timeline,
}

impl Sold {
    fn of(books: &Books<'_>, product: Stored<Product>) -> Result<Self, Refusal> {
        let id = product.body.id.clone();
        let versions = versions_of(books, "product", &id, product)?;
        Ok(Self { timeline: timeline(books, &versions)?, product: versions.into_last() })
    }

    /// A product that ended at a time.
    fn ended(
        books: &Books<'_>,
        mut versions: Vec<(Timestamp, Product)>,
        at: Timestamp,
    ) -> Result<Option<Self>, Refusal> {
        if let Some((_, last)) = versions.last_mut() {
            let end = last.termination_date.take().filter(|end| end.at() < at);
            last.termination_date = Some(end.unwrap_or_else(|| at.into()));
        }
        let Some(versions) = Versions::new(versions) else { return Ok(None) };
        Ok(Some(Self { timeline: timeline(books, &versions)?, product: versions.into_last() }))
    }
}

/// The path of the account that pays for a price of a product.
pub(super) const PAYER: &str = "productPrice.billingAccount.id";

/// Another id for a rate if a reversed rate had its id.
fn free_id(books: &Books<'_>, id: &str) -> Result<Option<String>, Refusal> {
    let mut free = None;
    let mut number = 2;
    while books
        .session
        .document(ledger::RESOURCE, &reversal(free.as_deref().unwrap_or(id)))?
        .is_some()
    {
        free = Some(format!("{id}-{number}"));
        number += 1;
    }
    Ok(free)
}

/// Charges a product that is removed: up to this day, and what was charged ahead is refunded. One that
/// cannot be read is removed as it is.
pub(super) async fn removed(books: &Books<'_>, draft: &mut Draft) -> Result<(), Refusal> {
    let (Some(before), None) = (&draft.before, &draft.after) else { return Ok(()) };
    let at = draft.at;
    let ended = Stored::<Product>::read("product", before).and_then(|product| {
        let mut versions = earlier(books, "product", &product.body.id)?;
        versions.push((product.since, product.body));
        Sold::ended(books, versions, at)
    });
    let sold = match ended {
        Ok(Some(sold)) => sold,
        Ok(None) | Err(Refusal::Row { .. }) => return Ok(()),
        Err(refusal) => return Err(refusal),
    };
    let account = sold.product.account();
    let cycle = account.map_or(Ok(Cycle::default()), |account| cycle_of(books, account));
    let mut charges = Charges::default();
    let until = Until::all(books.settings.zone.day_of(at).plus_days(1));
    let charged = match cycle {
        Ok(cycle) => charges.product(books, &sold, (&until, cycle), at).await,
        Err(refusal) => Err(refusal),
    };
    match charged {
        Ok(()) => {}
        Err(Refusal::Row { .. }) => return Ok(()),
        Err(refusal) => return Err(refusal),
    }
    let removal = RemovedProduct {
        id: draft.id.clone(),
        termination_date: at.into(),
        before: removal(books, &draft.id)?.map(|removal| removal.termination_date),
        rest: Rest::new(),
    };
    draft.more.push(Put::set(REMOVED, &removal.id, &removal).quiet());
    draft.more.extend(charges.usages);
    draft.more.extend(charges_and_bills(books, &charges.made, &[], &[], None)?);
    Ok(())
}

/// The last removal of a product of an id.
fn removal(books: &Books<'_>, id: &str) -> Result<Option<RemovedProduct>, Refusal> {
    Ok(Stored::find(books, REMOVED, id)?.map(|removal| removal.body))
}

/// The rates of a product without those of another one of the same id, which was removed.
pub(super) fn of_this_life(
    books: &Books<'_>,
    id: &str,
    all: &[Rate],
) -> Result<Vec<Rate>, Refusal> {
    let removal = removal(books, id)?;
    let is_there = books.session.document("product", id)?.is_some();
    let since = removal
        .and_then(|removal| if is_there { Some(removal.termination_date) } else { removal.before });
    let mine = all.iter().filter(|rate| since.as_ref().is_none_or(|since| rate.date > since.at()));
    Ok(mine.cloned().collect())
}

/// A product that was removed, as it was when it was charged for the last time; `None` if that time is
/// not known.
pub(super) fn gone(books: &Books<'_>, id: &str) -> Result<Option<Sold>, Refusal> {
    let Some(removal) = removal(books, id)? else { return Ok(None) };
    Sold::ended(books, earlier(books, "product", id)?, removal.termination_date.at())
}
