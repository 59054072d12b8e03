//! A hundred secrets from all sources, sent in all places by a plugin that shows all that it knows. Each
//! comes to its element, and none is anywhere else.

mod element;
mod planted;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugin::guest::{guest, with_world};
use crate::world::{Http, Process, eventually, facts, next_port, text};
use element::Element;
use planted::{Planted, planted};

const WORKFLOWS: &str = "\
workflows:
  - workflow: leak
    steps:
      - { step: it, plugin: leaker, undo: false, timeout: 60s, retry: { attempts: 1 } }
";

/// What the plugin does with what it knows.
const SHOWN: [&str; 7] = ["return", "log", "print", "fail", "code", "trap", "wait"];

/// Where a secret is in a request.
const PLACES: [&str; 6] = ["bearer", "basic", "json", "form", "xml", "text"];

/// A server with its settings, whose log has everything.
struct Server {
    http: Http,
    folder: TempDir,
    process: Process,
}

impl Server {
    async fn start(secrets: &[Planted], element: &Element) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let pack = path("workflows").join("leak");
        std::fs::create_dir_all(&pack).unwrap();
        std::fs::create_dir(path("plugins")).unwrap();
        std::fs::write(pack.join("pack.yaml"), "pack: leak\n").unwrap();
        std::fs::write(pack.join("workflows.yaml"), WORKFLOWS).unwrap();
        let leaker = with_world(&guest("leaker"), "leaker", "step");
        std::fs::write(path("plugins").join("leaker.wasm"), leaker).unwrap();
        std::fs::create_dir(path("sources")).unwrap();
        let environment = planted::plant(secrets, &path("sources"));
        let settings = settings(secrets, &path("sources"), element);
        std::fs::write(path("ferrule.toml"), settings).unwrap();
        let address = format!("127.0.0.1:{}", next_port());
        let arguments = [
            ("serve", None),
            ("--config", Some(path("ferrule.toml"))),
            ("--listen", Some(PathBuf::from(&address))),
            ("--data", Some(path("data"))),
            ("--plugins", Some(path("plugins"))),
            ("--workflows", Some(path("workflows"))),
        ];
        let words = |(name, value): (&str, Option<PathBuf>)| {
            let value = value.map(|value| value.to_str().unwrap().to_owned());
            [Some(name.to_owned()), value].into_iter().flatten()
        };
        let arguments: Vec<_> = arguments.into_iter().flat_map(words).collect();
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| (name.as_str(), value.into())).collect();
        let started = Process::start_in("serve", &arguments, folder.path(), &environment).await;
        let (process, url) = started.unwrap_or_else(|log| panic!("it does not start: {log}"));
        Self { http: Http::new(&url), folder, process }
    }

    /// Runs the plugin to its end, and returns the id of the run.
    async fn run(&self, input: &Value) -> String {
        let path = "/orchestration/v1/workflows/leak/runs";
        let answer = self.http.post(path, input).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let id = text(&answer.body["id"]);
        let path = format!("/orchestration/v1/runs/{id}");
        let is_over = async || {
            let now = self.http.get(&path).await;
            (!["submitted", "running"].contains(&now["state"].as_str()?)).then_some(())
        };
        eventually("the run is over or held", is_over).await;
        id
    }

    async fn log_of(&self, id: &str) -> String {
        self.http.get(&format!("/orchestration/v1/fulfilments/{id}/logs")).await.to_string()
    }
}

fn settings(secrets: &[Planted], sources: &Path, element: &Element) -> String {
    let mut text = String::new();
    for secret in secrets {
        text += &format!("[secrets.{}]\n{}\n", secret.name, secret.source(sources, &element.host));
    }
    text += &format!("[plugins.leaker]\nhttp = [\"http://{0}\"]\n", element.host);
    for secret in secrets {
        let Planted { name, .. } = secret;
        let to = format!("http://{}/{name}", element.host);
        text += &format!("[plugins.leaker.secrets.{name}]\nsecret = {name:?}\nto = [{to:?}]\n");
    }
    text
}

fn input(element: &Element, n: usize, name: &str) -> Value {
    json!({
        "secret": name,
        "host": element.host,
        "path": format!("/{name}"),
        "via": if (n / 3).is_multiple_of(2) { "contract" } else { "wasi" },
        "where": PLACES[n / PLACES.len() % PLACES.len()],
        "then": SHOWN[n % SHOWN.len()],
    })
}

/// Fails if a secret is in a text.
fn search(secrets: &[Planted], place: &str, text: &str) {
    for secret in secrets {
        let found = secret.found_in(text);
        assert!(found.is_none(), "secret {} is in {place}, {}", secret.name, found.unwrap());
    }
}

