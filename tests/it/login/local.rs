//! Logins of local users by the form of a site without a provider.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::browser::{Browser, location};
use crate::access::ferrule_with_input;
use crate::world::{Process, eventually, next_port};

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

/// A server with a file of users.
struct Site {
    url: String,
    arguments: Vec<String>,
    folder: TempDir,
    process: Option<Process>,
}

impl Site {
    async fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let address = format!("127.0.0.1:{}", next_port());
        std::fs::create_dir(path("workflows")).unwrap();
        let settings = format!(
            "[access]\nauthentication = \"required\"\nusers-file = {:?}\n{more}",
            path("users.toml")
        );
        std::fs::write(path("ferrule.toml"), settings).unwrap();
        let (config, data, plugins, workflows) =
            (path("ferrule.toml"), path("data"), path("plugins"), path("workflows"));
        let arguments = [
            "serve",
            "--config",
            &config,
            "--listen",
            &address,
            "--data",
            &data,
            "--plugins",
            &plugins,
            "--workflows",
            &workflows,
        ];
        let arguments = arguments.map(str::to_owned).to_vec();
        let mut site = Self { url: format!("http://{address}"), arguments, folder, process: None };
        site.have(&[
            ("mia", "correct horse battery", "agent"),
            ("ben", "another long one", "reader"),
        ]);
        site.run().await;
        site
    }

    /// Writes the file of users.
    fn have(&self, users: &[(&str, &str, &str)]) {
        let users = users.iter().map(|(name, password, role)| {
            let hash = ferrule_with_input(&["user", "hash"], password);
            format!("[{name}]\n{hash}roles = [\"{role}\"]\n")
        });
        let path = self.folder.path().join("users.toml");
        std::fs::write(&path, users.collect::<String>()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    async fn run(&mut self) {
        let started = Process::start("serve", &self.arguments, self.folder.path()).await;
        let (process, _) = started.unwrap_or_else(|log| panic!("it does not start: {log}"));
        self.process = Some(process);
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn session(&self, browser: &mut Browser) -> Option<Value> {
        let answer = browser.send("GET", &self.at("/session"), &[("accept", "*/*")], "").await;
        assert!([200, 401].contains(&answer.status), "{}", answer.text);
        (answer.status == 200).then_some(answer.body)
    }

    async fn log_in(&self, form: &str) -> Browser {
        let mut browser = Browser::default();
        let answer = browser.submit(&self.at("/login"), form).await;
        assert_eq!(location(&answer), Some(self.at("/")), "{}", answer.text);
        browser
    }
}

const MIA: &str = "name=mia&password=correct+horse+battery";

#[tokio::test]
async fn a_local_user_logs_in_works_and_logs_out() {
    let site = Site::start("[access.sessions]\nminutes = 60\n").await;
    let mut browser = Browser::default();
    let navigate = [("sec-fetch-mode", "navigate"), ("sec-fetch-site", "none")];
    let first = browser.send("GET", &site.at(&format!("{ORDERS}?limit=5")), &navigate, "").await;
    let login = location(&first).unwrap();
    let page = browser.open(&login).await;
    assert_eq!(page.status, 200);
    let back = format!("name=\"return\" value=\"{ORDERS}?limit=5\"");
    assert!(page.text.contains(&back), "{}", page.text);
    assert!(!page.text.contains("identity provider"), "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self';"), "{policy}");

    let wrong = browser.submit(&site.at("/login"), "name=mia&password=%3Cb%3E").await;
    assert_eq!(wrong.status, 403);
    assert!(wrong.text.contains("The name or the password is wrong."), "{}", wrong.text);
    let unknown = browser.submit(&site.at("/login"), "name=eve&password=%3Cb%3E").await;
    assert_eq!(unknown.text, wrong.text);
    assert_eq!(site.session(&mut browser).await, None);

    let form = format!("{MIA}&return={}", ORDERS.replace('/', "%2F"));
    let answer = browser.submit(&site.at("/login"), &form).await;
    assert_eq!(location(&answer), Some(site.at(ORDERS)), "{}", answer.text);
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    let known = site.session(&mut browser).await.unwrap();
    assert_eq!(known["subject"], "mia");
    assert_eq!(known["roles"], json!(["agent"]));
    assert_eq!(known["proof"], "session");
    // With a session the login leads on.
    let again = browser.open(&site.at("/login?return=/session")).await;
    assert_eq!(location(&again), Some(site.at("/session")));

    let token = known["csrfToken"].as_str().unwrap();
    let gone = browser.submit(&site.at("/logout"), &format!("csrf_token={token}")).await;
    assert_eq!(location(&gone), Some(site.at("/logout")));
    assert_eq!(site.session(&mut browser).await, None);
}

#[tokio::test]
async fn other_pages_log_no_one_in() {
    let site = Site::start("").await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let own = [form[0], ("origin", site.url.as_str())];
    let foreign = [form[0], ("origin", "https://evil.example")];
    let cross = [form[0], ("origin", site.url.as_str()), ("sec-fetch-site", "cross-site")];
    let json = [("content-type", "application/json"), own[1]];
    let long = format!("{MIA}&return={}", "x".repeat(32 << 10));
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let table: [(Headers<'_>, &str, u16); 9] = [
        (&form, MIA, 403),
        (&foreign, MIA, 421),
        (&cross, MIA, 403),
        (&json, "{\"name\":\"mia\",\"password\":\"correct horse battery\"}", 415),
        (&own, &long, 413),
        (&own, "", 403),
        (&own, "name=mia&name=mia&password=correct+horse+battery", 403),
        (&own, "name=mia&password=correct+horse+battery&return=//evil.example", 303),
        (&own, MIA, 303),
    ];
    for (headers, body, expected) in table {
        let mut browser = Browser::default();
        let answer = browser.send("POST", &site.at("/login"), headers, body).await;
        assert_eq!(answer.status, expected, "{headers:?} {body}: {}", answer.text);
        assert_eq!(browser.cookie("ferrule").is_some(), expected == 303, "{headers:?} {body}");
        if expected == 303 {
            assert_eq!(location(&answer), Some(site.at("/")));
        }
    }
    let url = site.at(&format!("/login?{MIA}"));
    assert_eq!(Browser::default().open(&url).await.status, 200);
    assert_eq!(Browser::default().send("PUT", &site.at("/login"), &own, MIA).await.status, 405);
    for path in ["/login/provider", "/login/callback", "/login/backchannel"] {
        assert_eq!(Browser::default().open(&site.at(path)).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_session_ends_with_the_entry_that_proved_it() {
    let mut site = Site::start("").await;
    let (mut mia, mut ben) =
        (site.log_in(MIA).await, site.log_in("name=ben&password=another+long+one").await);
    // It outlives the process.
    site.process.take().unwrap().kill().await;
    site.run().await;
    assert!(site.session(&mut mia).await.is_some());
    // Another password; the other user stays as he is.
    let hash = ferrule_with_input(&["user", "hash"], "a new long password");
    let file = site.folder.path().join("users.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (_, rest) = text.split_once("[ben]").unwrap();
    let changed = format!("[mia]\n{hash}roles = [\"agent\"]\n[ben]{rest}");
    std::fs::write(&file, &changed).unwrap();
    let ended = async || site.session(&mut mia.clone()).await.is_none().then_some(());
    eventually("the session of the old password ends", ended).await;
    assert!(site.session(&mut ben).await.is_some());
    // Other roles, while the server does not run.
    site.process.take().unwrap().kill().await;
    std::fs::write(&file, changed.replace("\"reader\"", "\"operator\"")).unwrap();
    site.run().await;
    assert!(site.session(&mut ben).await.is_none());
}

#[tokio::test]
async fn a_name_whose_password_is_guessed_has_to_wait() {
    let site = Site::start("").await;
    let mut browser = Browser::default();
    for guess in 0..20 {
        let form = format!("name=mia&password=guess-{guess}");
        let answer = browser.submit(&site.at("/login"), &form).await;
        assert_eq!(answer.status, 403, "{guess}: {}", answer.text);
    }
    // Not even the right one is looked at, whichever way it comes.
    let late = browser.submit(&site.at("/login"), MIA).await;
    assert_eq!(late.status, 429, "{}", late.text);
    let wait: u64 = late.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let basic = [("authorization", "Basic bWlhOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==")];
    let header = Browser::default().send("GET", &site.at(ORDERS), &basic, "").await;
    assert_eq!(header.status, 429, "{}", header.text);
    site.log_in("name=ben&password=another+long+one").await;
}
