//! One document.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use engine::documents::Document;
use engine::keys;
use model::FulfilmentId;
use serde_json::Value;
use tmf::resource::{Owner, Resource};

use crate::access::Scope;
use crate::aside::aside_of_lines;
use crate::http::call::Call;
use crate::http::fields::Fields;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::resources::Served;
use crate::http::rights::{self, Sight};
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
    let scope = &call.admitted.scope;
    let found = find_some(server, (served.resource, scope), id, &fields).await?;
    if etag::is_known(&call.headers, &found.tag) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        etag::add(response.headers_mut(), &found.tag);
        return Ok(response);
    }
    Ok(shown_with(call, served, found, &fields))
}

/// A document as the client sees it.
pub(super) fn shown(call: &Call, served: &Served, found: Found) -> Response {
    shown_with(call, served, found, &Fields::default())
}

fn shown_with(call: &Call, served: &Served, found: Found, fields: &Fields) -> Response {
    let mut body = served.shown(found.body);
    href::absolute(&mut body, &call.base);
    tagged(answer::json(StatusCode::OK, &fields.of(body)), &found.tag)
}

/// A response with the tag of its content.
pub(super) fn tagged(mut response: Response, tag: &str) -> Response {
    etag::add(response.headers_mut(), tag);
    response
}

/// The document with an id that a scope covers, or a 404.
pub(super) async fn find(
    server: &ServerState,
    of: (&Resource, &Scope),
    id: &str,
) -> Result<Found, Problem> {
    find_some(server, of, id, &Fields::default()).await
}

/// The document with an id and at least the wanted attributes, or a
/// 404.
async fn find_some(
    server: &ServerState,
    (resource, scope): (&Resource, &Scope),
    id: &str,
    fields: &Fields,
) -> Result<Found, Problem> {
    // The stored order decides, as in lists; the one that is shown may be a little ahead of it.
    if !scope.is_all() && resource.owner == Owner::Order {
        stored(server, (resource, scope), id).await?;
    }
    if resource.owner == Owner::Order
        && let Some(found) = open_order(server, resource, id, fields).await?
    {
        return Ok(found);
    }
    let document = stored(server, (resource, scope), id).await?;
    Ok(Found { tag: etag::of(document.revision), body: document.body, records: None })
}

/// The stored document with an id that a scope covers, or a 404.
pub(super) async fn stored(
    server: &ServerState,
    (resource, scope): (&Resource, &Scope),
    id: &str,
) -> Result<Document, Problem> {
    let document = server.documents.document(resource.key, id).await?;
    let document = document.filter(|document| resource.shows(&document.body));
    let document = document.filter(|document| scope.covers(&document.body));
    document.ok_or_else(|| missing(resource, id))
}

/// The stored document with an id that the client may change: a 404 if it may not know of it, a 403 if
/// it may only read it.
pub(super) async fn changeable(
    server: &ServerState,
    call: &Call,
    resource: &Resource,
    id: &str,
) -> Result<Document, Problem> {
    let document = stored(server, (resource, &Scope::All), id).await?;
    match rights::sight(&call.admitted, resource.key, &document.body) {
        Sight::Changeable => Ok(document),
        Sight::Readable => Err(Problem::not_permitted()),
        Sight::Hidden => Err(missing(resource, id)),
    }
}

fn missing(resource: &Resource, id: &str) -> Problem {
    Problem::not_found(format!("there is no {} `{id}`", resource.name)).about("id")
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
