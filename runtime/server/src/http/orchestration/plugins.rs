//! The plugins and their versions: what is installed and used, and how another version comes in.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use host::candidate::{CUSTOMERS_MAX, Mode, SHARE_MAX, Trial};
use host::shadow::{Difference, Repeated, Shadow};
use host::trust::Proofs;
use host::versions::{Turn, Used, VersionError};
use host::{Entry, InstallError};
use model::{Digest, Fulfilment, FulfilmentId, PluginId};
use serde::{Deserialize, Serialize};

use super::decide::read_as;
use crate::http::body::is_component;
use crate::http::call::Call;
use crate::http::masked::Personal;
use crate::http::page::Page;
use crate::http::problem::{Answer, Problem, nothing_here};
use crate::http::rights::sees_root;
use crate::http::{ServerState, answer, etag};
use crate::plugins::usage::add_usage;
use crate::plugins::{NoUploads, reason};
use crate::search::Query;

/// The headers with what vouches for a component: the name, as it is written, and the kind of the file.
const SIGNATURE: (&str, &str) = ("Plugin-Signature", ".minisig");
const CERTIFICATE: (&str, &str) = ("Plugin-Certificate", ".cert");

/// A plugin with its versions.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions<'a> {
    id: &'a PluginId,
    /// The digest of the version that new plans use.
    current: Option<Digest>,
    /// The version that new plans used last, first.
    versions: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rollback {
    digest: Option<String>,
}

/// Handles a request about plugins.
pub(super) async fn dispatch(server: &ServerState, call: Call, path: &[&str]) -> Answer {
    match path {
        [] => list(server, &call).await,
        [id] => {
            let id = PluginId::new(*id);
            match call.method {
                Method::PUT => put(server, call, &id).await,
                Method::DELETE => delete(server, &call, &id).await,
                _ => show(server, &call, &id).await,
            }
        }
        [id, "rollback"] => roll_back(server, call, &PluginId::new(*id)).await,
        [id, "candidate"] => {
            let id = PluginId::new(*id);
            match call.method {
                Method::PUT => try_out(server, call, &id).await,
                _ => abort(server, &call, &id).await,
            }
        }
        [id, "shadow"] => shadow(server, &call, &PluginId::new(*id)).await,
        [id, "candidate", "promote"] => promote(server, &call, &PluginId::new(*id)).await,
        _ => Err(nothing_here()),
    }
}

/// Every plugin that is loaded or that open work needs, and every refused file; of these, the client's
/// own.
async fn list(server: &ServerState, call: &Call) -> Answer {
    let used = used(server, call).await?;
    let entries = server.plugins.host.entries(used).await;
    let mut entries = entries.map_err(|error| Problem::ours(&error))?;
    let scope = &call.admitted.scope;
    let is_own = |id: &String| scope.covers(&serde_json::json!({ "id": id }));
    entries.retain(|entry| scope.is_all() || entry.id.as_ref().is_some_and(is_own));
    json(StatusCode::OK, &entries)
}

/// A plugin with all versions that it has had.
async fn show(server: &ServerState, call: &Call, id: &PluginId) -> Answer {
    let (versions, current) = (versions(server, call, id).await?, server.plugins.host.current(id));
    if versions.is_empty() {
        // One that is not installed is there as far as the client sees open work of it.
        let mut used = Used::default();
        server.engine.each_open(|one| add_usage(&mut used, one)).await?;
        call.admitted.shows(entries(server, id, used).await?.is_empty());
        return Err(Problem::not_found(format!("there is no plugin `{id}`")).about("id"));
    }
    let tag = current.as_ref().map(tag);
    let mut response = json(StatusCode::OK, &Versions { id, current, versions })?;
    if let Some(tag) = tag {
        etag::add(response.headers_mut(), &tag);
    }
    Ok(response)
}

/// Installs the component that is sent, or answers that it is installed.
async fn put(server: &ServerState, mut call: Call, id: &PluginId) -> Answer {
    if !is_component(&call.headers) {
        return Err(Problem::media_type("send the component, as `application/wasm`"));
    }
    let (proofs, bytes) = (proofs(&call.headers)?, call.bytes()?);
    let turn = turn(server, &call.headers, id).await?;
    let status = if turn.current(id).is_none() { StatusCode::CREATED } else { StatusCode::OK };
    let digest = turn.install(id, bytes, proofs).await.map_err(refused)?;
    drop(turn);
    changed(server, &call, id, &digest, status).await
}

/// Goes back to an earlier version.
async fn roll_back(server: &ServerState, mut call: Call, id: &PluginId) -> Answer {
    let asked: Rollback =
        call.json_or_nothing()?.map_or_else(|| Ok(Rollback::default()), read_as)?;
    let turn = turn(server, &call.headers, id).await?;
    let digest = turn.roll_back(id, asked.digest.as_deref()).await.map_err(refused)?;
    drop(turn);
    changed(server, &call, id, &digest, StatusCode::OK).await
}

