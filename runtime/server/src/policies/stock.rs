//! Stocks (TMF687): a task is executed when it is created, in the commit that writes it. Each stock is
//! expected at the revision that was read, so of two reservations of the last one, the second fails. A
//! reservation whose time is over is released as soon as a request needs its stock.

use engine::documents::{Change, Document, Error, Expected, Put};
use std::collections::BTreeMap;

use commerce::stock::{
    Moved, RESOURCE, adjust, check, has_stock, is_over, release, reservation_of, reserve,
};
use tmf::document::stock::{
    AdjustProductStock, CheckProductStock, ProductStock, QueryProductStock, ReserveProductStock,
    ReserveProductStockItem, StockCriteria, StockedProduct,
};
use tmf::document::{Reference, write};
use tmf::time::Timestamp;
use tmf::{Malformed, TaskState};

use futures_util::future::BoxFuture;
use tmf::resource::Resource;

use super::{Draft, Policy, Refusal, stored};
use crate::documents::{Documents, Session};

/// Max stocks that are looked at for one item or returned by one query.
const STOCKS_MAX: usize = 1_000;

/// Max attempts to release a reservation while other requests change its stocks.
const TRIES_MAX: usize = 64;

/// The resource of reservations.
const RESERVATION: &str = "reserveProductStock";

/// The resources of all tasks.
const TASKS: [&str; 4] =
    [RESERVATION, "adjustProductStock", "checkProductStock", "queryProductStock"];

/// The policy of stocks.
pub(crate) struct Stocks;

impl Policy for Stocks {
    fn governs(&self, resource: &Resource) -> bool {
        TASKS.contains(&resource.key)
    }

    fn prepare<'a>(
        &'a self,
        documents: &'a Documents,
        mut draft: Draft,
    ) -> BoxFuture<'a, Result<Draft, Refusal>> {
        Box::pin(documents.drive(async move |session| {
            execute(&session, &mut draft).await?;
            Ok(draft)
        }))
    }
}

impl Stocks {
    /// Releases a reservation; `None` if there is none of this id.
    pub(crate) async fn release(
        documents: &Documents,
        id: &str,
    ) -> Result<Option<ReserveProductStock>, Refusal> {
        let id = id.to_owned();
        documents.drive(async move |session| give_back(&session, &id).await).await
    }
}

/// Executes a new task.
async fn execute(session: &Session, draft: &mut Draft) -> Result<(), Refusal> {
    if draft.before.is_some() || draft.after.is_none() {
        return Ok(());
    }
    draft.after = Some(match draft.resource.key {
        RESERVATION => write(&reserved(session, draft).await?),
        "adjustProductStock" => write(&adjusted(session, draft)?),
        "checkProductStock" => write(&checked(session, draft).await?),
        "queryProductStock" => write(&queried(session, draft).await?),
        _ => return Ok(()),
    });
    Ok(())
}

/// Stocks by id, each with the revision that was read.
#[derive(Default)]
struct Found {
    documents: BTreeMap<String, ProductStock>,
    revisions: BTreeMap<String, u64>,
}

/// A stock with the revision that was read.
struct Stock {
    document: ProductStock,
    revision: u64,
}

impl Stock {
    fn read(found: &Document) -> Result<Self, Refusal> {
        Ok(Self { document: stored(RESOURCE, found)?, revision: found.revision })
    }

    fn of_id(session: &Session, id: &str) -> Result<Option<Self>, Refusal> {
        session.document(RESOURCE, id)?.as_ref().map(Self::read).transpose()
    }
}

impl Found {
    fn add(&mut self, stock: Stock) {
        self.revisions.insert(stock.document.id.clone(), stock.revision);
        self.documents.insert(stock.document.id.clone(), stock.document);
    }

    fn add_of_id(
        &mut self,
        session: &Session,
        reference: Option<&Reference>,
    ) -> Result<(), Refusal> {
        if let Some(id) = reference.and_then(|reference| reference.id.as_deref())
            && let Some(stock) = Stock::of_id(session, id)?
        {
            self.add(stock);
        }
        Ok(())
    }
}

/// The writes of a task that moved something. Each stock is expected at the revision that was read.
fn puts<T>(moved: &Moved<T>, revisions: &BTreeMap<String, u64>) -> Vec<Put> {
    let expected =
        |id: &str| revisions.get(id).map_or(Expected::Absent, |read| Expected::Revision(*read));
    let changed = moved.changed.iter().chain(&moved.made);
    let changed =
        changed.map(|(id, stock)| Put::new(RESOURCE, id, Change::Set(write(stock)), expected(id)));
    let removed = moved.removed.iter();
    let removed = removed.map(|id| Put::new(RESOURCE, id, Change::Remove, expected(id)));
    changed.chain(removed).collect()
}

