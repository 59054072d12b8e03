//! Responses of handlers.

use axum::body::Body;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, WARNING};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value;

use super::headers::policy_of_page;

/// A JSON document.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    with_type(status, "application/json", body.to_string())
}

pub(super) fn text(body: String) -> Response {
    with_type(StatusCode::OK, "text/plain; charset=utf-8", body)
}

/// A page, which runs no script and uses no style but its own.
pub(super) fn page(body: String) -> Response {
    let policy = policy_of_page(&body);
    let mut response = with_type(StatusCode::OK, "text/html; charset=utf-8", body);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// A document with its new location.
pub(super) fn located(status: StatusCode, location: &str, body: &Value) -> Response {
    let mut response = json(status, body);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// A response with a `Warning` for each attribute that was stored without an effect
/// (RFC 7234, 5.5).
pub(super) fn warned<T: ToString>(mut response: Response, told: &[T]) -> Response {
    for entry in told {
        let visible =
            |c: char| if matches!(c, ' '..='~') && c != '"' && c != '\\' { c } else { '?' };
        let text: String = entry.to_string().chars().map(visible).collect();
        if let Ok(warning) = HeaderValue::from_str(&format!("299 ferrule \"{text}\"")) {
            response.headers_mut().append(WARNING, warning);
        }
    }
    response
}

/// The mark of a response that depends on a commit of its own, made after all reads of the store.
#[derive(Clone, Copy)]
struct Committed;

/// A response that needs to wait for no other commit than its own.
pub(super) fn committed(mut response: Response) -> Response {
    response.extensions_mut().insert(Committed);
    response
}

/// Whether everything that a response depends on is durable.
pub(super) fn is_committed(response: &Response) -> bool {
    response.extensions().get::<Committed>().is_some()
}

/// A body of any type.
pub(super) fn with_type(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
