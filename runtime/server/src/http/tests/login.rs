//! Sessions at the door, with a clock that a test puts forward. The provider does not answer here.

use axum::body::Body;
use tmf::time::Timestamp;

use super::bench::{Answer, Bench};
use crate::access::cookie::Cookies;
use crate::access::login::{Login, LoginSettings};
use crate::access::secret::code_of;
use crate::access::session::{Life, Record};
use crate::access::{Access, Authentication, People, RoleName, Roles, Ways};

const BEGIN: &str = "2026-03-12T08:00:00.000Z";

const BROWSER: (&str, &str) = ("accept", "text/html,*/*;q=0.8");

pub(super) async fn people(bench: &Bench, cookies: Cookies) -> People {
    let text = "issuer = \"http://127.0.0.1:1\"\nclient-id = \"ferrule\"";
    let settings: LoginSettings = toml::from_str(text).unwrap();
    let login = Login::new(&settings, &std::collections::BTreeMap::new(), &Roles::default());
    let life = Life { whole_ms: 3_600_000, idle_ms: 600_000 };
    let ways = Ways { login: Some(login.unwrap()), users: None };
    People::open(&bench.services.documents, ways, life, cookies).await.unwrap()
}

pub(super) fn record(role: &str) -> Record {
    Record {
        subject: "mia".into(),
        name: "<Mia>".into(),
        issuer: "http://127.0.0.1:1".into(),
        tenant: None,
        roles: [RoleName::new(role)].into(),
        plugins: Default::default(),
        claims: Default::default(),
        begun: Timestamp::parse(BEGIN).unwrap(),
        provider: None,
        entry: None,
    }
}

/// A server with a session of someone with a role; returns its secret.
async fn with_session(bench: Bench, cookies: Cookies) -> (Bench, String) {
    let people = people(&bench, cookies).await;
    let secret = people.sessions.begin(record("agent"), None).await.unwrap().text().to_owned();
    let access = Access::new(Authentication::Required, Roles::default()).with_people(people);
    (bench.with_access(access), secret)
}

async fn get(bench: &Bench, path: &str, cookie: &str) -> Answer {
    bench.send(&format!("GET {path}"), &[BROWSER, ("cookie", cookie)], Body::empty()).await
}

#[tokio::test]
async fn a_session_ends_when_its_time_has_come() {
    let (bench, hands) = Bench::at(BEGIN);
    let (bench, secret) = with_session(bench, Cookies::Loopback).await;
    let cookie = format!("ferrule={secret}");
    for (time, expected) in [
        ("2026-03-12T08:09:59Z", 200),
        ("2026-03-12T08:19:58Z", 200),
        ("2026-03-12T08:29:58Z", 401),
        ("2026-03-12T08:19:58Z", 401),
    ] {
        hands.set(time);
        assert_eq!(get(&bench, "/session", &cookie).await.status, expected, "{time}");
    }
    assert_eq!(bench.facts(), 0);
}

#[tokio::test]
async fn a_session_that_is_used_ends_an_hour_after_the_login() {
    let (bench, hands) = Bench::at(BEGIN);
    let (bench, secret) = with_session(bench, Cookies::Loopback).await;
    let cookie = format!("ferrule={secret}");
    for minute in (0..60).step_by(5) {
        hands.set(&format!("2026-03-12T08:{minute:02}:00Z"));
        assert_eq!(get(&bench, "/session", &cookie).await.status, 200, "{minute}");
    }
    hands.set("2026-03-12T09:00:00Z");
    assert_eq!(get(&bench, "/session", &cookie).await.status, 401);
}

