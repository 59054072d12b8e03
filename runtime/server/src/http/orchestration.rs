//! The orchestration API: what the standards leave out. Workflows that any JSON starts, plans,
//! journals, live events, simulation, retries, and the answers of elements.

mod about;
mod admit;
mod billing;
mod callbacks;
mod catalog;
mod customers;
mod decide;
mod described;
mod events;
mod exports;
mod history;
mod imports;
mod journal;
mod operate;
pub(super) mod operation;
mod outbox;
mod pools;
mod quarantine;
mod quotes;
mod reconciliations;
mod runs;
mod stock;
mod subscriptions;
mod table;
mod view;

pub(super) use described::describe;
pub(crate) use exports::Export;
pub(super) use table::OPERATIONS;

use std::sync::Arc;
use std::time::Duration;

use model::{Fulfilment, FulfilmentId};

use super::Door;
use super::call::Call;
use super::problem::Answer;
use super::problem::Problem;
use super::problem::nothing_here;

/// Time limit for the engine's answer, after which it counts as not ready.
const READY_WAIT: Duration = Duration::from_secs(2);

/// Where this API is served.
const BASE: &str = "/orchestration/v1";

/// Finds the operation at a path below [`BASE`], and carries it out if the request is one of those
/// that it takes.
pub(super) async fn dispatch(door: &Door, mut call: Call, path: &[&str]) -> (&'static str, Answer) {
    match admit::admit(&mut call, path) {
        Ok(operation) => (operation.route, carry_out(door, call, path).await),
        Err(problem) => ("unknown", Err(problem)),
    }
}

async fn carry_out(door: &Door, call: Call, path: &[&str]) -> Answer {
    match path {
        ["workflows"] => Ok(about::workflows(door)),
        ["workflows", name, "runs"] => runs::start(door, call, name).await,
        ["runs", id, "cancel"] => decide::cancel_run(door, call, id).await,
        ["runs", id] => runs::one(door, &call, id).await,
        ["fulfilments", id] => view::get(door, &call, id).await,
        ["fulfilments", id, "events"] => events::get(door, call, id).await,
        ["fulfilments", id, "plan"] => view::plan(door, id).await,
        ["fulfilments", id, "logs"] => operate::logs(door, id).await,
        ["fulfilments", id, "retry"] => operate::retry(door, id).await,
        ["fulfilments", id, "giveUp"] => decide::give_up(door, call, id).await,
        ["fulfilments", id, "complete"] => decide::complete(door, call, id).await,
        ["callbacks", address @ ..] => callbacks::take(door, call, address).await,
        ["quarantine", rest @ ..] => quarantine::take(door, &call, rest).await,
        ["simulate", order] => operate::simulate(door, call, order).await,
        ["quotes", id, "order"] => quotes::order(door, &call, id).await,
        ["quotes", id, "version"] => quotes::version(door, &call, id).await,
        ["plugins"] => about::plugins(door),
        ["pools", rest @ ..] => pools::take(door, call, rest).await,
        ["packs"] => Ok(about::packs(door)),
        ["catalog", rest @ ..] => catalog::take(door, &call, rest).await,
        ["billing", rest @ ..] => billing::dispatch(door, call, rest).await,
        ["subscriptions", rest @ ..] => subscriptions::take(door, call, rest).await,
        ["customers", rest @ ..] => customers::take(door, call, rest).await,
        ["stock", rest @ ..] => stock::take(door, &call, rest).await,
        ["history", key, id @ ..] => history::get(door, &call, key, &id.join("/")).await,
        ["imports", rest @ ..] => imports::take(door, call, rest).await,
        ["exports", key] => exports::get(door, &call, key).await,
        ["reconciliations", rest @ ..] => reconciliations::take(door, call, rest).await,
        ["events"] => outbox::get(door, &call).await,
        _ => Err(nothing_here()),
    }
}

/// Whether the engine takes questions.
pub(super) async fn engine_answers(door: &Door) -> Result<(), Problem> {
    let unknown = FulfilmentId::new("-");
    match tokio::time::timeout(READY_WAIT, door.app.engine.get(&unknown)).await {
        Ok(answer) => answer.map(|_| ()).map_err(Problem::from),
        Err(_) => Err(Problem::unavailable("the engine is busy")),
    }
}

/// A fulfilment, open or ended.
async fn find(door: &Door, id: &str) -> Result<Arc<Fulfilment>, Problem> {
    let found = door.app.engine.get(&FulfilmentId::new(id)).await?;
    found.ok_or_else(|| Problem::not_found(format!("there is no fulfilment `{id}`")).about("id"))
}
