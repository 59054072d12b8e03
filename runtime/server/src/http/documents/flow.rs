//! TMF701: process flows and their task flows, computed from fulfilments. Creating one runs a
//! workflow; setting a held task flow to `active` retries it.

use engine::documents::{Error, Put};
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use engine::handle::{AskError, ReadError};
use engine::keys;
use engine::store::Scan;
use model::{Fulfilment, FulfilmentId, Kind};
use serde_json::{Map, Value, json};
use tmf::document::process_flow::{FlowState, TaskFlow};
use tmf::document::write;

use super::one::tagged;
use crate::access::{Reader, Scope, Verb};
use crate::documents::Session;
use crate::http::call::Call;
use crate::http::fields::Fields;
use crate::http::page::{Page, Sort};
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::repeat::Repeat;
use crate::http::resources::Served;
use crate::http::rights::{must_cover, sees_root};
use crate::http::{ServerState, answer, etag, href};
use crate::orders::SubmitError;
use crate::search::Asked;
use crate::search::Filter;

/// The removed flows, as documents.
const REMOVED: &str = "removedProcessFlow";

/// Max fulfilments read for one list: each is folded from its journal.
const FLOWS_MAX: usize = 10_000;

/// Handles a request about process flows, one of them, or its task flows.
pub(super) async fn get(
    server: &ServerState,
    call: Call,
    served: &Served,
    path: &[&str],
) -> Answer {
    match (&call.method, path) {
        (&Method::GET | &Method::HEAD, []) => list(server, &call, served).await,
        (&Method::POST, []) => create(server, call, served).await,
        (_, []) => Err(Problem::method("GET, HEAD, POST")),
        (&Method::GET | &Method::HEAD, [id]) => {
            let fulfilment = find(server, &call, &call.admitted.scope, id).await?;
            one(&call, write(&fulfilment.process_flow()), fulfilment.records())
        }
        (&Method::DELETE, [id]) => remove(server, &call, id).await,
        (_, [_]) => Err(Problem::method("GET, HEAD, DELETE")),
        (&Method::GET | &Method::HEAD, [id, "taskFlow"]) => {
            let page = Page::parse(&call.query)?;
            let flows = with_tasks(server, &call, id).await?.task_flows();
            let flows = flows.iter().map(write);
            let flows = flows.filter(|flow| call.admitted.scope.covers(flow)).collect();
            rows(&call, flows, &page, &format!("{}/{id}/taskFlow", served.path()))
        }
        (_, [_, "taskFlow"]) => Err(Problem::method("GET, HEAD")),
        (&Method::GET | &Method::HEAD, [id, "taskFlow", task]) => {
            let fulfilment = with_tasks(server, &call, id).await?;
            one(&call, write(&task_flow(&call, &fulfilment, task)?), fulfilment.records())
        }
        (&Method::PATCH, [id, "taskFlow", task]) => patch(server, call, id, task).await,
        (_, [_, "taskFlow", _]) => Err(Problem::method("GET, HEAD, PATCH")),
        _ => Err(crate::http::problem::nothing_here()),
    }
}

async fn list(server: &ServerState, call: &Call, served: &Served) -> Answer {
    let page = Page::parse(&call.query)?;
    let sort = Sort::parse(&call.query, &page)?;
    let mut filter = Filter::parse(&call.query, &call.base, served)?;
    let mut asked: Vec<Asked> =
        filter.take_unknown().into_iter().chain(sort.unknown_to(served)).collect();
    let ids = server.documents.slice(ids).await?;
    let mut flows = Vec::new();
    for id in ids {
        let fulfilment = match server.engine.get(&id).await {
            Ok(Some(fulfilment)) => fulfilment,
            Ok(None) => continue,
            Err(error @ ReadError::Ask(AskError::Stopped(_))) => return Err(error.into()),
            // An unreadable one does not keep the others from being listed.
            Err(error) => {
                tracing::warn!(%id, error = &error as &dyn std::error::Error, "left out of a list");
                continue;
            }
        };
        if server.documents.document(REMOVED, id.as_str()).await?.is_some() {
            continue;
        }
        if !is_seen(call, &call.admitted.scope, &fulfilment) {
            continue;
        }
        let flow = write(&fulfilment.process_flow());
        asked.retain(|asked| !asked.is_in(&flow));
        if filter.matches(&flow) {
            flows.push(flow);
        }
    }
    if let Some(asked) = asked.first() {
        return Err(asked.refused().into());
    }
    flows.sort_by(|left, right| sort.compare(&sort.key(left), &sort.key(right)));
    rows(call, flows, &page, &served.path())
}

