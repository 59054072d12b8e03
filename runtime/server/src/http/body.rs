//! Reads what clients send: no more than the limit, and only JSON.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;

use super::Limits;
use super::problem::Problem;
use crate::json::parse;

/// A body must have arrived within this time.
pub(super) const BODY_WAIT: Duration = Duration::from_secs(60);

/// Reads a body that must be there.
pub(super) async fn json(
    headers: &HeaderMap,
    body: Body,
    limits: Limits,
) -> Result<Value, Problem> {
    match json_or_nothing(headers, body, limits).await? {
        Some(value) => Ok(value),
        None if is_json(headers) => Err(Problem::bad("the body is empty: send a JSON document")),
        None => Err(not_json()),
    }
}

/// Reads a body that may be empty.
pub(super) async fn json_or_nothing(
    headers: &HeaderMap,
    body: Body,
    limits: Limits,
) -> Result<Option<Value>, Problem> {
    let bytes = bytes(headers, body, limits).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if !is_json(headers) {
        return Err(not_json());
    }
    Ok(parse(&bytes).map(Some)?)
}

async fn bytes(headers: &HeaderMap, body: Body, limits: Limits) -> Result<Bytes, Problem> {
    let max = limits.body_bytes_max;
    let too_large = || Problem::too_large(format!("a body may have {max} bytes"));
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > max) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_WAIT, Limited::new(body, max).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::bad("the body ended early")),
        Err(_) => Err(Problem::late("the body did not arrive in time")),
    }
}

fn not_json() -> Problem {
    Problem::media_type("send JSON, as `application/json`")
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type =
        media_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    let name = media_type.to_ascii_lowercase();
    name == "application/json" || (name.starts_with("application/") && name.ends_with("+json"))
}
