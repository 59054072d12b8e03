//! Stocks (TMF687): what its tasks ask for is done when they are made, in the commit that writes
//! them. Each stock is expected as it was read, so of two reservations of the last one, one finds
//! that it is gone. A reservation whose time is over is given back as soon as somebody asks for what
//! it holds.

use std::collections::BTreeMap;

use commerce::stock::{
    Moved, RESOURCE, Wrong, adjust, check, holds, is_over, matches, release, reservation_of,
    reserve,
};
use engine::store::documents::{Change, Expected};
use engine::store::{Document, Error, Put};
use serde_json::{Value, json};
use tmf::time::Timestamp;

use super::{Draft, Refusal};
use crate::app::App;

/// So many stocks are looked at for one item, and answered to one query.
const STOCKS_MAX: usize = 1_000;

/// A reservation is given back so often anew while others change its stocks.
const TRIES_MAX: usize = 64;

/// The resource that reservations are.
const RESERVATION: &str = "reserveProductStock";

/// By what stocks are found, and where the value stands in a description of one.
const PATHS: [(&str, &str); 4] = [
    ("stockedProduct.id", "/stockedProduct/id"),
    ("stockedProduct.productOffering.id", "/stockedProduct/productOffering/id"),
    ("stockedProduct.productSpecification.id", "/stockedProduct/productSpecification/id"),
    ("place.id", "/place/id"),
];

/// Does what a new task asks for.
pub(super) async fn settle(app: &App, draft: &mut Draft) -> Result<(), Refusal> {
    let (None, Some(task)) = (&draft.before, &draft.after) else { return Ok(()) };
    let (task, at) = (task.clone(), draft.at);
    draft.after = Some(match draft.resource.key {
        RESERVATION => reserved(app, draft, &task, at).await?,
        "adjustProductStock" => adjusted(app, draft, &task, at)?,
        "checkProductStock" => checked(app, &task, at).await?,
        "queryProductStock" => queried(app, task, at).await?,
        _ => return Ok(()),
    });
    Ok(())
}

async fn reserved(
    app: &App,
    draft: &mut Draft,
    task: &Value,
    at: Timestamp,
) -> Result<Value, Refusal> {
    let (mut stocks, mut candidates) = (BTreeMap::new(), Vec::new());
    for (index, item) in items(task, "reserveProductStockItem").enumerate() {
        let own = item.pointer("/productStockRequested/id").and_then(Value::as_str);
        let found = match own {
            // It is there: that was looked at before.
            Some(id) => {
                expired(app, id, at).await?;
                app.document(RESOURCE, id)?.into_iter().collect()
            }
            None => {
                let place = item.get("place").or_else(|| task.get("place"));
                let mut wanted = json!({ "stockedProduct": product(item, index)? });
                if let Some(id) = place.and_then(|place| place.get("id")) {
                    wanted["place"] = json!({ "id": id });
                }
                fresh(app, &wanted, at).await?
            }
        };
        candidates.push(found.iter().filter_map(id_of).collect());
        stocks.extend(found.into_iter().filter_map(|stock| Some((id_of(&stock)?, stock))));
    }
    let moved = reserve(task, &draft.id, &bodies(&stocks), &candidates, at)
        .map_err(|error| wrong(&error))?;
    draft.more.extend(puts(&moved, &stocks));
    Ok(moved.task)
}

/// What an item wants, in the words of a stock.
fn product(item: &Value, index: usize) -> Result<Value, Refusal> {
    let wanted = item.get("requestedProduct").unwrap_or(&Value::Null);
    for name in ["id", "productOffering", "productSpecification"] {
        match wanted.get(name) {
            Some(id) if name == "id" => return Ok(json!({ "id": id })),
            Some(by) if by.get("id").is_some() => return Ok(json!({ name: { "id": by["id"] } })),
            _ => {}
        }
    }
    let path = format!("reserveProductStockItem[{index}]");
    let message = "name `productStockRequested.id`, or a `requestedProduct` with an `id`, a \
                   `productOffering.id` or a `productSpecification.id`";
    Err(Refusal::Malformed { path, message: message.into() })
}

fn adjusted(app: &App, draft: &mut Draft, task: &Value, at: Timestamp) -> Result<Value, Refusal> {
    let mut stocks = BTreeMap::new();
    for item in items(task, "adjustProductStockItem") {
        let target = item.pointer("/productStockTarget/id").and_then(Value::as_str);
        let id = target.unwrap_or_default();
        if let Some(stock) = app.document(RESOURCE, id)? {
            stocks.insert(id.to_owned(), stock);
        }
    }
    let moved = adjust(task, &bodies(&stocks), at).map_err(|error| wrong(&error))?;
    draft.more.extend(puts(&moved, &stocks));
    Ok(moved.task)
}