#[tokio::test]
async fn the_cookie_of_another_door_proves_nothing() {
    for (cookies, name, other) in [
        (Cookies::Loopback, "ferrule", "__Host-ferrule"),
        (Cookies::Secure, "__Host-ferrule", "ferrule"),
    ] {
        let (bench, secret) = with_session(Bench::at(BEGIN).0, cookies).await;
        for (cookie, expected) in [
            (format!("{name}={secret}"), 200),
            (format!("{other}={secret}"), 401),
            (format!("{name}={secret}; {name}={secret}"), 401),
            (format!("{name}={}", &secret[1..]), 401),
            (format!("{name}="), 401),
            (String::new(), 401),
        ] {
            let answer = get(&bench, "/session", &cookie).await;
            assert_eq!(answer.status, expected, "{cookie}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_browser_without_a_session_is_sent_to_the_login() {
    let (bench, secret) = with_session(Bench::at(BEGIN).0, Cookies::Loopback).await;
    let orders = "/tmf-api/productOrderingManagement/v4/productOrder?limit=1&fields=id";
    let navigate = ("sec-fetch-mode", "navigate");
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, Headers<'_>, u16); 7] = [
        ("GET /", &[BROWSER], 303),
        ("GET /", &[], 401),
        ("GET /", &[BROWSER, ("authorization", "Bearer x")], 401),
        ("POST /", &[BROWSER, navigate], 401),
        (orders, &[BROWSER], 401),
        (orders, &[BROWSER, navigate], 303),
        (orders, &[navigate], 401),
    ];
    for (line, headers, expected) in cases {
        let line = if line.starts_with('/') { format!("GET {line}") } else { line.into() };
        let answer = bench.send(&line, headers, Body::empty()).await;
        assert_eq!(answer.status, expected, "{line} {headers:?}");
    }
    let answer = bench.send(&format!("GET {orders}"), &[BROWSER, navigate], Body::empty()).await;
    let location = answer.header("location");
    let login = location.strip_prefix("http://127.0.0.1:8080").unwrap();
    assert!(login.starts_with("/login?return=%2Ftmf%2Dapi%2F"), "{login}");
    // Once there is a session, the login leads to what was asked for.
    let answer = get(&bench, login, &format!("ferrule={secret}")).await;
    assert_eq!(answer.header("location"), format!("http://127.0.0.1:8080{orders}"));
    // Without one it needs the provider.
    let answer = get(&bench, login, "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.text.contains("No one can log in at the moment"), "{}", answer.text);
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn the_first_page_shows_who_is_logged_in() {
    let (bench, secret) = with_session(Bench::at(BEGIN).0, Cookies::Loopback).await;
    let page = get(&bench, "/", &format!("ferrule={secret}")).await;
    assert!(page.text.contains("<strong id=\"who\">&lt;Mia&gt;</strong>"), "{}", page.text);
    assert!(page.text.contains(&code_of(&secret, "csrf")));
    assert_eq!(page.header("cache-control"), "no-store");
    let page = Bench::new().send("GET /", &[BROWSER], Body::empty()).await;
    assert!(!page.text.contains("id=\"who\""));
    assert!(!page.text.contains("<style") && !page.text.contains("style="));
}

#[tokio::test]
async fn a_change_needs_an_origin_and_the_token_of_the_session() {
    let (bench, secret) = with_session(Bench::at(BEGIN).0, Cookies::Loopback).await;
    let (cookie, token) = (format!("ferrule={secret}"), code_of(&secret, "csrf"));
    let (cookie, token) = (("cookie", &*cookie), ("x-csrf-token", &*token));
    let origin = ("origin", "http://127.0.0.1:8080");
    let site = |site| ("sec-fetch-site", site);
    let table: [(&[(&str, &str)], u16); 10] = [
        (&[cookie, origin, token], 201),
        (&[cookie, site("same-origin"), token], 201),
        (&[cookie, token], 403),
        (&[cookie, origin], 403),
        (&[cookie, origin, ("x-csrf-token", "x")], 403),
        (&[cookie, origin, token, token], 403),
        (&[cookie, origin, site("same-site"), token], 401),
        (&[cookie, site("cross-site"), token], 401),
        (&[cookie, ("origin", "http://127.0.0.1:8081"), token], 421),
        (&[origin, token], 401),
    ];
    for (headers, expected) in table {
        let kind = [("content-type", "application/json")];
        let headers = [&kind[..], headers].concat();
        let body = Body::from(r#"{"familyName":"Doe","givenName":"Jo"}"#);
        let line = "POST /tmf-api/party/v4/individual";
        let answer = bench.send(line, &headers, body).await;
        assert_eq!(answer.status, expected, "{headers:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn forms_that_are_none_are_refused() {
    let (bench, _) = with_session(Bench::at(BEGIN).0, Cookies::Loopback).await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let long = format!("logout_token={}", "a".repeat(40_000));
    let table = [
        ("POST /login/backchannel", form, "", 503),
        ("POST /login/backchannel", ("content-type", "application/json"), "{}", 415),
        ("POST /login/backchannel", form, &*long, 413),
        ("GET /login/backchannel", form, "", 405),
        ("POST /login", form, "", 405),
        ("POST /login/callback", form, "", 405),
        ("DELETE /logout", form, "", 405),
        ("GET /login/other", form, "", 401),
        ("GET /login/callback?state=a&code=b", form, "", 400),
        ("GET /login/style.css", form, "", 200),
        ("POST /login/style.css", form, "", 405),
    ];
    for (line, header, body, expected) in table {
        let answer = bench.send(line, &[header], Body::from(body.to_owned())).await;
        assert_eq!(answer.status, expected, "{line}: {}", answer.text);
    }
}

/// Anyone may send them, and what they send takes room that others need.
#[tokio::test]
async fn bodies_of_strangers_are_refused_by_their_announced_length() {
    let (bench, _) = with_session(Bench::at(BEGIN).0, Cookies::Loopback).await;
    for line in ["POST /login/backchannel", "POST /logout"] {
        // Nothing of the body ever comes.
        let announced = ((32 << 10) + 1).to_string();
        let headers = [("content-type", "application/json"), ("content-length", &*announced)];
        let body = Body::from_stream(futures_util::stream::pending::<std::io::Result<&[u8]>>());
        let answer = bench.send(line, &headers, body).await;
        assert_eq!(answer.status, 413, "{line}: {}", answer.text);
        assert!(!answer.text.contains("body-bytes-max"), "{line}: {}", answer.text);
    }
}
