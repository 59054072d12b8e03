//! `ferrule plugin test`: plugins without a bug pass every cell, and seeded bugs are found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

use crate::plugin::guest::guest;
use crate::world::{Output, World, ferrule, plugins_dir, repository, text};

/// The bugs of each adapter of `tests/guests/adapters`.
const BUGS: [(&str, [&str; 4]); 10] = [
    ("put", ["ignores-key", "undo-fails-on-404", "probe-always-applied", "retry-after-in-ms"]),
    ("post", ["ignores-key", "no-answer-is-done", "retries-inside", "undo-needs-outputs"]),
    ("login", ["logs-password", "password-in-failure", "token-in-outputs", "401-is-retry"]),
    (
        "queued",
        ["ignores-callback", "any-callback-is-done", "waits-under-other-key", "202-is-done"],
    ),
    (
        "two",
        ["stops-at-existing", "key-by-attempt", "swallows-second-failure", "undo-leaves-first"],
    ),
    ("rpc", ["missing-is-null", "cut-json-is-empty", "panics-on-garbage", "time-in-request"]),
    ("read-first", ["failure-is-absent", "makes-blindly", "takes-foreign", "other-outputs"]),
    ("pages", ["drops-retry-after", "spins-when-full", "never-ends", "swallows-503"]),
    ("cli", ["409-is-retry", "403-is-reject", "500-is-reject", "unreachable-is-operator"]),
    ("calc", ["rounds-as-float", "time-in-outputs", "attempt-in-outputs", "panics-later"]),
];

/// A key that `minisign -GW` made for this test, and its public half.
const KEY: &str = "untrusted comment: minisign encrypted secret key\nRWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAxXizSaUOosOiZ/lPbBKdHi0Y1bEHZxvtkiWfT2gxMTiDT1KB3mp9q1C8w0X4V6wOlHPl+YuyBOr4hH/a8ubUT13O2cizfMF4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
const PUBLIC: &str = "RWTFeLNJpQ6iw1C8w0X4V6wOlHPl+YuyBOr4hH/a8ubUT13O2cizfMF4";

/// Faults that wait for the time of a call to end: what they show, others show too.
const SLOW: &str = "  timeout-before: takes long\n  timeout-after: takes long\n";

#[derive(Deserialize)]
struct Report {
    results: Vec<CellResult>,
}

#[derive(Deserialize)]
struct CellResult {
    cell: String,
    status: String,
    #[serde(default)]
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    kind: String,
}

/// A folder with the guest of ten adapters, and cases for it.
struct Adapters {
    folder: TempDir,
    plugin: PathBuf,
}

impl Adapters {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plugin = folder.path().join("adapters.wasm");
        std::fs::write(&plugin, guest("adapters")).unwrap();
        std::fs::create_dir(folder.path().join("tests")).unwrap();
        Self { folder, plugin }
    }

    /// Writes the case of an adapter with a change, without the faults that take long.
    fn write(&self, name: &str, style: &str, (from, to): (&str, &str)) -> PathBuf {
        let cases = repository().join("tests/guests/adapters/tests");
        let case = std::fs::read_to_string(cases.join(format!("{style}.yaml"))).unwrap();
        assert!(case.contains(from), "{style}: {from}");
        let case = case.replace(from, to);
        let case = match case.contains("leaveOut:\n") {
            true => case.replace("leaveOut:\n", &format!("leaveOut:\n{SLOW}")),
            false => format!("{case}leaveOut:\n{SLOW}"),
        };
        let path = self.folder.path().join("tests").join(format!("{name}.yaml"));
        std::fs::write(&path, case).unwrap();
        path
    }

    async fn test(&self, arguments: &[&str]) -> Output {
        let plugin = self.plugin.to_str().unwrap();
        ferrule(&[&["plugin", "test", plugin], arguments].concat()).await
    }
}

/// The kinds of problems of each case that has any.
fn problems(output: &Output) -> BTreeMap<String, BTreeSet<String>> {
    let report: Report = serde_json::from_str(&output.out).expect(&output.err);
    assert!(!report.results.is_empty());
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for result in report.results.into_iter().filter(|result| result.status == "failed") {
        let case = result.cell.split('/').next().unwrap().to_owned();
        found.entry(case).or_default().extend(result.problems.into_iter().map(|one| one.kind));
    }
    found
}

#[tokio::test]
async fn the_shipped_activators_pass_every_cell() {
    let plugins = plugins_dir().await;
    for name in ["rest-activator", "jsonrpc-activator"] {
        let plugin = plugins.join(format!("{name}.wasm"));
        let cases = repository().join("plugins").join(name).join("tests");
        let arguments = ["plugin", "test", plugin.to_str().unwrap(), "--cases"];
        let tested = ferrule(&[&arguments[..], &[cases.to_str().unwrap()]].concat()).await;
        assert!(tested.ok, "{}{}", tested.out, tested.err);
    }
}

