//! Versions in shadow: they repeat the calls of the version in use, nothing of it reaches an element, and
//! what they do otherwise is listed.

mod element;

use serde_json::{Value, json};

use self::element::Element;
use crate::plugin::Folders;
use crate::plugin::guest::{guest, with_id};
use crate::world::{Settings, World, eventually, ferrule, pack_order, plugins_dir, text};

const PLUGINS: &str = "/orchestration/v1/plugins";
const SECRET: &str = "planted-in-the-twin";
const COMPONENT: [(&str, &str); 1] = [("content-type", "application/wasm")];

const WORKFLOWS: &str = "\
workflows:
  - workflow: twins
    steps:
      - { step: it, plugin: twin, timeout: 60s, retry: { attempts: 1 } }
  - workflow: twins-unwound
    steps:
      - { step: it, plugin: twin, timeout: 60s, retry: { attempts: 1 } }
      - step: fails
        plugin: twin
        retry: { attempts: 1 }
        on-failure: roll-back
        input: { fails: true }
";

/// The guest with this mark.
fn version(version: &str, mark: &str) -> Vec<u8> {
    let wanted = format!("{:.<24}", format!("twin-mark:{mark}"));
    let bytes = replaced(guest("twin"), b"twin-mark:same..........", wanted.as_bytes());
    with_id(&bytes, "twin", version, "activator")
}

fn replaced(mut bytes: Vec<u8>, wanted: &[u8], by: &[u8]) -> Vec<u8> {
    assert_eq!(wanted.len(), by.len());
    let place = bytes.windows(wanted.len()).position(|window| window == wanted).unwrap();
    bytes[place..place + by.len()].copy_from_slice(by);
    bytes
}

/// A world with the guest in use, and an element that it may send to.
async fn world(element: &Element) -> (Folders, World) {
    let folders = Folders::new().await;
    let pack = folders.workflows().join("twins");
    std::fs::create_dir(&pack).unwrap();
    std::fs::write(pack.join("pack.yaml"), "pack: twins\n").unwrap();
    std::fs::write(pack.join("workflows.yaml"), WORKFLOWS).unwrap();
    let secret = folders.workflows().join("../secret");
    std::fs::write(&secret, SECRET).unwrap();
    let url = &element.url;
    let tail = format!(
        "[secrets.nms]\nfile = \"{}\"\n[plugins.twin]\nhttp = [\"{url}\"]\nlimits = {{ cpu-ms = 100 }}\n\
         [plugins.twin.secrets]\nlogin = {{ secret = \"nms\", to = [\"{url}\"] }}\n",
        secret.display()
    );
    let world = World::with(Settings {
        plugins: Some(folders.plugins()),
        workflows: Some(folders.workflows()),
        tail,
        ..Settings::default()
    })
    .await;
    let path = format!("{PLUGINS}/twin");
    let put = world.http.send("PUT", &path, &COMPONENT, version("1.0.0", "same")).await.unwrap();
    assert_eq!(put.status, 201, "{}", put.text);
    (folders, world)
}

async fn put_in_shadow(world: &World, id: &str, query: &str, bytes: Vec<u8>) {
    let path = format!("{PLUGINS}/{id}/candidate?mode=shadow&{query}");
    let put = world.http.send("PUT", &path, &COMPONENT, bytes).await.unwrap();
    assert_eq!((put.status, &put.body["trial"]["mode"]), (200, &json!("shadow")), "{}", put.text);
}

