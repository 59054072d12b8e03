//! Requests that a browser sends with the cookie of a session: other pages can make it send some. A cookie
//! proves nothing for what pages of other origins ask, nor for the answers of elements. What changes something
//! must come from a page of this server, and have the token that only such a page can read.

use axum::http::header::{AUTHORIZATION, ORIGIN};
use axum::http::{HeaderMap, Method};

use super::call::Call;
use super::changes::is_safe;
use crate::access::secret::is_code_of;

/// The header with the token of a session.
pub(super) const TOKEN: &str = "x-csrf-token";

/// The purpose of the code of a session.
pub(super) const PURPOSE: &str = "csrf";

/// The headers in which browsers tell where a request comes from, and what for.
const SITE: &str = "sec-fetch-site";
const MODE: &str = "sec-fetch-mode";

/// Whether a cookie may prove who makes a request.
pub(super) fn may_prove(call: &Call) -> bool {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let is_callback = matches!(path.as_slice(), ["orchestration", "v1", "callbacks", ..]);
    // A browser may show a page here that another one leads to; it cannot read it.
    !is_callback && (!is_foreign(&call.headers) || is_navigation(&call.method, &call.headers))
}

/// Whether a request of a session is meant by a page of this server: it only reads, or it has an origin and
/// the token. An origin that is not of this server was refused before.
pub(super) fn is_meant(call: &Call, secret: &str) -> bool {
    if is_safe(&call.method) {
        return true;
    }
    let mut tokens = call.headers.get_all(TOKEN).iter();
    let token = match (tokens.next(), tokens.next()) {
        (Some(token), None) => token.to_str().unwrap_or_default(),
        _ => return false,
    };
    is_of_own_page(&call.headers) && is_code_of(token, secret, PURPOSE)
}

/// Whether a request tells that a page of this server sent it. An `Origin` that is not of this server was
/// refused before.
pub(super) fn is_of_own_page(headers: &HeaderMap) -> bool {
    let is_same = headers.get(SITE).is_some_and(|site| site == "same-origin");
    (headers.contains_key(ORIGIN) || is_same) && !is_foreign(headers)
}

/// Whether a person looks at the answer: the first page, or any that a browser navigates to.
pub(super) fn is_page(call: &Call) -> bool {
    let is_read = matches!(call.method, Method::GET | Method::HEAD);
    is_read
        && call.wants_page()
        && !call.headers.contains_key(AUTHORIZATION)
        && (call.path.is_empty() || is_navigation(&call.method, &call.headers))
}

fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    is_safe(method) && headers.get(MODE).is_some_and(|mode| mode == "navigate")
}

fn is_foreign(headers: &HeaderMap) -> bool {
    headers.get(SITE).is_some_and(|site| site != "same-origin" && site != "none")
}
