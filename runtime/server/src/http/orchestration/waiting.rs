//! Clients that wait for the end of a fulfilment.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use model::{Fulfilment, FulfilmentId};

use super::missing;
use crate::http::ServerState;
use crate::http::call::Call;
use crate::http::problem::Problem;

/// Max wait for the end of a fulfilment, in seconds.
const WAIT_S_MAX: u64 = 300;

/// How long a client wants to wait for the end.
pub(super) fn wanted(call: &Call) -> Result<Option<Duration>, Problem> {
    call.query.get("wait").map(wait).transpose()
}

/// A fulfilment when it has ended, with 200, or as it is after some time, with 202.
pub(super) async fn waited(
    server: &ServerState,
    call: &mut Call,
    id: &FulfilmentId,
    wait: Duration,
) -> Result<(StatusCode, Arc<Fulfilment>), Problem> {
    // The run is on disk. Waiting for its end changes nothing and must not block other requests.
    call.leave_place();
    let ended = tokio::select! {
        // If both are ready, the client gets the end.
        biased;
        ended = server.engine.ended(id) => ended?,
        () = tokio::time::sleep(wait) => None,
        () = call.closing.closed() => None,
        () = call.gone.left() => None,
    };
    match ended {
        Some(ended) => Ok((StatusCode::OK, ended)),
        None => {
            let open = server.engine.get(id).await?;
            Ok((StatusCode::ACCEPTED, open.ok_or_else(|| missing(id.as_str()))?))
        }
    }
}

/// A time to wait: `30s`, `500ms` or `5m`; a number alone is in seconds.
fn wait(text: &str) -> Result<Duration, Problem> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: Option<u64> = digits.parse().ok();
    let wait = number.and_then(|number| match &text[digits.len()..] {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    });
    wait.filter(|wait| *wait <= Duration::from_secs(WAIT_S_MAX)).ok_or_else(|| {
        let message = format!("`wait` is a time such as `30s`, at most `{WAIT_S_MAX}s`");
        Problem::bad(message).about("wait")
    })
}
