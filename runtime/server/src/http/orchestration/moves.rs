//! Moves open orders and runs to another version of a plugin, or tells which would be moved and which do
//! not fit.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;
use engine::Wish;
use host::versions::named;
use host::{Entry, Offered, State};
use model::fulfilment::Move;
use model::journal::Decision;
use model::{Digest, Fulfilment, PluginId};
use serde::{Deserialize, Serialize};

use super::decide::read_as;
use super::plugins::{json, versions};
use crate::http::ServerState;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::plugins::reason;

/// Max orders and runs of one request.
const MOVES_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    from: String,
    to: String,
    /// The ids of the orders and runs, with commas; all if it is missing.
    fulfilments: Option<String>,
    #[serde(default)]
    dry_run: bool,
    by: Option<String>,
    reason: Option<String>,
}

/// What was moved, or would be.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Moved {
    from: Digest,
    to: Digest,
    dry_run: bool,
    /// The orders and runs that were moved, or would be.
    moved: Vec<String>,
    /// Those that stay as they are.
    unfit: Vec<Unfit>,
    /// How many more there are: the same request again goes on with them.
    more: usize,
    /// Why the new version does less than the old one, where that keeps none from being moved.
    notes: Vec<&'static str>,
}

/// An order or a run that the new version does not fit.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Unfit {
    id: String,
    reasons: Vec<&'static str>,
}

/// Moves open work to another version.
pub(super) async fn post(server: &ServerState, mut call: Call, id: &PluginId) -> Answer {
    let asked: Asked = read_as(call.json()?)?;
    let known = versions(server, id).await?;
    let (from, to) = (digest(&known, "from", &asked.from)?, digest(&known, "to", &asked.to)?);
    if from == to {
        return Err(Problem::bad("is the version that they use").about("to"));
    }
    let offered = offers(server, id, &to).await.map_err(|problem| problem.about("to"))?;
    // The old one may be gone; then nothing can be compared with it.
    let before = offers(server, id, &from).await.ok();
    if before.is_some_and(|before| before.role != offered.role) {
        return Err(Problem::unprocessable("the versions have different roles").about("to"));
    }
    let loses_probe = before.is_some_and(|before| before.probe && !offered.probe);
    let notes = loses_probe.then_some("it has no `probe`: work whose answer is lost is done again");
    let wanted: Option<BTreeSet<&str>> =
        asked.fulfilments.as_deref().map(|ids| ids.split(',').map(str::trim).collect());
    let mut open = server.engine.all().await?;
    open.retain(|one| {
        let is_wanted = wanted.as_ref().is_none_or(|ids| ids.contains(one.id().as_str()));
        is_wanted && one.uses(id, &from)
    });
    let (fit, unfit): (Vec<_>, Vec<_>) = open
        .into_iter()
        .map(|one| (misfits(&one, id, offered), one))
        .partition(|(why, _)| why.is_empty());
    let more = fit.len().saturating_sub(MOVES_MAX);
    let unfit = unfit
        .into_iter()
        .take(MOVES_MAX)
        .map(|(reasons, one)| Unfit { id: one.id().to_string(), reasons });
    let mut answer = Moved {
        dry_run: asked.dry_run,
        moved: Vec::new(),
        unfit: unfit.collect(),
        more,
        notes: notes.into_iter().collect(),
        from,
        to,
    };
    let decision = Decision { by: asked.by, reason: asked.reason };
    for (_, one) in fit.into_iter().take(MOVES_MAX) {
        if asked.dry_run || moved(server, id, &one, (&answer, &decision)).await? {
            answer.moved.push(one.id().to_string());
        }
    }
    json(StatusCode::OK, &answer)
}

/// Moves one; `false` if it ended or was moved meanwhile.
async fn moved(
    server: &ServerState,
    id: &PluginId,
    one: &Arc<Fulfilment>,
    (answer, decision): (&Moved, &Decision),
) -> Result<bool, Problem> {
    let (plugin, to) = (PluginId::new(id.as_str()), Digest::new(answer.to.as_str()));
    let to = Move { plugin, from: Digest::new(answer.from.as_str()), to };
    let wish = Wish::Move { to, decision: decision.clone() };
    match server.engine.decide(one.id(), wish).await {
        Ok(after) => Ok(after.uses(id, &answer.to)),
        Err(engine::handle::DecideError::Read(error)) => Err(error.into()),
        Err(engine::handle::DecideError::Unknown(_) | engine::handle::DecideError::Refused(_)) => {
            Ok(false)
        }
    }
}

/// Why a version does not fit what is open of an order or a run.
fn misfits(one: &Fulfilment, id: &PluginId, offered: Offered) -> Vec<&'static str> {
    let asked = one.asks(id);
    let undo = (asked.undo && !offered.can_undo)
        .then_some("it may be undone, and the version has no `undo`");
    let callbacks = asked.callbacks && !offered.callbacks;
    let callbacks =
        callbacks.then_some("it waits for a callback, and the version has no `callbacks`");
    undo.into_iter().chain(callbacks).collect()
}

async fn offers(server: &ServerState, id: &PluginId, digest: &Digest) -> Result<Offered, Problem> {
    let offered = server.plugins.host.offers(id, digest).await;
    offered.map_err(|error| Problem::unprocessable(reason(&error)))
}

/// The version of a plugin that a text names.
fn digest(known: &[Entry], name: &str, text: &str) -> Result<Digest, Problem> {
    let kept = known.iter().filter(|entry| name == "from" || entry.state != State::Gone);
    let digests = kept.filter_map(|entry| entry.digest.as_deref()).map(Digest::new).collect();
    named(text, digests).map_err(|error| Problem::unprocessable(error.to_string()).about(name))
}
