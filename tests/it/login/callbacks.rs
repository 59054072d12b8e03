//! Callbacks that begin no session, and requests that no page of ours sends.

use super::browser::{Browser, location, parameter, with};
use super::{Site, is_possible};

/// How the provider spoils an ID token.
const FAULTS: [&str; 17] = [
    "expired",
    "old",
    "future",
    "issuer",
    "audience",
    "audiences",
    "party",
    "nonce",
    "no nonce",
    "subject",
    "user",
    "key",
    "crit",
    "unsigned",
    "secret",
    "cut",
    "form",
];

#[tokio::test]
async fn tokens_that_prove_nothing_begin_no_session() {
    if !is_possible() {
        return;
    }
    let site = Site::start().await;
    let mut browser = Browser::default();
    for fault in FAULTS {
        let callback = site.callback(&mut browser, "mia").await;
        site.provider.spoil(fault).await;
        let answer = browser.open(&callback).await;
        // A token without the form of one is an answer that cannot be read.
        let expected = if ["form", "cut"].contains(&fault) { vec![401, 503] } else { vec![401] };
        assert!(expected.contains(&answer.status), "{fault}: {} {}", answer.status, answer.text);
        assert_eq!(browser.cookie("ferrule"), None, "{fault}");
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    }
    let callback = site.callback(&mut browser, "mia").await;
    assert_eq!(location(&browser.open(&callback).await), Some(site.at("/")));
}

#[tokio::test]
async fn callbacks_of_no_login_of_this_browser_are_refused() {
    if !is_possible() {
        return;
    }
    let site = Site::start().await;
    let mut browser = Browser::default();
    let callback = site.callback(&mut browser, "mia").await;
    let before = browser.clone();
    let state = parameter(&callback, "state").to_owned();
    let other = format!("{}{}", if state.starts_with('A') { "B" } else { "A" }, &state[1..]);
    let bare = site.at("/login/callback");
    let table = [
        with(&callback, "state", &other),
        with(&callback, "state", ""),
        format!("{callback}&state={state}"),
        bare.clone(),
        format!("{bare}?code=x"),
        format!("{bare}?state={state}%00&code=x"),
        format!("{bare}?error=access_denied&state={other}"),
    ];
    for url in table {
        let answer = browser.open(&url).await;
        assert_eq!(answer.status, 400, "{url}: {}", answer.text);
        assert!(answer.text.contains("Log in again"), "{url}: {}", answer.text);
        assert_eq!(browser.cookie("ferrule"), None, "{url}");
        browser = before.clone();
    }
    // Another browser, which has a login of its own under way.
    let mut victim = Browser::default();
    site.callback(&mut victim, "tom").await;
    assert_eq!(victim.open(&callback).await.status, 400);
    // A provider that is another one ends the login.
    let answer = browser.open(&with(&callback, "iss", "https%3A%2F%2Fevil.example")).await;
    assert_eq!(answer.status, 400);
    browser = before;
    assert_eq!(browser.open(&callback).await.status, 400);
}