async fn run(world: &World, workflow: &str, element: &Element) -> Value {
    let path = format!("/orchestration/v1/workflows/{workflow}/runs?wait=60s");
    let answer = world.http.post(&path, &json!({ "url": element.url })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

/// The calls of a version in shadow when this number of them is over.
async fn repeated(world: &World, id: &str, calls: u64) -> Value {
    let path = format!("{PLUGINS}/{id}/shadow");
    eventually("calls are repeated", async || {
        // It is there when the folder was read after a start.
        let shadow = world.http.send("GET", &path, &[], "").await.unwrap();
        let shadow = (shadow.status == 200).then_some(shadow.body)?;
        let counts = shadow["counts"].as_object().unwrap().values();
        (counts.filter_map(Value::as_u64).sum::<u64>() >= calls).then_some(shadow)
    })
    .await
}

/// The differences of a call, each in a line.
fn lines(call: &Value) -> Vec<String> {
    let text = |difference: &Value, name: &str| text(&difference[name]);
    let line = |one: &Value| {
        ["of", "change", "request", "at", "before", "now"]
            .map(|name| if one[name].is_null() { "-".into() } else { text(one, name) })
            .join(" ")
    };
    call["differences"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn a_version_in_shadow_is_compared_and_reaches_no_element() {
    let element = Element::start().await;
    let (_folders, world) = world(&element).await;
    let url = &element.url;
    // What a mark changes: what became of the call, and the differences.
    let cases = [
        ("same", "same", vec![]),
        ("body", "different", vec![format!("body changed PUT {url}/ports/1 /vlan 200 \"200\"")]),
        (
            "header",
            "different",
            vec![
                format!("header added PUT {url}/ports/1 x-more - 1"),
                format!("header added PUT {url}/lines/1 x-more - 1"),
            ],
        ),
        ("more", "different", vec![format!("request added POST {url}/extra - - -")]),
        ("less", "different", vec![format!("request missing PUT {url}/lines/1 - - -")]),
        ("output", "different", vec!["output added - /more - 1".into()]),
        ("fail", "different", vec!["outcome changed - - done failed: reject NO_PORT".into()]),
        ("trap", "failed", vec!["outcome changed - - done failed: operator PLUGIN_TRAPPED".into()]),
        ("loop", "failed", vec!["outcome changed - - done failed: operator PLUGIN_CPU".into()]),
    ];
    for (number, (mark, verdict, expected)) in cases.into_iter().enumerate() {
        let next = version(&format!("2.0.{number}"), mark);
        put_in_shadow(&world, "twin", "share=100", next).await;
        let ran = run(&world, "twins", &element).await;
        assert_eq!(ran["state"], "completed", "{mark}: {ran}");
        let shadow = repeated(&world, "twin", 1).await;
        assert_eq!(shadow["counts"][verdict], 1, "{mark}: {shadow:#}");
        let found: Vec<String> =
            shadow["calls"].as_array().unwrap().iter().flat_map(lines).collect();
        let missing = expected.iter().filter(|line| !found.contains(line)).count();
        assert!(
            missing == 0 && (found.len() == expected.len() || verdict == "failed"),
            "{mark}: {found:#?}"
        );
        // The element had each request once, from the version in use.
        let sent = element.taken();
        let urls: Vec<_> = sent.iter().map(|(line, _)| line.as_str()).collect();
        assert_eq!(urls, ["PUT /ports/1", "PUT /lines/1"], "{mark}");
        assert!(
            sent[0].1.contains("\"vlan\":200") && sent[0].1.contains(SECRET),
            "{mark}: {sent:?}"
        );
        assert!(!shadow.to_string().contains(SECRET), "{mark}: {shadow:#}");
    }
    let metrics = world.http.send("GET", "/metrics", &[], "").await.unwrap().text;
    let line = "ferrule_plugin_shadow_calls_total{plugin=\"twin\",verdict=\"failed\"} 2";
    assert!(metrics.contains(line), "{metrics}");
    let calls = "ferrule_plugin_calls_total{plugin=\"twin\",operation=\"run\",outcome=\"done\"} 9";
    assert!(metrics.contains(calls), "{metrics}");
}

#[tokio::test]
async fn an_undo_is_repeated_and_a_crash_leaves_nothing_of_it_behind() {
    let element = Element::start().await;
    let (_folders, mut world) = world(&element).await;
    put_in_shadow(&world, "twin", "share=100", version("2.0.0", "undo")).await;
    let ran = run(&world, "twins-unwound", &element).await;
    assert_eq!(ran["state"], "failed", "{ran}");
    let shadow = repeated(&world, "twin", 4).await;
    let calls = shadow["calls"].as_array().unwrap();
    let [call] = &calls[..] else { panic!("{shadow:#}") };
    assert_eq!((&call["operation"], &call["task"]), (&json!("undo"), &json!("twins-unwound.it")));
    assert_eq!(lines(call), [format!("request added DELETE {}/lines/1 - - -", element.url)]);
    let listed = ferrule(&["plugin", "shadow", "twin", "--server", &world.http.base]).await;
    assert!(listed.out.contains("twins-unwound.it #1 undo: different"), "{}", listed.out);
    assert_eq!(element.taken().len(), 3);
    // The version loops in shadow when the server dies.
    put_in_shadow(&world, "twin", "share=100", version("2.0.1", "loop")).await;
    let ran = run(&world, "twins", &element).await;
    let path = format!("/orchestration/v1/runs/{}", text(&ran["id"]));
    let before = world.http.get(&path).await;
    world.kill().await;
    world.restart().await;
    assert_eq!(world.http.get(&path).await, before);
    let shadow = repeated(&world, "twin", 0).await;
    assert_eq!(shadow["counts"]["failed"], 0);
    run(&world, "twins", &element).await;
    assert_eq!(repeated(&world, "twin", 1).await["counts"]["failed"], 1);
    assert_eq!(element.taken().len(), 4);
    // It becomes the version in use as any on trial does, and then nothing is in shadow.
    put_in_shadow(&world, "twin", "share=100", version("2.0.2", "output")).await;
    let path = format!("{PLUGINS}/twin");
    let promoted = world.http.post(&format!("{path}/candidate/promote"), &json!({})).await;
    assert_eq!((promoted.status, &promoted.body["isCurrent"]), (200, &json!(true)));
    let none = world.http.send("GET", &format!("{path}/shadow"), &[], "").await.unwrap();
    assert_eq!(none.status, 404, "{}", none.text);
    for query in ["mode=shadow", "mode=dark&share=1", "mode=shadow&share=101"] {
        let path = format!("{path}/candidate?{query}");
        let wrong = world.http.send("PUT", &path, &COMPONENT, version("3.0.0", "same")).await;
        assert_eq!(wrong.unwrap().status, 400, "{query}");
    }
}

/// The file of a plugin of this repository with another version.
async fn bumped(id: &str) -> Vec<u8> {
    let bytes = std::fs::read(plugins_dir().await.join(format!("{id}.wasm"))).unwrap();
    replaced(bytes, b"version = \"0.1.0\"", b"version = \"0.1.9\"")
}

#[tokio::test]
async fn the_same_plugins_in_shadow_of_a_whole_order_do_the_same() {
    let world = World::start().await;
    let order = pack_order("superfibre/gpon");
    let customer = text(&order["relatedParty"][0]["id"]);
    let others = ["rest-activator", "jsonrpc-activator", "pool-allocator", "order-validator"];
    for id in others {
        put_in_shadow(&world, id, "share=100", bumped(id).await).await;
    }
    let query = format!("share=0&customers=other,{customer}");
    put_in_shadow(&world, "tariff-rater", &query, bumped("tariff-rater").await).await;
    let id = world.submit(&order).await;
    world.completed(&id).await;
    let books = world.books().await;
    books.check_delivered(&id);
    books.check_once();
    books.check_pools();
    for id in others.into_iter().chain(["tariff-rater"]) {
        let shadow = repeated(&world, id, 1).await;
        let counts = &shadow["counts"];
        assert_eq!(
            (&shadow["calls"], &counts["skipped"]),
            (&json!([]), &json!(0)),
            "{id}: {shadow:#}"
        );
    }
    world.books().await.check_once();
}
