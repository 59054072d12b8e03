//! The act of a request, for the audit: who asks for what, from where and why. What a request changes has
//! its entry in the same commit; here are those of requests that changed no fact, were refused or failed.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use engine::audit::{Act, Actor, Outcome, Subject};
use engine::trace::Trace;

use super::call::{Call, REASON, REASON_CHARS_MAX};
use super::changes::is_safe;
use super::resources::{self, Version};
use super::{ServerState, orchestration};
use crate::access::{Hidden, Identity};

/// Max characters of an id.
const ID_CHARS_MAX: usize = 200;

/// Operations that change nothing, though their method may.
const UNCHANGING: [&str; 1] = ["simulate"];

/// Operations whose answers are told of, though they only read.
const READS: [&str; 3] = ["audit", "exports", "persons"];

/// Operations whose changes are files of the tenant's plugins: they have an entry before, and another one of
/// their end.
const OUTSIDE: [&str; 1] = ["plugins"];

/// A request that is carried out.
pub(super) struct Acting {
    act: Arc<Act>,
    kind: Kind,
    route: &'static str,
    /// Whether something was hidden from the client.
    hidden: Hidden,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It may change something.
    Change,
    /// It only reads, and has an entry.
    AuditedRead,
    /// It only reads.
    Read,
}

/// The name of a request's route, with what it is about.
struct Named {
    route: &'static str,
    subject: Option<Subject>,
    /// The attribute of its body that tells why.
    reason: Option<&'static str>,
}

/// The act of a request; `None` if nothing is audited.
pub(super) fn begin(
    server: &ServerState,
    call: &mut Call,
    trace: Option<&Trace>,
) -> Option<Acting> {
    // Logins and logouts have entries of their own.
    if !server.audit.is_on()
        || matches!(call.path.first().map(String::as_str), Some("login" | "logout"))
    {
        return None;
    }
    let Named { route, mut subject, reason } = named(call);
    if let Some(id) = subject.as_mut().and_then(|subject| subject.id.as_mut()) {
        *id = id.chars().take(ID_CHARS_MAX).collect();
    }
    let kind = match is_safe(&call.method) {
        true if READS.contains(&route) => Kind::AuditedRead,
        true => Kind::Read,
        false if UNCHANGING.contains(&route) => Kind::Read,
        false => Kind::Change,
    };
    let why = header(call).or_else(|| bounded(call.text_of(reason?)?));
    // A client may send a method of any length.
    let method: String = call.method.as_str().chars().take(16).collect();
    let act = Act {
        actor: actor(call.admitted.identity.as_deref()),
        address: call.peer.map(|address| address.to_string()),
        request: Some(uuid::Uuid::now_v7().simple().to_string()),
        trace: trace.map(|trace| hex::encode(trace.id)),
        action: format!("{method} {route}"),
        subject,
        why,
        ..Act::default()
    };
    let hidden = call.admitted.hidden.clone();
    Some(Acting { act: Arc::new(act), kind, route, hidden })
}

impl Acting {
    /// The act that the entries of changes name; `None` if the request only reads.
    pub(super) fn act(&self) -> Option<Arc<Act>> {
        (self.kind == Kind::Change).then(|| Arc::clone(&self.act))
    }

    /// Adds an entry of a request that is about to change what is not in the store.
    pub(super) async fn start(&self, server: &ServerState) -> Result<(), engine::documents::Error> {
        match self.kind {
            Kind::Change if OUTSIDE.contains(&self.route) => server.audit.begun(&self.act).await,
            Kind::Change | Kind::AuditedRead | Kind::Read => Ok(()),
        }
    }

