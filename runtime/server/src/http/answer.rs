//! Answers that are as they should be.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
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

/// A body of any type.
pub(super) fn with_type(status: StatusCode, media_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
