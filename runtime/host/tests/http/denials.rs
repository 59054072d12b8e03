//! Every way in which a call is denied: the log names plugin and call, and its lines grant it.

use std::collections::BTreeMap;

use engine::worker::{Operation, Report, Worker as _};
use host::Grants;
use host::denial::Denial;
use host::secret::Secret;
use model::{Outcome, PluginId};
use serde_json::{Value, json};
use toml::Table;

use super::Element;
use super::support::{Bench, call, guest, pool, with_world};

/// A call that is denied.
struct Row {
    guest: &'static str,
    world: &'static str,
    /// The grants of the plugin.
    granted: String,
    operation: Operation,
    input: Value,
    /// The call, as the log names it.
    called: String,
    help: Help,
}

/// The help that the log must have.
enum Help {
    /// Lines with which the call is done.
    Done,
    /// Lines with which it is not denied; it fails for another reason.
    NotDenied,
    /// This advice, since no grant covers it.
    Instead(&'static str),
}

/// The rows of a way. A new way has no rows here, so this does not compile.
fn rows(denial: Denial, element: &Element) -> Vec<Row> {
    let here = format!("http://127.0.0.1:{}", element.port);
    match denial {
        Denial::HttpRule => not_allowed(&here),
        Denial::HttpAddress => vec![address(element)],
        Denial::HttpRedirect => redirects(&here),
        Denial::HttpRedirectedBody => {
            let url = format!("{here}/redirect?307,/x");
            let input = json!({ "method": "PUT", "url": url, "body": "x" });
            let rule = format!("http = [\"{here} redirects=1\"]");
            let called = format!("PUT {url} to {here}/x");
            vec![sends(&rule, input, called, Help::Instead("send it to that address"))]
        }
        Denial::HttpUser => {
            let url = here.replace("//", "//me:hunter2@");
            let help = Help::Instead("use the header `Authorization`");
            vec![sends(&rule(&here), json!({ "url": url }), format!("GET {here}/"), help)]
        }
        Denial::HttpChange => vec![Row {
            guest: "dialler",
            world: "",
            granted: rule(&here),
            operation: Operation::Reapply,
            input: json!({ "found": "put", "host": here.replace("http://", "") }),
            called: format!("PUT {here}/x"),
            help: Help::Instead("`observe` may send GET, HEAD, OPTIONS and POST"),
        }],
        Denial::Setting => vec![reads("show", "other", "setting `other`", Help::NotDenied)],
        Denial::Inventory => vec![
            reads("inventory", "product", "inventory `product`", Help::Done),
            reads("find", "service", "inventory `service`", Help::NotDenied),
        ],
        Denial::Pool => vec![Row {
            world: "allocator",
            input: json!({ "a": "test-b" }),
            ..reads("", "", "pool `test-b`", Help::Done)
        }],
        Denial::Secret
        | Denial::SecretValue
        | Denial::SecretPlace
        | Denial::SecretInUrl
        | Denial::SecretInName
        | Denial::SecretInHeader
        | Denial::SecretInCounted => secrets(denial, &here),
    }
}

fn rule(place: &str) -> String {
    format!("http = [\"{place}\"]")
}

fn sends(granted: &str, input: Value, called: String, help: Help) -> Row {
    let granted = granted.to_owned();
    let (guest, world, operation) = ("sender", "step", Operation::Run);
    Row { guest, world, granted, operation, input, called, help }
}

/// A request that each part of the rule keeps back in turn.
fn not_allowed(here: &str) -> Vec<Row> {
    let (name, tls) = (here.replace("127.0.0.1", "localhost"), here.replace("http:", "https:"));
    [
        ("host", format!("{name}/x"), rule(&format!("{here}/x")), Help::Done),
        ("port", format!("{here}/x"), rule("http://127.0.0.1:1/x"), Help::Done),
        ("scheme", format!("{tls}/x"), rule(&format!("{here}/x")), Help::NotDenied),
        ("path", format!("{here}/x"), rule(&format!("{here}/y")), Help::Done),
        ("method", format!("{here}/x"), rule(&format!("{here}/x PUT,POST")), Help::Done),
    ]
    .into_iter()
    .map(|(_, url, rule, help)| sends(&rule, json!({ "url": url }), format!("GET {url}"), help))
    .collect()
}

/// Resolvers read this as 127.0.0.1; rules read it as a name.
fn address(element: &Element) -> Row {
    let place = format!("http://{}:{}", "127.1", element.port);
    let called = format!("a request to {place}/x");
    sends(&rule(&place), json!({ "url": format!("{place}/x") }), called, Help::Done)
}

fn redirects(here: &str) -> Vec<Row> {
    let url = format!("{here}/redirect?302,/x");
    let called = format!("GET {url} to {here}/x");
    [rule(here), rule(&format!("{here}/redirect")), rule(&format!("{here}/redirect redirects=1"))]
        .iter()
        .map(|rule| sends(rule, json!({ "url": url }), called.clone(), Help::Done))
        .collect()
}

/// Calls of the guest that may read services and reserve from `test-a`.
fn reads(what: &str, name: &str, called: &str, help: Help) -> Row {
    let input = json!({ "do": what, "name": name, "where": "failure", "kind": name, "id": "1",
                        "attribute": "none" });
    Row {
        guest: "misbehave",
        world: "step",
        granted: "inventory = [\"customer\"]\npools = [\"test-a\"]".into(),
        operation: Operation::Run,
        input,
        called: called.into(),
        help,
    }
}

fn secrets(denial: Denial, here: &str) -> Vec<Row> {
    let to = format!("{here}/secret");
    let grant = |secret: &str| format!("one = {{ secret = \"{secret}\", to = [\"{to}\"] }}");
    let host = here.replace("http://", "");
    let input = |place: &str, path: &str| json!({ "secret": "one", "where": place, "host": host, "path": path });
    let called = format!("secret `one` in POST to {here}");
    let (grant, input, called, help) = match denial {
        Denial::Secret => (String::new(), input("bearer", "/x"), "secret `one`".into(), Help::Done),
        Denial::SecretValue => {
            let help = Help::Instead("see `[secrets.none]`");
            (grant("none"), input("bearer", "/secret"), "secret `one`".into(), help)
        }
        Denial::SecretPlace => (grant("one"), input("bearer", "/x"), called, Help::Done),
        Denial::SecretInUrl => {
            let help = Help::Instead("put it into a header or the body");
            (grant("one"), input("bearer", "/secret?{secret}"), called, help)
        }
        Denial::SecretInName => {
            (grant("one"), input("name", "/secret"), called, Help::Instead("put it into the value"))
        }
        Denial::SecretInHeader => {
            let help = Help::Instead("send it in the body, or change it");
            (grant("lines"), input("bearer", "/secret"), called, help)
        }
        Denial::SecretInCounted => {
            let help = Help::Instead("put it into a header");
            (grant("one"), input("counted", "/secret"), called, help)
        }
        Denial::HttpRule
        | Denial::HttpAddress
        | Denial::HttpRedirect
        | Denial::HttpRedirectedBody
        | Denial::HttpUser
        | Denial::HttpChange
        | Denial::Setting
        | Denial::Inventory
        | Denial::Pool => unreachable!("it is not about secrets"),
    };
    let granted = format!("{}\n[secrets]\n{grant}", rule(here));
    let (guest, world, operation) = ("leaker", "step", Operation::Run);
    vec![Row { guest, world, granted, operation, input, called, help }]
}

/// The lines of a log after the mark of a denial.
fn lines(log: &[String]) -> String {
    let mut lines = log.iter().map(|line| line.trim_start_matches("host: "));
    lines.find(|line| line.ends_with("; to grant it, add")).expect("a denial has lines");
    lines.take_while(|line| !line.starts_with("denied")).collect::<Vec<_>>().join("\n")
}

/// Settings with lines added: what they set replaces what was set.
fn merged(mut settings: Table, lines: Table) -> Table {
    for (key, value) in lines {
        let value = match (settings.remove(&key), value) {
            (Some(toml::Value::Table(before)), toml::Value::Table(value)) => {
                toml::Value::Table(merged(before, value))
            }
            (_, value) => value,
        };
        settings.insert(key, value);
    }
    settings
}

fn grants_of(settings: &Table) -> BTreeMap<PluginId, Grants> {
    let plugins = settings["plugins"].as_table().unwrap().iter();
    plugins.map(|(id, grants)| (PluginId::new(id), grants.clone().try_into().unwrap())).collect()
}

fn is_denied(report: &Report) -> bool {
    report.log.iter().any(|line| line.starts_with("host: denied"))
}

async fn check(bench: &Bench, denial: Denial, row: Row) {
    let Row { guest: name, world, granted, operation, input, called, help } = row;
    let own: Table = granted.parse().unwrap();
    let plugins: Table = [(name.to_owned(), own.into())].into_iter().collect();
    let settings: Table = [("plugins".to_owned(), plugins.into())].into_iter().collect();
    bench.host.regrant(grants_of(&settings)).await.unwrap();
    let bytes =
        if world.is_empty() { guest(name) } else { with_world(&guest(name), name, world, "") };
    let digest = bench.host.install(bytes).await.unwrap().digest;
    let run = async || bench.host.run(call(&digest, operation.clone(), input.clone())).await;

    let denied = || {
        let mut listed = bench.host.list().into_iter();
        let entry = listed.find(|entry| entry.digest.as_deref() == Some(digest.as_str())).unwrap();
        entry.used.unwrap().denied.get(&denial.key()).map_or(0, |count| count.count)
    };

    let before = denied();
    let report = run().await;
    let place = format!("{denial:?}, {called}: {report:?}");
    let told = format!("host: denied {called} of plugin `{name}`: ");
    let line = report.log.iter().find(|line| line.starts_with(&told));
    let line = line.unwrap_or_else(|| panic!("`{told}` is not in the log of {place}"));
    assert_eq!(denied(), before + 1, "{place}");
    if let Help::Instead(advice) = help {
        assert!(line.ends_with(advice), "{place}");
        return;
    }
    let lines: Table = lines(&report.log).parse().unwrap_or_else(|_| panic!("{place}"));
    bench.host.regrant(grants_of(&merged(settings, lines))).await.unwrap();
    let report = run().await;
    assert!(!is_denied(&report), "{place}, then {report:?}");
    let is_done = matches!(report.outcome, Outcome::Done(_));
    assert!(is_done || matches!(help, Help::NotDenied), "{place}, then {report:?}");
    if let (Outcome::Done(outputs), true) = (&report.outcome, name == "sender") {
        assert_eq!(outputs["status"], 200, "{place}");
    }
}

#[tokio::test]
async fn the_lines_of_a_denial_grant_the_call() {
    let element = Element::start().await;
    let bench = Bench::with(BTreeMap::new(), |options| {
        for (name, value) in [("one", "value-of-one"), ("lines", "two\nlines")] {
            options.secrets.insert(name.into(), Secret::new(value.into()).unwrap());
        }
    });
    for name in ["test-a", "test-b"] {
        bench.pools.define(pool(name, 9));
    }
    for denial in Denial::ALL {
        let rows = rows(denial, &element);
        assert!(!rows.is_empty(), "{denial:?}");
        for row in rows {
            check(&bench, denial, row).await;
        }
    }
}