async fn reserved(session: &Session, draft: &mut Draft) -> Result<ReserveProductStock, Refusal> {
    let task: ReserveProductStock = draft.read()?;
    let (mut stocks, mut candidates) = (Found::default(), Vec::new());
    for (index, item) in task.reserve_product_stock_item.iter().enumerate() {
        let own = item.product_stock_requested.as_ref().and_then(|stock| stock.id.as_deref());
        let found = match own {
            // It exists: references are checked before.
            Some(id) => {
                expired(session, id, draft.at).await?;
                Stock::of_id(session, id)?.into_iter().collect()
            }
            None => {
                let place = item.place.as_ref().or(task.place.as_ref());
                let place = place.and_then(|place| place.id.as_deref());
                let criteria = StockCriteria {
                    stocked_product: Some(product(item, index)?),
                    place: place.map(with_id),
                    ..StockCriteria::default()
                };
                fresh(session, &criteria, draft.at).await?
            }
        };
        candidates.push(found.iter().map(|stock| stock.document.id.clone()).collect());
        found.into_iter().for_each(|stock| stocks.add(stock));
    }
    let moved = reserve(task, &draft.id, stocks.documents, &candidates, draft.at);
    let moved = moved.map_err(impossible)?;
    draft.more.extend(puts(&moved, &stocks.revisions));
    Ok(moved.task)
}

/// The product that an item wants, as criteria for stocks.
fn product(item: &ReserveProductStockItem, index: usize) -> Result<StockedProduct, Refusal> {
    let by = |reference: &Option<Reference>| {
        reference.as_ref().and_then(|reference| reference.id.as_deref()).map(with_id)
    };
    if let Some(wanted) = &item.requested_product {
        let mut product = StockedProduct::default();
        if wanted.id.is_some() {
            product.id.clone_from(&wanted.id);
            return Ok(product);
        }
        product.product_offering = by(&wanted.product_offering);
        if product.product_offering.is_none() {
            product.product_specification = by(&wanted.product_specification);
        }
        if product != StockedProduct::default() {
            return Ok(product);
        }
    }
    let path = format!("reserveProductStockItem[{index}]");
    let message = "name `productStockRequested.id`, or a `requestedProduct` with an `id`, a \
                   `productOffering.id` or a `productSpecification.id`";
    Err(Refusal::Malformed { path, message: message.into() })
}

/// A reference by its id alone, as criteria have it.
fn with_id(id: &str) -> Reference {
    Reference { id: Some(id.into()), ..Reference::default() }
}

fn adjusted(session: &Session, draft: &mut Draft) -> Result<AdjustProductStock, Refusal> {
    let task: AdjustProductStock = draft.read()?;
    let mut stocks = Found::default();
    for item in &task.adjust_product_stock_item {
        stocks.add_of_id(session, Some(&item.product_stock_target))?;
    }
    let moved = adjust(task, stocks.documents, draft.at).map_err(impossible)?;
    draft.more.extend(puts(&moved, &stocks.revisions));
    Ok(moved.task)
}

async fn checked(session: &Session, draft: &Draft) -> Result<CheckProductStock, Refusal> {
    let task: CheckProductStock = draft.read()?;
    let any = StockCriteria::default();
    let mut candidates = Vec::new();
    for item in &task.check_product_stock_item {
        let criteria = item.checked_product_stock.as_ref().unwrap_or(&any);
        let mut found = fresh(session, criteria, draft.at).await?;
        // Alternatives are of the same product, at any place.
        let own = || found.first().and_then(|stock| stock.document.stocked_product.as_ref());
        if let Some(product) = criteria.stocked_product.as_ref().or_else(own) {
            let stocked_product = Some(product.clone());
            let criteria = StockCriteria { stocked_product, ..StockCriteria::default() };
            let mut more = fresh(session, &criteria, draft.at).await?;
            more.retain(|stock| !found.iter().any(|one| one.document.id == stock.document.id));
            found.extend(more);
        }
        candidates.push(found.into_iter().map(|stock| stock.document).collect());
    }
    check(task, candidates, draft.at).map_err(impossible)
}

