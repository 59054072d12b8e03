//! Moves open orders and runs to another version of a plugin, or tells which would be moved and which do
//! not fit.

mod chosen;

use std::sync::Arc;

use axum::http::StatusCode;
use engine::Wish;
use host::versions::named;
use host::{Entry, Offered, State};
use model::fulfilment::Move;
use model::journal::Decision;
use model::{Digest, Fulfilment, PluginId};
use serde::{Deserialize, Serialize};

use self::chosen::{Chosen, Filter, Token};
use super::decide::read_as;
use super::plugins::{json, versions};
use crate::http::ServerState;
use crate::http::call::Call;
use crate::http::page::Page;
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
    state: Option<String>,
    task: Option<String>,
    customer: Option<String>,
    submitted_before: Option<String>,
    /// That of a preview: nothing is moved if the set is another one now.
    token: Option<Token>,
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
    /// How many orders and runs the request is about that the version fits.
    total: usize,
    /// The orders and runs that were moved, or would be: a page of them.
    moved: Vec<String>,
    /// Those that stay as they are.
    unfit: Vec<Unfit>,
    /// How many stay as they are.
    unfit_total: usize,
    /// How many more there are: the same request again, with the token, goes on with them.
    more: usize,
    /// Stands for those that are left to be moved.
    token: Token,
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

/// The versions of a move, checked.
struct Versions {
    from: Digest,
    to: Digest,
    offered: Offered,
    notes: Vec<&'static str>,
}

/// Moves open work to another version.
pub(super) async fn post(server: &ServerState, mut call: Call, id: &PluginId) -> Answer {
    let mut asked: Asked = read_as(call.json()?)?;
    let page = Page::parse(&call.query)?;
    let versions = checked(server, &call, id, &asked).await?;
    let filter = Filter::of(&mut asked)?;
    let mut open = Vec::new();
    let visit = |one: &Arc<Fulfilment>| {
        if one.uses(id, &versions.from) && filter.takes(one, id) {
            open.push(Arc::clone(one));
        }
    };
    server.engine.each_open(visit).await?;
    let chosen = Chosen::of(open, |one| misfits(one, id, versions.offered));
    if let Some(token) = &asked.token {
        token.check(&chosen.token()).map_err(|problem| problem.about("token"))?;
    }
    let unfit_total = chosen.unfit.len();
    let Versions { from, to, notes, .. } = versions;
    let mut answer = Moved {
        from,
        to,
        dry_run: asked.dry_run,
        total: chosen.fit.len(),
        moved: Vec::new(),
        unfit: chosen.unfit.iter().skip(page.offset).take(page.limit).map(Unfit::of).collect(),
        unfit_total,
        more: 0,
        token: chosen.token(),
        notes,
    };
    if asked.dry_run {
        let shown = chosen.fit.iter().skip(page.offset).take(page.limit);
        answer.moved = shown.map(|one| one.id().to_string()).collect();
        answer.more = answer.total.saturating_sub(page.end());
        return json(StatusCode::OK, &answer);
    }
    let decision = Decision { by: asked.by, reason: asked.reason };
    for one in chosen.fit.iter().take(MOVES_MAX) {
        if moved(server, id, one, (&answer, &decision)).await? {
            answer.moved.push(one.id().to_string());
        }
    }
    let rest =
        Chosen { fit: chosen.fit.into_iter().skip(MOVES_MAX).collect(), unfit: chosen.unfit };
    (answer.more, answer.token) = (rest.fit.len(), rest.token());
    json(StatusCode::OK, &answer)
}

/// Checks that one version may take the place of another.
async fn checked(
    server: &ServerState,
    call: &Call,
    id: &PluginId,
    asked: &Asked,
) -> Result<Versions, Problem> {
    let known = versions(server, call, id).await?;
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
    Ok(Versions { from, to, offered, notes: notes.into_iter().collect() })
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

impl Unfit {
    fn of((one, reasons): &(Arc<Fulfilment>, Vec<&'static str>)) -> Self {
        Self { id: one.id().to_string(), reasons: reasons.to_vec() }
    }
}