/// Puts the component that is sent on trial.
async fn try_out(server: &ServerState, mut call: Call, id: &PluginId) -> Answer {
    if !is_component(&call.headers) {
        return Err(Problem::media_type("send the component, as `application/wasm`"));
    }
    let trial = trial(&call.query)?;
    let sent = (call.bytes()?, proofs(&call.headers)?);
    let turn = turn(server, &call.headers, id).await?;
    let digest = turn.try_out(id, sent, trial).await;
    let digest = digest.map_err(refused)?;
    drop(turn);
    changed(server, &call, id, &digest, StatusCode::OK).await
}

/// The orders that a client wants a candidate to be tried with.
fn trial(query: &Query) -> Result<Trial, Problem> {
    let share = query.number("share")?.unwrap_or_default();
    let share = u8::try_from(share).ok().filter(|share| *share <= SHARE_MAX);
    let share = share.ok_or_else(|| Problem::bad("is a percentage up to 100").about("share"))?;
    let customers = query.get("customers").unwrap_or_default().split(',').map(str::trim);
    let customers = customers.filter(|customer| !customer.is_empty());
    let customers: BTreeSet<String> = customers.map(str::to_owned).collect();
    if customers.len() > CUSTOMERS_MAX {
        let message = format!("may name {CUSTOMERS_MAX} customers");
        return Err(Problem::bad(message).about("customers"));
    }
    if share == 0 && customers.is_empty() {
        return Err(Problem::bad("give a `share` of orders, or `customers`").about("share"));
    }
    let mode = match query.get("mode") {
        None | Some("live") => Mode::Live,
        Some("shadow") => Mode::Shadow,
        Some(_) => return Err(Problem::bad("is `live` or `shadow`").about("mode")),
    };
    Ok(Trial { mode, share, customers })
}

/// The version of a plugin in shadow, with the calls of which it made something else.
async fn shadow(server: &ServerState, call: &Call, id: &PluginId) -> Answer {
    must_see_orders(call)?;
    let none =
        || Problem::not_found(format!("no version of plugin `{id}` is in shadow")).about("id");
    let Shadow { candidate, counts, calls } = server.plugins.host.shadow(id).ok_or_else(none)?;
    let page = Page::parse(&call.query)?;
    let total = calls.len();
    let mut shown = Vec::new();
    for repeated in calls.into_iter().skip(page.offset).take(page.limit) {
        shown.push(seen(server, call, repeated).await?);
    }
    let url = format!("{}{}/plugins/{id}/shadow", call.base, super::BASE);
    let headers = page.headers(shown.len(), total, &call.query, &url);
    let mut response = json(StatusCode::OK, &Shadow { candidate, counts, calls: shown })?;
    response.headers_mut().extend(headers);
    Ok(response)
}

/// A call as the client may see it: without the personal values of its order.
async fn seen(
    server: &ServerState,
    call: &Call,
    mut repeated: Repeated,
) -> Result<Repeated, Problem> {
    let id = FulfilmentId::new(&*repeated.about.fulfilment);
    let of = server.engine.get(&id).await?;
    let hidden = match of {
        Some(of) => Personal::hidden(&server.documents, &call.admitted, &of).await?,
        None => Personal::all(&call.admitted),
    };
    for Difference { request, before, now, .. } in &mut repeated.differences {
        for text in [request, before, now].into_iter().flatten() {
            *text = hidden.without(text).unwrap_or_else(|| std::mem::take(text));
        }
    }
    Ok(repeated)
}

/// Has all new orders use the version on trial.
async fn promote(server: &ServerState, call: &Call, id: &PluginId) -> Answer {
    let turn = turn(server, &call.headers, id).await?;
    let digest = turn.promote(id).await.map_err(refused)?;
    drop(turn);
    changed(server, call, id, &digest, StatusCode::OK).await
}

/// Ends a trial.
async fn abort(server: &ServerState, call: &Call, id: &PluginId) -> Answer {
    let turn = turn(server, &call.headers, id).await?;
    turn.abort(id).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn delete(server: &ServerState, call: &Call, id: &PluginId) -> Answer {
    let turn = turn(server, &call.headers, id).await?;
    turn.remove(id).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The turn to change a plugin of which the client read the version of now.
async fn turn<'a>(
    server: &'a ServerState,
    headers: &HeaderMap,
    id: &PluginId,
) -> Result<Turn<'a>, Problem> {
    let folder = server.plugins.uploads()?;
    let turn = server.plugins.host.turn(folder).await;
    let tag = turn.current(id).as_ref().map(tag).unwrap_or_default();
    etag::check_match(headers, &tag)?;
    Ok(turn)
}

