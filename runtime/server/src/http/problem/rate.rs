//! The refusal of requests that come too early.

use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;

use super::Problem;
use crate::http::rates::Wait;

impl Problem {
    /// Too many requests in a while, with how long to wait.
    pub(in crate::http) fn too_fast(wait: Wait) -> Self {
        let mut problem = Self::too_many("send fewer requests, or wait");
        problem.0.header = Some((RETRY_AFTER, HeaderValue::from(wait.seconds())));
        problem
    }
}
