//! The whole way in a real browser: Chromium, driven by `chromedriver` over plain HTTP.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;

use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::{Site, is_possible};
use crate::project::has;
use crate::world::{Http, eventually, next_port};

/// The name of the id of an element in answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What a page of ours does: it changes something with the token of its session.
const CREATE: &str = "
    const done = arguments[arguments.length - 1];
    fetch('/session').then(answer => answer.json()).then(session =>
        fetch('/tmf-api/party/v4/individual', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': session.csrfToken },
            body: JSON.stringify({ familyName: 'Doe', givenName: 'Jo' }),
        })
    ).then(answer => done(answer.status), error => done(String(error)));
";

/// The same without the token.
const CREATE_WITHOUT: &str = "
    const done = arguments[arguments.length - 1];
    fetch('/tmf-api/party/v4/individual', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ familyName: 'Doe', givenName: 'Jo' }),
    }).then(answer => done(answer.status), error => done(String(error)));
";

const STATUS_OF_SESSION: &str = "
    const done = arguments[arguments.length - 1];
    fetch('/session').then(answer => done(answer.status), error => done(String(error)));
";

struct Chromium {
    http: Http,
    session: String,
    _driver: Child,
    _profile: tempfile::TempDir,
}

impl Chromium {
    async fn start() -> Self {
        let port = next_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let http = Http::new(&format!("http://127.0.0.1:{port}"));
        eventually("chromedriver is ready", async || {
            let answer = http.send("GET", "/status", &[], "").await.ok()?;
            (answer.body["value"]["ready"] == true).then_some(())
        })
        .await;
        let profile = tempfile::tempdir().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        // As root it runs without its sandbox only. It asks no other machine for anything.
        let flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            &folder,
        ];
        let options = json!({ "args": flags });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let answer = http.post("/session", &wanted).await;
        let session = answer.body["value"]["sessionId"].as_str().expect(&answer.text).to_owned();
        Self { http, session, _driver: driver, _profile: profile }
    }

    async fn ask(&self, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        let answer = match body.is_null() {
            true => self.http.send("GET", &path, &[], "").await.unwrap(),
            false => self.http.post(&path, body).await,
        };
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.body["value"].clone()
    }

    async fn open(&self, url: &str) {
        self.ask("/url", &json!({ "url": url })).await;
    }

    async fn url(&self) -> String {
        self.ask("/url", &Value::Null).await.as_str().unwrap().to_owned()
    }

    /// An element, once it is there.
    async fn element(&self, selector: &str) -> String {
        let path = format!("/session/{}/elements", self.session);
        let wanted = json!({ "using": "css selector", "value": selector });
        eventually(&format!("{selector} is there"), async || {
            let found = self.http.post(&path, &wanted).await.body;
            Some(found["value"][0][ELEMENT].as_str()?.to_owned())
        })
        .await
    }

    async fn text(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        let text = self.ask(&format!("/element/{element}/text"), &Value::Null).await;
        text.as_str().unwrap().to_owned()
    }

    async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.ask(&format!("/element/{element}/click"), &json!({})).await;
    }

    async fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.ask(&format!("/element/{element}/value"), &json!({ "text": text })).await;
    }

    /// The result of a script in the page that is open.
    async fn run(&self, script: &str) -> Value {
        self.ask("/execute/async", &json!({ "script": script, "args": [] })).await
    }

    /// Keeps a picture of the page that is open.
    async fn picture(&self, name: &str) -> PathBuf {
        let target = Path::new(env!("CARGO_BIN_EXE_ferrule")).ancestors().nth(2).unwrap();
        let path = target.join(format!("{name}.png.base64"));
        let picture = self.ask("/screenshot", &Value::Null).await;
        std::fs::write(&path, picture.as_str().unwrap()).unwrap();
        path
    }

    async fn end(&self) {
        let path = format!("/session/{}", self.session);
        self.http.send("DELETE", &path, &[], "").await.unwrap();
    }
}

#[tokio::test]
async fn a_person_logs_in_and_out_in_a_real_browser() {
    if !is_possible() || !has("chromium") || !has("chromedriver") {
        return;
    }
    let site = Site::start().await;
    let chromium = Chromium::start().await;
    let (browser, url) = (Rc::new(chromium), site.url.clone());
    // A task of its own, so that there is a picture of the page at which it fails.
    let walk = walk(Rc::clone(&browser), url);
    let local = tokio::task::LocalSet::new();
    let walked = local.run_until(async { tokio::task::spawn_local(walk).await }).await;
    if let Err(error) = walked {
        let (at, picture) = (browser.url().await, browser.picture("login-failed").await);
        browser.end().await;
        panic!("at {at}, see {}: {error}", picture.display());
    }
    browser.end().await;
}

async fn walk(browser: Rc<Chromium>, url: String) {
    // To the provider, and back.
    browser.open(&format!("{url}/")).await;
    browser.write("input[name=login]", "mia").await;
    browser.write("input[name=password]", "any").await;
    browser.click("button[type=submit]").await;
    assert_eq!(browser.text("#who").await, "mia of the tests");
    assert_eq!(browser.url().await, format!("{url}/"));
    // The style is ours, and the policy lets it in.
    let style = "const done = arguments[arguments.length - 1];
        done(getComputedStyle(document.querySelector('#logout')).borderRadius)";
    assert_ne!(browser.run(style).await, "0px");
    // No script can read the cookie.
    let cookie = "arguments[arguments.length - 1](document.cookie)";
    assert_eq!(browser.run(cookie).await, "");
    assert_eq!(browser.run(CREATE_WITHOUT).await, 403);
    assert_eq!(browser.run(CREATE).await, 201);
    browser.open(&format!("{url}/tmf-api/productOrderingManagement/v4/productOrder")).await;
    assert_eq!(browser.text("body").await, "[]");
    // The provider asks whether its session ends too.
    browser.open(&format!("{url}/")).await;
    browser.click("#logout").await;
    browser.click("button[name=logout]").await;
    assert_eq!(browser.text("h1").await, "You are logged out");
    assert_eq!(browser.run(STATUS_OF_SESSION).await, 401);
    browser.click("a[href]").await;
    browser.element("input[name=login]").await;
}
