//! Sessions: they outlast the server, and end by the provider, by an administrator, or by a new login.

use serde_json::{Value, json};

use super::browser::{Browser, location};
use super::{Site, is_possible, plain};
use crate::world::{Answer, facts};

async fn send_token(site: &Site, token: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let form = format!("logout_token={token}");
    plain(site).send("POST", "/login/backchannel", &headers, form).await.unwrap()
}

#[tokio::test]
async fn a_session_survives_a_kill_and_its_end_does_too() {
    if !is_possible() {
        return;
    }
    let mut site = Site::start().await;
    let (mut mia, mut tom) = (site.log_in("mia").await, site.log_in("tom").await);
    site.kill().await;
    site.run().await;
    let known = site.session(&mut mia).await.unwrap();
    assert_eq!(known["roles"], json!(["agent", "operator"]));
    let token = known["csrfToken"].as_str().unwrap();
    let secret = mia.cookie("ferrule").unwrap().to_owned();
    let accept = [("accept", "application/json"), ("origin", &*site.url), ("x-csrf-token", token)];
    let gone = mia.send("POST", &site.at("/logout"), &accept, "").await;
    assert_eq!(gone.status, 200, "{}", gone.text);
    assert!(gone.body["endSession"].as_str().unwrap().contains("id_token_hint="), "{}", gone.text);
    site.kill().await;
    site.run().await;
    mia.set("ferrule", &secret);
    assert_eq!(site.session(&mut mia).await, None);
    assert!(site.session(&mut tom).await.is_some());
    // The secret is in no file.
    let secret = tom.cookie("ferrule").unwrap().as_bytes().to_vec();
    let store = site.folder.path().join("data");
    for file in files(&store) {
        let bytes = std::fs::read(&file).unwrap();
        let is_there = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!is_there, "{}", file.display());
    }
    site.kill().await;
    for fact in facts(&store) {
        let is_there = fact.windows(secret.len()).any(|window| window == secret);
        assert!(!is_there, "{}", String::from_utf8_lossy(&fact));
    }
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn a_login_ends_the_session_that_the_browser_had() {
    if !is_possible() {
        return;
    }
    let site = Site::start().await;
    let mut browser = site.log_in("mia").await;
    let first = browser.cookie("ferrule").unwrap().to_owned();
    // A login that began before, in another tab.
    let mut tab = Browser::default();
    let callback = site.callback(&mut tab, "tom").await;
    tab.set("ferrule", &first);
    assert_eq!(location(&tab.open(&callback).await), Some(site.at("/")));
    assert_ne!(tab.cookie("ferrule"), Some(first.as_str()));
    assert_eq!(site.session(&mut tab).await.unwrap()["subject"], "tom");
    assert_eq!(site.session(&mut browser).await, None);
    // A secret that someone else chose is taken by no one.
    let mut fixed = Browser::default();
    fixed.set("ferrule", &"A".repeat(43));
    let callback = site.callback(&mut fixed, "mia").await;
    fixed.open(&callback).await;
    assert_ne!(fixed.cookie("ferrule"), Some("A".repeat(43).as_str()));
}

#[tokio::test]
async fn the_provider_ends_sessions_by_tokens_that_it_signed() {
    if !is_possible() {
        return;
    }
    let site = Site::start().await;
    let (mut mia, mut tom) = (site.log_in("mia").await, site.log_in("tom").await);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let mut claims = vec![
        json!({ "iss": "http://localhost:1" }),
        json!({ "aud": "another" }),
        json!({ "iat": now - 3_600 }),
        json!({ "iat": now + 3_600 }),
        json!({ "exp": now - 300 }),
        json!({ "iat": null }),
        json!({ "jti": null }),
        json!({ "jti": "x".repeat(300) }),
        json!({ "events": null }),
        json!({ "events": { "other": {} } }),
        json!({ "events": event }),
        json!({ "nonce": "n" }),
    ];
    for one in &mut claims {
        one["sub"] = json!("mia");
    }
    claims.push(json!({}));
    let mut bad: Vec<Value> =
        claims.into_iter().map(|claims| json!({ "claims": claims })).collect();
    let usual = json!({ "sub": "mia" });
    bad.push(json!({ "claims": usual, "other": true }));
    bad.push(json!({ "claims": usual, "header": { "typ": "at+jwt" } }));
    bad.push(json!({ "claims": usual, "header": { "kid": "two" } }));
    for with in bad {
        let token = site.provider.logout_token(&with).await;
        let answer = send_token(&site, &token).await;
        assert_eq!(answer.status, 400, "{with}: {}", answer.text);
        assert_eq!(answer.body, json!({ "error": "invalid_request" }));
    }
    for token in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        assert_eq!(send_token(&site, token).await.status, 400, "{token}");
    }
    assert!(site.session(&mut mia).await.is_some());

    let token = site.provider.logout_token(&json!({ "claims": { "sub": "mia" } })).await;
    let answer = send_token(&site, &token).await;
    assert_eq!(
        (answer.status, answer.headers["cache-control"].to_str().unwrap()),
        (200, "no-store")
    );
    assert_eq!(site.session(&mut mia).await, None);
    assert!(site.session(&mut tom).await.is_some());
    // The same token ends no later session.
    let mut mia = site.log_in("mia").await;
    assert_eq!(send_token(&site, &token).await.status, 400);
    assert!(site.session(&mut mia).await.is_some());
}

#[tokio::test]
async fn an_administrator_sees_and_ends_sessions() {
    if !is_possible() {
        return;
    }
    let site = Site::start().await;
    let (mut mia, mut boss) = (site.log_in("mia").await, site.log_in("boss%3Cb%3E").await);
    let sessions = site.at("/orchestration/v1/sessions");
    assert_eq!(mia.open(&sessions).await.status, 403);
    let listed = boss.open(&sessions).await.body;
    let subjects: Vec<_> = listed.as_array().unwrap().iter().map(|one| &one["subject"]).collect();
    assert_eq!(subjects, ["boss<b>", "mia"]);
    let of_mia = boss.open(&format!("{sessions}?subject=mia")).await.body;
    assert_eq!(of_mia.as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains(mia.cookie("ferrule").unwrap()));
    let one = format!("{sessions}/{}", of_mia[0]["id"].as_str().unwrap());
    let token = site.session(&mut boss).await.unwrap()["csrfToken"].as_str().unwrap().to_owned();
    let headers = [("origin", &*site.url), ("x-csrf-token", &token)];
    assert_eq!(boss.send("DELETE", &one, &headers, "").await.status, 204);
    assert_eq!(boss.send("DELETE", &one, &headers, "").await.status, 404);
    assert_eq!(site.session(&mut mia).await, None);
    assert!(site.session(&mut boss).await.is_some());
    // Logins are in the audit, those that failed too.
    mia.open(&site.at("/login/callback?state=none&code=none")).await;
    let audit = site.at("/orchestration/v1/audit?action=login");
    let entries = boss.open(&audit).await.body;
    let told = |entry: &Value| format!("{} {}", entry["actor"]["subject"], entry["outcome"]);
    let told: Vec<_> = entries.as_array().unwrap().iter().map(told).collect();
    assert_eq!(told[..2], ["\"mia\" \"done\"", "\"boss<b>\" \"done\""], "{entries}");
}
