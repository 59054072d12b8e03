//! Lets a request in: finds who makes it, and compares what its route demands with the roles of that
//! identity. It stands before everything that reads or writes.

use std::sync::Arc;

use super::ServerState;
use super::call::Call;
use super::permits::{self, Needs};
use super::problem::{Challenge, Problem, nothing_here};
use super::tenant::Named;
use crate::access::certificate::Shown;
use crate::access::{Admitted, Decision, Identity, Permission, Presented, Scope, Unproven};

/// Lets a request in, or refuses it: 401 without an identity, 403 without the permission. The reason
/// is logged and not told.
pub(super) async fn pass(
    server: &ServerState,
    call: &mut Call,
    named: &Named,
) -> Result<(), Problem> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let needs = permits::needs(&call.method, &path, call.query.get("resource"));
    if needs == Needs::Nothing && !named.is_some() {
        return Ok(());
    }
    let identity = identify(server, call).await.map_err(|unproven| {
        tracing::info!(reason = %unproven, "a request without an identity is refused");
        match unproven {
            Unproven::Nothing => Problem::unauthenticated(Challenge::Credentials),
            Unproven::Malformed(_) | Unproven::NotSetUp(_) | Unproven::Refused { .. } => {
                Problem::unauthenticated(Challenge::Others)
            }
            Unproven::Busy => Problem::too_many("too many log in at this time: try again"),
        }
    })?;
    named.check(&identity)?;
    let scope = match &needs {
        Needs::Nothing | Needs::Identity => Scope::All,
        Needs::Permissions(permissions) => decide(server, &identity, &path, permissions)?,
    };
    call.admitted = Admitted { identity: Some(identity), scope };
    Ok(())
}

async fn identify(server: &ServerState, call: &Call) -> Result<Arc<Identity>, Unproven> {
    let presented = match (Presented::read(&call.headers)?, &call.client) {
        (Presented::Nothing, Some(client)) => Presented::Certificate(Shown {
            subject: &client.subject,
            sans: &client.sans,
            fingerprint: &client.fingerprint_sha256,
            not_after: client.not_after,
        }),
        (presented, _) => presented,
    };
    server.access.identify(&presented).await
}

fn decide(
    server: &ServerState,
    identity: &Identity,
    path: &[&str],
    permissions: &[Permission],
) -> Result<Scope, Problem> {
    let mut scope = Scope::All;
    for permission in permissions {
        let decision = server.access.roles().decide(identity, permission);
        let allowed = match decision {
            Decision::Allowed(allowed) => allowed,
            Decision::Denied => {
                tracing::info!(subject = %identity.subject, %permission, "a request is not permitted");
                return Err(Problem::not_permitted());
            }
        };
        if allowed.is_all() {
            continue;
        }
        match plugin_of(path) {
            Some(id) if allowed.covers(&serde_json::json!({ "id": id })) => {}
            // As for a plugin that is not there: that it exists is none of the client's business.
            Some(_) => return Err(nothing_here()),
            None => {
                tracing::info!(
                    subject = %identity.subject, %permission,
                    "the condition of a role cannot be applied on this route, so it allows nothing"
                );
                return Err(Problem::not_permitted());
            }
        }
        scope = allowed;
    }
    Ok(scope)
}

/// The plugin that a path names.
fn plugin_of<'a>(path: &[&'a str]) -> Option<&'a str> {
    match path {
        ["orchestration", "v1", "plugins", id, ..] => Some(id),
        _ => None,
    }
}
