//! Requests that change something are carried out to their end, whether or not the client waits
//! for the answer. The body is read first: a client that vanishes before it has sent everything
//! changes nothing. From then on the work belongs to a task of its own, and the connection only
//! waits for it. The effects of a commit are carried out in that task too, so they do not depend on
//! the client.
//!
//! The server stops when these tasks have ended: each holds a handle of the engine, whose loop runs
//! until all are dropped.

use std::sync::Arc;
use std::time::Instant;

use axum::http::Method;
use axum::response::{IntoResponse as _, Response};

use super::body::{FORM_BYTES_MAX, Max};
use super::call::{Call, Gone};
use super::metrics::MethodName;
use super::places::Places;
use super::problem::Problem;
use super::{ServerState, answer_to};

/// Max requests that change something at one time; more wait, and are dropped with their client.
const CHANGES_MAX: usize = 1_024;

/// Max bytes of the answer of an element, with the spaces between its values.
const CALLBACK_BYTES_MAX: usize = 256 << 10;

/// Max imports at one time. Each reads its body while it runs.
const IMPORTS_MAX: usize = 16;

/// The places of requests that change something.
pub(super) struct Changes {
    places: Places,
    imports: Places,
}

impl Changes {
    /// All places, of which one tenant may have a share beside others.
    pub(super) fn new(share_percent: u32) -> Self {
        Self {
            places: Places::new(CHANGES_MAX, share_percent),
            imports: Places::new(IMPORTS_MAX, share_percent),
        }
    }

    /// The same places for another tenant.
    pub(super) fn for_tenant(&self, share_percent: u32) -> Self {
        Self {
            places: self.places.for_tenant(share_percent),
            imports: self.imports.for_tenant(share_percent),
        }
    }
}

/// Whether a method only reads (RFC 9110, 9.2.1).
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Carries a request out to its end.
pub(super) async fn carry_out(
    server: Arc<ServerState>,
    mut call: Call,
    begun: Instant,
) -> Response {
    let place = match is_import(&call) {
        true => server.changes.imports.try_take(1).ok_or_else(|| {
            let message =
                format!("as many of {IMPORTS_MAX} imports come in as may: try again later");
            Problem::unavailable(message)
        }),
        false => {
            let max = max(&server, &call);
            call.receive(max, &server.bodies).await;
            Ok(server.changes.places.take().await)
        }
    };
    let place = match place {
        Ok(place) => place,
        Err(problem) => {
            let response = problem.into_response();
            let method = MethodName::of(&call.method);
            server.metrics.count("refused", method, response.status(), begun.elapsed());
            return response;
        }
    };
    let (here, gone) = Gone::new();
    call.hand_over(Some(place), gone);
    let task = tokio::spawn(answer_to(server, call, begun));
    let response = task.await.unwrap_or_else(|error| Problem::ours(&error).into_response());
    drop(here);
    response
}

/// Max bytes of the body of a request. A plugin may be larger than others; what strangers send, who log in, and what
/// elements answer is small, and takes no room of clients with an identity.
fn max(server: &ServerState, call: &Call) -> Max {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let usual = server.limits.body_bytes_max;
    let at_most = |bytes| if bytes < usual { Max::Fixed(bytes) } else { Max::Set(usual) };
    match path.as_slice() {
        ["orchestration", "v1", "plugins", ..] if call.method == Method::PUT => {
            Max::Fixed(server.plugins.host.plugin_bytes_max())
        }
        ["orchestration", "v1", "callbacks", ..] => at_most(CALLBACK_BYTES_MAX),
        ["login" | "logout", ..] => at_most(FORM_BYTES_MAX),
        _ => Max::Set(usual),
    }
}

/// Whether a request is read while it is carried out: an import can be interrupted at any time, and
/// continues after the last group on disk.
fn is_import(call: &Call) -> bool {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    call.method == Method::PUT && matches!(path.as_slice(), ["orchestration", "v1", "imports", _])
}
