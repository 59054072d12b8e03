use super::{Error, Response, Timeouts, url};

#[test]
fn the_target_of_an_address_is_its_scheme_host_and_port() {
    let target = |text| url::target(text).unwrap();
    let restconf = "http://olt-1.example:8080/restconf/data?depth=1#top";
    assert_eq!(target(restconf), "http://olt-1.example:8080");
    assert_eq!(target("https://[::1]:8443"), "https://[::1]:8443");
    assert_eq!(target("https://host?a=b"), "https://host");
}

#[test]
fn an_address_that_would_be_misread_is_refused() {
    let bad = ["olt-1/x", "ftp://olt-1", "http://", "http:///x", "http://me:secret@olt-1/"];
    for text in bad.into_iter().chain(["http://olt-1/a b", "http://olt-1/\r\nX-Evil: 1"]) {
        assert!(matches!(url::target(text), Err(Error::Url { .. })), "{text}");
    }
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
