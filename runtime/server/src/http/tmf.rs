//! The TM Forum APIs: one set of handlers for every resource of the table.

mod create;
mod list;

use axum::http::{Method, StatusCode};
use engine::keys;
use model::FulfilmentId;
use serde_json::Value;

use super::call::Call;
use super::fields::Fields;
use super::problem::Problem;
use super::resources::{Resource, Source};
use super::route::Answer;
use super::{Door, answer, href};

pub(super) use create::order;

/// Takes a request about a resource: all of them where the id is empty.
pub(super) async fn take(door: &Door, call: Call, resource: &'static Resource, id: &str) -> Answer {
    match (&call.method, id, resource.create) {
        (&Method::GET | &Method::HEAD, "", _) => list::take(door, call, resource).await,
        (&Method::GET | &Method::HEAD, id, _) => one(door, &call, resource, id).await,
        (&Method::POST, "", Some(kind)) => create::take(door, call, resource, kind).await,
        (_, "", Some(_)) => Err(Problem::method("GET, HEAD, POST")),
        _ => Err(Problem::method("GET, HEAD")),
    }
}

async fn one(door: &Door, call: &Call, resource: &Resource, id: &str) -> Answer {
    let Some(mut document) = find(door, resource, id).await? else {
        return Err(Problem::not_found(format!("there is no {} `{id}`", resource.name)).about("id"));
    };
    href::absolute(&mut document, &call.base);
    let document = Fields::parse(call.query.get("fields")).of(document);
    Ok(answer::json(StatusCode::OK, &document))
}

async fn find(door: &Door, resource: &Resource, id: &str) -> Result<Option<Value>, Problem> {
    match resource.source {
        Source::Catalog => {
            let rulebook = door.app.rulebook();
            let documents = rulebook.catalog().documents.get(resource.name);
            Ok(documents.and_then(|documents| documents.get(id)).cloned())
        }
        Source::Store => match open_order(door, resource, id).await? {
            Some(document) => Ok(Some(document)),
            None => stored(door, resource, id),
        },
    }
}

/// An order that is still carried out: its items' states change without the order's being written.
async fn open_order(door: &Door, resource: &Resource, id: &str) -> Result<Option<Value>, Problem> {
    if resource.create.is_none() {
        return Ok(None);
    }
    let id = FulfilmentId::new(id);
    if door.app.engine.store().get(&keys::open(&id))?.is_none() {
        return Ok(None);
    }
    let fulfilment = door.app.engine.get(&id).await?;
    let orders = fulfilment.map(|fulfilment| fulfilment.orders()).unwrap_or_default();
    let order = orders.into_iter().find(|document| document.resource == resource.name);
    Ok(order.map(|document| document.body))
}

fn stored(door: &Door, resource: &Resource, id: &str) -> Result<Option<Value>, Problem> {
    let bytes = door.app.engine.store().get(&keys::document(resource.name, id))?;
    bytes.map(|bytes| document(&bytes)).transpose()
}

/// Reads a stored document.
fn document(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::ours(&error))
}
