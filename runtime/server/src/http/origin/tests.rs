use axum::http::{HeaderName, HeaderValue};

use super::*;

fn base(origins: &Origins, headers: &[(HeaderName, &'static str)]) -> Option<String> {
    let headers = headers.iter().cloned();
    let headers: HeaderMap =
        headers.map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
    origins.base_of(&headers).ok()
}

#[test]
fn a_request_is_meant_for_this_machine() {
    let origins = Origins::local();
    for host in ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
        assert_eq!(base(&origins, &[(HOST, host)]), Some(format!("http://{host}")));
    }
    for host in ["", "evil.example", "127.0.0.1.evil.example", "localhost:80:80", "localhost:x"] {
        assert_eq!(base(&origins, &[(HOST, host)]), None, "{host}");
    }
}

#[test]
fn a_page_of_another_site_is_refused() {
    let origins = Origins::local();
    let own = [(HOST, "localhost:1"), (ORIGIN, "http://localhost:3000")];
    assert!(base(&origins, &own).is_some());
    for origin in ["http://evil.example", "null", "http://localhost.evil.example"] {
        assert_eq!(base(&origins, &[(HOST, "localhost:1"), (ORIGIN, origin)]), None, "{origin}");
    }
}

#[test]
fn a_public_url_is_what_hrefs_begin_with() {
    let origins = Origins::public("https://ferrule.example/x/");
    let public = Some("https://ferrule.example/x".to_string());
    assert_eq!(base(&origins, &[(HOST, "ferrule.example")]), public);
    assert_eq!(base(&origins, &[(HOST, "localhost:8080")]), public);
    assert_eq!(base(&origins, &[(HOST, "other.example")]), None);
}
