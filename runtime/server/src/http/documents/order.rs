//! Orders: a new order is validated, is on disk before the answer, and is answered
//! as `acknowledged`, regardless of its state a moment later. A change of an order goes
//! through the engine, which owns it.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use commerce::cpq::unread;
use engine::documents::{Change, Expected, Put};
use engine::handle::CancelError;
use engine::{Amendment, Submitted};
use model::journal::CancelRequest;
use model::{Fulfilment, FulfilmentId, Kind};
use serde_json::{Map, Value};
use tmf::document::read;
use tmf::time::Timestamp;

use super::one::Found;
use super::{change, one};
use crate::access::Scope;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::repeat::Repeat;
use crate::http::resources::Served;
use crate::http::rights::{must_cover, readable};
use crate::http::{ServerState, answer, etag, href};

pub(super) async fn create(
    server: &ServerState,
    mut call: Call,
    served: &Served,
    kind: Kind,
) -> Answer {
    let resource = served.resource;
    let submission = call.submission(resource.key)?;
    let body = call.json()?;
    let unknown = served.unknown(&body);
    let document = taken(body, served)?;
    must_cover(&call.admitted.scope, &document)?;
    let repeat = Repeat::of(submission.as_ref(), &document);
    let unread = match kind {
        // An order that cannot be read is refused below.
        Kind::ProductOrder => read(&document).map(|order| unread(&order)).unwrap_or_default(),
        Kind::ServiceOrder | Kind::ResourceOrder | Kind::Run { .. } => Vec::new(),
    };
    let reader = &call.admitted.reader;
    let submitted = server.orders.submit(reader, kind, document, submission).await?;
    let is_new = matches!(submitted, Submitted::New(_));
    let first = match submitted {
        Submitted::New(fulfilment) => acknowledged(&fulfilment),
        Submitted::Before(id) => {
            let before = server.engine.get(&id).await?;
            if let Some(before) = &before {
                repeat.check(before.document())?;
            }
            // The engine answers after the commit, so the document exists unless it was removed.
            if before.is_some()
                && server.documents.document(resource.key, id.as_str()).await?.is_none()
            {
                let message = format!(
                    "the {} `{id}` that was made under this key was removed",
                    served.name()
                );
                return Err(Problem::conflict(message).about("Idempotency-Key"));
            }
            before.as_deref().and_then(acknowledged)
        }
    };
    let Some(mut first) = first else {
        return Err(Problem::unavailable("the first submission under this key is not there yet"));
    };
    first = served.shown(first);
    href::absolute(&mut first, &call.base);
    let id = first.get("id").and_then(Value::as_str).unwrap_or_default();
    let location = format!("{}{}/{id}", call.base, served.path());
    let response = answer::located(StatusCode::CREATED, &location, &first);
    let response = answer::warned(answer::warned(response, &unknown), &unread);
    Ok(if is_new { answer::committed(response) } else { response })
}

/// An accepted order, without the attributes that only the server sets.
pub(in crate::http) fn taken(document: Value, served: &Served) -> Result<Value, Problem> {
    let resource = served.resource;
    let Value::Object(mut fields) = served.new_body(document)? else {
        return Err(Problem::bad("an order is a JSON object").about("$"));
    };
    if fields.get("requestedInitialState").is_some_and(|state| state == "draft") {
        let message = "drafts are not kept here: an order that is taken is carried out";
        return Err(Problem::unprocessable(message).about("requestedInitialState"));
    }
    fields.retain(|name, _| !resource.server.contains(&name.as_str()));
    let mut document = Value::Object(fields);
    resource.drop_nulls(&mut document);
    resource.complete(&mut document);
    Ok(document)
}

/// The order as it was submitted: the first answer, and each repeated one.
fn acknowledged(fulfilment: &Fulfilment) -> Option<Value> {
    let first = Fulfilment::new(
        fulfilment.id().clone(),
        fulfilment.kind().clone(),
        fulfilment.document().clone(),
        fulfilment.submitted_at(),
    );
    first.root_order().map(|order| order.body)
}

