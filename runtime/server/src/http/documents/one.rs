//! One document.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use engine::documents::Document;
use engine::keys;
use model::FulfilmentId;
use serde_json::Value;
use tmf::resource::{Owner, Resource};

use crate::aside::aside_of_lines;
use crate::http::call::Call;
use crate::http::fields::Fields;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::resources::Served;
use crate::http::{ServerState, answer, etag, href};

/// A document as a client sees it, with its revision.
pub(super) struct Found {
    pub(super) body: Value,
    pub(super) tag: String,
    /// How many records the journal of an open order had.
    pub(super) records: Option<u32>,
}

/// Answers with a document.
pub(super) async fn get(server: &ServerState, call: &Call, served: &Served, id: &str) -> Answer {
    let fields = Fields::parse(call.query.get("fields"))?;
    let Found { mut body, tag, .. } = find_some(server, served.resource, id, &fields).await?;
    if etag::is_known(&call.headers, &tag) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        etag::add(response.headers_mut(), &tag);
        return Ok(response);
    }
    body = served.shown(body);
    href::absolute(&mut body, &call.base);
    let body = fields.of(body);
    Ok(tagged(answer::json(StatusCode::OK, &body), &tag))
}

/// A response with the tag of its content.
pub(super) fn tagged(mut response: Response, tag: &str) -> Response {
    etag::add(response.headers_mut(), tag);
    response
}

/// The document with an id, or a 404.
pub(super) async fn find(
    server: &ServerState,
    resource: &Resource,
    id: &str,
) -> Result<Found, Problem> {
    find_some(server, resource, id, &Fields::default()).await
}

/// The document with an id and at least the wanted attributes, or a
/// 404.
async fn find_some(
    server: &ServerState,
    resource: &Resource,
    id: &str,
    fields: &Fields,
) -> Result<Found, Problem> {
    if resource.owner == Owner::Order
        && let Some(found) = open_order(server, resource, id, fields).await?
    {
        return Ok(found);
    }
    let document = stored(server, resource, id).await?;
    Ok(Found { tag: etag::of(document.revision), body: document.body, records: None })
}

/// The stored document with an id, or a 404.
pub(super) async fn stored(
    server: &ServerState,
    resource: &Resource,
    id: &str,
) -> Result<Document, Problem> {
    let document = server.documents.document(resource.key, id).await?;
    let document = document.filter(|document| resource.shows(&document.body));
    let missing =
        || Problem::not_found(format!("there is no {} `{id}`", resource.name)).about("id");
    document.ok_or_else(missing)
}

/// An open order: the states of its items change without a write of the order.
async fn open_order(
    server: &ServerState,
    resource: &Resource,
    id: &str,
    fields: &Fields,
) -> Result<Option<Found>, Problem> {
    let id = FulfilmentId::new(id);
    let key = keys::open(&id);
    let open = server.documents.read(move |session| session.get(&key));
    if open.await?.is_none() {
        return Ok(None);
    }
    let Some(fulfilment) = server.engine.get(&id).await? else { return Ok(None) };
    let order = aside_of_lines(fulfilment.plan().items.len(), || {
        fulfilment.order_of(resource.key, fields.wants_items()).map(|order| order.body)
    });
    let tag = format!("\"open-{}\"", fulfilment.records());
    let records = Some(fulfilment.records());
    Ok(order.map(|body| Found { body, tag, records }))
}
