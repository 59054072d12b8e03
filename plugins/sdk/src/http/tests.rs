use wasip2::http::types::{ErrorCode, Scheme};

use super::url::Url;
use super::{Error, Response, Timeouts};

#[test]
fn an_address_is_taken_apart() {
    let url = Url::parse("http://olt-1.example:8080/restconf/data?depth=1#top").unwrap();
    assert!(matches!(url.scheme, Scheme::Http));
    assert_eq!(url.authority, "olt-1.example:8080");
    assert_eq!(url.path_and_query, "/restconf/data?depth=1");
    assert_eq!(Url::parse("https://[::1]:8443").unwrap().path_and_query, "/");
    assert_eq!(Url::parse("https://host?a=b").unwrap().path_and_query, "/?a=b");
}

#[test]
fn an_address_that_would_be_misread_is_refused() {
    let bad = ["olt-1/x", "ftp://olt-1", "http://", "http:///x", "http://me:secret@olt-1/"];
    for text in bad.into_iter().chain(["http://olt-1/a b", "http://olt-1/\r\nX-Evil: 1"]) {
        assert!(matches!(Url::parse(text), Err(Error::Url { .. })), "{text}");
    }
}

#[test]
fn errors_of_the_host_are_sorted_by_how_a_plugin_reacts() {
    let of = |code| Error::of(&code, "http://olt-1");
    assert_eq!(of(ErrorCode::HttpRequestDenied), Error::Denied { target: "http://olt-1".into() });
    let refused = of(ErrorCode::ConnectionRefused);
    assert_eq!(refused.to_string(), "no connection: ConnectionRefused");
    assert!(matches!(of(ErrorCode::HttpResponseTimeout), Error::Timeout { .. }));
    assert!(matches!(of(ErrorCode::ConnectionTerminated), Error::Broken { .. }));
    assert!(matches!(of(ErrorCode::HttpRequestUriInvalid), Error::Request { .. }));
}

#[test]
fn timeouts_strike_before_the_deadline_does() {
    for deadline_ms in [0, 1, 100, 5_000, 60_000, u32::MAX] {
        let timeouts = Timeouts::within(deadline_ms);
        let (first, most) = (u64::from(timeouts.first_byte_ms), u64::from(deadline_ms));
        assert!(first + u64::from(timeouts.connect_ms) <= most, "{deadline_ms} {timeouts:?}");
    }
}

#[test]
fn a_header_is_found_whatever_its_case() {
    let headers = vec![("retry-after".into(), "3".into())];
    let response = Response { status: 429, headers, body: b"{}".to_vec() };
    assert_eq!(response.header("Retry-After"), Some("3"));
    assert!(!response.is_success());
    assert!(response.json().unwrap().is_object());
}