/// The ids of all fulfilments by their first records, the latest first if there are too many.
fn ids(session: &Session) -> Result<Vec<FulfilmentId>, Error> {
    let mut ids = Vec::new();
    let mut scan = Scan { limit: 1, ..Scan::prefix(keys::JOURNALS, 1) };
    while ids.len() < FLOWS_MAX {
        let facts = session.scan(&scan)?;
        let Some((key, _)) = facts.first() else { break };
        let Some((id, _)) = keys::record_of(key) else { break };
        let id = FulfilmentId::new(id);
        // Past all records of this journal.
        scan.after = Some([keys::journal_prefix(&id).as_slice(), b"~"].concat());
        ids.push(id);
    }
    Ok(ids)
}

/// Runs the workflow of the flow's specification, with its characteristics as the input.
async fn create(server: &ServerState, mut call: Call, served: &Served) -> Answer {
    let submission = call.submission(served.resource.key)?;
    let mut body = call.json()?;
    served.resource.check_new(&body)?;
    let workflow = body.get("processFlowSpecification").and_then(Value::as_str).unwrap_or_default();
    let kind = Kind::Run { workflow: workflow.to_string() };
    let mut input = Map::new();
    for name in ["relatedParty", "relatedEntity", "channel"] {
        input.extend(body.get_mut(name).map(|value| (name.to_string(), value.take())));
    }
    let characteristics = body.get_mut("characteristic").and_then(Value::as_array_mut);
    for one in characteristics.into_iter().flatten() {
        let value = one.get_mut("value").map(Value::take);
        if let (Some(name), Some(value)) = (one.get("name").and_then(Value::as_str), value) {
            input.insert(name.to_string(), value);
        }
    }
    let input = Value::Object(input);
    if !call.admitted.scope.is_all() {
        let (id, now) = (FulfilmentId::new("new"), server.engine.now());
        let run = Fulfilment::new(id, kind.clone(), Arc::new(input.clone()), now);
        must_cover(&call.admitted.scope, &write(&run.process_flow()))?;
    }
    let repeat = Repeat::of(submission.as_ref(), &input);
    let submitted =
        server.orders.submit(&Reader::All, kind, input, submission).await.map_err(not_run)?;
    let fulfilment = match submitted {
        engine::Submitted::New(fulfilment) => fulfilment,
        engine::Submitted::Before(id) => {
            if server.documents.document(REMOVED, id.as_str()).await?.is_some() {
                let message = format!("the flow `{id}` that was made under this key was removed");
                return Err(Problem::conflict(message).about("Idempotency-Key"));
            }
            let first = unguarded(server, id.as_str()).await?;
            repeat.check(first.document())?;
            first
        }
    };
    let mut flow = write(&fulfilment.process_flow());
    href::absolute(&mut flow, &call.base);
    let location = format!("{}{}/{}", call.base, served.path(), fulfilment.id());
    Ok(answer::located(StatusCode::CREATED, &location, &flow))
}

/// Why a flow cannot be run, by its attributes: what it is specified by is the workflow, and its
/// characteristics are the input.
fn not_run(error: SubmitError) -> Problem {
    match error {
        SubmitError::Workflow { .. } => {
            Problem::unprocessable(error.to_string()).about("processFlowSpecification")
        }
        SubmitError::Plan(_) => Problem::unprocessable(error.to_string()).about("characteristic"),
        error @ (SubmitError::Order(_)
        | SubmitError::Reference { .. }
        | SubmitError::Starting
        | SubmitError::Closed(_)
        | SubmitError::Refused(_)
        | SubmitError::Ask(_)
        | SubmitError::Read(_)
        | SubmitError::Store(_)
        | SubmitError::Contended(_)) => error.into(),
    }
}

