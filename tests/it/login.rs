//! Logins of people at a real provider of OpenID Connect, the npm package `oidc-provider`: all of it by
//! requests, and the whole way in Chromium.

mod browser;
mod callbacks;
mod chromium;
mod local;
mod provider;
mod sessions;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Answer, Http, Process, next_port};
use browser::{Browser, absolute, location};
use provider::{Provider, is_possible};

/// A server whose people log in at a provider.
struct Site {
    url: String,
    provider: Provider,
    arguments: Vec<String>,
    process: Option<Process>,
    folder: TempDir,
}

impl Site {
    async fn start() -> Self {
        Self::with("client-id = \"ferrule\"\nclient-secret = \"sso\"").await
    }

    /// A site whose server is another client of the provider.
    async fn with(client: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let address = format!("127.0.0.1:{}", next_port());
        let url = format!("http://{address}");
        let provider = Provider::start(&url).await;
        std::fs::create_dir(path("workflows")).unwrap();
        std::fs::write(path("secret"), "a secret & 100% of it\n").unwrap();
        std::fs::write(path("posted"), "posted-secret\n").unwrap();
        let settings = format!(
            "[access]\nauthentication = \"required\"\n[access.login]\nissuer = \"{}\"\n{client}\n\
             scopes = [\"profile\", \"groups\"]\nroles-claim = \"groups\"\n\
             roles = {{ noc = [\"agent\", \"operator\"], sales = \"reader\", admins = \"administrator\" }}\n\
             [secrets.sso]\nfile = {:?}\n[secrets.posted]\nfile = {:?}\n",
            provider.issuer,
            path("secret"),
            path("posted"),
        );
        std::fs::write(path("ferrule.toml"), settings).unwrap();
        let arguments = [
            "serve",
            "--config",
            &path("ferrule.toml"),
            "--listen",
            &address,
            "--data",
            &path("data"),
            "--plugins",
            &path("plugins"),
            "--workflows",
            &path("workflows"),
        ];
        let arguments = arguments.map(str::to_owned).to_vec();
        let mut site = Self { url, provider, arguments, process: None, folder };
        site.run().await;
        site
    }

    async fn run(&mut self) {
        let started = Process::start("serve", &self.arguments, self.folder.path()).await;
        let (process, _) = started.unwrap_or_else(|log| panic!("it does not start: {log}"));
        self.process = Some(process);
    }