fn files(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => drop(found.insert(path.clone(), std::fs::read(path).unwrap())),
        }
    }
}

/// Searches all that the server shows and keeps.
async fn search_server(server: Server, secrets: &[Planted], ids: &[String]) {
    let fulfilments = "/orchestration/v1/fulfilments";
    let mut paths: Vec<String> = ["/metrics", "/orchestration/v1/plugins", fulfilments]
        .into_iter()
        .chain([
            "/orchestration/v1/runs",
            "/orchestration/v1/events",
            "/orchestration/v1/quarantine",
        ])
        .map(str::to_owned)
        .collect();
    for id in ids {
        let of_run = ["", "/logs", "/plan", "/attempts", "?journal=true"];
        paths.extend(of_run.map(|rest| format!("{fulfilments}/{id}{rest}")));
        paths.push(format!("/orchestration/v1/runs/{id}?journal=true"));
    }
    for path in paths {
        let answer = server.http.send("GET", &path, &[], "").await.unwrap();
        search(secrets, &path, &answer.text);
    }
    let Server { folder, process, .. } = server;
    process.kill().await;
    let mut found = BTreeMap::new();
    let data = folder.path().join("data");
    files(&data, &mut found);
    // Compiled plugins are the largest of it, and were there before any secret was read.
    found.retain(|path, _| path.extension().is_none_or(|kind| kind != "cwasm"));
    let log = folder.path().join("serve.log");
    found.insert(log.clone(), std::fs::read(&log).unwrap());
    for (path, bytes) in found {
        search(secrets, &path.display().to_string(), &String::from_utf8_lossy(&bytes));
    }
    let facts = facts(&data);
    assert!(facts.len() > ids.len());
    for fact in facts {
        search(secrets, "a fact of the store", &String::from_utf8_lossy(&fact));
    }
}

#[tokio::test]
async fn secrets_come_to_their_elements_and_are_nowhere_else() {
    let secrets = planted(100);
    let element = Element::start(&secrets).await;
    let server = Server::start(&secrets, &element).await;
    let mut ids = Vec::new();
    for (n, secret) in secrets.iter().enumerate() {
        let input = input(&element, n, &secret.name);
        let id = server.run(&input).await;
        let sent = element.sent(&secret.name);
        let sent = sent.unwrap_or_else(|| panic!("nothing was sent: {input}"));
        let wanted = secret.as_sent(input["where"].as_str().unwrap());
        assert!(sent.contains(&wanted), "{input}: {sent:?} has no {wanted:?}");
        ids.push(id);
    }
    // What was not granted, or goes elsewhere, is denied with the lines to add.
    let mut elsewhere = input(&element, 0, "s1");
    elsewhere["path"] = json!("/other");
    let id = server.run(&elsewhere).await;
    let log = server.log_of(&id).await;
    let lines = "of plugin `leaker`: it may not go there; to grant it, add";
    assert!(log.contains(lines) && log.contains("[plugins.leaker.secrets]"), "{log}");
    assert_eq!(element.sent("other"), None);
    ids.push(id);
    let id = server.run(&input(&element, 0, "none")).await;
    let log = server.log_of(&id).await;
    assert!(log.contains("secret `none` of plugin `leaker`: it is not granted"), "{log}");
    ids.push(id);
    search_server(server, &secrets, &ids).await;
}

#[tokio::test]
async fn secrets_and_their_grants_are_renewed_without_a_restart() {
    let secrets = planted(2);
    let element = Element::start(&secrets).await;
    let server = Server::start(&secrets[..1], &element).await;
    let is_sent = async |n: usize, value: &Planted| {
        server.run(&input(&element, 0, &secrets[n].name)).await;
        let sent = element.sent(&secrets[n].name)?;
        sent.contains(&value.as_sent("bearer")).then_some(())
    };
    assert_eq!(is_sent(0, &secrets[0]).await, Some(()));
    let sources = server.folder.path().join("sources");
    let renewed = Planted::new(0, "renewed");
    std::fs::write(sources.join("s0"), &renewed.value).unwrap();
    eventually("the changed file is read", async || is_sent(0, &renewed).await).await;
    assert_eq!(is_sent(1, &secrets[1]).await, None);
    std::fs::write(sources.join("s1"), &secrets[1].value).unwrap();
    let both = settings(&[Planted::new(0, ""), Planted::new(6, "")], &sources, &element);
    let both = both.replace("s6", "s1");
    std::fs::write(server.folder.path().join("ferrule.toml"), both).unwrap();
    eventually("the changed settings are read", async || is_sent(1, &secrets[1]).await).await;
}