/// All adapters have the right behaviour by themselves; with a bug each of them is found out.
#[tokio::test]
async fn forty_seeded_bugs_are_found_and_none_where_there_is_none() {
    let adapters = Adapters::new();
    for (style, bugs) in BUGS {
        adapters.write(style, style, ("bug: none", "bug: none"));
        for bug in bugs {
            let name = format!("{style}-{bug}");
            adapters.write(&name, style, ("bug: none", &format!("bug: {name}")));
        }
    }
    let tested = adapters.test(&["--json"]).await;
    assert_eq!(tested.code, Some(1), "{}", tested.err);
    let found: BTreeSet<String> = problems(&tested).into_keys().collect();
    let seeded: BTreeSet<String> = BUGS
        .iter()
        .flat_map(|(style, bugs)| bugs.iter().map(move |bug| format!("{style}-{bug}")))
        .collect();
    assert_eq!(seeded.len(), 40);
    assert_eq!(found, seeded);
}

/// Changes of earlier work, and its end, are played with their undo and probe.
#[tokio::test]
async fn bugs_of_changes_are_found_and_none_where_there_is_none() {
    let adapters = Adapters::new();
    let bugs = ["does-nothing", "makes-anew", "stays", "probe-takes-earlier"];
    for style in ["change", "end"] {
        adapters.write(style, style, ("bug: none", "bug: none"));
    }
    for bug in bugs {
        let to = format!("bug: change-{bug}");
        adapters.write(&format!("change-{bug}"), "change", ("bug: none", &to));
    }
    adapters.write("end-nothing", "end", ("bug: none", "bug: change-ends-nothing"));
    let tested = adapters.test(&["--json"]).await;
    assert_eq!(tested.code, Some(1), "{}", tested.err);
    let found: BTreeSet<String> = problems(&tested).into_keys().collect();
    let seeded = bugs.iter().map(|bug| format!("change-{bug}"));
    assert_eq!(found, seeded.chain(["end-nothing".to_owned()]).collect());
    for cell in ["change/undo-1/lost-answer", "change/probe-1/garbage", "end/undo-1/lost-answer"] {
        assert!(tested.out.contains(&format!("\"{cell}\"")), "{cell} is played");
    }
}

/// A plugin reads the inventory of its case.
#[tokio::test]
async fn a_case_has_an_inventory() {
    let checks = plugins_dir().await.join("order-checks.wasm");
    let case = repository().join("plugins/order-checks/tests/duplicate.yaml");
    let case = std::fs::read_to_string(case).unwrap();
    let cases = tempfile::tempdir().unwrap();
    let folder = cases.path().to_str().unwrap();
    for (from, to, told) in [
        ("", "", "2 cells passed, 0 failed"),
        (
            "- id: p-1\n      status: active",
            "- id: p-1\n      status: terminated",
            "it must fail with code",
        ),
        (
            "  product:\n    - id",
            "  service:\n    - id",
            "case.yaml:14: the plugin does not ask for `service`",
        ),
        (
            "  product:\n    - id",
            "  products:\n    - id",
            "case.yaml:13: `products` is no kind of document",
        ),
        ("- id: p-1", "- name: p-1", "case.yaml:13: each document of `product` has an `id`"),
        ("code: ORDER_DUPLICATE", "code: OTHER", "case.yaml:21): reject ORDER_DUPLICATE"),
    ] {
        assert!(case.contains(from), "{from}");
        std::fs::write(cases.path().join("case.yaml"), case.replacen(from, to, 1)).unwrap();
        let plugin = checks.to_str().unwrap();
        let tested = ferrule(&["plugin", "test", plugin, "--cases", folder]).await;
        let output = tested.out + &tested.err;
        assert!(output.contains(told), "{told}: {output}");
    }
}

#[tokio::test]
async fn a_failed_cell_is_shown_with_what_to_do() {
    let adapters = Adapters::new();
    adapters.write("line", "put", ("bug: none", "bug: put-undo-fails-on-404"));
    let page = adapters.folder.path().join("report.html");
    let junit = adapters.folder.path().join("report.xml");
    let (html, xml) = (page.to_str().unwrap(), junit.to_str().unwrap());
    let tested = adapters.test(&["--only", "undo-twice", "--html", html, "--junit", xml]).await;
    assert_eq!(tested.code, Some(1), "{}", tested.err);
    for part in ["line: UNDO-TWICE!", "the undo fails", "take `not there` for success", "-> 404"] {
        assert!(tested.out.contains(part), "{part}: {}", tested.out);
    }
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains("line/undo-twice") && page.contains("DELETE /lines/7 -&gt; 404"),
        "{page}"
    );
    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(
        junit.contains("failures=\"1\"") && junit.contains("DELETE /lines/7 -&gt; 404"),
        "{junit}"
    );
    let listed = adapters.test(&["--list"]).await;
    assert!(listed.out.contains("line/run-1/lost-answer: PUT /lines/7: "), "{}", listed.out);
}

