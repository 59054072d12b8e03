//! Answers that are as they should be.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION, WARNING};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value;

/// A JSON document.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    with_type(status, "application/json", body.to_string())
}

/// A text.
pub(super) fn text(body: String) -> Response {
    with_type(StatusCode::OK, "text/plain; charset=utf-8", body)
}

/// A document with the place where it is found from now on.
pub(super) fn located(status: StatusCode, location: &str, body: &Value) -> Response {
    let mut response = json(status, body);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// An answer that tells what was kept and not understood, or not acted on: a `Warning` for each
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

/// The mark of an answer that rests on a commit of its own, made after all looks at the store.
#[derive(Clone, Copy)]
struct Committed;

/// An answer that needs to wait for no other commit than the one it was made of.
pub(super) fn committed(mut response: Response) -> Response {
    response.extensions_mut().insert(Committed);
    response
}

/// Whether everything that an answer rests on is durable.
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
