//! Adapters that `ferrule plugin new --openapi` makes, against a server that speaks the API.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::project::{Projects, has, lock, text};
use crate::world::repository;

/// What is made of the description, and called below.
const OPERATIONS: &str =
    "createLine,listLines,getLine,putLine,patchLine,type,addPort,removePort,putJob,putSlow";

/// A description of the API, with the flag that takes it.
fn lines() -> [String; 2] {
    ["--openapi".into(), sample("lines.yaml")]
}

fn sample(name: &str) -> String {
    let path = repository().join("tests/it/generate").join(name);
    path.to_str().unwrap().to_owned()
}

/// A server of the API with its lines, by id.
#[derive(Clone, Default)]
struct Api {
    lines: Arc<Mutex<BTreeMap<i64, Value>>>,
}

impl Api {
    /// Serves it; returns its port.
    fn start(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let api = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                api.serve(stream.unwrap());
            }
        });
        port
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while reader.read_line(&mut head).is_ok_and(|bytes| bytes > 2) {}
        let length = head.lines().find_map(|line| {
            line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
        });
        let mut body = vec![0; length.unwrap_or(0)];
        if reader.read_exact(&mut body).is_err() || head.is_empty() {
            return;
        }
        let mut words = head.split_whitespace();
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (status, answer) = match target.contains("api_key=secret-key") {
            true => self.answer(method, target, serde_json::from_slice(&body).unwrap_or_default()),
            false => (401, json!({ "message": "the key is missing" })),
        };
        let answer = if answer.is_null() { String::new() } else { answer.to_string() };
        let length = answer.len();
        let response = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
        );
        stream.write_all(response.as_bytes()).unwrap();
    }

    fn answer(&self, method: &str, target: &str, mut body: Value) -> (u16, Value) {
        let mut lines = self.lines.lock().unwrap();
        let (path, query) = target.split_once('?').unwrap();
        if let Some(name) =
            path.strip_prefix("/v1/works/").or_else(|| path.strip_prefix("/v1/slow/"))
        {
            return Self::later(&mut lines, method, name.parse().unwrap(), body);
        }
        let id = path.strip_prefix("/v1/lines/").and_then(|id| id.parse::<i64>().ok());
        match (method, id) {
            ("GET", None) => {
                let has_key = |line: &&Value| {
                    let mut pairs =
                        query.split('&').filter_map(|pair| pair.strip_prefix("externalId="));
                    pairs.all(|key| line["externalId"] == key)
                };
                (200, lines.values().filter(has_key).cloned().collect())
            }
            ("GET", Some(id)) => {
                lines.get(&id).map_or((404, Value::Null), |line| (200, line.clone()))
            }
            ("DELETE", Some(id)) => {
                (if lines.remove(&id).is_some() { 204 } else { 404 }, Value::Null)
            }
            ("POST" | "PUT", id) => {
                let id = id.unwrap_or_else(|| lines.keys().max().unwrap_or(&0) + 1);
                body["id"] = json!(id);
                lines.insert(id, body.clone());
                (201, body)
            }
            _ => (405, Value::Null),
        }
    }
}

impl Api {
    /// Accepts work, which is done when it is looked at for the second time.
    fn later(
        lines: &mut BTreeMap<i64, Value>,
        method: &str,
        id: i64,
        mut body: Value,
    ) -> (u16, Value) {
        match (method, lines.get_mut(&id)) {
            ("PUT", _) => {
                body["state"] = json!("inProgress");
                lines.insert(id, body);
                (202, Value::Null)
            }
            ("GET", Some(line)) => {
                let shown = line.clone();
                line["state"] = json!("done");
                (200, shown)
            }
            ("DELETE", Some(_)) => {
                lines.remove(&id);
                (202, Value::Null)
            }
            _ => (404, Value::Null),
        }
    }
}

/// Makes an adapter and runs its unit tests.
fn make(
    projects: &Projects,
    language: &str,
    [flag, file]: &[String; 2],
    operations: &str,
    commands: &[&[&str]],
) -> PathBuf {
    let id = format!("lines-{language}");
    let arguments = [
        &["plugin", "new", &id, "--lang", language, flag, file][..],
        &["--operations", operations],
    ];
    let made = projects.ferrule(projects.folder.path(), &arguments.concat());
    assert!(made.status.success(), "{}", text(&made));
    let project = projects.folder.path().join(&id);
    if language == "rust" {
        lock(&project);
    }
    for command in commands {
        let done = projects.run(command[0], &project, &command[1..]);
        assert!(done.status.success(), "{command:?}: {}", text(&done));
        assert!(!text(&done).contains("warning: unused"), "{}", text(&done));
    }
    project
}

/// Makes an adapter, builds it, and drives the server with it.
fn check(language: &str, commands: &[&[&str]]) {
    let projects = Projects::new();
    let project = make(&projects, language, &lines(), OPERATIONS, commands);
    let plugin = projects.build(&project);
    drive(&projects, &project, &plugin);
}

