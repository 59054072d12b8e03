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
use tokio::sync::Semaphore;

use super::call::{Call, Gone};
use super::problem::Problem;
use super::{Door, answer_to};

/// Max requests that change something at one time; more wait, and are given up with their client.
const CHANGES_MAX: usize = 1_024;

/// Max imports at one time. Each reads its body as it goes, for as long as that takes.
const IMPORTS_MAX: usize = 16;

/// The places of requests that change something.
pub(super) struct Changes {
    places: Arc<Semaphore>,
    imports: Arc<Semaphore>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(CHANGES_MAX)),
            imports: Arc::new(Semaphore::new(IMPORTS_MAX)),
        }
    }
}

/// Whether a method only reads (RFC 9110, 9.2.1).
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Carries a request out to its end.
pub(super) async fn carry_out(door: Arc<Door>, mut call: Call, begun: Instant) -> Response {
    let place = match is_import(&call) {
        true => Arc::clone(&door.changes.imports).try_acquire_owned().map_err(|_| {
            let message = format!("{IMPORTS_MAX} imports come in already: try again later");
            Problem::unavailable(message)
        }),
        false => {
            call.receive(door.limits, &door.bodies).await;
            // The semaphore is never closed.
            let place = Arc::clone(&door.changes.places).acquire_owned().await;
            place.map_err(|error| Problem::ours(&error))
        }
    };
    let place = match place {
        Ok(place) => place,
        Err(problem) => {
            let response = problem.into_response();
            door.metrics.count("refused", &call.method, response.status(), begun.elapsed());
            return response;
        }
    };
    let (here, gone) = Gone::new();
    call.hand_over(Some(place), gone);
    let task = tokio::spawn(answer_to(door, call, begun));
    let response = task.await.unwrap_or_else(|error| Problem::ours(&error).into_response());
    drop(here);
    response
}

/// Whether a request brings in what is read bit by bit: an import is how far it is at any time, and
/// goes on after the last group that is on disk.
fn is_import(call: &Call) -> bool {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    call.method == Method::PUT && matches!(path.as_slice(), ["orchestration", "v1", "imports", _])
}
