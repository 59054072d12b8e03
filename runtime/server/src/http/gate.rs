//! Lets a request in: finds who makes it, and compares what its route demands with the roles of that
//! identity. It stands before everything that reads or writes.

use std::sync::Arc;

use axum::http::Method;
use axum::http::header::AUTHORIZATION;

use super::ServerState;
use super::call::Call;
use super::csrf;
use super::demand::{Applies, Demand};
use super::orchestration::callbacks::{self, Passed};
use super::permits::{self, Needs};
use super::problem::{Challenge, Problem, nothing_here};
use super::tenant::Named;
use crate::access::{
    Admitted, Hidden, Identity, People, Presented, Proof, Reader, Scope, Unproven, users,
};

/// Lets a request in, or refuses it: 401 without an identity, 403 without the permission. The reason
/// is logged and not told.
pub(super) async fn pass(
    server: &ServerState,
    call: &mut Call,
    named: &Named,
) -> Result<(), Problem> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    if let ["orchestration", "v1", "callbacks", address @ ..] = path.as_slice()
        && call.method == Method::POST
    {
        let passed = callbacks::admit(named.state(server), call.client.as_deref(), address);
        // Not even a wrong address tells whether there is a tenant.
        match passed.map_err(|problem| if named.is_some() { nothing_here() } else { problem })? {
            Passed::Proven => return Ok(()),
            Passed::NeedsIdentity => {}
        }
    }
    let needs = permits::needs(&call.method, &path, call.query.get("resource"));
    if needs == Needs::Nothing && !named.is_some() {
        return Ok(());
    }
    let identity = identify(server, call).await?;
    if let (Some(space), Needs::Permissions(demands)) = (&server.space, &needs) {
        space.check(demands)?;
    }
    call.admitted.identity = Some(Arc::clone(&identity));
    server.rates.identity(&identity).map_err(Problem::too_fast)?;
    named.check(&identity)?;
    let hidden = Hidden::default();
    let reader = match server.access.is_required() {
        true => Reader::Of(Arc::clone(&identity), server.access.roles().clone(), hidden.clone()),
        false => Reader::All,
    };
    let scope = match &needs {
        Needs::Nothing | Needs::Identity => Scope::default(),
        Needs::Permissions(demands) => decide(&reader, &identity, &path, demands)?,
    };
    call.admitted = Admitted { identity: Some(identity), scope, reader, hidden };
    Ok(())
}

async fn identify(server: &ServerState, call: &Call) -> Result<Arc<Identity>, Problem> {
    let people = server.access.people();
    let presented = Presented::read(&call.headers, people.map(|people| people.cookies));
    let presented = match (presented, &call.client) {
        (Ok(Presented::Nothing), Some(client)) => Ok(Presented::Certificate(client.shown())),
        (presented, _) => presented,
    };
    let user = match &presented {
        Ok(Presented::Basic(encoded)) if server.access.users().is_some() => users::name_in(encoded),
        Ok(_) | Err(_) => None,
    };
    if call.headers.contains_key(AUTHORIZATION) {
        let may = match &user {
            Some(name) => server.rates.may_log_in(name, call.address()),
            None => server.rates.may_prove(call.address()),
        };
        may.map_err(Problem::too_fast)?;
    }
    let proven = match &presented {
        Ok(Presented::Session(_)) if !csrf::may_prove(call) => Err(Unproven::Refused {
            kind: "sessions",
            reason: "the request is none of a page of this server".into(),
        }),
        Ok(presented) => server.access.identify(presented).await,
        Err(malformed) => Err((*malformed).into()),
    };
    let identity = proven.map_err(|unproven| {
        if !matches!(unproven, Unproven::Nothing | Unproven::Busy) {
            match &user {
                Some(name) => server.rates.not_logged_in(name, call.address()),
                None => server.rates.failed(call.address()),
            }
        }
        unauthenticated(call, people, &unproven)
    })?;
    if identity.proof == Proof::Password {
        server.rates.logged_in(&identity.subject, call.address());
    }
    if let Ok(Presented::Session(secret)) = presented
        && !csrf::is_meant(call, secret)
    {
        tracing::info!(subject = %identity.subject, "a request of a session is not protected against CSRF");
        return Err(Problem::not_permitted());
    }
    Ok(identity)
}

/// The answer to a request without an identity: browsers that show pages are sent to the login.
fn unauthenticated(call: &Call, people: Option<&People>, unproven: &Unproven) -> Problem {
    tracing::info!(reason = %unproven, "a request without an identity is refused");
    if people.is_some() && csrf::is_page(call) {
        return Problem::login(&call.base, &call.target);
    }
    match unproven {
        Unproven::Nothing => Problem::unauthenticated(Challenge::Credentials),
        Unproven::Malformed(_) | Unproven::NotSetUp(_) | Unproven::Refused { .. } => {
            Problem::unauthenticated(Challenge::Others)
        }
        Unproven::Busy => Problem::too_many("too many log in at this time: try again"),
    }
}

/// Refuses what the roles do not allow; returns what the permission of the route itself covers.
fn decide(
    reader: &Reader,
    identity: &Identity,
    path: &[&str],
    demands: &[Demand],
) -> Result<Scope, Problem> {
    let mut own = None;
    for demand in demands {
        let scope = reader.may(&demand.permission);
        let is_refused = match demand.applies {
            Applies::Each => scope.is_nothing(),
            Applies::Whole => !scope.is_all(),
            Applies::Everything => !scope.is_all() || !reader.sees_everything(),
            Applies::Unhidden => !scope.is_all() && !scope.is_nothing(),
        };
        if is_refused {
            let whole = demand.applies != Applies::Each;
            let subject = identity.subject.as_str();
            tracing::info!(subject, %demand, whole, "a request is not permitted");
            return Err(Problem::not_permitted());
        }
        own.get_or_insert(scope);
    }
    let own = own.unwrap_or_default();
    match plugin_of(path) {
        // As for a plugin that is not there: that it exists is none of the client's business.
        Some(id) if !own.covers(&serde_json::json!({ "id": id })) => Err(nothing_here()),
        Some(_) | None => Ok(own),
    }
}

/// The plugin that a path names.
fn plugin_of<'a>(path: &[&'a str]) -> Option<&'a str> {
    match path {
        ["orchestration", "v1", "plugins", id, ..] => Some(id),
        _ => None,
    }
}
