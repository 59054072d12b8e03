//! The sessions of the people of a tenant, for its administrators. Without logins there are none.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::plugins::json;
use crate::access::RoleName;
use crate::access::session::Listed;
use crate::http::ServerState;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem, nothing_here};

/// The default and max of sessions in a response.
const SESSIONS_MAX: usize = 1_000;

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    subject: &'a str,
    name: &'a str,
    issuer: &'a str,
    tenant: Option<&'a str>,
    roles: Vec<&'a RoleName>,
    since: String,
    used: String,
    ends: String,
}

/// Handles a request about sessions.
pub(super) async fn dispatch(server: &ServerState, call: &Call, path: &[&str]) -> Answer {
    match path {
        [] => list(server, call),
        [id] if call.method == Method::DELETE => delete(server, id).await,
        _ => Err(nothing_here()),
    }
}

fn list(server: &ServerState, call: &Call) -> Answer {
    let offset = call.query.number("offset")?.unwrap_or(0);
    let limit = call.query.number("limit")?.unwrap_or(SESSIONS_MAX).min(SESSIONS_MAX);
    let subject = call.query.get("subject");
    let sessions = server.access.people().map_or_else(Vec::new, |people| people.sessions.list());
    let is_asked = |one: &&Listed| {
        let is_own = one.record.tenant.as_deref() == server.name();
        is_own && subject.is_none_or(|subject| subject == one.record.subject)
    };
    let shown = sessions.iter().filter(is_asked).skip(offset).take(limit).map(show);
    json(StatusCode::OK, &shown.collect::<Vec<_>>())
}

fn show(one: &Listed) -> Shown<'_> {
    let record = &*one.record;
    Shown {
        id: &one.id,
        subject: &record.subject,
        name: &record.name,
        issuer: &record.issuer,
        tenant: record.tenant.as_deref(),
        roles: record.roles.iter().collect(),
        since: record.begun.to_string(),
        used: one.used.to_string(),
        ends: one.ends.to_string(),
    }
}

async fn delete(server: &ServerState, id: &str) -> Answer {
    let missing = || Problem::not_found(format!("there is no session `{id}`")).about("id");
    let people = server.access.people().ok_or_else(missing)?;
    if !people.sessions.end_one(id, server.name()).await? {
        return Err(missing());
    }
    server.access.revoked();
    tracing::info!(session = id, "an administrator ended a session");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