fn drive(projects: &Projects, project: &Path, plugin: &Path) {
    let api = Api::default();
    let port = api.start();
    let page = std::fs::read_to_string(project.join("README.md")).unwrap();
    let (_, grants) = page.split_once("```toml\n").unwrap();
    let (grants, _) = grants.split_once("```").unwrap();
    // The grants of the page, for another port and with the key.
    let grants = grants.replace("18099", &port.to_string()).replace("\"...\"", "\"secret-key\"");
    std::fs::write(project.join("ferrule.toml"), grants).unwrap();
    let call = |operation: &str, outputs: &str, input: Value| {
        let input = input.to_string();
        let arguments = [
            &["plugin", "run", plugin.to_str().unwrap(), "--config", "ferrule.toml"][..],
            &["--operation", operation, "--outputs", outputs, "--input", &input],
        ];
        let called = projects.ferrule(project, &arguments.concat());
        let answer: Value = serde_json::from_slice(&called.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", text(&called)));
        let code = answer["failed"]["code"].clone();
        let waiting = answer["waiting"]["keys"].clone();
        let told = [code, waiting, answer["done"].clone()];
        told.into_iter().find(|told| !told.is_null()).unwrap_or_default()
    };
    let create = json!({ "createLine": { "element": "main", "body": { "mbps": 200 } } });
    let made = json!({ "externalId": "key-1", "id": 1, "mbps": 200 });
    assert_eq!(call("run", "{}", create.clone()), made);
    // Its answer was lost: the work is found, and not done twice.
    assert_eq!(call("recover", "{}", create.clone()), made);
    assert_eq!(call("undo", r#"{"id": 1}"#, create.clone()), json!({}));
    assert_eq!(api.lines.lock().unwrap().len(), 0);
    assert_eq!(call("recover", "{}", create.clone())["id"], 1);
    assert_eq!(call("undo", "{}", create), json!({}), "it is found by its key");
    assert_eq!(api.lines.lock().unwrap().len(), 0);

    let put = json!({ "putLine": { "element": "main", "lineId": 7, "body": { "mbps": 50 } } });
    assert_eq!(call("run", "{}", put.clone()), json!({ "id": 7, "mbps": 50 }));
    assert_eq!(call("recover", "{}", put), json!({ "id": 7, "mbps": 50 }));
    let list = json!({ "listLines": { "element": "main", "tag": ["a b", "c"] } });
    assert_eq!(call("run", "{}", list), json!({ "items": [{ "id": 7, "mbps": 50 }] }));
    let delete = json!({ "type": { "element": "main", "lineId": 7 } });
    assert_eq!(call("run", "{}", delete.clone()), json!({}));
    assert_eq!(call("recover", "{}", delete.clone()), json!({}));
    assert_eq!(call("undo", "{}", delete), "UNDO_UNDECIDED");
    let gone = json!({ "getLine": { "element": "main", "lineId": 7 } });
    assert_eq!(call("run", "{}", gone), "ELEMENT_REFUSED");
    // An answer 202 is not the end: the API calls back, or the probe looks until the work is done.
    for (operation, key, told) in
        [("putJob", "jobId", json!(["key-1"])), ("putSlow", "slowId", json!("ELEMENT_ACCEPTED"))]
    {
        let input = json!({ "element": "main", key: 9, "body": { "mbps": 5 } });
        let input = json!({ operation: input });
        assert_eq!(call("run", "{}", input.clone()), told);
        let callback = api.lines.lock().unwrap()[&9]["callbackUrl"].is_string();
        assert_eq!(callback, operation == "putJob", "the address to call back is sent");
        assert_eq!(call("recover", "{}", input.clone()), "ELEMENT_ACCEPTED");
        let done = json!({ "mbps": 5, "state": "done" });
        assert_eq!(call("recover", "{}", input.clone()), done);
        assert_eq!(call("undo", "{}", input.clone()), "ELEMENT_ACCEPTED");
        assert_eq!(call("undo", "{}", input), json!({}));
    }
    for wrong in [json!({}), json!({ "burn": {} })] {
        assert_eq!(call("run", "{}", wrong), "BAD_INPUT");
    }
}

#[test]
fn an_adapter_in_rust_drives_the_api_that_it_was_made_of() {
    check("rust", &[&["cargo", "test"]]);
}

#[test]
fn an_adapter_in_javascript_drives_the_api_that_it_was_made_of() {
    if has("npm") {
        check("javascript", &[&["npm", "install", "--no-audit", "--no-fund"], &["npm", "test"]]);
    }
}

#[test]
fn an_adapter_in_c_drives_the_api_that_it_was_made_of() {
    if has("clang") {
        check("c", &[&["sh", "vendor/test.sh"]]);
    }
}

/// The interpreter makes a component that takes long to compile, so this one runs natively.
#[test]
fn an_adapter_in_python_passes_the_same_cases() {
    if has("python3") {
        let install = &[".venv/bin/pip", "install", "--quiet", "-r", "requirements.txt"];
        let test = &[".venv/bin/python", "vendor/test.py"];
        let commands: [&[&str]; 3] = [&["python3", "-m", "venv", ".venv"], install, test];
        make(&Projects::new(), "python", &lines(), OPERATIONS, &commands);
    }
}

#[test]
fn saved_answers_of_a_collection_become_test_cases() {
    let projects = Projects::new();
    let collection = ["--postman".into(), sample("lines.postman.json")];
    let operations = "createLine,getLine,putLine,deleteLine";
    let project = make(&projects, "rust", &collection, operations, &[&["cargo", "test"]]);
    let cases = std::fs::read_to_string(project.join("src/cases.json")).unwrap();
    let cases: Value = serde_json::from_str(&cases).unwrap();
    assert_eq!(cases[0]["request"]["body"], json!({ "mbps": 100 }), "{cases:#}");
    assert_eq!(cases[0]["outputs"], json!({ "id": 4, "mbps": 100, "state": "up" }));
    assert_eq!(cases[0]["undo"]["url"], "http://element.test/lines/4?api_key=secret");
    let grants = std::fs::read_to_string(project.join("README.md")).unwrap();
    assert!(grants.contains("\"tenant\" = \"...\""), "{grants}");
    assert!(grants.contains("\"element.main\" = \"http://127.0.0.1:18099/v1\""), "{grants}");
    let listed = projects
        .ferrule(project.as_path(), &["plugin", "new", "x", &collection[0], &collection[1]]);
    assert_eq!(listed.status.code(), Some(2));
    assert!(
        text(&listed).contains(
            "upload\n    POST /file\n    cannot be adapted: #/item/1: its body is no JSON"
        )
    );
}

/// TM Forum's definitions are Swagger 2.0 and OpenAPI 3.0; where they are at hand, adapters of both build.
#[test]
fn adapters_of_tm_forum_apis_pass_their_tests() {
    let definitions = repository().join("../shared/tmf");
    if !definitions.is_dir() {
        return;
    }
    let projects = Projects::new();
    for (id, file, operations) in [
        (
            "tmf640",
            "v4/TMF640-v4.0.json",
            "createService,patchService,deleteService,retrieveService,listService",
        ),
        (
            "tmf641",
            "v5/TMF641-v5.0.yaml",
            "createServiceOrder,patchServiceOrder,createCancelServiceOrder",
        ),
    ] {
        let file = definitions.join(file);
        let arguments =
            ["plugin", "new", id, "--openapi", file.to_str().unwrap(), "--operations", operations];
        let made = projects.ferrule(projects.folder.path(), &arguments);
        assert!(made.status.success(), "{}", text(&made));
        let project = projects.folder.path().join(id);
        lock(&project);
        let tested = projects.run("cargo", &project, &["test"]);
        assert!(tested.status.success(), "{}", text(&tested));
        assert!(!text(&tested).contains("warning"), "{}", text(&tested));
    }
}

#[test]
fn descriptions_that_cannot_be_used_make_nothing_and_name_the_fix() {
    let projects = Projects::new();
    let folder = projects.folder.path();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("broken.yaml", "openapi: 3.0.0\npaths:\n  /a: [");
    write("old.json", "{\"swagger\": \"1.2\"}");
    write("large.json", &" ".repeat(10 << 20));
    std::fs::copy(sample("lines.yaml"), folder.join("lines.yaml")).unwrap();
    std::fs::write(folder.join("image.json"), [0xff, 0xfe]).unwrap();
    for (arguments, problem) in [
        (&["--openapi", "lines.yaml"][..], "such as `--operations listLines`"),
        (
            &["--openapi", "lines.yaml", "--operations", "upload"],
            "no JSON but `multipart/form-data`",
        ),
        (&["--openapi", "lines.yaml", "--operations", "burn"], "the API has no operation `burn`"),
        (
            &["--openapi", "lines.yaml", "--operations", "getLine", "--world", "rater"],
            "the world `activator`",
        ),
        (&["--openapi", "nowhere.yaml"], "cannot read `nowhere.yaml`"),
        (&["--openapi", "broken.yaml"], "`broken.yaml` cannot be used: line"),
        (&["--openapi", "old.json"], "version `1.2` is not known"),
        (&["--openapi", "large.json"], "more than 8 MiB: leave out the paths"),
        (&["--openapi", "image.json"], "is not UTF-8"),
        (&["--operations", "getLine"], "--openapi"),
        (&["--postman", "old.json"], "export it as `Collection v2.1`"),
        (&["--postman", "lines.yaml"], "line 1, column"),
        (&["--postman", "old.json", "--openapi", "old.json"], "cannot be used with"),
    ] {
        let arguments = [&["plugin", "new", "made"], arguments].concat();
        let refused = projects.ferrule(folder, &arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", text(&refused));
        assert!(text(&refused).contains(problem), "{arguments:?}: {}", text(&refused));
        assert!(!folder.join("made").exists(), "{arguments:?}");
    }
}
