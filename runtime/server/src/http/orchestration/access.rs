//! What a client may do: it asks for itself alone.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde::Serialize;

use super::plugins::json;
use crate::access::{Granted, Identity, RoleName};
use crate::http::ServerState;
use crate::http::call::Call;
use crate::http::problem::{Answer, Challenge, Problem};

/// An identity with what its roles allow.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    subject: &'a str,
    /// How it was proven.
    proof: &'static str,
    tenant: Option<&'a str>,
    roles: &'a BTreeSet<RoleName>,
    /// The roles of it that are not known here: they allow nothing.
    unknown_roles: Vec<&'a RoleName>,
    plugins: &'a BTreeSet<String>,
    permissions: Vec<Granted>,
}

/// Answers with the client's own identity.
pub(super) fn get(server: &ServerState, call: &Call) -> Answer {
    let identity = call.admitted.identity.as_deref();
    let identity = identity.ok_or_else(|| Problem::unauthenticated(Challenge::Credentials))?;
    let Identity { subject, proof, tenant, roles, plugins, .. } = identity;
    let known = server.access.roles();
    let shown = Shown {
        subject,
        proof: proof.name(),
        tenant: tenant.as_deref(),
        roles,
        unknown_roles: roles.iter().filter(|role| !known.knows(role)).collect(),
        plugins,
        permissions: known.granted(identity, &server.known),
    };
    json(StatusCode::OK, &shown)
}