async fn checked(app: &App, task: &Value, at: Timestamp) -> Result<Value, Refusal> {
    let mut candidates = Vec::new();
    for item in items(task, "checkProductStockItem") {
        let mut wanted = item.get("checkedProductStock").cloned().unwrap_or_default();
        let mut found = fresh(app, &wanted, at).await?;
        // What would do instead is of the same product, wherever it is.
        let own = found.first().and_then(|stock| stock.body.get("stockedProduct")).cloned();
        if let Some(product) = wanted.get("stockedProduct").cloned().or(own) {
            wanted = json!({ "stockedProduct": product });
            let more = fresh(app, &wanted, at).await?;
            let is_new = |stock: &Document| !found.iter().any(|one| id_of(one) == id_of(stock));
            let more: Vec<Document> = more.into_iter().filter(is_new).collect();
            found.extend(more);
        }
        candidates.push(found.into_iter().map(|stock| stock.body).collect());
    }
    check(task, &candidates, at).map_err(|error| wrong(&error))
}

async fn queried(app: &App, mut task: Value, at: Timestamp) -> Result<Value, Refusal> {
    let wanted = task.get("searchCriteria").cloned().unwrap_or_default();
    let found = fresh(app, &wanted, at).await?;
    task["queryProductStockItem"] = found.into_iter().map(|stock| stock.body).collect();
    task["state"] = json!("done");
    task["completedQueryProductStockDate"] = json!(at.to_string());
    Ok(task)
}

/// The stocks that are as somebody describes them, with what expired reservations held back in them.
async fn fresh(app: &App, wanted: &Value, at: Timestamp) -> Result<Vec<Document>, Refusal> {
    for id in find(app, wanted)?.iter().filter_map(id_of) {
        expired(app, &id, at).await?;
    }
    Ok(find(app, wanted)?)
}

fn find(app: &App, wanted: &Value) -> Result<Vec<Document>, Error> {
    if let Some(id) = wanted.get("id").and_then(Value::as_str) {
        let found = app.document(RESOURCE, id)?;
        return Ok(found.into_iter().filter(|stock| matches(wanted, &stock.body)).collect());
    }
    let mut known =
        PATHS.iter().filter_map(|(path, at)| Some((path, wanted.pointer(at)?.as_str()?)));
    let mut found = Vec::new();
    match known.next() {
        Some((path, value)) => {
            found = app.documents_by(RESOURCE, path, value, STOCKS_MAX)?;
            found.retain(|stock| matches(wanted, &stock.body));
        }
        None => app.each_document::<Error>(RESOURCE, |stock| {
            if found.len() < STOCKS_MAX && matches(wanted, &stock.body) {
                found.push(stock);
            }
            Ok(())
        })?,
    }
    Ok(found)
}

/// Gives back what reservations of a stock hold whose time is over.
async fn expired(app: &App, stock: &str, at: Timestamp) -> Result<(), Refusal> {
    let path = "productStockRelationship.stockLevel.id";
    for held in app.documents_by(RESOURCE, path, stock, STOCKS_MAX)? {
        let id = id_of(&held).unwrap_or_default();
        let Some(reservation) = reservation_of(&id) else { continue };
        let kept = app.document(RESERVATION, reservation)?;
        if kept.is_some_and(|kept| is_over(&kept.body, at)) {
            give_back(app, reservation).await?;
        }
    }
    Ok(())
}

/// Gives back what a reservation holds; nothing where there is no such reservation.
pub(crate) async fn give_back(app: &App, id: &str) -> Result<Option<Value>, Refusal> {
    for _ in 0..TRIES_MAX {
        let Some(kept) = app.document(RESERVATION, id)? else { return Ok(None) };
        if !holds(&kept.body) {
            return Ok(Some(kept.body));
        }
        let mut stocks = BTreeMap::new();
        for item in items(&kept.body, "reserveProductStockItem") {
            for name in ["productStockRequested", "productStockReserved"] {
                let own = item.pointer(&format!("/{name}/id")).and_then(Value::as_str);
                let Some(own) = own else { continue };
                if let Some(stock) = app.document(RESOURCE, own)? {
                    stocks.insert(own.to_owned(), stock);
                }
            }
        }
        let moved = release(&kept.body, &bodies(&stocks), app.now());
        let (change, revision) = (Change::Set(moved.task.clone()), kept.revision);
        let mut batch = vec![Put::new(RESERVATION, id, change, Expected::Revision(revision))];
        batch.extend(puts(&moved, &stocks));
        match app.write(batch).await {
            Ok(()) => return Ok(Some(moved.task)),
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::conflict("id", "others change its stocks all the time: try again"))
}

fn puts(moved: &Moved, stocks: &BTreeMap<String, Document>) -> Vec<Put> {
    let expected = |id: &str| {
        stocks.get(id).map_or(Expected::Absent, |stock| Expected::Revision(stock.revision))
    };
    let changed = moved.changed.iter().chain(&moved.made);
    let changed =
        changed.map(|(id, body)| Put::new(RESOURCE, id, Change::Set(body.clone()), expected(id)));
    let gone = moved.gone.iter().map(|id| Put::new(RESOURCE, id, Change::Remove, expected(id)));
    changed.chain(gone).collect()
}

fn bodies(stocks: &BTreeMap<String, Document>) -> BTreeMap<String, Value> {
    stocks.iter().map(|(id, stock)| (id.clone(), stock.body.clone())).collect()
}

fn items<'a>(task: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    task.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn id_of(stock: &Document) -> Option<String> {
    Some(stock.body.get("id")?.as_str()?.to_owned())
}

fn wrong(wrong: &Wrong) -> Refusal {
    Refusal::unprocessable(wrong.attribute.clone(), wrong.to_string())
}
