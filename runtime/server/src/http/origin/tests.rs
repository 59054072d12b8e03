use axum::http::{HeaderName, HeaderValue};

use super::*;

fn base(origins: &Origins, headers: &[(HeaderName, &'static str)]) -> Option<String> {
    let headers = headers.iter().cloned();
    let headers: HeaderMap =
        headers.map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
    origins.base_of(&named(&headers, Version::HTTP_11, &Uri::default())).ok()
}

fn named<'a>(headers: &'a HeaderMap, version: Version, uri: &'a Uri) -> Named<'a> {
    Named { headers, version, uri, is_secure: false }
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
fn a_page_of_another_site_port_or_scheme_is_refused() {
    let origins = Origins::local();
    let page = |host, origin| base(&origins, &[(HOST, host), (ORIGIN, origin)]);
    assert!(page("localhost:1", "http://localhost:1").is_some());
    assert!(page("localhost", "http://localhost:80").is_some());
    for origin in [
        "http://evil.example",
        "null",
        "",
        "http://localhost.evil.example",
        "http://localhost:3000",
        "http://localhost",
        "https://localhost:1",
        "x://localhost:1",
        "http://127.0.0.1:1",
    ] {
        assert_eq!(page("localhost:1", origin), None, "{origin}");
    }
    let public = Origins::public("https://ferrule.example/x");
    let page = |origin| base(&public, &[(HOST, "127.0.0.1:8080"), (ORIGIN, origin)]);
    assert!(page("https://ferrule.example").is_some());
    assert!(page("https://FERRULE.example:443").is_some());
    assert_eq!(page("http://ferrule.example"), None);
    assert_eq!(page("https://ferrule.example:444"), None);
}

#[test]
fn a_request_names_one_host() {
    let origins = Origins::local();
    let headers = |hosts: &[&'static str]| -> HeaderMap {
        hosts.iter().map(|host| (HOST, HeaderValue::from_static(host))).collect()
    };
    let status = |hosts: &[&'static str], version| {
        let (headers, uri) = (headers(hosts), Uri::default());
        let taken = origins.base_of(&named(&headers, version, &uri));
        taken.map_err(|problem| axum::response::IntoResponse::into_response(problem).status())
    };
    let bad = Err(axum::http::StatusCode::BAD_REQUEST);
    assert_eq!(status(&[], Version::HTTP_11), bad);
    assert_eq!(status(&["localhost", "localhost"], Version::HTTP_11), bad);
    assert_eq!(status(&["localhost", "localhost"], Version::HTTP_10), bad);
    assert_eq!(status(&[], Version::HTTP_10), Ok("http://localhost".into()));
}

#[test]
fn a_public_url_is_what_hrefs_begin_with() {
    let origins = Origins::public("https://ferrule.example/x/");
    let public = Some("https://ferrule.example/x".to_string());
    assert_eq!(base(&origins, &[(HOST, "ferrule.example")]), public);
    assert_eq!(base(&origins, &[(HOST, "localhost:8080")]), public);
    assert_eq!(base(&origins, &[(HOST, "other.example")]), None);
}

#[test]
fn by_tls_the_scheme_is_https_in_hrefs_and_origins() {
    let origins = Origins::local();
    let uri = Uri::from_static("https://localhost:8443/healthz");
    let base = |origin: &'static str| {
        let headers = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))]);
        let named = Named { is_secure: true, ..named(&headers, Version::HTTP_2, &uri) };
        origins.base_of(&named).ok()
    };
    assert_eq!(base("https://localhost:8443"), Some("https://localhost:8443".into()));
    for foreign in ["http://localhost:8443", "https://localhost", "https://evil.example", "null"] {
        assert_eq!(base(foreign), None, "{foreign}");
    }
}

#[test]
fn the_authority_of_a_request_is_its_host() {
    let origins = Origins::local().at("10.0.0.5:8443".parse().unwrap());
    for (uri, host, expected) in [
        ("https://localhost:1/x", None, Ok("http://localhost:1")),
        ("https://localhost:1/x", Some("LOCALHOST:1"), Ok("http://localhost:1")),
        ("https://10.0.0.5:8443/x", None, Ok("http://10.0.0.5:8443")),
        ("https://localhost:1/x", Some("localhost"), Err(400)),
        ("https://evil.example/x", Some("localhost"), Err(400)),
        ("https://evil.example/x", None, Err(421)),
        ("https://localhost@evil.example/x", None, Err(421)),
        ("https://user@localhost/x", None, Err(421)),
        ("https://10.0.0.6:8443/x", None, Err(421)),
        ("/x", None, Err(400)),
    ] {
        let headers = host.map(|host| (HOST, HeaderValue::from_static(host)));
        let (headers, uri) = (HeaderMap::from_iter(headers), Uri::from_static(uri));
        let base = origins.base_of(&named(&headers, Version::HTTP_2, &uri));
        let base = base.map_err(|problem| {
            axum::response::IntoResponse::into_response(problem).status().as_u16()
        });
        assert_eq!(base, expected.map(str::to_string), "{uri} {host:?}");
    }
}
