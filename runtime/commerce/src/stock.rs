//! Stocks of products (TMF687): what is reserved, given back, adjusted, checked and asked for, as
//! functions of the stocks' documents.
//!
//! What is reserved leaves the stock that it is taken from and stands in a stock of its own, which is
//! `reserved`: levels are moved, never made. A task moves all that it is asked to, or nothing.

mod answer;
mod quantity;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

pub use self::answer::{check, matches};
use self::quantity::Quantity;
use tmf::table::path;
use tmf::time::Timestamp;

/// The resource that stocks are.
pub const RESOURCE: &str = "productStock";

/// A request about stocks is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{attribute}` {problem}")]
pub struct Wrong {
    /// The attribute.
    pub attribute: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What a task comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moved {
    /// The task as it is then.
    pub task: Value,
    /// The stocks that are another now, by id.
    pub changed: BTreeMap<String, Value>,
    /// The stocks that are new, by id.
    pub made: BTreeMap<String, Value>,
    /// The stocks that are no more.
    pub gone: Vec<String>,
}

/// Reserves what the items of a request want. `candidates` are, for each item, the ids of the stocks
/// that it may be taken from, the best one first. Where one item cannot be had nothing is reserved.
pub fn reserve(
    request: &Value,
    id: &str,
    stocks: &BTreeMap<String, Value>,
    candidates: &[Vec<String>],
    at: Timestamp,
) -> Result<Moved, Wrong> {
    const ITEMS: &str = "reserveProductStockItem";
    let mut moved = Moved { task: request.clone(), ..Moved::default() };
    let mut levels = stocks.clone();
    let mut lacking = Vec::new();
    for (index, item) in array(request, ITEMS).iter().enumerate() {
        let at_item = format!("{ITEMS}[{index}].quantityRequested");
        let wanted = Quantity::wanted(item.get("quantityRequested"), &at_item)?;
        let mut from = candidates.get(index).into_iter().flatten();
        let from = from.find(|stock| {
            levels.get(*stock).is_some_and(|stock| is_available(stock) && wanted.is_in(stock))
        });
        let Some(source) = from.and_then(|source| levels.get_mut(source)) else {
            lacking.push(index);
            continue;
        };
        quantity::add(source, -wanted.amount, at);
        let (own, source) = (format!("{id}.{}", index + 1), source.clone());
        let source_id = text(&source, "id").to_owned();
        let reserved = reserved_stock(&source, &own, &wanted, at);
        moved.made.insert(own.clone(), reserved);
        moved.changed.insert(source_id.clone(), source);
        let item = &mut moved.task[ITEMS][index];
        // What the client named stays as it named it.
        if item.pointer("/productStockRequested/id").and_then(Value::as_str) != Some(&source_id) {
            item["productStockRequested"] = reference(&source_id);
        }
        item["productStockReserved"] = reference(&own);
        item["quantityReserved"] = wanted.to_tmf();
        item[STATE] = json!("done");
    }
    if lacking.is_empty() {
        moved.task[STATE] = json!("done");
        return Ok(moved);
    }
    let mut task = request.clone();
    task[STATE] = json!("terminatedWithError");
    for index in 0..array(request, ITEMS).len() {
        let state = if lacking.contains(&index) { "terminatedWithError" } else { "accepted" };
        task[ITEMS][index][STATE] = json!(state);
        task[ITEMS][index]["quantityReserved"] = json!({ "amount": 0 });
    }
    Ok(Moved { task, ..Moved::default() })
}

/// The state of a reservation and of its items.
const STATE: &str = "reserveProductStockState";

/// Gives back what a reservation still holds. A stock that it was taken from and that is no more
/// takes nothing back: then what was reserved is available by itself.
pub fn release(reservation: &Value, stocks: &BTreeMap<String, Value>, at: Timestamp) -> Moved {
    const ITEMS: &str = "reserveProductStockItem";
    let mut moved = Moved { task: reservation.clone(), ..Moved::default() };
    for (index, item) in array(reservation, ITEMS).iter().enumerate() {
        let id_of = |name: &str| item.pointer(&format!("/{name}/id")).and_then(Value::as_str);
        let Some(held) = id_of("productStockReserved") else { continue };
        let (source, reserved) = (id_of("productStockRequested"), stocks.get(held));
        if let Some(reserved) = reserved {
            let source = source.filter(|source| stocks.contains_key(*source));
            match source {
                Some(source) => {
                    let before = &stocks[source];
                    let own = moved.changed.entry(source.into()).or_insert_with(|| before.clone());
                    quantity::add(own, quantity::level(reserved), at);
                    moved.gone.push(held.into());
                }
                None => {
                    let mut free = reserved.clone();
                    free["productStockStatusType"] = json!("available");
                    moved.changed.insert(held.into(), free);
                }
            }
        }
        if let Some(fields) = moved.task[ITEMS][index].as_object_mut() {
            fields.remove("productStockReserved");
            fields.insert("quantityReserved".into(), json!({ "amount": 0 }));
        }
    }
    moved
}

/// Whether a reservation holds something.
pub fn holds(reservation: &Value) -> bool {
    let items = array(reservation, "reserveProductStockItem").iter();
    items.clone().any(|item| item.get("productStockReserved").is_some())
}

/// Whether the time of a reservation is over.
pub fn is_over(reservation: &Value, now: Timestamp) -> bool {
    let end = reservation.pointer("/validFor/endDateTime").and_then(Value::as_str);
    end.and_then(Timestamp::parse).is_some_and(|end| end <= now)
}

/// The reservation that a reserved stock belongs to.
pub fn reservation_of(stock: &str) -> Option<&str> {
    stock.rsplit_once('.').map(|(reservation, _)| reservation)
}

/// Moves the levels of stocks by what a request says, up or down. Where one would fall below zero
/// nothing is moved.
pub fn adjust(
    request: &Value,
    stocks: &BTreeMap<String, Value>,
    at: Timestamp,
) -> Result<Moved, Wrong> {
    const ITEMS: &str = "adjustProductStockItem";
    let mut moved = Moved { task: request.clone(), ..Moved::default() };
    let mut short = Vec::new();
    for (index, item) in array(request, ITEMS).iter().enumerate() {
        let at_item = format!("{ITEMS}[{index}].adjustProductStockQuantity");
        let change = Quantity::read(item.get("adjustProductStockQuantity"), &at_item)?;
        let target = item.pointer("/productStockTarget/id").and_then(Value::as_str);
        let target = target.unwrap_or_default();
        let stock = moved.changed.get(target).or_else(|| stocks.get(target));
        let Some(stock) = stock.filter(|stock| change.is_alike(stock)) else {
            let problem = "is in other units than the stock, which this task is about".into();
            return Err(Wrong { attribute: format!("{at_item}.units"), problem });
        };
        let mut stock = stock.clone();
        quantity::add(&mut stock, change.amount, at);
        if quantity::level(&stock) < Decimal::ZERO {
            short.push(index);
        }
        moved.changed.insert(target.into(), stock);
    }
    let state = if short.is_empty() { "done" } else { "terminatedWithError" };
    moved.task["state"] = json!(state);
    moved.task["completedAdjustProductStockDate"] = json!(at.to_string());
    for index in 0..array(request, ITEMS).len() {
        let own = match (short.is_empty(), short.contains(&index)) {
            (true, _) => "done",
            (false, true) => "terminatedWithError",
            (false, false) => "accepted",
        };
        moved.task[ITEMS][index]["state"] = json!(own);
    }
    if !short.is_empty() {
        moved.changed.clear();
    }
    Ok(moved)
}

/// Whether somebody can have something of a stock.
fn is_available(stock: &Value) -> bool {
    text(stock, "productStockStatusType") == "available"
}

fn reserved_stock(source: &Value, id: &str, wanted: &Quantity, at: Timestamp) -> Value {
    let mut stock = json!({
        "id": id,
        "href": format!("{}/{id}", path(RESOURCE)),
        "productStockStatusType": "reserved",
        "productStockLevel": wanted.to_tmf(),
        "productStockRelationship": [{
            "relationshipType": "reservedFrom",
            "stockLevel": reference(text(source, "id")),
        }],
        "creationDate": at.to_string(),
        "lastUpdate": at.to_string(),
        "@type": "ProductStock",
    });
    for name in ["name", "place", "stockedProduct", "relatedParty"] {
        if let Some(value) = source.get(name) {
            stock[name] = value.clone();
        }
    }
    stock
}

fn reference(id: &str) -> Value {
    json!({
        "id": id, "href": format!("{}/{id}", path(RESOURCE)), "@referredType": "ProductStock",
    })
}

fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
