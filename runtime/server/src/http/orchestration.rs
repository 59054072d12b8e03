//! The orchestration API beside the standards. Workflows started by any JSON, plans,
//! journals, live events, simulation, retries, and the answers of elements.

mod about;
mod access;
mod admit;
mod attempts;
mod audit;
mod backups;
mod billing;
pub(super) mod callbacks;
mod catalog;
mod customers;
mod decide;
mod described;
mod events;
mod exports;
mod history;
mod imports;
mod journal;
mod keys;
mod moves;
mod operate;
pub(super) mod operation;
mod outbox;
mod persons;
mod plugins;
mod pools;
mod quarantine;
mod quotes;
mod reconciliations;
mod runs;
mod scratch;
mod sessions;
mod stock;
mod subscriptions;
mod table;
mod view;
mod waiting;

pub(super) use admit::operation_at;
pub(super) use described::describe;
pub(super) use table::OPERATIONS;

use std::sync::Arc;
use std::time::Duration;

use model::{Fulfilment, FulfilmentId, PluginId};

use super::ServerState;
use super::call::Call;
use super::problem::Answer;
use super::problem::Problem;
use super::problem::nothing_here;
use super::rights;

/// Time limit for the engine's answer, after which it counts as not ready.
const READY_WAIT: Duration = Duration::from_secs(2);

/// The base path of this API.
pub(super) const BASE: &str = "/orchestration/v1";

/// Finds the operation at a path below [`BASE`], and carries it out if the method is
/// allowed.
pub(super) async fn dispatch(
    server: &ServerState,
    mut call: Call,
    path: &[&str],
) -> (&'static str, Answer) {
    match admit::admit(&mut call, path) {
        Ok(operation) => (operation.route, carry_out(server, call, path).await),
        Err(problem) => ("unknown", Err(problem)),
    }
}

async fn carry_out(server: &ServerState, call: Call, path: &[&str]) -> Answer {
    match path {
        ["workflows"] => Ok(about::workflows(server)),
        ["workflows", name, "runs"] => runs::start(server, call, name).await,
        ["runs", id, "cancel"] => decide::cancel_run(server, call, id).await,
        ["runs", id] => runs::one(server, &call, id).await,
        ["fulfilments", id] => view::get(server, call, id).await,
        ["fulfilments", id, "events"] => events::get(server, call, id).await,
        ["fulfilments", id, "plan"] => view::plan(server, &call, id).await,
        ["fulfilments", id, "logs"] => operate::logs(server, &call, id).await,
        ["fulfilments", id, "attempts"] => attempts::all(server, &call, id).await,
        ["fulfilments", id, "tasks", task, "attempts"] => {
            attempts::of_task(server, &call, id, task).await
        }
        ["fulfilments", id, "retry"] => operate::retry(server, &call, id).await,
        ["fulfilments", id, "giveUp"] => decide::give_up(server, call, id).await,
        ["fulfilments", id, "complete"] => decide::complete(server, call, id).await,
        ["callbacks", address @ ..] => callbacks::post(server, call, address).await,
        ["quarantine", rest @ ..] => quarantine::dispatch(server, &call, rest).await,
        ["simulate", order] => operate::simulate(server, call, order).await,
        ["quotes", id, "order"] => quotes::order(server, &call, id).await,
        ["quotes", id, "version"] => quotes::version(server, &call, id).await,
        ["plugins", id, "moves"] => moves::post(server, call, &PluginId::new(*id)).await,
        ["plugins", id, "scratch", key @ ..] => {
            plugins::must_see_orders(&call)?;
            scratch::dispatch(server, &call, PluginId::new(*id), key).await
        }
        ["plugins", rest @ ..] => plugins::dispatch(server, call, rest).await,
        ["keys", rest @ ..] => keys::dispatch(server, call, rest).await,
        ["pools", rest @ ..] => pools::dispatch(server, call, rest).await,
        ["packs"] => Ok(about::packs(server)),
        ["catalog", rest @ ..] => catalog::get(server, &call, rest).await,
        ["billing", rest @ ..] => billing::dispatch(server, call, rest).await,
        ["subscriptions", rest @ ..] => subscriptions::dispatch(server, call, rest).await,
        ["customers", rest @ ..] => customers::dispatch(server, call, rest).await,
        ["persons", rest @ ..] => persons::dispatch(server, rest).await,
        ["stock", rest @ ..] => stock::dispatch(server, &call, rest).await,
        ["history", key, id @ ..] => history::get(server, &call, key, &id.join("/")).await,
        ["imports", rest @ ..] => imports::dispatch(server, call, rest).await,
        ["exports", key] => exports::get(server, &call, key).await,
        ["reconciliations", rest @ ..] => reconciliations::dispatch(server, call, rest).await,
        ["audit"] => audit::list(server, &call).await,
        ["audit", "head"] => audit::ends(server).await,
        ["audit", sequence] => audit::one(server, sequence).await,
        ["backups"] => backups::take(server),
        ["events"] => outbox::get(server, &call).await,
        ["access"] => access::get(server, &call),
        ["sessions", rest @ ..] => sessions::dispatch(server, &call, rest).await,
        _ => Err(nothing_here()),
    }
}

/// Whether the engine answers.
pub(super) async fn engine_answers(server: &ServerState) -> Result<(), Problem> {
    let unknown = FulfilmentId::new("-");
    match tokio::time::timeout(READY_WAIT, server.engine.get(&unknown)).await {
        Ok(answer) => answer.map(|_| ()).map_err(Problem::from),
        Err(_) => Err(Problem::unavailable("the engine is busy")),
    }
}

/// A fulfilment, open or ended, that the client may see.
async fn find(server: &ServerState, call: &Call, id: &str) -> Result<Arc<Fulfilment>, Problem> {
    let found = server.engine.get(&FulfilmentId::new(id)).await?;
    let found = found.filter(|found| rights::covers(&call.admitted, found));
    found.ok_or_else(|| missing(id))
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("there is no fulfilment `{id}`")).about("id")
}
