//! A request as the handlers see it: its path in pieces, its query, where hrefs begin.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, Method};
use model::Timestamp;
use serde_json::Value;

use super::origin::Origins;
use super::problem::Problem;
use super::query::Query;
use super::serve::Closing;
use super::{Limits, body};

/// The header with which a client names a submission, to repeat it safely.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// So long a client's name for a submission may be.
const IDEMPOTENCY_KEY_MAX: usize = 255;

/// So long it may be with its scope: it becomes a key of the store, behind a prefix.
const SUBMISSION_BYTES_MAX: usize = engine::store::KEY_BYTES_MAX - 16;

/// A request.
pub(super) struct Call {
    pub(super) method: Method,
    /// The pieces of the path, decoded; empty ones left out.
    pub(super) path: Vec<String>,
    pub(super) query: Query,
    pub(super) headers: HeaderMap,
    /// What hrefs begin with.
    pub(super) base: String,
    /// Told when the server shuts down.
    pub(super) closing: Closing,
    /// Behind a lock that is never taken: a body alone cannot be shared between threads.
    body: Mutex<Body>,
}

impl Call {
    /// Takes a request apart.
    pub(super) fn read(request: Request, origins: &Origins) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let base = origins.base_of(&parts.headers, parts.version)?;
        let path = parts.uri.path().split('/').filter(|piece| !piece.is_empty());
        let path = path.map(decode_piece).collect::<Result<_, _>>()?;
        Ok(Self {
            method: parts.method,
            path,
            query: Query::parse(parts.uri.query().unwrap_or_default())?,
            headers: parts.headers,
            base,
            closing: parts.extensions.remove().unwrap_or_default(),
            body: Mutex::new(body),
        })
    }

    /// The body: JSON, whatever it says.
    pub(super) async fn json(&mut self, limits: Limits) -> Result<Value, Problem> {
        let body = self.take_body();
        body::json(&self.headers, body, limits).await
    }

    /// The body, where there is one.
    pub(super) async fn json_or_nothing(
        &mut self,
        limits: Limits,
    ) -> Result<Option<Value>, Problem> {
        let body = self.take_body();
        body::json_or_nothing(&self.headers, body, limits).await
    }

    /// The body as it comes in.
    pub(super) fn take_body(&mut self) -> Body {
        std::mem::take(self.body.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the client calls this submission, within a scope: two resources never share a name.
    pub(super) fn submission(&self, scope: &str) -> Result<Option<String>, Problem> {
        let Some(key) = self.headers.get(IDEMPOTENCY_KEY) else {
            return Ok(None);
        };
        let key = key.to_str().unwrap_or_default().trim();
        let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > IDEMPOTENCY_KEY_MAX || !is_visible {
            let message = format!("is 1 to {IDEMPOTENCY_KEY_MAX} visible ASCII characters");
            return Err(Problem::bad(message).about("Idempotency-Key"));
        }
        let submission = format!("{scope}/{key}");
        if submission.len() > SUBMISSION_BYTES_MAX {
            let message = format!("together with `{scope}` it is longer than can be kept");
            return Err(Problem::bad(message).about("Idempotency-Key"));
        }
        Ok(Some(submission))
    }

    /// Whether the client would rather have a text than JSON.
    pub(super) fn wants_text(&self) -> bool {
        let accept = self.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.trim_start().starts_with("text/plain"))
    }
}

/// A piece of a path without its escapes.
fn decode_piece(piece: &str) -> Result<String, Problem> {
    match percent_encoding::percent_decode_str(piece).decode_utf8() {
        Ok(Cow::Borrowed(text)) => Ok(text.to_string()),
        Ok(Cow::Owned(text)) => Ok(text),
        Err(_) => Err(Problem::bad("the path is no UTF-8")),
    }
}

/// A time as answers write it.
pub(super) fn time(at: Timestamp) -> Value {
    Value::String(at.to_string())
}
