//! Creates documents: the body is validated by the table, passes the policy of its resource, and
//! is on disk before the answer.

use axum::http::header::LINK;
use axum::http::{HeaderValue, StatusCode};
use engine::documents::{Error, Put};
use serde_json::{Value, json};

use super::one::tagged;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::repeat::Repeat;
use crate::http::resources::Served;
use crate::http::rights::must_cover;
use crate::http::{ServerState, answer, etag, href};
use crate::policies::Draft;
use crate::policies::crm::Customers;

/// Receipts of requests by the client's key, as documents: each key is used once.
const SUBMISSIONS: &str = "submission";

/// Attempts at a document while others change its surroundings.
const TRIES_MAX: usize = 64;

/// Creates a document.
pub(super) async fn post(server: &ServerState, mut call: Call, served: &Served) -> Answer {
    let submission = call.submission(served.resource.key)?;
    let body = call.json()?;
    let repeat = Repeat::of(submission.as_ref(), &body);
    if let Some(name) = &submission
        && let Some(first) = server.documents.document(SUBMISSIONS, name).await?
    {
        repeat.check_known(digest_of(&first.body))?;
        return created(server, &call, served, &first.body).await;
    }
    let unknown = served.unknown(&body);
    let body = served.new_body(body)?;
    let id = id_of(served, &body);
    let receipt = json!({ "id": id, "digest": repeat.digest() });
    let policies = &server.policies;
    let turn = policies.catalog.turn(served.resource.key).await;
    for _ in 0..TRIES_MAX {
        let mut draft = Draft::new(served.resource, id.clone(), body.clone(), server.engine.now());
        draft.reader = call.admitted.reader.clone();
        let draft = policies.before_write(draft).await?;
        must_cover(&call.admitted.scope, draft.after.as_ref().unwrap_or(&Value::Null))?;
        let at = draft.at;
        match server.documents.write(puts(draft, served, submission.as_deref(), &receipt)).await {
            Ok(()) => {
                policies.after_write(served.resource).await?;
                drop(turn);
                let response = created(server, &call, served, &receipt).await?;
                let written = (served.resource.key, id.as_str());
                let unusable = policies.catalog.unusable(&call.admitted.reader, written, at);
                return Ok(answer::warned(answer::warned(response, &unknown), &unusable));
            }
            Err(Error::Conflict { resource, .. }) if resource == SUBMISSIONS => {
                // The same request came twice at once, and the other one was first.
                let name = submission.unwrap_or_default();
                let first = server.documents.document(SUBMISSIONS, &name).await?;
                let first = first.map(|first| first.body).unwrap_or_default();
                repeat.check_known(digest_of(&first))?;
                return created(server, &call, served, &first).await;
            }
            Err(Error::Conflict { resource, .. }) if resource == served.resource.key => {
                let message = format!("there is a {} `{id}` already", served.name());
                return Err(Problem::conflict(message).about("id"));
            }
            // Related documents changed meanwhile: try again.
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::conflict(
        "related documents were changed each time that it was written: try again",
    )
    .about("id"))
}

/// The digest of the body of a receipt; `None` in those of earlier versions.
fn digest_of(receipt: &Value) -> Option<&str> {
    receipt.get("digest").and_then(Value::as_str)
}

/// The id of a new document: the client's, if the table allows it.
fn id_of(served: &Served, body: &Value) -> String {
    let chosen = body.get("id").and_then(Value::as_str);
    let chosen = chosen.filter(|id| !id.is_empty() && !served.resource.server.contains(&"id"));
    chosen.map_or_else(|| uuid::Uuid::now_v7().simple().to_string(), str::to_string)
}

fn puts(draft: Draft, served: &Served, submission: Option<&str>, receipt: &Value) -> Vec<Put> {
    let after = draft.after.unwrap_or_default();
    let mut puts = vec![Put::create(served.resource.key, draft.id, after)];
    puts.extend(draft.more);
    puts.extend(submission.map(|name| Put::create(SUBMISSIONS, name, receipt).quiet()));
    puts
}

/// Answers with an existing document and its location.
async fn created(server: &ServerState, call: &Call, served: &Served, receipt: &Value) -> Answer {
    let id = receipt.get("id").and_then(Value::as_str).unwrap_or_default();
    let document = server.documents.document(served.resource.key, id).await?;
    // A document that was changed since may not be the client's any more.
    let document = document.filter(|document| call.admitted.scope.covers(&document.body));
    let Some(document) = document else {
        let message = format!("the {} `{id}` that was made under this key is gone", served.name());
        return Err(Problem::conflict(message).about("Idempotency-Key"));
    };
    let tag = etag::of(document.revision);
    let mut body = served.shown(document.body);
    href::absolute(&mut body, &call.base);
    let location = format!("{}{}/{id}", call.base, served.path());
    let mut response = answer::located(StatusCode::CREATED, &location, &body);
    // A likely duplicate is not refused: two people may live at one number.
    let reader = call.admitted.reader.clone();
    for (path, why) in
        Customers::likely(&server.documents, (served.resource.key, id), reader).await?
    {
        let link = format!("<{}{path}>; rel=\"duplicate\"; title=\"{why}\"", call.base);
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().append(LINK, link);
        }
    }
    Ok(tagged(response, &tag))
}