/// Changes an order, or cancels it if the patch sets that state.
pub(super) async fn patch(
    server: &ServerState,
    mut call: Call,
    served: &Served,
    id: &str,
) -> Answer {
    let format = change::format(&call)?;
    let body = call.json()?;
    // Read before the tag: a change in between has another tag, and a later change has
    // more records.
    let ended = match etag::is_conditional(&call.headers) {
        true => server.engine.get(&FulfilmentId::new(id)).await?.map(|read| read.records()),
        false => None,
    };
    one::changeable(server, &call, served.resource, id).await?;
    let before = one::find(server, (served.resource, &Scope::All), id).await?;
    etag::check_match(&call.headers, &before.tag)?;
    let expected = ended.map(|ended| before.records.unwrap_or(ended));
    let after = served.patched(&before.body, format, &body)?;
    must_cover(&call.admitted.scope, &after)?;
    let lifecycle = served.resource.lifecycle.map_or("", |lifecycle| lifecycle.attribute);
    let reason = after.get("cancellationReason").and_then(Value::as_str).map(str::to_string);
    let mut changed = difference(before.body, after);
    match changed.remove(lifecycle) {
        None => {}
        Some(Value::String(state)) if state == "cancelled" => {
            server.engine.cancel(&FulfilmentId::new(id), request(reason, None)).await?;
            changed.remove("cancellationReason");
        }
        Some(_) => {
            let message = "follows from the work; the one state to ask for is `cancelled`";
            return Err(Problem::unprocessable(message).about(lifecycle));
        }
    }
    if !changed.is_empty() {
        let resource = served.resource.key.into();
        let amendment = Amendment { resource, patch: changed, expected };
        server.engine.amend_document(&FulfilmentId::new(id), &amendment).await?;
    }
    let found = one::find(server, (served.resource, &Scope::All), id).await?;
    Ok(one::shown(&call, served, found))
}

/// Cancels an order if possible: the cancel request has the result.
pub(super) async fn cancel(server: &ServerState, mut call: Call, served: &Served) -> Answer {
    let body = served.new_body(call.json()?)?;
    let mut names = served.resource.mandatory.iter();
    let order = names.find_map(|name| Some((*name, body.get(*name)?.get("id")?.as_str()?)));
    let Some((name, order)) = order else {
        return Err(Problem::bad("names no order: an `id` is mandatory").about("id"));
    };
    let reason = body.get("cancellationReason").and_then(Value::as_str).map(str::to_string);
    let requested = body.get("requestedCancellationDate").and_then(Value::as_str);
    let request = request(reason, requested.and_then(Timestamp::parse));
    let id = request.id.clone();
    must_cover(&call.admitted.scope, &body)?;
    let unknown = || {
        let message = format!("there is no {name} `{order}`");
        Problem::unprocessable(message).about(format!("{name}.id"))
    };
    if !call.admitted.reader.is_all() {
        readable(server, &call, name, order).await?.ok_or_else(unknown)?;
    }
    match server.engine.cancel(&FulfilmentId::new(order), request).await {
        Ok(_) => {}
        Err(CancelError::Unknown(_)) => return Err(unknown()),
        // A refusal is a result too, and is in the request if one was written.
        Err(CancelError::Refused(_))
            if server.documents.document(served.resource.key, &id).await?.is_some() => {}
        Err(error) => return Err(error.into()),
    }
    let found = one::find(server, (served.resource, &Scope::All), &id).await?;
    let Found { mut body, tag, .. } = found;
    body = served.shown(body);
    href::absolute(&mut body, &call.base);
    let location = format!("{}{}/{id}", call.base, served.path());
    Ok(one::tagged(answer::located(StatusCode::CREATED, &location, &body), &tag))
}

/// Removes an order that has ended.
pub(super) async fn delete(server: &ServerState, call: &Call, served: &Served, id: &str) -> Answer {
    one::changeable(server, call, served.resource, id).await?;
    let before = one::find(server, (served.resource, &Scope::All), id).await?;
    etag::check_match(&call.headers, &before.tag)?;
    let state = served.resource.state_of(&before.body).unwrap_or_default();
    let is_final = served.resource.lifecycle.is_some_and(|lifecycle| lifecycle.is_final(state));
    if !is_final {
        let message =
            format!("it is {state}: cancel it first, it can be removed when it has ended");
        return Err(Problem::conflict(message).about("id"));
    }
    let remove = Put::new(served.resource.key, id, Change::Remove, Expected::Anything);
    server.documents.write(vec![remove]).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn request(reason: Option<String>, requested: Option<Timestamp>) -> CancelRequest {
    let id = uuid::Uuid::now_v7().simple().to_string();
    CancelRequest { id, reason, requested }
}

/// A merge patch from `before` to `after` (null = removed).
pub(super) fn difference(before: Value, after: Value) -> Map<String, Value> {
    let (Value::Object(mut before), Value::Object(mut after)) = (before, after) else {
        return Map::new();
    };
    after.retain(|name, value| before.remove(name).as_ref() != Some(&*value));
    after.extend(before.into_iter().map(|(name, _)| (name, Value::Null)));
    after
}
