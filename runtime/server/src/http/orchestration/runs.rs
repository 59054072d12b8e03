//! Runs: any JSON object starts any workflow, and a client may wait for the end.

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use engine::Submitted;
use model::{Fulfilment, FulfilmentId, Kind};
use serde_json::{Map, Value};

use super::{BASE, find, view, waiting};
use crate::access::Reader;
use crate::access::work::Run;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::repeat::Repeat;
use crate::http::rights::must_cover;
use crate::http::{ServerState, answer};
use crate::retention;

/// Starts a run: 201 at once, or, if the client waits, 200 when it has ended and 202 when it
/// has not.
pub(super) async fn start(server: &ServerState, mut call: Call, workflow: &str) -> Answer {
    let wait = waiting::wanted(&call)?;
    // The name becomes part of a key, so it is validated first.
    let rulebook = server.rulebooks.current();
    let is_closed = rulebook.closed_workflow(workflow).is_some();
    if rulebook.workflow(workflow).is_none() && !is_closed {
        let message = format!("no pack has a workflow `{workflow}`: see {BASE}/workflows");
        return Err(Problem::not_found(message).about("workflow"));
    }
    let submission = call.submission(&format!("run/{workflow}"))?;
    let input = call.json_or_nothing()?;
    let input = input.unwrap_or_else(|| Value::Object(Map::new()));
    if !input.is_object() {
        return Err(Problem::bad("the input of a run is a JSON object").about("$"));
    }
    must_cover(&call.admitted.scope, &Run { id: None, workflow, input: &input })?;
    let kind = Kind::Run { workflow: workflow.into() };
    let repeat = Repeat::of(submission.as_ref(), &input);
    let (first, is_new) = match server.orders.submit(&Reader::All, kind, input, submission).await? {
        Submitted::New(fulfilment) => (fulfilment, true),
        Submitted::Before(id) => {
            let first = server.engine.get(&id).await?.ok_or_else(|| gone(&id))?;
            repeat.check(first.document())?;
            (first, false)
        }
    };
    let id = first.id();
    if let Some(wait) = wait {
        let (status, run) = waiting::waited(server, &mut call, id, wait).await?;
        let body = view::brief(server, &call, &run).await?;
        return Ok(answer::located(status, &location(&call, id), &body));
    }
    let body = view::brief(server, &call, &first).await?;
    let response = answer::located(StatusCode::CREATED, &location(&call, id), &body);
    Ok(if is_new { answer::committed(response) } else { response })
}

/// Answers with a run, or removes an ended one.
pub(super) async fn one(server: &ServerState, call: &Call, id: &str) -> Answer {
    if !matches!(call.method, Method::GET | Method::HEAD | Method::DELETE) {
        return Err(Problem::method("GET, HEAD, DELETE"));
    }
    let run = find(server, call, id).await?;
    match run.kind() {
        Kind::Run { .. } if call.method == Method::DELETE => remove(server, &run).await,
        Kind::Run { .. } => {
            Ok(answer::json(StatusCode::OK, &view::full(server, call, &run).await?))
        }
        Kind::ProductOrder | Kind::ServiceOrder | Kind::ResourceOrder => {
            Err(Problem::not_found(format!("there is no run `{id}`, but an order")).about("id"))
        }
    }
}

/// Removes an ended run, with its journal and logs.
async fn remove(server: &ServerState, run: &Fulfilment) -> Answer {
    if !run.is_ended() {
        let message = "it is carried out; it can be removed when it has ended";
        return Err(Problem::conflict(message).about("id"));
    }
    retention::remove(&server.documents, run.id()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The client's key belongs to a removed run.
fn gone(id: &FulfilmentId) -> Problem {
    let message = format!("this key made the run `{id}`, which was removed: use another key");
    Problem::conflict(message).about("Idempotency-Key")
}

fn location(call: &Call, id: &FulfilmentId) -> String {
    format!("{}{BASE}/runs/{id}", call.base)
}