async fn queried(session: &Session, draft: &Draft) -> Result<QueryProductStock, Refusal> {
    let mut task: QueryProductStock = draft.read()?;
    let any = StockCriteria::default();
    let criteria = task.search_criteria.as_ref().unwrap_or(&any);
    let found = fresh(session, criteria, draft.at).await?;
    task.query_product_stock_item = Some(found.into_iter().map(|stock| stock.document).collect());
    task.state = Some(TaskState::Done);
    task.completed_query_product_stock_date = Some(draft.at.into());
    Ok(task)
}

/// The stocks that fit criteria, after the release of expired reservations of them.
async fn fresh(
    session: &Session,
    criteria: &StockCriteria,
    at: Timestamp,
) -> Result<Vec<Stock>, Refusal> {
    for stock in find(session, criteria)? {
        expired(session, &stock.document.id, at).await?;
    }
    find(session, criteria)
}

fn find(session: &Session, criteria: &StockCriteria) -> Result<Vec<Stock>, Refusal> {
    let mut found = Vec::new();
    let mut add = |document: &Document| {
        let stock = Stock::read(document)?;
        if found.len() < STOCKS_MAX && criteria.fit(&stock.document) {
            found.push(stock);
        }
        Ok::<_, Refusal>(())
    };
    if let Some(id) = &criteria.id {
        session.document(RESOURCE, id)?.iter().try_for_each(&mut add)?;
    } else if let Some((path, value)) = indexed(criteria) {
        session.documents_by(RESOURCE, path, value, STOCKS_MAX)?.iter().try_for_each(&mut add)?;
    } else {
        session.each_document(RESOURCE, |document| add(&document))?;
    }
    Ok(found)
}

/// The index by which criteria are looked up, and its value.
fn indexed(criteria: &StockCriteria) -> Option<(&'static str, &str)> {
    fn of(reference: Option<&Reference>) -> Option<&str> {
        reference?.id.as_deref()
    }
    let product = criteria.stocked_product.as_ref();
    let offering = product.and_then(|product| product.product_offering.as_ref());
    let specification = product.and_then(|product| product.product_specification.as_ref());
    let values = [
        ("stockedProduct.id", product.and_then(|product| product.id.as_deref())),
        ("stockedProduct.productOffering.id", of(offering)),
        ("stockedProduct.productSpecification.id", of(specification)),
        ("place.id", of(criteria.place.as_ref())),
    ];
    values.into_iter().find_map(|(path, value)| Some((path, value?)))
}

/// Releases the expired reservations of a stock.
async fn expired(session: &Session, stock: &str, at: Timestamp) -> Result<(), Refusal> {
    let path = "productStockRelationship.stockLevel.id";
    for reserved in session.documents_by(RESOURCE, path, stock, STOCKS_MAX)? {
        let reserved = Stock::read(&reserved)?.document;
        let Some(reservation) = reservation_of(&reserved.id) else { continue };
        let Some(kept) = session.document(RESERVATION, reservation)? else { continue };
        if is_over(&stored(RESERVATION, &kept)?, at) {
            give_back(session, reservation).await?;
        }
    }
    Ok(())
}

/// Releases a reservation; `None` if there is none of this id.
async fn give_back(session: &Session, id: &str) -> Result<Option<ReserveProductStock>, Refusal> {
    for _ in 0..TRIES_MAX {
        let Some(kept) = session.document(RESERVATION, id)? else { return Ok(None) };
        let reservation: ReserveProductStock = stored(RESERVATION, &kept)?;
        if !has_stock(&reservation) {
            return Ok(Some(reservation));
        }
        let mut stocks = Found::default();
        for item in &reservation.reserve_product_stock_item {
            stocks.add_of_id(session, item.product_stock_requested.as_ref())?;
            stocks.add_of_id(session, item.product_stock_reserved.as_ref())?;
        }
        let moved = release(reservation, stocks.documents, session.now());
        let (change, revision) = (Change::Set(write(&moved.task)), kept.revision);
        let mut batch = vec![Put::new(RESERVATION, id, change, Expected::Revision(revision))];
        batch.extend(puts(&moved, &stocks.revisions));
        match session.write(batch).await {
            Ok(()) => return Ok(Some(moved.task)),
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::conflict("id", "its stocks were changed each time that it was released: retry"))
}

/// The quantities of a request do not fit the stocks.
fn impossible(wrong: Malformed) -> Refusal {
    let message = wrong.to_string();
    Refusal::unprocessable(wrong.attribute, message)
}
