//! The router. It also returns a name for the route, for the metrics: paths
//! have ids in them, names do not.

use std::sync::atomic::Ordering;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use model::order::described::OrderNotes;
use serde_json::{Value, json};
use tmf::openapi;

use super::call::Call;
use super::problem::Answer;
use super::problem::{Problem, nothing_here};
use super::resources::{self, Version};
use super::{
    ServerState, answer, documents, hub, index, login, metrics, orchestration, permits, topics,
};
use crate::documents::Session;

/// Finds and calls the handler.
pub(super) async fn dispatch(server: &ServerState, mut call: Call) -> (&'static str, Answer) {
    let path = std::mem::take(&mut call.path);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        [] | ["orchestration", "v1"] => ("index", index::get(server, &call).await),
        ["healthz"] => ("healthz", health(server, &call).await),
        ["readyz"] => ("readyz", ready(server, &call).await),
        ["metrics"] => {
            ("metrics", call.must_only_read().and_then(|()| metrics::render(server, &call)))
        }
        ["openapi.json"] => ("openapi", call.must_only_read().map(|()| described(&call))),
        ["orchestration", "v1", "openapi.json"] => {
            ("openapi", call.must_only_read().map(|()| described_own(&call)))
        }
        ["tmf-api", number, "openapi.json"] => {
            ("openapi", described_api(&call, number, Version::V4))
        }
        ["tmf-api", number, "v5", "openapi.json"] => {
            ("openapi", described_api(&call, number, Version::V5))
        }
        ["tmf-api", api, version, rest @ ..] => match Version::parse(version) {
            Some(version) => standard(server, call, (*api, version), rest).await,
            None => ("unknown", Err(nothing_here())),
        },
        ["login", ..] | ["logout"] | ["session"] => {
            ("login", login::dispatch(server, call, &path).await)
        }
        ["orchestration", "v1", rest @ ..] => orchestration::dispatch(server, call, rest).await,
        _ => ("unknown", Err(nothing_here())),
    }
}

/// Handles a request about an API of the standard.
async fn standard(
    server: &ServerState,
    call: Call,
    (api, version): (&str, Version),
    path: &[&str],
) -> (&'static str, Answer) {
    if let (["hub", id @ ..], Some(api)) = (path, resources::apis(api, version).next()) {
        return ("hub", hub::dispatch(server, call, api, version, id).await);
    }
    let Some((served, rest)) = path
        .split_first()
        .and_then(|(name, rest)| Some((resources::find(api, version, name)?, rest)))
    else {
        return ("unknown", Err(nothing_here()));
    };
    let key = served.resource.key;
    match (key, rest) {
        (topics::KEY, [topic, below @ ..]) if !below.is_empty() => {
            ("topic events", topics::dispatch(server, call, topic, below).await)
        }
        (topics::KEY, [topic]) if call.method == Method::DELETE => {
            (key, topics::delete(server, call, served, topic).await)
        }
        _ => (key, documents::dispatch(server, call, served, rest).await),
    }
}

/// All that is served, as OpenAPI.
fn described(call: &Call) -> Response {
    let mut document = openapi::describe(&call.base, &OrderNotes);
    orchestration::describe(&mut document);
    permits::describe(&mut document);
    answer::json(StatusCode::OK, &document)
}

/// The OpenAPI description of our own API alone.
fn described_own(call: &Call) -> Response {
    let mut document = openapi::describe_none("Ferrule orchestration", &call.base, &OrderNotes);
    orchestration::describe(&mut document);
    permits::describe(&mut document);
    answer::json(StatusCode::OK, &document)
}

/// The OpenAPI description of one API, by its number.
fn described_api(call: &Call, number: &str, version: Version) -> Answer {
    call.must_only_read()?;
    let number = number.trim_start_matches("TMF").parse().map_err(|_| nothing_here())?;
    let described = openapi::describe_api(number, version, &call.base, &OrderNotes);
    let mut described = described.ok_or_else(nothing_here)?;
    permits::describe(&mut described);
    Ok(answer::json(StatusCode::OK, &described))
}

async fn health(server: &ServerState, call: &Call) -> Answer {
    call.must_only_read()?;
    Ok(answer::json(StatusCode::OK, &state(server, "alive").await))
}

/// The state of the server, with the size of the quarantine: that degrades nothing else.
async fn state(server: &ServerState, well: &str) -> Value {
    // Strangers learn no more than that.
    if server.access.is_required() {
        return json!({ "status": well });
    }
    let counters = server.engine.counters();
    let set_aside = counters.set_aside.load(Ordering::Relaxed);
    let facts = counters.unreadable_facts.load(Ordering::Relaxed);
    let mut body = json!({ "status": well });
    if (set_aside, facts) != (0, 0) {
        body = json!({
            "status": "degraded",
            "setAside": set_aside,
            "unreadableFacts": facts,
            "see": format!("{}/orchestration/v1/quarantine", server.prefix()),
        });
    }
    let rulebook = server.rulebooks.current();
    let left_out: Vec<&str> = rulebook.left_out().iter().map(|pack| pack.name.as_str()).collect();
    if !left_out.is_empty() {
        body["packsLeftOut"] = json!(left_out);
    }
    if counters.unreadable.count() > 0 {
        let keys = server.documents.read(Session::unreadable).await.unwrap_or_default();
        if !keys.is_empty() {
            body["unreadableDocument"] = json!(keys);
        }
    }
    body
}

async fn ready(server: &ServerState, call: &Call) -> Answer {
    call.must_only_read()?;
    for tenant in server.all() {
        if !tenant.plugins.are_ready() {
            let message =
                "the plugins folder is being looked at; see the log where that takes long";
            return Err(Problem::unavailable(message));
        }
        orchestration::engine_answers(tenant).await?;
    }
    Ok(answer::json(StatusCode::OK, &state(server, "ready").await))
}
