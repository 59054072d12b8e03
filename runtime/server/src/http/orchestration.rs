//! The orchestration API: what the standards leave out. Workflows that any JSON starts, plans,
//! journals, live events, simulation, retries, and the answers of elements.

mod about;
mod billing;
mod callbacks;
mod catalog;
mod customers;
mod decide;
mod events;
mod exports;
mod history;
mod imports;
mod journal;
mod operate;
mod outbox;
mod pools;
mod quarantine;
mod quotes;
mod reconciliations;
mod runs;
mod stock;
mod subscriptions;
mod view;

pub(crate) use exports::Export;

use std::sync::Arc;
use std::time::Duration;

use model::{Fulfilment, FulfilmentId};

use super::Door;
use super::call::Call;
use super::problem::Problem;
use super::route::{Answer, nothing_here, post, read};

/// So long the engine may take to answer before it counts as not ready.
const READY_WAIT: Duration = Duration::from_secs(2);

/// Where this API is served.
const BASE: &str = "/orchestration/v1";

/// Finds the handler of a path below [`BASE`] and asks it.
pub(super) async fn dispatch(door: &Door, call: Call, path: &[&str]) -> (&'static str, Answer) {
    match path {
        ["workflows"] => ("workflows", read(&call).map(|()| about::workflows(door))),
        ["workflows", name, "runs"] => match post(&call) {
            Ok(()) => ("workflow runs", runs::start(door, call, name).await),
            Err(problem) => ("workflow runs", Err(problem)),
        },
        ["runs", id, "cancel"] => ("run cancel", decide::cancel_run(door, call, id).await),
        ["runs", id] => ("run", runs::one(door, &call, id).await),
        ["fulfilments", id] => ("fulfilment", view::get(door, &call, id).await),
        ["fulfilments", id, "events"] => ("fulfilment events", events::get(door, call, id).await),
        ["fulfilments", id, "plan"] => ("fulfilment plan", view::plan(door, &call, id).await),
        ["fulfilments", id, "logs"] => ("fulfilment logs", operate::logs(door, &call, id).await),
        ["fulfilments", id, "retry"] => ("fulfilment retry", operate::retry(door, &call, id).await),
        ["fulfilments", id, "giveUp"] => {
            ("fulfilment give-up", decide::give_up(door, call, id).await)
        }
        ["fulfilments", id, "complete"] => {
            ("fulfilment complete", decide::complete(door, call, id).await)
        }
        ["callbacks", address @ ..] if !address.is_empty() => {
            ("callbacks", callbacks::take(door, call, address).await)
        }
        ["quarantine", rest @ ..] => ("quarantine", quarantine::take(door, &call, rest).await),
        ["simulate", order] => ("simulate", operate::simulate(door, call, order).await),
        ["quotes", id, "order"] => ("quote order", quotes::order(door, &call, id).await),
        ["quotes", id, "version"] => ("quote version", quotes::version(door, &call, id).await),
        ["plugins"] => ("plugins", read(&call).and_then(|()| about::plugins(door))),
        ["pools", rest @ ..] => ("pools", pools::take(door, call, rest).await),
        ["packs"] => ("packs", read(&call).map(|()| about::packs(door))),
        ["catalog", rest @ ..] => ("catalog", catalog::take(door, &call, rest).await),
        ["billing", rest @ ..] => ("billing", billing::dispatch(door, call, rest).await),
        ["subscriptions", rest @ ..] => {
            ("subscriptions", subscriptions::take(door, call, rest).await)
        }
        ["customers", rest @ ..] => ("customers", customers::take(door, call, rest).await),
        ["stock", rest @ ..] => ("stock", stock::take(door, &call, rest).await),
        ["history", key, id @ ..] if !id.is_empty() => {
            ("history", history::get(door, &call, key, &id.join("/")).await)
        }
        ["imports", rest @ ..] => ("imports", imports::take(door, call, rest).await),
        ["exports", key] => ("exports", exports::get(door, &call, key).await),
        ["reconciliations", rest @ ..] => {
            ("reconciliations", reconciliations::take(door, call, rest).await)
        }
        ["events"] => ("events", outbox::get(door, &call).await),
        _ => ("unknown", Err(nothing_here())),
    }
}

/// Whether the engine takes questions.
pub(super) async fn engine_answers(door: &Door) -> Result<(), Problem> {
    let nobody = FulfilmentId::new("-");
    match tokio::time::timeout(READY_WAIT, door.app.engine.get(&nobody)).await {
        Ok(answer) => answer.map(|_| ()).map_err(Problem::from),
        Err(_) => Err(Problem::unavailable("the engine is busy")),
    }
}

/// A fulfilment, open or ended.
async fn find(door: &Door, id: &str) -> Result<Arc<Fulfilment>, Problem> {
    let found = door.app.engine.get(&FulfilmentId::new(id)).await?;
    found.ok_or_else(|| Problem::not_found(format!("there is no fulfilment `{id}`")).about("id"))
}