#[tokio::test]
async fn a_code_and_a_state_are_good_once() {
    if !is_possible() {
        return;
    }
    let site = Site::start().await;
    let mut browser = Browser::default();
    let callback = site.callback(&mut browser, "mia").await;
    let mut again = browser.clone();
    assert_eq!(location(&browser.open(&callback).await), Some(site.at("/")));
    // The same state, even with the cookie that was removed.
    assert_eq!(again.open(&callback).await.status, 400);
    assert_eq!(again.cookie("ferrule"), None);
    // The same code under a state of its own: the provider refuses it.
    let mut third = Browser::default();
    let fresh = site.callback(&mut third, "mia").await;
    let answer = third.open(&with(&fresh, "code", parameter(&callback, "code"))).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
    // A login whose challenge or nonce was replaced on the way.
    for name in ["nonce", "code_challenge"] {
        let mut browser = Browser::default();
        let begun = browser.open(&site.at("/login")).await;
        let page = location(&begun).unwrap();
        let other = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let page = with(&page, name, other);
        let callback = browser.log_in_at(&page, "mia", &site.at("/login/callback")).await;
        let answer = browser.open(&callback).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_error_of_the_provider_is_told_in_our_words() {
    if !is_possible() {
        return;
    }
    let site = Site::start().await;
    let mut browser = Browser::default();
    let begun = browser.open(&site.at("/login?return=//evil.example")).await;
    let page = location(&begun).unwrap();
    let (name, cookie) = {
        let line = begun.headers["set-cookie"].to_str().unwrap();
        let (name, rest) = line.split_once('=').unwrap();
        assert!(line.contains("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600"), "{line}");
        (name.to_owned(), rest.split(';').next().unwrap().to_owned())
    };
    let state = parameter(&page, "state");
    assert_eq!(name, format!("ferrule-login-{}", &state[..8]));
    let told = "%3Cscript%3Ealert(1)%3C/script%3E";
    let url =
        site.at(&format!("/login/callback?state={state}&error={told}&error_description={told}"));
    let answer = browser.open(&url).await;
    assert_eq!(answer.status, 403);
    assert!(!answer.text.contains("script") && !answer.text.contains("alert"), "{}", answer.text);
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    // That login is over.
    browser.set(&name, &cookie);
    assert_eq!(browser.open(&url).await.status, 400);
    // A login leads nowhere but here.
    let begun = browser.open(&site.at("/login?return=//evil.example")).await;
    let page = location(&begun).unwrap();
    let callback = browser.log_in_at(&page, "mia", &site.at("/login/callback")).await;
    assert_eq!(location(&browser.open(&callback).await), Some(site.at("/")));
    let again = browser.open(&site.at("/login?return=/%5Cevil.example")).await;
    assert_eq!(location(&again), Some(site.at("/")));
}

#[tokio::test]
async fn requests_with_a_cookie_that_no_page_of_ours_sends_are_refused() {
    if !is_possible() {
        return;
    }
    let site = Site::start().await;
    let mut mia = site.log_in("mia").await;
    let mut tom = site.log_in("tom").await;
    let token =
        |known: Option<serde_json::Value>| known.unwrap()["csrfToken"].as_str().unwrap().to_owned();
    let (own, other) = (token(site.session(&mut mia).await), token(site.session(&mut tom).await));
    let (own, other, url) = (own.as_str(), other.as_str(), site.url.as_str());
    let table: [(&[(&str, &str)], u16); 13] = [
        (&[], 403),
        (&[("x-csrf-token", own)], 403),
        (&[("origin", url)], 403),
        (&[("origin", url), ("x-csrf-token", "")], 403),
        (&[("origin", url), ("x-csrf-token", other)], 403),
        (&[("origin", url), ("x-csrf-token", own), ("x-csrf-token", own)], 403),
        (&[("origin", "https://evil.example"), ("x-csrf-token", own)], 421),
        (&[("origin", "null"), ("x-csrf-token", own)], 421),
        (&[("origin", url), ("sec-fetch-site", "same-site"), ("x-csrf-token", own)], 401),
        (&[("sec-fetch-site", "cross-site"), ("x-csrf-token", own)], 401),
        (&[("sec-fetch-site", "none"), ("x-csrf-token", own)], 403),
        (&[("sec-fetch-site", "same-origin"), ("x-csrf-token", own)], 201),
        (&[("origin", url), ("x-csrf-token", own)], 201),
    ];
    for (headers, expected) in table {
        let answer = site.create(&mut mia, headers).await;
        assert_eq!(answer.status, expected, "{headers:?}: {}", answer.text);
    }
    // Other credentials count instead of the cookie, and are not passed over for it.
    let answer =
        site.create(&mut mia, &[("authorization", "Bearer x"), ("x-csrf-token", own)]).await;
    assert_eq!(answer.status, 401);
    // What pages of others read, and what elements answer.
    let individuals = site.at("/tmf-api/party/v4/individual");
    for (headers, expected) in [
        ([("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")], 401),
        ([("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")], 401),
        ([("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], 200),
        ([("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")], 200),
    ] {
        assert_eq!(mia.send("GET", &individuals, &headers, "").await.status, expected);
    }
    let element = site.at("/orchestration/v1/callbacks/some-task");
    let headers = [("origin", url), ("x-csrf-token", own), ("content-type", "application/json")];
    // It is no address of a task, with a cookie or without.
    assert_eq!(mia.send("POST", &element, &headers, "{}").await.status, 404);
    // A logout that another page begins.
    let logout = site.at("/logout");
    for (headers, form, expected) in [
        (vec![("origin", url)], String::new(), 403),
        (vec![("origin", url)], format!("csrf_token={other}"), 403),
        (vec![], format!("csrf_token={own}"), 403),
        (vec![("origin", url)], format!("csrf_token={own}"), 303),
    ] {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let headers = [&kind[..], &headers].concat();
        let answer = mia.send("POST", &logout, &headers, &form).await;
        assert_eq!(answer.status, expected, "{form}: {}", answer.text);
    }
}
