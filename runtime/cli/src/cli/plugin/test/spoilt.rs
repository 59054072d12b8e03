//! Answers that are wrong.

use super::fault::{self, Fault};
use super::wire::Reply;

/// Bytes of the answer that is too large.
const HUGE_BYTES: usize = 8 << 20;

/// Spoils an answer, if the fault is one of answers.
pub(super) fn spoil(reply: &mut Reply, fault: Fault) {
    let has_body = reply.status != 204;
    match fault {
        Fault::Garbage => {
            retype(reply, "text/html");
            reply.body = b"<html><body>Gateway: welcome</body></html>".to_vec();
        }
        Fault::CutJson => {
            retype(reply, "application/json");
            reply.body.truncate(reply.body.len() / 2);
            if reply.body.is_empty() {
                reply.body = b"{\"half".to_vec();
            }
        }
        Fault::WrongType => return retype(reply, "text/plain"),
        Fault::Huge => reply.body = vec![b' '; HUGE_BYTES],
        Fault::EmptyAnswer => {
            retype(reply, "application/json");
            reply.body = b"{}".to_vec();
        }
        Fault::Slow
        | Fault::TimeoutBefore
        | Fault::TimeoutAfter
        | Fault::LostAnswer
        | Fault::Truncated
        | Fault::Duplicate
        | Fault::Refused
        | Fault::TooMany
        | Fault::Unavailable
        | Fault::ServerError
        | Fault::Unauthorized
        | Fault::Forbidden
        | Fault::Conflict
        | Fault::BadRequest => return,
    }
    if !has_body {
        reply.status = 200;
    }
}

/// An answer with a message.
pub(super) fn message(status: u16, text: &str) -> Reply {
    let headers = vec![("content-type".into(), "application/json".into())];
    Reply { status, headers, body: format!("{{\"message\":\"{text}\"}}").into_bytes() }
}

/// The answer of an element that refuses.
pub(super) fn refusal(status: u16) -> Reply {
    let mut reply = message(status, "the test kit disturbs this request");
    if matches!(status, 429 | 503) {
        let seconds = fault::RETRY_AFTER_MS / 1_000;
        reply.headers.push(("retry-after".into(), seconds.to_string()));
    }
    reply
}

fn retype(reply: &mut Reply, media: &str) {
    reply.headers.retain(|(name, _)| name != "content-type");
    reply.headers.push(("content-type".into(), media.into()));
}
