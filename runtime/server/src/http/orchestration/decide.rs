//! Decisions of an operator where a fulfilment is stuck: a run is cancelled, a task or an item
//! is given up, or was done by hand. All of it is in the journal, with the author and the reason.

use axum::http::StatusCode;
use engine::Wish;
use engine::handle::CancelError;
use model::fulfilment::Subject;
use model::journal::{CancelRequest, Decision, Refusal};
use model::{FulfilmentId, Kind};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{find, view};
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::{ServerState, answer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GiveUp {
    task: Option<String>,
    item: Option<String>,
    /// Whether the pool values of an undo that is given up are released.
    #[serde(default)]
    release: bool,
    by: Option<String>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Complete {
    task: String,
    #[serde(default)]
    outputs: Map<String, Value>,
    by: Option<String>,
    reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Cancel {
    reason: Option<String>,
}

/// Gives up a task or an item of a fulfilment.
pub(super) async fn give_up(server: &ServerState, mut call: Call, id: &str) -> Answer {
    let asked: GiveUp = read_as(call.json()?)?;
    let subject = match (asked.task, asked.item) {
        (Some(task), None) => Subject::Task(task),
        (None, Some(item)) => Subject::Item(item),
        (None, None) | (Some(_), Some(_)) => {
            return Err(Problem::bad("name a `task` or an `item`").about("$"));
        }
    };
    if asked.release && matches!(subject, Subject::Item(_)) {
        let message = "the values of an item that is rolled back are released with its undo";
        return Err(Problem::bad(message).about("release"));
    }
    let decision = Decision { by: asked.by, reason: asked.reason };
    decide(server, &call, id, Wish::GiveUp { subject, release: asked.release, decision }).await
}

/// Records that a task of a fulfilment, or its undo, was done by hand.
pub(super) async fn complete(server: &ServerState, mut call: Call, id: &str) -> Answer {
    let Complete { task, outputs, by, reason } = read_as(call.json()?)?;
    let decision = Decision { by, reason };
    decide(server, &call, id, Wish::Complete { task, outputs, decision }).await
}

/// Cancels a run: its work is undone, as for an order.
pub(super) async fn cancel_run(server: &ServerState, mut call: Call, id: &str) -> Answer {
    let run = find(server, &call, id).await?;
    if !matches!(run.kind(), Kind::Run { .. }) {
        let message = format!("there is no run `{id}`, but an order");
        return Err(Problem::not_found(message).about("id"));
    }
    let Cancel { reason } = call.json_or_nothing()?.map(read_as).transpose()?.unwrap_or_default();
    let request = CancelRequest { id: format!("{id}-cancel"), reason, requested: None };
    let run = match server.engine.cancel(run.id(), request).await {
        Ok(run) => run,
        Err(CancelError::Refused(Refusal::Cancelling { .. })) => find(server, &call, id).await?,
        Err(error) => return Err(error.into()),
    };
    Ok(answer::json(StatusCode::OK, &view::brief(server, &call, &run).await?))
}

async fn decide(server: &ServerState, call: &Call, id: &str, wish: Wish) -> Answer {
    find(server, call, id).await?;
    let fulfilment = server.engine.decide(&FulfilmentId::new(id), wish).await?;
    Ok(answer::json(StatusCode::OK, &view::brief(server, call, &fulfilment).await?))
}

pub(super) fn read_as<T: DeserializeOwned>(body: Value) -> Result<T, Problem> {
    serde_json::from_value(body).map_err(|error| Problem::bad(error.to_string()).about("$"))
}
