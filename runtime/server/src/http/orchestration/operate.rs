//! Operations on fulfilments: retry failures, simulate an
//! order, read the logs of plugins.

use std::sync::Arc;

use axum::http::StatusCode;
use engine::keys;
use engine::store::{Direction, Scan};
use model::{Event, Fulfilment, FulfilmentId, Kind, TaskId};
use serde_json::{Value, json};
use tmf::document::read;
use tmf::table::of_key;
use tmf::unknown::Unknown;

use super::{find, view};
use crate::access::Verb;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::rights::must_cover;
use crate::http::{ServerState, answer, documents, resources};
use crate::orders::{Requested, Retried, SubmitError};
use crate::search::as_kept;

/// Max logs of attempts in an answer; the last ones, if there are more.
const LOGS_MAX: usize = 1_000;

/// Retries all failed tasks.
pub(super) async fn retry(server: &ServerState, call: &Call, id: &str) -> Answer {
    find(server, call, id).await?;
    match server.orders.retry(FulfilmentId::new(id)).await? {
        Some(Retried::Tasks(count)) => {
            Ok(answer::json(StatusCode::OK, &json!({ "id": id, "reopened": count })))
        }
        Some(Retried::Planned) => {
            let now = find(server, call, id).await?;
            let (is_planned, state) = (!now.is_unplanned(), now.order_state());
            let body = json!({ "id": id, "reopened": 0, "planned": is_planned, "state": state });
            Ok(answer::json(StatusCode::OK, &body))
        }
        None => {
            // It may have ended, or may not exist.
            let ended = find(server, call, id).await?;
            let message =
                format!("it is {} already: there is nothing to retry", ended.phase().name());
            Err(Problem::conflict(message).about("id"))
        }
    }
}

/// Plans an order without submitting it.
pub(super) async fn simulate(server: &ServerState, mut call: Call, order: &str) -> Answer {
    let found = of_key(order)
        .and_then(|(_, resource)| Some((as_kept(resource), resources::kind(resource)?)));
    let Some((served, kind)) = found else {
        let message = "an order is a `productOrder`, `serviceOrder` or `resourceOrder`";
        return Err(Problem::not_found(message));
    };
    let body = call.json()?;
    let unknown = served.unknown(&body);
    let document = Arc::new(documents::taken(body, &served)?);
    must_cover(&call.admitted.reader.scope(order, Verb::Create), &document)?;
    let response = simulated(server, &call, &kind, &document, &unknown).await?;
    Ok(answer::warned(response, &unknown))
}

/// The plan of an order, with its warnings.
async fn simulated(
    server: &ServerState,
    call: &Call,
    kind: &Kind,
    document: &Arc<Value>,
    unknown: &[Unknown],
) -> Answer {
    let mut warnings: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    let requested = Requested::read(kind, document, server.engine.now());
    let requested = requested.map_err(SubmitError::from)?.seen_by(&call.admitted.reader);
    let outcome = server.orders.plan(requested).await?;
    warnings.extend(unpaid(server, kind, document, &outcome));
    if let (Kind::ProductOrder, Ok(order)) = (kind, read(document)) {
        warnings.extend(commerce::cpq::unread(&order));
    }
    if let Event::Planned { plan } = &outcome {
        if call.wants_text() {
            return Ok(answer::text(plan.to_string()));
        }
        let names = (0..plan.tasks.len()).map(|index| plan.task_name(TaskId::at(index)));
        let names = names.collect::<Vec<_>>();
        let body = json!({
            "state": "planned", "tasks": names, "plan": plan, "warnings": warnings,
        });
        return Ok(answer::json(StatusCode::OK, &body));
    }
    let state = outcome.name();
    let (Event::Held { failure } | Event::Rejected { failure }) = &outcome else {
        let message = format!("a decomposition is no `{state}`");
        return Err(Problem::ours(&std::io::Error::other(message)));
    };
    if call.wants_text() {
        let text = format!("{state}: {}: {}\n", failure.code, failure.message);
        return Ok(answer::text(text));
    }
    let failure = view::failed(failure, None);
    let body = json!({ "state": state, "failure": failure, "warnings": warnings });
    Ok(answer::json(StatusCode::OK, &body))
}

/// The lines of a planned order without a billing account.
fn unpaid(
    server: &ServerState,
    kind: &Kind,
    document: &Arc<Value>,
    outcome: &Event,
) -> Vec<String> {
    let (id, now) = (FulfilmentId::new("simulated"), server.engine.now());
    let mut fulfilment = Fulfilment::new(id, kind.clone(), Arc::clone(document), now);
    let is_planned = fulfilment.apply(now, outcome).is_ok();
    if is_planned { fulfilment.unpaid_lines() } else { Vec::new() }
}

/// Answers with the logs of plugins, by attempt.
pub(super) async fn logs(server: &ServerState, call: &Call, id: &str) -> Answer {
    let fulfilment = find(server, call, id).await?;
    let mut scan = Scan::prefix(keys::logs(fulfilment.id()), LOGS_MAX);
    scan.direction = Direction::Backward;
    let mut facts = server.documents.read(move |session| session.scan(&scan)).await?;
    facts.reverse();
    let logs = facts.iter().map(|(key, bytes)| {
        let key = String::from_utf8_lossy(key);
        let key = key.trim_end_matches('+').split('!').next().unwrap_or_default();
        let mut numbers = key.rsplit('/').map(|part| u32::from_str_radix(part, 16).unwrap_or(0));
        let (attempt, task) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let is_known = (task as usize) < fulfilment.tasks().len();
        // An unreadable log does not keep the others from being read.
        let lines = serde_json::from_slice::<Vec<String>>(bytes)
            .unwrap_or_else(|error| vec![format!("host: this log cannot be read: {error}")]);
        json!({
            "task": is_known.then(|| fulfilment.plan().task_name(TaskId(task))),
            "taskId": task,
            "attempt": attempt,
            "lines": lines,
        })
    });
    let logs = view::written(server, call, &fulfilment, logs.collect()).await?;
    Ok(answer::json(StatusCode::OK, &logs))
}
