//! Entity tags: the revision of a document, so that a client can name the revision that it read
//! (RFC 9110, 13.1; TMF630).

use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue};

use super::problem::Problem;

/// The tag of a revision.
pub(super) fn of(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// Adds the tag of a revision to an answer.
pub(super) fn add(headers: &mut HeaderMap, tag: &str) {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, tag);
    }
}

/// Refuses a change of another revision than the client read.
pub(super) fn check_match(headers: &HeaderMap, tag: &str) -> Result<(), Problem> {
    let wanted = headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let wanted: Vec<&str> = wanted.flat_map(|value| value.split(',')).map(str::trim).collect();
    if wanted.is_empty() || wanted.iter().any(|wanted| *wanted == "*" || *wanted == tag) {
        return Ok(());
    }
    let message = format!("it is {tag} now: read it again, and change what you read");
    Err(Problem::precondition(message).about("If-Match"))
}

/// Whether a client names the revision it wants to change.
pub(super) fn is_conditional(headers: &HeaderMap) -> bool {
    let wanted = headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut wanted = wanted.flat_map(|value| value.split(',')).map(str::trim).peekable();
    wanted.peek().is_some() && !wanted.any(|wanted| wanted == "*")
}

/// Whether a client has the current revision already.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}
