//! What plugins keep in their scratch spaces, for operators.

use axum::http::{Method, StatusCode};
use engine::documents::Error;
use engine::scratch::{self, Usage};
use engine::worker::Worker as _;
use model::PluginId;
use serde::Serialize;

use super::plugins::json;
use crate::http::ServerState;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};

/// The default and max of keys in a response.
const KEYS_MAX: usize = 1_000;

#[derive(Serialize)]
struct Listed {
    key: String,
    bytes: u32,
    /// When it was written.
    since: String,
}

#[derive(Serialize)]
struct Page {
    /// The number of all keys.
    keys: u64,
    /// The bytes of all keys and values.
    bytes: u64,
    entries: Vec<Listed>,
    /// The key after which the next page begins.
    next: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    key: String,
    bytes: usize,
    since: String,
    value: String,
}

#[derive(Serialize)]
struct Deleted {
    deleted: usize,
}

/// Handles a request about the scratch space of a plugin. What it keeps outlasts its installation.
pub(super) async fn dispatch(
    server: &ServerState,
    call: &Call,
    plugin: PluginId,
    key: &[&str],
) -> Answer {
    if !host::manifest::is_id(plugin.as_str()) {
        return Err(Problem::not_found(format!("`{plugin}` is no id of a plugin")).about("id"));
    }
    let key = (!key.is_empty()).then(|| key.join("/"));
    match (call.method == Method::DELETE, key) {
        (true, key) => delete(server, plugin, key).await,
        (false, None) => list(server, call, &plugin),
        (false, Some(key)) => show(server, plugin, key).await,
    }
}

fn list(server: &ServerState, call: &Call, plugin: &PluginId) -> Answer {
    let limit = call.query.number("limit")?.unwrap_or(KEYS_MAX).clamp(1, KEYS_MAX);
    let spaces = server.plugins.host.scratch();
    let prefix = call.query.get("prefix").unwrap_or_default();
    let found = spaces.keys(plugin, prefix, call.query.get("after"), limit);
    let next = (found.len() == limit).then(|| found.last().map(|(key, _)| key.to_owned()));
    let Usage { keys, bytes } = spaces.usage(plugin);
    let listed = |(key, kept): (String, scratch::Kept)| Listed {
        key,
        bytes: kept.bytes,
        since: kept.revision.at().to_string(),
    };
    let entries = found.into_iter().map(listed).collect();
    json(StatusCode::OK, &Page { keys, bytes, entries, next: next.flatten() })
}

async fn show(server: &ServerState, plugin: PluginId, key: String) -> Answer {
    let asked = (plugin.to_owned(), key.to_owned());
    let read = server
        .documents
        .read(move |session| Ok::<_, Error>(scratch::get(session.store(), &asked.0, &asked.1)?));
    let Some((revision, value)) = read.await? else {
        return Err(missing(&plugin, &key));
    };
    let text = String::from_utf8_lossy(&value).into_owned();
    let shown = Shown {
        key,
        bytes: value.len(),
        since: revision.at().to_string(),
        value: server.plugins.host.masked(&plugin, text),
    };
    json(StatusCode::OK, &shown)
}

async fn delete(server: &ServerState, plugin: PluginId, key: Option<String>) -> Answer {
    let deleted = server.engine.erase(plugin.to_owned(), key.to_owned()).await?;
    match key {
        Some(key) if deleted == 0 => Err(missing(&plugin, &key)),
        _ => json(StatusCode::OK, &Deleted { deleted }),
    }
}

fn missing(plugin: &PluginId, key: &str) -> Problem {
    Problem::not_found(format!("`{plugin}` keeps no `{key}`")).about("key")
}
