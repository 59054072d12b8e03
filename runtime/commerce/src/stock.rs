//! Stocks of products (TMF687): reservations, their release, adjustments and checks, as functions of
//! the stocks' documents.
//!
//! A reservation moves an amount from a stock into a stock of its own, which is `reserved`: levels
//! are moved, never made. A task moves everything it asks for, or nothing.

mod answer;
mod quantity;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use tmf::document::stock::{
    AdjustProductStock, ProductStock, ReserveProductStock, ReserveProductStockItem,
    StockRelationship,
};
use tmf::document::{Quantity, Reference, Rest};
use tmf::table::path;
use tmf::time::Timestamp;
use tmf::{Malformed, StockStatus, TaskState};

pub use self::answer::check;

/// The key of the resource of stocks.
pub const RESOURCE: &str = "productStock";

/// A task after its execution, with the stocks that it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved<T> {
    pub task: T,
    /// The stocks that have changed, by id.
    pub changed: BTreeMap<String, ProductStock>,
    /// The new stocks, by id.
    pub made: BTreeMap<String, ProductStock>,
    /// The ids of the stocks to remove.
    pub removed: Vec<String>,
}

impl<T> Moved<T> {
    fn nothing(task: T) -> Self {
        Self { task, changed: BTreeMap::new(), made: BTreeMap::new(), removed: Vec::new() }
    }
}

/// Reserves the items of a request. `candidates` are, for each item, the ids of the stocks that it may
/// be taken from, the best one first. Nothing is reserved if one item is not available.
pub fn reserve(
    task: ReserveProductStock,
    id: &str,
    mut stocks: BTreeMap<String, ProductStock>,
    candidates: &[Vec<String>],
    at: Timestamp,
) -> Result<Moved<ReserveProductStock>, Malformed> {
    let mut moved = Moved::nothing(task);
    let mut reserved = Vec::new();
    for (index, item) in moved.task.reserve_product_stock_item.iter().enumerate() {
        let path = format!("reserveProductStockItem[{index}].quantityRequested");
        let amount = quantity::wanted(&item.quantity_requested, &path)?;
        let mut from = candidates.get(index).into_iter().flatten();
        let source = from.find(|id| {
            let stock = stocks.get(*id);
            stock.is_some_and(|stock| answer::has_enough(stock, &item.quantity_requested, amount))
        });
        let Some((source, stock)) = source.and_then(|id| Some((id, stocks.get_mut(id)?))) else {
            reserved.push(None);
            continue;
        };
        quantity::add(stock, -amount, at);
        let units = item.quantity_requested.units.as_deref();
        let own = format!("{id}.{}", index + 1);
        reserved.push(Some((source, reserved_stock(stock, own, Quantity::new(amount, units), at))));
    }
    if reserved.iter().any(Option::is_none) {
        return Ok(not_reserved(moved.task, &reserved));
    }
    let mut sources = BTreeSet::new();
    let items = moved.task.reserve_product_stock_item.iter_mut();
    for (item, (source, stock)) in items.zip(reserved.into_iter().flatten()) {
        // A reference from the client stays as it is.
        if !item.product_stock_requested.as_ref().is_some_and(|own| own.is_to(source)) {
            item.product_stock_requested = Some(Reference::to(RESOURCE, source));
        }
        item.product_stock_reserved = Some(Reference::to(RESOURCE, &stock.id));
        item.quantity_reserved.clone_from(&stock.product_stock_level);
        item.reserve_product_stock_state = Some(TaskState::Done);
        moved.made.insert(stock.id.clone(), stock);
        sources.insert(source);
    }
    stocks.retain(|id, _| sources.contains(id));
    moved.changed = stocks;
    moved.task.reserve_product_stock_state = Some(TaskState::Done);
    Ok(moved)
}

/// The answer to a reservation of which some items are not available.
fn not_reserved<T>(
    mut task: ReserveProductStock,
    reserved: &[Option<T>],
) -> Moved<ReserveProductStock> {
    task.reserve_product_stock_state = Some(TaskState::TerminatedWithError);
    for (item, reserved) in task.reserve_product_stock_item.iter_mut().zip(reserved) {
        let is_available = reserved.is_some();
        item.reserve_product_stock_state = Some(state_of_item(is_available));
        // A client may have sent a stock of another reservation.
        item.product_stock_reserved = None;
        item.quantity_reserved = Some(Quantity::new(Decimal::ZERO, None));
    }
    Moved::nothing(task)
}

/// The state of an item of a task that failed.
fn state_of_item(is_possible: bool) -> TaskState {
    if is_possible { TaskState::Accepted } else { TaskState::TerminatedWithError }
}

