//! Changes and removes documents. A client that sends the revision it read is refused if there is
//! a later one; without a revision the current document is changed.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use engine::core::Unless;
use engine::documents::{Change, Document, Error, Expected, Put};
use engine::handle::NotWritten;
use serde_json::Value;
use tmf::document::instance::Instance;
use tmf::patch::Format;

use super::one::{changeable, tagged};
use crate::access::Reader;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::resources::Served;
use crate::http::rights::{locker, must_cover};
use crate::http::{ServerState, answer, etag, href};
use crate::policies::Draft;
use crate::reconcile::{CheckError, orders_about};

/// Attempts at a change while others change the same document.
const TRIES_MAX: usize = 16;

/// A requested change.
enum Asked {
    Patch(Format, Value),
    Replace(Value),
    Delete,
}

/// Patches a document.
pub(super) async fn patch(
    server: &ServerState,
    mut call: Call,
    served: &Served,
    id: &str,
) -> Answer {
    let format = format(&call)?;
    let body = call.json()?;
    change(server, &call, served, id, &Asked::Patch(format, body)).await
}

/// Makes a change that was read already.
pub(super) async fn merge(
    server: &ServerState,
    call: &Call,
    served: &Served,
    id: &str,
    changed: Value,
) -> Answer {
    change(server, call, served, id, &Asked::Patch(Format::Merge, changed)).await
}

/// Replaces a document.
pub(super) async fn replace(
    server: &ServerState,
    mut call: Call,
    served: &Served,
    id: &str,
) -> Answer {
    let body = call.json()?;
    change(server, &call, served, id, &Asked::Replace(body)).await
}

pub(super) async fn delete(server: &ServerState, call: &Call, served: &Served, id: &str) -> Answer {
    change(server, call, served, id, &Asked::Delete).await
}

/// The notation of a patch (TMF630; RFC 7396, RFC 6902).
pub(super) fn format(call: &Call) -> Result<Format, Problem> {
    let media_type = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Format::of_content_type(media_type.unwrap_or_default()).ok_or_else(|| {
        Problem::media_type(
            "send a patch as `application/merge-patch+json`, `application/json`, \
             `application/json-patch+json` or `application/json-patch-query+json`",
        )
    })
}

async fn change(
    server: &ServerState,
    call: &Call,
    served: &Served,
    id: &str,
    asked: &Asked,
) -> Answer {
    for _ in 0..TRIES_MAX {
        let before = changeable(server, call, served.resource, id).await?;
        etag::check_match(&call.headers, &etag::of(before.revision))?;
        let unless = match asked {
            Asked::Delete => match instance(served, &before)? {
                Some(instance) => Some(orders_about(&server.reconciler, &instance).await?),
                None => None,
            },
            Asked::Patch(..) | Asked::Replace(_) => None,
        };
        let mut draft = draft(server, served, id, before, asked)?;
        draft.reader = call.admitted.reader.clone();
        if let Some(answer) = write(server, call, served, (draft, unless)).await? {
            return Ok(answer);
        }
    }
    Err(Problem::conflict("it was changed each time that it was written: try again").about("id"))
}

/// The instance of an inventory that a document is of; `None` if it is of another resource.
fn instance(served: &Served, document: &Document) -> Result<Option<Instance>, CheckError> {
    Ok(Instance::read(served.resource.key, &document.body)?)
}

fn draft(
    server: &ServerState,
    served: &Served,
    id: &str,
    before: Document,
    asked: &Asked,
) -> Result<Draft, Problem> {
    let resource = served.resource;
    let at = server.engine.now();
    let after = match asked {
        Asked::Patch(format, patch) => Some(served.patched(&before.body, *format, patch)?),
        Asked::Replace(body) => {
            let body = served.new_body(body.clone())?;
            let href = before.body.get("href").and_then(Value::as_str).unwrap_or_default();
            let after = resource.new_document(body, id, at, href);
            resource.check_patched(&before.body, &after)?;
            Some(after)
        }
        Asked::Delete => None,
    };
    let after = match after {
        Some(mut after) => {
            resource.drop_nulls(&mut after);
            resource.complete_changed(&before.body, &mut after);
            if after != before.body {
                resource.stamp(&mut after, at);
            }
            Some(after)
        }
        None => None,
    };
    let (id, before, more) = (id.to_string(), Some(before), Vec::new());
    Ok(Draft { resource, id, before, after, more, at, reader: Reader::All })
}

/// Writes a change; `None` if the document was changed meanwhile.
async fn write(
    server: &ServerState,
    call: &Call,
    served: &Served,
    (draft, unless): (Draft, Option<Unless>),
) -> Result<Option<axum::response::Response>, Problem> {
    let policies = &server.policies;
    let turn = policies.catalog.turn(served.resource.key).await;
    let draft = policies.before_write(draft).await?;
    let Draft { id, before, after, more, at, .. } = draft;
    if let Some(after) = &after {
        must_cover(&call.admitted.scope, after)?;
    }
    let revision = before.as_ref().map_or(0, |before| before.revision);
    let key = served.resource.key;
    let is_same = more.is_empty() && before.map(|before| before.body) == after;
    let change = after.clone().map_or(Change::Remove, Change::Set);
    let mut puts = vec![Put::new(key, id.clone(), change, Expected::Revision(revision))];
    puts.extend(more);
    if !is_same {
        if !put(server, call, puts, unless).await? {
            return Ok(None);
        }
        policies.after_write(served.resource).await?;
    }
    drop(turn);
    let Some(mut body) = after.map(|after| served.shown(after)) else {
        return Ok(Some(StatusCode::NO_CONTENT.into_response()));
    };
    let revision = if is_same { revision } else { revision + 1 };
    href::absolute(&mut body, &call.base);
    let unusable = policies.catalog.unusable(&call.admitted.reader, (key, &id), at);
    let response = answer::warned(answer::json(StatusCode::OK, &body), &unusable);
    Ok(Some(tagged(response, &etag::of(revision))))
}

/// Writes documents, unless an open order is about them; returns whether they were unchanged.
async fn put(
    server: &ServerState,
    call: &Call,
    puts: Vec<Put>,
    unless: Option<Unless>,
) -> Result<bool, Problem> {
    let Some(unless) = unless else {
        return match server.documents.write(puts).await {
            Ok(()) => Ok(true),
            Err(Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        };
    };
    match server.engine.write_unless(unless, puts).await {
        Ok(()) => Ok(true),
        Err(NotWritten::Stale) => Ok(false),
        Err(NotWritten::Ask(error)) => Err(error.into()),
        Err(NotWritten::Locked(by)) => {
            let by = locker(server, call, &by).await?;
            let message =
                format!("{by} is about it: cancel the order, or remove it when that has ended");
            Err(Problem::conflict(message).about("id"))
        }
    }
}