/// The answer to a change: the version that new plans use now.
async fn changed(
    server: &ServerState,
    call: &Call,
    id: &PluginId,
    digest: &Digest,
    status: StatusCode,
) -> Answer {
    // Orders that were held for it are planned again.
    server.rulebooks.changed().notify_one();
    let all = versions(server, call, id).await?;
    let is_it = |entry: &&Entry| entry.digest.as_deref() == Some(digest.as_str());
    let mut response = json(status, &all.iter().find(is_it))?;
    etag::add(response.headers_mut(), &tag(digest));
    Ok(response)
}

/// The versions that a plugin has had, the one that new plans used last first.
pub(super) async fn versions(
    server: &ServerState,
    call: &Call,
    id: &PluginId,
) -> Result<Vec<Entry>, Problem> {
    let used = used(server, call).await?;
    entries(server, id, used).await
}

async fn entries(server: &ServerState, id: &PluginId, used: Used) -> Result<Vec<Entry>, Problem> {
    if !host::manifest::is_id(id.as_str()) {
        return Ok(Vec::new());
    }
    let versions = server.plugins.host.versions(PluginId::new(id.as_str()), used).await;
    versions.map_err(|error| Problem::ours(&error))
}

/// The open work of each version. The owner of a plugin knows of all of it, others of what they see.
async fn used(server: &ServerState, call: &Call) -> Result<Used, Problem> {
    let is_partial = call.admitted.scope.is_all() && !call.admitted.reader.is_all();
    let client = is_partial.then(|| call.admitted.quietly());
    let mut used = Used::default();
    let visit = |one: &Arc<Fulfilment>| {
        if client.as_ref().is_none_or(|client| sees_root(client, one)) {
            add_usage(&mut used, one);
        }
    };
    server.engine.each_open(visit).await?;
    Ok(used)
}

/// Refuses a client from whom orders are hidden, where a plugin that is not its own shows what it was
/// given for them.
pub(super) fn must_see_orders(call: &Call) -> Result<(), Problem> {
    let is_owner = !call.admitted.scope.is_all();
    match is_owner || call.admitted.reader.sees_all_work() {
        true => Ok(()),
        false => Err(Problem::not_permitted()),
    }
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let body = serde_json::to_value(body).map_err(|error| Problem::ours(&error))?;
    Ok(answer::json(status, &body))
}

fn tag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// What is sent along with a component.
fn proofs(headers: &HeaderMap) -> Result<Proofs, Problem> {
    let (signature, certificate) = (proof(headers, SIGNATURE)?, proof(headers, CERTIFICATE)?);
    Ok(Proofs { signature, certificate })
}

/// A file that is sent along in base64.
fn proof(headers: &HeaderMap, (name, kind): (&str, &str)) -> Result<Option<String>, Problem> {
    let Some(sent) = headers.get(name) else { return Ok(None) };
    let file = BASE64_STANDARD.decode(sent.as_bytes()).ok();
    let file = file.and_then(|file| String::from_utf8(file).ok());
    let wrong = || Problem::bad(format!("send the `{kind}` file in base64")).about(name);
    file.ok_or_else(wrong).map(Some)
}

/// Why a change of a plugin is refused; it has changed nothing.
fn refused(error: VersionError) -> Problem {
    let message = error.to_string();
    match error {
        VersionError::Refused(error) => not_installed(&error),
        VersionError::OtherId { .. } => Problem::unprocessable(message).about("id"),
        VersionError::Unknown => Problem::not_found(message).about("id"),
        VersionError::NoneBefore
        | VersionError::NoFile
        | VersionError::NoTrial
        | VersionError::IsCurrent => Problem::conflict(message).about("id"),
        VersionError::NoSuchVersion => Problem::unprocessable(message).about("digest"),
        VersionError::Folder { .. } => {
            tracing::error!(error = &error as &dyn std::error::Error, "a plugin cannot be written");
            Problem::unavailable(
                "the folder of plugins cannot be written; see the log of the server",
            )
        }
    }
}

fn not_installed(error: &InstallError) -> Problem {
    let reason = reason(error);
    if matches!(error, InstallError::TooLarge { .. }) {
        return Problem::too_large(reason);
    }
    if matches!(error, InstallError::OtherFile { .. }) {
        return Problem::conflict(reason).about("id");
    }
    if error.is_passing() {
        tracing::warn!(reason, "a plugin cannot be installed now");
        return Problem::unavailable(reason);
    }
    Problem::unprocessable(reason)
}

impl From<NoUploads> for Problem {
    fn from(reason: NoUploads) -> Self {
        match reason {
            NoUploads::Starting => Self::unavailable(reason.to_string()),
            NoUploads::Off => Self::forbidden(reason.to_string()),
            NoUploads::NoFolder => Self::conflict(reason.to_string()),
        }
    }
}