#[tokio::test]
async fn a_request_that_matches_no_exchange_is_told_with_the_nearest() {
    let adapters = Adapters::new();
    let path = "request: { method: PUT, path: /lines/7, body: { mbps: 200 } }";
    for (to, told) in [
        (
            "request: { method: PUT, path: /lines/7, body: { mbps: 100 } }",
            "`/mbps` is 200, expected 100",
        ),
        ("request: { method: POST, path: /lines/7, body: { mbps: 200 } }", "its method is "),
        (
            "request: { method: PUT, path: /lines/8, body: { mbps: 200 } }",
            "PUT /lines/7 matches no exchange; the nearest is ",
        ),
    ] {
        adapters.write("line", "put", (path, to));
        let tested = adapters.test(&["--only", "undisturbed"]).await;
        assert_eq!(tested.code, Some(1), "{}", tested.err);
        assert!(tested.out.contains(told), "{told}: {}", tested.out);
        assert!(tested.out.contains("line.yaml:"), "{}", tested.out);
    }
}

#[tokio::test]
async fn wrong_cases_are_told_with_file_and_line() {
    let adapters = Adapters::new();
    let none = adapters.test(&[]).await;
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("has no case: write `tests/<name>.yaml`"), "{}", none.err);
    for (from, to, told) in [
        ("does: applies", "dose: applies", "line.yaml:6: unknown field `dose`"),
        ("method: PUT", "method: put", "`put` is no method"),
        ("expect:", "expects:", "unknown field `expects`"),
        ("  input:", "  replaces: {}\n  input:", "line.yaml:3: a task that `replaces`"),
        (
            "  input:",
            "  action: modify\n  replaces: { input: { style: no } }\n  input:",
            "no adapter `no`",
        ),
    ] {
        adapters.write("line", "put", (from, to));
        let tested = adapters.test(&[]).await;
        assert_eq!(tested.code, Some(2), "{}", tested.err);
        assert!(tested.err.contains(told), "{told}: {}", tested.err);
    }
    adapters.write("line", "put", ("bug: none", "bug: none"));
    let tested = adapters.test(&["--only", "undo-twise"]).await;
    assert_eq!(tested.code, Some(2));
    assert!(tested.err.contains("is `undo-twice` meant?"), "{}", tested.err);
    let missing = ferrule(&["plugin", "test", "nowhere.wasm", "--cases", "nowhere"]).await;
    assert_eq!(missing.code, Some(2), "{}", missing.err);
    assert!(!Path::new("nowhere").exists());
}