    async fn kill(&mut self) {
        self.process.take().unwrap().kill().await;
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Logs someone in up to the callback, which is not opened.
    async fn callback(&self, browser: &mut Browser, name: &str) -> String {
        let first = browser.open(&self.at("/")).await;
        let login = location(&first).expect(&first.text);
        let begun = browser.open(&login).await;
        let page = location(&begun).expect(&begun.text);
        browser.log_in_at(&page, name, &self.at("/login/callback")).await
    }

    /// Logs someone in.
    async fn log_in(&self, name: &str) -> Browser {
        let mut browser = Browser::default();
        let callback = self.callback(&mut browser, name).await;
        let answer = browser.open(&callback).await;
        assert_eq!(location(&answer), Some(self.at("/")), "{}", answer.text);
        browser
    }

    /// The answer to a session about itself; `None` if there is none.
    async fn session(&self, browser: &mut Browser) -> Option<Value> {
        let answer = browser.send("GET", &self.at("/session"), &[("accept", "*/*")], "").await;
        assert!([200, 401].contains(&answer.status), "{}", answer.text);
        (answer.status == 200).then_some(answer.body)
    }

    /// Creates an individual by a script of a page, with some headers instead of the usual ones.
    async fn create(&self, browser: &mut Browser, headers: &[(&str, &str)]) -> Answer {
        let body = json!({ "familyName": "Doe", "givenName": "Jo" }).to_string();
        let headers = [&[("content-type", "application/json")], headers].concat();
        browser.send("POST", &self.at("/tmf-api/party/v4/individual"), &headers, &body).await
    }
}

#[tokio::test]
async fn a_person_logs_in_works_and_logs_out() {
    if !is_possible() {
        return;
    }
    let site = Site::start().await;
    let mut browser = Browser::default();
    // The page that a person wants to see is the one that they come back to.
    let navigate = [("sec-fetch-mode", "navigate"), ("sec-fetch-site", "none")];
    let wanted = "/tmf-api/productOrderingManagement/v4/productOrder?limit=5&fields=id";
    let first = browser.send("GET", &site.at(wanted), &navigate, "").await;
    let begun = browser.open(&location(&first).unwrap()).await;
    let page = location(&begun).unwrap();
    for part in [
        "code_challenge_method=S256",
        "response_type=code",
        "nonce=",
        "state=",
        "scope=openid+profile",
    ] {
        assert!(page.contains(part), "{page}");
    }
    let callback = browser.log_in_at(&page, "mia", &site.at("/login/callback")).await;
    let answer = browser.open(&callback).await;
    assert_eq!(location(&answer), Some(site.at(wanted)));
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let session = cookies.iter().find(|line| line.to_str().unwrap().starts_with("ferrule="));
    let session = session.unwrap().to_str().unwrap();
    assert!(session.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{session}");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let orders = browser.send("GET", &site.at(wanted), &navigate, "").await;
    assert_eq!((orders.status, orders.text.as_str()), (200, "[]"));

    let known = site.session(&mut browser).await.unwrap();
    assert_eq!(known["subject"], "mia");
    assert_eq!(known["name"], "mia of the tests");
    assert_eq!(known["roles"], json!(["agent", "operator"]));
    assert_eq!(known["proof"], "session");
    let token = known["csrfToken"].as_str().unwrap().to_owned();
    let created =
        site.create(&mut browser, &[("origin", &site.url), ("x-csrf-token", &token)]).await;
    assert_eq!(created.status, 201, "{}", created.text);

    let page = browser.open(&site.at("/")).await;
    assert!(page.text.contains("<strong id=\"who\">mia of the tests</strong>"), "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains(&format!("form-action 'self' {}", site.provider.issuer)), "{policy}");
    let gone = browser.submit(&site.at("/logout"), &format!("csrf_token={token}")).await;
    let page = location(&gone).expect(&gone.text);
    assert!(page.starts_with(&format!("{}/session/end?id_token_hint=ey", site.provider.issuer)));
    assert!(page.contains("post_logout_redirect_uri="), "{page}");
    assert_eq!(site.session(&mut browser).await, None);
    // The provider asks, and ends its own session too.
    let (url, asked) = browser.follow(&page).await;
    let secret = asked.text.split("name=\"xsrf\" value=\"").nth(1).unwrap();
    let secret = secret.split('"').next().unwrap();
    let action = absolute(&url, "/session/end/confirm");
    let ended = browser.submit(&action, &format!("xsrf={secret}&logout=yes")).await;
    let (url, page) = browser.follow(&location(&ended).expect(&ended.text)).await;
    assert!(url.starts_with(&site.at("/logout")), "{url}");
    assert!(page.text.contains("You are logged out"), "{}", page.text);
}

#[tokio::test]
async fn people_without_roles_log_in_and_may_do_nothing() {
    if !is_possible() {
        return;
    }
    let site = Site::with("client-id = \"public\"").await;
    let mut eve = site.log_in("eve").await;
    let orders = site.at("/tmf-api/productOrderingManagement/v4/productOrder");
    assert_eq!(eve.open(&orders).await.status, 403);
    assert_eq!(eve.open(&site.at("/")).await.status, 200);
    let mut tom = site.log_in("tom").await;
    assert_eq!(tom.open(&orders).await.status, 200);
    let token = site.session(&mut tom).await.unwrap()["csrfToken"].as_str().unwrap().to_owned();
    let refused = site.create(&mut tom, &[("origin", &site.url), ("x-csrf-token", &token)]).await;
    assert_eq!(refused.status, 403);
    // A name is text, whatever it is.
    let mut boss = site.log_in("boss%3Cb%3E").await;
    let page = boss.open(&site.at("/")).await;
    assert!(page.text.contains("boss&lt;b&gt; of the tests"), "{}", page.text);
}

#[tokio::test]
async fn a_provider_that_is_down_or_new_stops_no_session() {
    if !is_possible() {
        return;
    }
    let mut site = Site::with("client-id = \"posting\"\nclient-secret = \"posted\"").await;
    let mut mia = site.log_in("mia").await;
    let mut late = Browser::default();
    let callback = site.callback(&mut late, "tom").await;
    site.provider.stop().await;
    let page = late.open(&callback).await;
    assert_eq!(page.status, 503, "{}", page.text);
    assert!(page.text.contains("Logins are not available"), "{}", page.text);
    assert!(site.session(&mut mia).await.is_some());
    // Other keys under the same id, and a server that still knows the old ones.
    site.provider.run().await;
    site.log_in("tom").await;
    // A server that never knew the provider.
    site.provider.stop().await;
    site.kill().await;
    site.run().await;
    let page = Browser::default().open(&site.at("/login")).await;
    assert_eq!(page.status, 503, "{}", page.text);
    assert!(!page.text.contains("localhost"), "{}", page.text);
    assert!(site.session(&mut mia).await.is_some());
    site.provider.run().await;
}

#[tokio::test]
async fn settings_of_logins_that_cannot_work_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let login =
        |rest: &str| format!("[access]\nauthentication = \"required\"\n[access.login]\n{rest}");
    let usual = "issuer = \"https://sso.example.com\"\nclient-id = \"ferrule\"\n";
    let with = |rest: &str| login(&format!("{usual}{rest}\n"));
    let table = [
        (
            login("issuer = \"http://sso.example.com\"\nclient-id = \"f\""),
            "`issuer`: plain http goes to this machine only",
        ),
        (with("client-secret = \"nms\""), "names the secret `nms`, which is not there"),
        (
            with("default-roles = [\"readers\"]"),
            "there is no role `readers`; did you mean `reader`?",
        ),
        (with("roles = { noc = [\"operator\"] }"), "`roles` needs `roles-claim`"),
        (
            with("tenant = \"a\"\ntenant-claim = \"b\"\n[tenants.a]\nsettings = \"a.toml\""),
            "one of `tenant` and `tenant-claim`",
        ),
        (with("tenant = \"b\""), "`[access.login] tenant` names `b`, which is not there"),
        (with("[access.sessions]\nminutes = 0"), "`[access.sessions] minutes` is a number from 1"),
        (
            with("[access.sessions]\nidle-minutes = 500"),
            "`[access.sessions] idle-minutes` is a number from 1 to `minutes`",
        ),
        (with("scopes = [\"a b\"]"), "each of `scopes` is one word"),
        (
            with("").replace("required", "off"),
            "[access.login] needs `authentication = \"required\"`",
        ),
    ];
    for (settings, expected) in table {
        let file = folder.path().join("ferrule.toml");
        std::fs::write(&file, settings).unwrap();
        let file = file.to_str().unwrap();
        let data = folder.path().join("data");
        let arguments = ["serve", "--config", file, "--listen", "127.0.0.1:0", "--data"];
        let started =
            crate::world::ferrule(&[&arguments[..], &[data.to_str().unwrap()]].concat()).await;
        assert!(!started.ok && started.err.contains(expected), "{expected}: {}", started.err);
    }
}

/// A client without cookies.
fn plain(site: &Site) -> Http {
    Http::new(&site.url)
}