    /// Adds the entry of a request that is answered and has none yet.
    pub(super) async fn end(
        self,
        server: &ServerState,
        status: StatusCode,
    ) -> Result<(), engine::documents::Error> {
        let is_change = self.kind == Kind::Change;
        let code = status.as_str();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
                server.audit.not_done(&self.act, Outcome::Refused, code);
            }
            // Hidden documents are answered like missing ones, and only the audit tells.
            StatusCode::NOT_FOUND if self.hidden.is_noted() => {
                let Act { actor, action, .. } = &*self.act;
                tracing::info!(subject = %actor.subject, %action, "what a request names is hidden");
                server.audit.not_done(&self.act, Outcome::Refused, code);
            }
            StatusCode::UNPROCESSABLE_ENTITY if is_change => {
                server.audit.not_done(&self.act, Outcome::Refused, code);
            }
            status if status.is_server_error() && is_change => {
                server.audit.not_done(&self.act, Outcome::Failed, code);
            }
            status if status.is_success() && self.lacks_an_entry() => {
                server.audit.done(&self.act).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether it is to have an entry and none of its commits made one. A callback that no task waits for
    /// changes nothing, and elements repeat them.
    fn lacks_an_entry(&self) -> bool {
        self.kind != Kind::Read && self.act.entries.count() == 0 && self.route != "callbacks"
    }
}

/// Who makes a request, as far as its credentials prove.
fn actor(identity: Option<&Identity>) -> Actor {
    let Some(identity) = identity else {
        let subject = "anonymous".into();
        return Actor { subject, authentication: "none".into(), ..Actor::default() };
    };
    Actor {
        subject: identity.subject.as_str().into(),
        authentication: identity.proof.name().into(),
        roles: identity.roles.iter().map(ToString::to_string).collect(),
        tenant: identity.tenant.as_deref().map(str::to_string),
    }
}

/// Takes a request that was not let in.
pub(super) fn refused(server: &ServerState, call: &mut Call, status: StatusCode) {
    if let Some(Acting { act, .. }) = begin(server, call, None) {
        server.audit.not_done(&act, Outcome::Refused, status.as_str());
    }
}

/// Adds the entry of a person who logged in or out, or of a login that is refused with a code.
pub(super) async fn person(
    server: &ServerState,
    call: &Call,
    (action, subject): (&str, Option<&str>),
    refused: Option<StatusCode>,
) -> Result<(), engine::documents::Error> {
    if !server.audit.is_on() {
        return Ok(());
    }
    let act = Arc::new(Act {
        actor: Actor {
            subject: subject.unwrap_or("anonymous").into(),
            authentication: if subject.is_some() { "session" } else { "none" }.into(),
            ..Actor::default()
        },
        address: call.peer.map(|address| address.to_string()),
        request: Some(uuid::Uuid::now_v7().simple().to_string()),
        action: action.into(),
        ..Act::default()
    });
    match refused {
        None => server.audit.done(&act).await,
        Some(status) => {
            server.audit.not_done(&act, Outcome::Refused, status.as_str());
            Ok(())
        }
    }
}

fn header(call: &Call) -> Option<String> {
    let text = std::str::from_utf8(call.headers.get(REASON)?.as_bytes()).ok()?;
    bounded(text)
}

/// A reason within the limit; `None` if it is empty.
fn bounded(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(REASON_CHARS_MAX).collect())
}

/// The route of a request by its method and its path.
fn named(call: &Call) -> Named {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["orchestration", "v1", rest @ ..] => own(&call.method, rest),
        ["tmf-api", api, version, rest @ ..] => standard(api, version, rest),
        _ => Named { route: "other", subject: None, reason: None },
    }
}

fn own(method: &Method, path: &[&str]) -> Named {
    let Ok(operation) = orchestration::operation_at(method, path) else {
        return Named { route: "unknown", subject: None, reason: None };
    };
    let pieces: Vec<&str> = operation.path.split('/').filter(|piece| !piece.is_empty()).collect();
    let first = pieces.iter().position(|piece| piece.starts_with('{'));
    let resource = pieces[..first.unwrap_or(pieces.len())].join("/");
    // The address of a callback is what proves that a client may answer.
    let first = first.filter(|_| operation.route != "callbacks");
    let id = first.map(|at| match pieces[at].ends_with("...}") {
        true => path.get(at..).unwrap_or_default().join("/"),
        false => path.get(at).copied().unwrap_or_default().into(),
    });
    let subject = Some(Subject { resource, id });
    let has_reason = operation.body.attributes().iter().any(|known| known.name == "reason");
    Named { route: operation.route, subject, reason: has_reason.then_some("reason") }
}

fn standard(api: &str, version: &str, path: &[&str]) -> Named {
    let unknown = Named { route: "unknown", subject: None, reason: None };
    let (Some(version), Some((name, rest))) = (Version::parse(version), path.split_first()) else {
        return unknown;
    };
    let id = (!rest.is_empty()).then(|| rest.join("/"));
    if *name == "hub" {
        let subject = Some(Subject { resource: "hub".into(), id });
        return Named { route: "hub", subject, reason: None };
    }
    let Some(served) = resources::find(api, version, name) else { return unknown };
    let route = served.resource.key;
    let reason = route.starts_with("cancel").then_some("cancellationReason");
    Named { route, subject: Some(Subject { resource: route.into(), id }), reason }
}
