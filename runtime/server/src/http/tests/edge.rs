//! The edge: headers of every answer, and rates by address and identity.

use std::net::IpAddr;
use std::num::NonZeroU32;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::super::serve::Arrival;
use super::super::{Edge, router_behind};
use super::bench::{Bench, LIMITS};
use super::login::people;
use crate::access::cookie::Cookies;
use crate::access::{Access, Authentication, Roles};
use crate::config::{Rate, RateLimits};

/// A request: the address of its client, its path, and its headers.
type Asked<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// A client at an address, of a server with an edge.
async fn send(
    bench: &Bench,
    edge: Edge<'_>,
    requests: &[Asked<'_>],
) -> Vec<(StatusCode, HeaderMap)> {
    let router = behind(bench, edge);
    let service = TowerToHyperService::new(router);
    let mut answers = Vec::new();
    for (from, path, headers) in requests {
        let peer: IpAddr = from.parse().unwrap();
        let arrival = Arrival { peer, is_secure: true, is_expired: false };
        let mut request = Request::get(*path).header("host", "127.0.0.1").extension(arrival);
        for (name, value) in *headers {
            request = request.header(*name, *value);
        }
        let answer = service.call(request.body(Body::empty()).unwrap()).await.unwrap();
        answers.push((answer.status(), answer.headers().to_owned()));
    }
    answers
}

fn behind(bench: &Bench, edge: Edge<'_>) -> axum::Router {
    let (services, events) = (bench.services.clone(), bench.events.clone());
    router_behind(services, events, LIMITS, edge, Vec::new())
}

fn codes(answers: &[(StatusCode, HeaderMap)]) -> Vec<u16> {
    answers.iter().map(|(status, _)| status.as_u16()).collect()
}

fn rate(per_second: u32, burst: u32) -> Option<Rate> {
    let number = |number| NonZeroU32::new(number).unwrap();
    Some(Rate { per_second: number(per_second), burst: number(burst) })
}

#[tokio::test]
async fn every_answer_has_the_headers_of_the_edge() {
    let bench = Bench::new();
    for (path, headers, status) in [
        ("/", &[("accept", "text/html")][..], 200),
        ("/", &[], 200),
        ("/healthz", &[], 200),
        ("/tmf-api/productCatalogManagement/v4/productOffering", &[], 200),
        ("/tmf-api/productCatalogManagement/v4/productOffering/none", &[], 404),
        ("/nothing", &[], 404),
        ("/", &[("origin", "https://evil.example")], 421),
    ] {
        let answer = send(&bench, Edge::default(), &[("127.0.0.1", path, headers)]).await;
        let (code, headers) = &answer[0];
        assert_eq!(code.as_u16(), status, "{path}");
        // With no referrer at all, a form of the page would have no origin either.
        let is_page = !headers["content-type"].to_str().unwrap().contains("json");
        let referrer = if is_page { "same-origin" } else { "no-referrer" };
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", referrer),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(headers[name], value, "{path} {name}");
        }
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
    let plain = bench.get("/healthz").await;
    assert_eq!(plain.header("strict-transport-security"), "");
    for (url, host, expected) in [
        ("https://ferrule.example.com", "ferrule.example.com", true),
        ("https://ferrule.example.com", "localhost", false),
        ("http://ferrule.example.com", "ferrule.example.com", false),
    ] {
        let router = behind(&bench, Edge { public_url: Some(url), ..Edge::default() });
        let request = Request::get("/healthz").header("host", host).body(Body::empty()).unwrap();
        let answer = TowerToHyperService::new(router).call(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let is_there = answer.headers().contains_key("strict-transport-security");
        assert_eq!(is_there, expected, "{url} {host}");
    }
    let router = behind(&bench, Edge::default());
    let arrival =
        Arrival { peer: IpAddr::from([127, 0, 0, 1]), is_secure: true, is_expired: false };
    let request =
        Request::get("https://localhost/healthz").extension(arrival).body(Body::empty()).unwrap();
    let answer = TowerToHyperService::new(router).call(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(!answer.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn the_page_may_use_its_style_and_no_other() {
    let bench = Bench::new();
    let page = bench.send("GET /", &[("accept", "text/html")], Body::empty()).await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("style-src 'self';"), "{policy}");
    for inline in ["<style", "style=", "<script"] {
        assert!(!page.text.contains(inline), "{inline}");
    }
    let style = bench.get("/login/style.css").await;
    assert_eq!(
        (style.status.as_u16(), style.header("content-type")),
        (200, "text/css; charset=utf-8")
    );
}

#[tokio::test]
async fn links_of_the_page_begin_with_the_path_of_the_public_url() {
    let bench = Bench::new();
    for (url, prefix) in [(None, ""), (Some("https://example.com/ferrule"), "/ferrule")] {
        let edge = Edge { public_url: url, ..Edge::default() };
        let router = behind(&bench, edge);
        let request = Request::get("/").header("host", "localhost").header("accept", "text/html");
        let request = request.body(Body::empty()).unwrap();
        let answer = TowerToHyperService::new(router).call(request).await.unwrap();
        let page = answer.into_body().collect().await.unwrap().to_bytes();
        let page = String::from_utf8(page.into()).unwrap();
        let links: Vec<&str> = page.split("href=\"").skip(1).collect();
        assert!(links.len() > 50);
        for link in links {
            let own = link.strip_prefix(prefix).unwrap_or_else(|| panic!("{link}"));
            assert!(
                [
                    "/healthz",
                    "/readyz",
                    "/metrics",
                    "/openapi",
                    "/orchestration/",
                    "/tmf-api/",
                    "/login/"
                ]
                .iter()
                .any(|path| own.starts_with(path)),
                "{link}"
            );
        }
    }
}

#[tokio::test]
async fn an_address_and_an_identity_have_their_rates() {
    let bench = Bench::new();
    let by_address = Edge {
        rates: RateLimits { address: rate(1, 2), ..RateLimits::default() },
        ..Edge::default()
    };
    let (one, own) = (("192.0.2.1", "/healthz", &[][..]), ("127.0.0.1", "/healthz", &[][..]));
    let other = ("192.0.2.2", "/healthz", &[("x-forwarded-for", "192.0.2.9")][..]);
    let answers =
        send(&bench, by_address, &[one, one, one, other, other, other, own, own, own]).await;
    assert_eq!(codes(&answers), [200, 200, 429, 200, 200, 429, 200, 200, 200]);
    assert_eq!(answers[2].1["retry-after"], "1");
    let by_identity = Edge {
        rates: RateLimits { identity: rate(1, 2), ..RateLimits::default() },
        ..Edge::default()
    };
    // All are made by the local identity; `/healthz` needs none.
    let (local, open) = (("127.0.0.1", "/metrics", &[][..]), own);
    let answers = send(&bench, by_identity, &[local, local, local, open]).await;
    assert_eq!(codes(&answers), [200, 200, 429, 200]);
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_have_rates_of_their_own() {
    let bench = Bench::new();
    let mut edge = Edge {
        rates: RateLimits { address: rate(1, 1), ..RateLimits::default() },
        ..Edge::default()
    };
    edge.settings.trusted_proxies = vec!["10.0.0.7/32".parse().unwrap()];
    let a = ("10.0.0.7", "/healthz", &[("x-forwarded-for", "192.0.2.1")][..]);
    let b = ("10.0.0.7", "/healthz", &[("x-forwarded-for", "192.0.2.2")][..]);
    let forged = ("192.0.2.3", "/healthz", &[("x-forwarded-for", "192.0.2.4")][..]);
    let again = ("192.0.2.3", "/healthz", &[("x-forwarded-for", "192.0.2.5")][..]);
    let answers = send(&bench, edge, &[a, b, a, forged, again]).await;
    assert_eq!(codes(&answers), [200, 200, 429, 200, 429]);
}

#[tokio::test]
async fn an_address_whose_attempts_fail_has_to_wait() {
    let bench = Bench::new();
    let access = Access::new(Authentication::Required, Roles::default());
    let guess = ("192.0.2.1", "/metrics", &[("authorization", "Bearer x")][..]);
    let elsewhere = ("192.0.2.2", "/metrics", &[("authorization", "Bearer x")][..]);
    let without = ("192.0.2.1", "/metrics", &[][..]);
    let mut requests = vec![guess; 21];
    requests.extend([elsewhere, without]);
    let edge = Edge { access, ..Edge::default() };
    let answers = send(&bench, edge, &requests).await;
    let mut expected = vec![401; 20];
    expected.extend([429, 401, 401]);
    assert_eq!(codes(&answers), expected);
    let wait: u64 = answers[20].1["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=6).contains(&wait), "{wait}");
}

#[tokio::test]
async fn logins_that_fail_count_as_failed_attempts() {
    for guess in ["/login/callback?state=x&code=y", "/login/callback?state=x&error=z"] {
        let bench = Bench::new();
        let access = Access::new(Authentication::Required, Roles::default());
        let access = access.with_people(people(&bench, Cookies::Secure).await);
        let mut requests = vec![("192.0.2.1", guess, &[][..]); 21];
        requests.push(("192.0.2.2", guess, &[]));
        let answers = send(&bench, Edge { access, ..Edge::default() }, &requests).await;
        let mut expected = vec![400; 20];
        expected.extend([429, 400]);
        assert_eq!(codes(&answers), expected, "{guess}");
    }
}