/// What a plugin did for an order becomes a case that passes, and what it did on an element is recorded.
#[tokio::test]
async fn a_real_attempt_is_replayed_and_a_real_element_is_recorded() {
    let world = World::start().await;
    let fault = json!({ "element": "warehouse", "fault": "error", "times": 1 });
    world.network.fail(json!([fault])).await;
    let path = "/orchestration/v1/workflows/six-external/runs?wait=60s";
    let run = world.http.post(path, &json!({})).await;
    let id = text(&run.body["id"]);
    let plugin = plugins_dir().await.join("rest-activator.wasm");
    let (plugin, server) = (plugin.to_str().unwrap(), world.http.base.clone());
    let folder = tempfile::tempdir().unwrap();

    for (attempt, shows) in [("1", "\"code\":\"ELEMENT_503\""), ("2", "absent: {\"status\":404")] {
        let cases = folder.path().join(attempt);
        let case = cases.join("replay.yaml");
        let from = ["plugin", "replay", &id, "six-external.s1", "--server", &server];
        let to = ["--attempt", attempt, "--output", case.to_str().unwrap()];
        let replayed = ferrule(&[&from[..], &to].concat()).await;
        assert!(replayed.ok, "{}", replayed.err);
        let written = std::fs::read_to_string(&case).unwrap();
        assert!(written.contains(shows) && written.contains("disturb: \"nothing\""), "{written}");
        let tested = ferrule(&["plugin", "test", plugin, "--cases", cases.to_str().unwrap()]).await;
        assert!(tested.ok, "{written}{}{}", tested.out, tested.err);
        let again = ferrule(&[&from[..], &to].concat()).await;
        assert_eq!(again.code, Some(2), "a file that exists is kept");
    }
    let unknown =
        ["plugin", "replay", &id, "six-external.s9", "--server", &server, "-o", "x/y.yaml"];
    let unknown = ferrule(&unknown).await;
    assert!(!unknown.ok && unknown.err.contains("no task `six-external.s9`"), "{}", unknown.err);

    let of_task = format!("/orchestration/v1/fulfilments/{id}/tasks/six-external.s1/attempts");
    let attempts = world.http.get(&of_task).await;
    let url = text(&attempts[0]["exchanges"][0]["url"]);
    let (element, _) = url.split_once("/api/").unwrap();
    let case = folder.path().join("bench.yaml");
    let input = json!({
        "element": "warehouse",
        "request": { "method": "PUT", "path": "/api/bench/kit", "body": { "step": 1 } },
        "undo": { "method": "DELETE", "path": "/api/bench/kit" },
        "probe": { "method": "GET", "path": "/api/bench/kit" },
    });
    let task =
        format!("task:\n  input: {input}\nsettings:\n  element.warehouse: '{{{{element}}}}'\n");
    std::fs::write(&case, task).unwrap();
    let arguments = ["plugin", "test", plugin, "--cases", folder.path().to_str().unwrap()];
    let recorded = ferrule(&[&arguments[..], &["--record", element]].concat()).await;
    assert!(recorded.ok, "{}", recorded.err);
    let tested = ferrule(&arguments).await;
    let written = std::fs::read_to_string(&case).unwrap();
    assert!(tested.ok, "{written}{}{}", tested.out, tested.err);
    assert!(tested.out.contains("bench/undo-1: refused"), "{}", tested.out);
    let nothing = ferrule(&[&arguments[..], &["--record", element]].concat()).await;
    assert!(
        nothing.code == Some(2) && nothing.err.contains("every case has exchanges"),
        "{}",
        nothing.err
    );
}

#[tokio::test]
async fn a_certificate_is_for_these_bytes_by_this_key_and_for_what_passed() {
    let adapters = Adapters::new();
    adapters.write("line", "put", ("bug: none", "bug: none"));
    let key = adapters.folder.path().join("kit.key");
    std::fs::write(&key, KEY).unwrap();
    let public = PUBLIC.to_owned();
    let plugin = adapters.plugin.to_str().unwrap();
    let certify = ["plugin", "certify", plugin, "--key", key.to_str().unwrap()];
    let check = async |key: &str| ferrule(&["plugin", "certify", plugin, "--check", key]).await;

    let missing = check(&public).await;
    assert_eq!(missing.code, Some(2), "{}", missing.err);
    let certified = ferrule(&certify).await;
    assert!(certified.ok, "{}{}", certified.out, certified.err);
    let checked = check(&public).await;
    assert!(checked.ok, "{}", checked.err);
    assert!(checked.out.contains("4 left out"), "{}", checked.out);
    assert!(
        checked.out.contains("left out line/run-1/timeout-before: takes long"),
        "{}",
        checked.out
    );

    let other = minisign::KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
    let refused = check(&other).await;
    assert!(
        refused.code == Some(1) && refused.err.contains("not signed by this key"),
        "{}",
        refused.err
    );
    let path = adapters.folder.path().join("adapters.wasm.cert");
    let certificate = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, certificate.replace("takes long", "is no risk")).unwrap();
    let refused = check(&public).await;
    assert!(
        refused.code == Some(1) && refused.err.contains("not signed by this key"),
        "{}",
        refused.err
    );
    std::fs::write(&path, certificate).unwrap();
    // A custom section changes the digest and nothing else.
    let changed = [guest("adapters"), b"\x00\x04\x03kit".to_vec()].concat();
    std::fs::write(&adapters.plugin, changed).unwrap();
    let refused = check(&public).await;
    assert!(refused.code == Some(1) && refused.err.contains("of other bytes"), "{}", refused.err);

    std::fs::write(&adapters.plugin, guest("adapters")).unwrap();
    std::fs::remove_file(&path).unwrap();
    adapters.write("line", "put", ("bug: none", "bug: put-ignores-key"));
    let failed = ferrule(&certify).await;
    assert!(failed.code == Some(1) && failed.err.contains("it is not certified"), "{}", failed.err);
    assert!(!path.exists(), "there is no certificate of what failed");
    let unusable = ["plugin", "certify", plugin, "--key", plugin];
    assert_eq!(ferrule(&unusable).await.code, Some(2));
}