/// Releases the stock of a reservation; stock of another one is not touched. If the stock that it was taken from no longer exists, the
/// reserved stock becomes available by itself.
pub fn release(
    reservation: ReserveProductStock,
    mut stocks: BTreeMap<String, ProductStock>,
    at: Timestamp,
) -> Moved<ReserveProductStock> {
    let mut moved = Moved::nothing(reservation);
    let mut sources = BTreeSet::new();
    let reservation = moved.task.id.as_deref();
    for item in &mut moved.task.reserve_product_stock_item {
        let Some(own) = item.product_stock_reserved.take() else { continue };
        item.quantity_reserved = Some(Quantity::new(Decimal::ZERO, None));
        let own = own.id.filter(|id| reservation_of(id) == reservation);
        let Some((id, mut reserved)) = own.and_then(|id| stocks.remove_entry(&id)) else {
            continue;
        };
        let source = item.product_stock_requested.as_ref().and_then(|source| source.id.as_ref());
        match source.and_then(|id| Some((id, stocks.get_mut(id)?))) {
            Some((source, stock)) => {
                quantity::add(stock, quantity::level(&reserved), at);
                sources.insert(source);
                moved.removed.push(id);
            }
            None => {
                reserved.product_stock_status_type = Some(StockStatus::Available);
                moved.changed.insert(id, reserved);
            }
        }
    }
    stocks.retain(|id, _| sources.contains(id));
    moved.changed.append(&mut stocks);
    moved
}

/// Whether a reservation still has stock to release.
pub fn has_stock(reservation: &ReserveProductStock) -> bool {
    let has_stock = |item: &ReserveProductStockItem| item.product_stock_reserved.is_some();
    reservation.reserve_product_stock_item.iter().any(has_stock)
}

/// Whether the time of a reservation is over.
pub fn is_over(reservation: &ReserveProductStock, now: Timestamp) -> bool {
    let end = reservation.valid_for.as_ref().and_then(|valid| valid.end_date_time.as_ref());
    end.is_some_and(|end| end.at() <= now)
}

/// The reservation that a reserved stock belongs to.
pub fn reservation_of(stock: &str) -> Option<&str> {
    stock.rsplit_once('.').map(|(reservation, _)| reservation)
}

/// Moves the levels of stocks up or down as a request asks. Nothing is moved if a level would fall
/// below zero.
pub fn adjust(
    task: AdjustProductStock,
    mut stocks: BTreeMap<String, ProductStock>,
    at: Timestamp,
) -> Result<Moved<AdjustProductStock>, Malformed> {
    let mut moved = Moved::nothing(task);
    let (mut possible, mut targets) = (Vec::new(), BTreeSet::new());
    for (index, item) in moved.task.adjust_product_stock_item.iter().enumerate() {
        let path = format!("adjustProductStockItem[{index}].adjustProductStockQuantity");
        let change = &item.adjust_product_stock_quantity;
        let amount = quantity::amount(change, &path)?;
        let target = item.product_stock_target.id.as_deref().unwrap_or_default();
        let stock = stocks.get_mut(target);
        let Some(stock) = stock.filter(|stock| quantity::has_units_of(change, stock)) else {
            let problem = "is not in the units of the stock";
            return Err(Malformed::new(format!("{path}.units"), problem));
        };
        quantity::add(stock, amount, at);
        possible.push(quantity::level(stock) >= Decimal::ZERO);
        targets.insert(target);
    }
    stocks.retain(|id, _| targets.contains(id.as_str()));
    let is_done = possible.iter().all(|is_possible| *is_possible);
    let state = if is_done { TaskState::Done } else { TaskState::TerminatedWithError };
    moved.task.state = Some(state);
    moved.task.completed_adjust_product_stock_date = Some(at.into());
    for (item, is_possible) in moved.task.adjust_product_stock_item.iter_mut().zip(possible) {
        item.state = Some(if is_done { state } else { state_of_item(is_possible) });
    }
    if is_done {
        moved.changed = stocks;
    }
    Ok(moved)
}

/// Whether clients can have something of a stock.
fn is_available(stock: &ProductStock) -> bool {
    stock.product_stock_status_type == Some(StockStatus::Available)
}

fn reserved_stock(
    source: &ProductStock,
    id: String,
    quantity: Quantity,
    at: Timestamp,
) -> ProductStock {
    ProductStock {
        href: Some(format!("{}/{id}", path(RESOURCE))),
        id,
        name: source.name.clone(),
        product_stock_status_type: Some(StockStatus::Reserved),
        product_stock_level: Some(quantity),
        product_stock_relationship: vec![StockRelationship {
            relationship_type: "reservedFrom".into(),
            stock_level: Reference::to(RESOURCE, &source.id),
            rest: Rest::new(),
        }],
        stocked_product: source.stocked_product.clone(),
        place: source.place.clone(),
        related_party: source.related_party.clone(),
        creation_date: Some(at.into()),
        last_update: Some(at.into()),
        kind: Some("ProductStock".into()),
        rest: Rest::new(),
    }
}

#[cfg(test)]
mod tests;
