//! The way of a browser to the login.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Problem;

impl Problem {
    /// A browser without a session logs in first, and comes back.
    pub(in crate::http) fn login(base: &str, target: &str) -> Self {
        let target = utf8_percent_encode(target, NON_ALPHANUMERIC);
        let mut problem = Self::new(StatusCode::SEE_OTHER, "see other", "log in first");
        let location = HeaderValue::from_str(&format!("{base}/login?return={target}"));
        problem.0.header = location.ok().map(|location| (LOCATION, location));
        problem
    }
}