/// The flow of a run that has ended is shown no more. What is carried out goes on, an order is
/// cancelled through itself, and the journal stays in the books.
async fn remove(server: &ServerState, call: &Call, id: &str) -> Answer {
    let fulfilment = find(server, call, &call.admitted.scope, id).await?;
    if let Some(order) = fulfilment.root_resource() {
        let message = format!("it is the fulfilment of {order} `{id}`: cancel that order instead");
        return Err(Problem::conflict(message).about("id"));
    }
    if !fulfilment.is_ended() {
        return Err(
            Problem::conflict("it is carried out; it can be removed when it has ended").about("id")
        );
    }
    let removed = Put::set(REMOVED, id, json!({ "id": id })).quiet();
    server.documents.write(vec![removed]).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Sets a task flow that is held to `active`: everything that failed in its flow is tried again.
async fn patch(server: &ServerState, mut call: Call, id: &str, task: &str) -> Answer {
    let patch = call.json()?;
    let fulfilment = with_tasks(server, &call, id).await?;
    let flow = task_flow(&call, &fulfilment, task)?;
    let Some(state) = patch.get("state").and_then(Value::as_str) else {
        let message = "only the `state` of a task flow can be set";
        return Err(Problem::bad(message).about("state"));
    };
    match (flow.state, state) {
        (now, wanted) if now.as_str() == wanted => {}
        (FlowState::Hold, "active") => {
            server.orders.retry(FulfilmentId::new(id)).await?;
        }
        (now, wanted) => {
            let now = now.as_str();
            let message = format!(
                "a task flow that is `{now}` cannot become `{wanted}`: one that is on `hold` can \
                 be set to `active`, which tries it again"
            );
            return Err(Problem::unprocessable(message).about("state"));
        }
    }
    let fulfilment = with_tasks(server, &call, id).await?;
    one(&call, write(&task_flow(&call, &fulfilment, task)?), fulfilment.records())
}

fn one(call: &Call, mut flow: Value, records: u32) -> Answer {
    href::absolute(&mut flow, &call.base);
    let flow = Fields::parse(call.query.get("fields"))?.of(flow);
    Ok(tagged(answer::json(StatusCode::OK, &flow), &etag::of(u64::from(records))))
}

fn rows(call: &Call, all: Vec<Value>, page: &Page, path: &str) -> Answer {
    let total = all.len();
    let fields = Fields::parse(call.query.get("fields"))?;
    let rows = all.into_iter().skip(page.offset).take(page.limit).map(|mut row| {
        href::absolute(&mut row, &call.base);
        fields.of(row)
    });
    let rows: Vec<Value> = rows.collect();
    let headers = page.headers(rows.len(), total, &call.query, &format!("{}{path}", call.base));
    let mut response = answer::json(StatusCode::OK, &Value::Array(rows));
    response.headers_mut().extend(headers);
    Ok(response)
}

fn task_flow(call: &Call, fulfilment: &Fulfilment, id: &str) -> Result<TaskFlow, Problem> {
    let mut flows = fulfilment.task_flows().into_iter();
    let found = flows.find(|flow| flow.id == id);
    let found = found.filter(|flow| call.admitted.scope.covers(&write(flow)));
    let missing = || Problem::not_found(format!("the process flow has no taskFlow `{id}`"));
    found.ok_or_else(|| missing().about("id"))
}

/// The fulfilment of a flow that the client may see.
async fn find(
    server: &ServerState,
    call: &Call,
    scope: &Scope,
    id: &str,
) -> Result<Arc<Fulfilment>, Problem> {
    let found = unguarded(server, id).await?;
    if is_seen(call, scope, &found) { Ok(found) } else { Err(missing(id)) }
}

/// The fulfilment of a flow that the client may read, for a route about its tasks.
async fn with_tasks(
    server: &ServerState,
    call: &Call,
    id: &str,
) -> Result<Arc<Fulfilment>, Problem> {
    find(server, call, &call.admitted.reader.scope("processFlow", Verb::Read), id).await
}

/// Whether a scope covers the flow of a fulfilment, and the client may read the order that it is of. A
/// run is shown by its flow alone.
fn is_seen(call: &Call, scope: &Scope, fulfilment: &Fulfilment) -> bool {
    let is_covered = scope.is_all() || scope.covers(&write(&fulfilment.process_flow()));
    is_covered && (fulfilment.root_resource().is_none() || sees_root(&call.admitted, fulfilment))
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("there is no processFlow `{id}`")).about("id")
}

async fn unguarded(server: &ServerState, id: &str) -> Result<Arc<Fulfilment>, Problem> {
    let is_removed = server.documents.document(REMOVED, id).await?.is_some();
    let found = server.engine.get(&FulfilmentId::new(id)).await?.filter(|_| !is_removed);
    found.ok_or_else(|| missing(id))
}
