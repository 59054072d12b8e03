//! Outbound HTTP: where it may go, and what comes back.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::worker::{Effects, Operation, Worker};
use host::Installed;
use model::reconcile::{Holder, Reading};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use support::{Bench, call, failed, grants, guest, object, outputs};

#[path = "http/denials.rs"]
mod denials;
#[path = "http/grpc.rs"]
mod grpc;
#[path = "http/record.rs"]
mod record;
mod support;

/// An element that answers any request with what its path asks for.
struct Element {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Element {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream));
            }
        });
        Self { port, connections }
    }

    /// A bench with the dialler, granted this element under this host name.
    async fn dialler(&self, host: &str) -> (Bench, Installed) {
        let rule =
            format!("http = [\"http://{host}:{}\"]\nlimits = {{ wall-ms = 2000 }}", self.port);
        let bench = Bench::new(grants("dialler", &rule));
        let installed = bench.host.install(guest("dialler")).await.unwrap();
        (bench, installed)
    }

    fn request(&self, host: &str, path: &str) -> Value {
        json!({ "host": format!("{host}:{}", self.port), "path": path })
    }
}

async fn serve(mut stream: TcpStream) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        // The body of the request before.
        if head.is_empty() && !byte.is_ascii_uppercase() {
            continue;
        }
        head.push(byte);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8(std::mem::take(&mut head)).unwrap();
        let path = text.split(' ').nth(1).unwrap();
        let response = match path {
            "/silent" => continue,
            "/moved" => {
                "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
                    .into()
            }
            "/long" => format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {0}\r\n\r\n{1}",
                5 << 20,
                "x".repeat(5 << 20)
            ),
            "/head" => answer(&text),
            path if path.starts_with("/redirect?") => {
                let (status, location) = path["/redirect?".len()..].split_once(',').unwrap();
                format!("HTTP/1.1 {status} R\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
            }
            _ => answer(path),
        };
        if stream.write_all(response.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_go_where_they_are_granted_over_connections_that_are_kept() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    assert_eq!(installed.effects, Effects::External);
    for _ in 0..20 {
        let report = bench.run(&installed.digest, element.request("127.0.0.1", "/ports")).await;
        assert_eq!(outputs(&report)["status"], 200);
        assert_eq!(outputs(&report)["body"], "/ports");
        assert!(report.log.is_empty(), "{:?}", report.log);
    }
    assert_eq!(element.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_observation_tells_owner_and_differences_and_changes_nothing() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    let digest = &installed.digest;
    let probe = async |input: Value| {
        bench.host.probe(digest, call(digest, Operation::Recover, input)).await
    };
    assert_eq!(probe(json!({})).await, Ok(Reading::Nothing));
    let speed = json!([{ "name": "down", "expected": 200, "found": 50 }]);
    let held = probe(json!({ "found": "held", "differences": speed })).await.unwrap();
    let Reading::Held { outputs, differences, holder } = held else { panic!("{held:?}") };
    assert_eq!(outputs["observed"], true);
    assert_eq!((json!(differences), holder), (speed, Holder::Other("k".into())));
    let wrong = probe(json!({ "found": "held", "differences": ["{"] })).await.unwrap_err();
    assert_eq!(wrong.code.as_str(), "PLUGIN_ANSWER");
    let mut put = element.request("127.0.0.1", "/x");
    put["found"] = json!("put");
    let refused = probe(put).await.unwrap_err();
    assert!(refused.message.contains("HttpRequestDenied"), "{refused:?}");
    assert_eq!(element.connections.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_request_elsewhere_is_denied_and_the_log_names_the_grant_to_add() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    let elsewhere = json!({ "host": "10.0.0.1:8080", "path": "/api/x" });
    let report = bench.run(&installed.digest, elsewhere).await;
    assert!(failed(&report).message.contains("HttpRequestDenied"), "{report:?}");
    assert_eq!(
        report.log,
        [
            "host: denied GET http://10.0.0.1:8080/api/x of plugin `dialler`: no rule allows it; to grant \
             it, add"
                .to_owned(),
            "host: [plugins.dialler]".to_owned(),
            format!(
                "host: http = [\"http://127.0.0.1:{}\", \"http://10.0.0.1:8080/api/x GET\"]",
                element.port
            ),
        ]
    );
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_unless_it_is_localhost() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("localhost").await;
    let report = bench.run(&installed.digest, element.request("localhost", "/x")).await;
    assert_eq!(outputs(&report)["body"], "/x");
    // The address itself was not granted.
    let report = bench.run(&installed.digest, element.request("127.0.0.1", "/x")).await;
    assert!(failed(&report).message.contains("HttpRequestDenied"), "{report:?}");
    // Resolvers read this as 127.0.0.1; rules read it as a name.
    let (bench, installed) = element.dialler("127.1").await;
    let report = bench.run(&installed.digest, element.request("127.1", "/x")).await;
    assert!(failed(&report).message.contains("DestinationIpProhibited"), "{report:?}");
    assert!(report.log[0].contains("`127.0.0.1`, which is inside"), "{:?}", report.log);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    let report = bench.run(&installed.digest, element.request("127.0.0.1", "/moved")).await;
    assert_eq!(outputs(&report)["status"], 302);
}

#[tokio::test]
async fn redirects_are_followed_as_far_as_a_rule_grants_and_each_is_checked() {
    let (element, other) = (Element::start().await, Element::start().await);
    let (base, elsewhere) =
        (format!("http://127.0.0.1:{}", element.port), format!("http://127.0.0.1:{}", other.port));
    let rules =
        format!("http = [\"{base}/redirect redirects=2\", \"{base}/head\", \"{elsewhere}/head\"]");
    let bench = Bench::new(grants("sender", &rules));
    let plugin = support::with_world(&guest("sender"), "sender", "step", "");
    let installed = bench.host.install(plugin).await.unwrap();
    let twice = "/redirect?302,/redirect?303,/head";
    let away = format!("/redirect?307,{elsewhere}/head");
    let cases: [(&str, &str, &str, u16, &str, &str); 7] = [
        ("GET", twice, "", 200, "GET /head", ""),
        ("GET", "/redirect?302,/redirect?302,/redirect?302,/head", "", 302, "", "redirects=3\""),
        ("POST", "/redirect?303,/head", "x", 200, "GET /head", ""),
        ("PUT", "/redirect?307,/head", "x", 307, "", "a body is not sent again"),
        ("DELETE", "/redirect?308,/head", "", 200, "DELETE /head", ""),
        ("GET", &away, "", 200, "GET /head", ""),
        ("GET", "/redirect?302,/admin", "", 302, "", "/admin GET\"]"),
    ];
    for (method, path, body, status, answered, logged) in cases {
        let headers = json!({ "Authorization": "secret" });
        let url = format!("{base}{path}");
        let input = json!({ "method": method, "url": url, "headers": headers, "body": body });
        let report = bench.run(&installed.digest, input).await;
        let outputs = outputs(&report);
        assert_eq!(outputs["status"], status, "{method} {path}: {report:?}");
        let told = outputs["body"].as_str().unwrap();
        assert!(told.starts_with(answered), "{method} {path}: {told}");
        let is_same = path != away && status == 200;
        assert_eq!(told.contains("secret"), is_same, "{method} {path}: {told}");
        let log = report.log.join("\n");
        assert!(log.contains(logged) && (logged.is_empty() == log.is_empty()), "{path}: {log}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_cut_off() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    let report = bench.run(&installed.digest, element.request("127.0.0.1", "/long")).await;
    let bytes = outputs(&report)["bytes"].as_u64();
    assert!(bytes.is_some_and(|bytes| bytes <= 4 << 20), "{bytes:?}");
}

#[tokio::test]
async fn an_element_that_does_not_answer_is_given_up_in_time_to_say_so() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    let report = bench.run(&installed.digest, element.request("127.0.0.1", "/silent")).await;
    assert!(failed(&report).message.contains("Timeout"), "{report:?}");
}

/// The limits of what the host keeps or makes for a guest that uses WASI.
#[tokio::test]
async fn handles_random_bytes_and_headers_are_limited() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    for (what, within, beyond) in [
        ("handles", 100, 128),
        ("random", 64 << 10, (64 << 10) + 1),
        ("header", 30 << 10, 32 << 10),
    ] {
        for count in [within, beyond] {
            let mut input = element.request("127.0.0.1", "/x");
            input[what] = json!(count);
            let report = bench.run(&installed.digest, input).await;
            if count == within {
                assert_eq!(outputs(&report)["status"], 200, "{what}");
            } else {
                assert_eq!(failed(&report).code.as_str(), "PLUGIN_TRAPPED", "{what}: {report:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_element_that_is_down_is_refused() {
    let bench = Bench::new(grants("dialler", "http = [\"http://127.0.0.1:1\"]"));
    let installed = bench.host.install(guest("dialler")).await.unwrap();
    let report = bench.run(&installed.digest, json!({ "host": "127.0.0.1:1" })).await;
    assert!(failed(&report).message.contains("ConnectionRefused"), "{report:?}");
}

#[tokio::test]
async fn after_a_crash_the_element_is_asked_first() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    let mut input = element.request("127.0.0.1", "/again");
    let recover = |input: &Value| call(&installed.digest, Operation::Recover, input.clone());
    let report = bench.host.run(recover(&input)).await;
    assert_eq!(outputs(&report)["body"], "/again");
    input["found"] = "applied".into();
    let report = bench.host.run(recover(&input)).await;
    assert_eq!(outputs(&report), json!({ "probed": true }));
}

#[tokio::test]
async fn undo_has_the_outputs_and_a_key_of_its_own() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    let undo = Operation::Undo { outputs: object(json!({ "port": 7 })) };
    let report = bench.host.run(call(&installed.digest, undo, json!({}))).await;
    assert_eq!(outputs(&report), json!({ "undone": { "port": 7 }, "key": "F-1.3:undo" }));
    let resume = Operation::Resume { payload: json!({ "state": "up" }) };
    let report = bench.host.run(call(&installed.digest, resume, json!({}))).await;
    assert_eq!(outputs(&report), json!({ "state": "up" }));
}

/// S21: a user and a password in a URL would go out in `Host`.
#[tokio::test]
async fn a_url_with_a_password_is_not_sent_and_not_logged() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    let request = element.request("admin:hunter2@127.0.0.1", "/x");
    let report = bench.run(&installed.digest, request).await;
    assert_eq!(failed(&report).code.as_str(), "HTTP");
    assert_eq!(element.connections.load(Ordering::Relaxed), 0);
    let log = report.log.join("\n");
    assert!(log.contains("no user and password in a URL"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
}

/// A bench with the guest that sends by the interface of the contract, granted this element.
async fn sender(element: &Element) -> (Bench, Installed) {
    let rule = format!(
        "http = [\"http://127.0.0.1:{}\", \"http://127.0.0.1:1\"]\nlimits = {{ wall-ms = 2000 }}",
        element.port
    );
    let bench = Bench::new(grants("sender", &rule));
    let plugin = support::with_world(&guest("sender"), "sender", "step", "");
    let installed = bench.host.install(plugin).await.unwrap();
    (bench, installed)
}

#[tokio::test]
async fn the_interface_of_the_contract_sends_what_it_is_given() {
    let element = Element::start().await;
    let (bench, installed) = sender(&element).await;
    assert_eq!(installed.effects, Effects::External);
    let url = format!("http://127.0.0.1:{}/head", element.port);
    let headers = json!({ "Accept": "text/plain", "X-Key": "k-1" });
    let input = json!({ "method": "GET", "url": url, "headers": headers });
    let report = bench.run(&installed.digest, input).await;
    let outputs = outputs(&report);
    let head = outputs["body"].as_str().unwrap().to_lowercase();
    assert_eq!(outputs["length"], head.len().to_string());
    let host = format!("host: 127.0.0.1:{}\r\n", element.port);
    for line in ["get /head http/1.1\r\n", "accept: text/plain\r\n", "x-key: k-1\r\n", &host] {
        assert!(head.contains(line), "`{line}` is not in {head}");
    }
}

#[tokio::test]
async fn the_interface_of_the_contract_tells_what_became_of_a_request() {
    let element = Element::start().await;
    let (bench, installed) = sender(&element).await;
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", element.port);
    let long = "x".repeat(40_000);
    let cases = [
        (json!({ "url": url("/x"), "method": "G T" }), "INVALID", "`G T` is no method"),
        (json!({ "url": "/x" }), "INVALID", "the address is not absolute"),
        (json!({ "url": "http://a b/" }), "INVALID", "the address"),
        (json!({ "url": format!("{}{long}", url("/")) }), "INVALID", "more than 8192 bytes"),
        (json!({ "url": url("/x"), "headers": { "Host": "other" } }), "INVALID", "`host` is the"),
        (json!({ "url": url("/x"), "headers": { "TE": "gzip" } }), "INVALID", "`te` is the"),
        (json!({ "url": url("/x"), "headers": { "A": "1\r\nB: 2" } }), "INVALID", "`A` cannot"),
        (json!({ "url": url("/x"), "headers": { "a": long } }), "INVALID", "more than 32768 bytes"),
        (json!({ "url": "http://me:secret@127.0.0.1/" }), "INVALID", "HttpRequestUriInvalid"),
        (json!({ "url": "http://10.0.0.1/x" }), "DENIED", "HttpRequestDenied"),
        (json!({ "url": "http://127.0.0.1:1/" }), "UNREACHABLE", "ConnectionRefused"),
        (json!({ "url": url("/silent"), "timeout": 50 }), "TIMEOUT", "HttpResponseTimeout"),
        (json!({ "url": url("/head"), "max": 10 }), "TOOLARGE", "HttpResponseBodySize(Some(10))"),
        (json!({ "url": url("/long"), "max": 9_000_000 }), "TOOLARGE", "Some(1048576)"),
    ];
    for (input, code, message) in cases {
        let report = bench.run(&installed.digest, input.clone()).await;
        let failure = failed(&report);
        assert_eq!(failure.code.as_str(), code, "{input}: {failure:?}");
        assert!(failure.message.contains(message), "{input}: {failure:?}");
        assert!(!format!("{report:?}").contains("secret"), "{report:?}");
    }
}

#[tokio::test]
async fn a_target_that_takes_no_more_is_not_asked_and_the_failure_has_a_time() {
    let element = Element::start().await;
    let url = format!("http://127.0.0.1:{}/x", element.port);
    let target = format!("127.0.0.1:{}", element.port);
    let own = format!("[targets.\"{target}\"]\nper-second = 0.01\nburst = 2");
    for is_shared in [false, true] {
        let table = if is_shared { "" } else { own.as_str() };
        let rules = format!(
            "http = [\"http://127.0.0.1:{}\"]\nlimits = {{ wall-ms = 500 }}\n{table}",
            element.port
        );
        let bench = Bench::new(grants("sender", &rules));
        if is_shared {
            let throttle = toml::from_str("per-second = 0.01\nburst = 2").unwrap();
            bench.host.share([(target.parse().unwrap(), throttle)].into());
        }
        let plugin = support::with_world(&guest("sender"), "sender", "step", "");
        let installed = bench.host.install(plugin).await.unwrap();
        for _ in 0..2 {
            let report = bench.run(&installed.digest, json!({ "url": url })).await;
            assert_eq!(outputs(&report)["status"], 200, "{report:?}");
        }
        let report = bench.run(&installed.digest, json!({ "url": url, "retry": true })).await;
        let failure = failed(&report);
        assert_eq!(failure.code.as_str(), "UNREACHABLE");
        assert!(failure.retry_after_ms.is_some_and(|ms| ms > 90_000), "{failure:?}");
        let header = if is_shared { "[targets." } else { "[plugins.sender.targets." };
        let told = format!("under `{header}\"{target}\"] per-second`");
        assert!(report.log.join("\n").contains(&told), "{:?}", report.log);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_requests_are_under_way_at_a_target_than_it_takes() {
    let element = Element::start().await;
    let target = format!("127.0.0.1:{}", element.port);
    let rules = format!("http = [\"http://{target}\"]\n[targets.\"{target}\"]\nconcurrency = 1");
    let bench = Bench::new(grants("sender", &rules));
    let plugin = support::with_world(&guest("sender"), "sender", "step", "");
    let installed = bench.host.install(plugin).await.unwrap();
    let url = format!("http://{target}/x");
    let calls = (0..8).map(|_| bench.run(&installed.digest, json!({ "url": url })));
    for report in futures_util::future::join_all(calls).await {
        assert_eq!(outputs(&report)["status"], 200, "{report:?}");
    }
    // One after the other, so each found the connection of the one before.
    assert_eq!(element.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_plugin_is_called_as_often_as_it_may_be() {
    let limits = "http = [\"http://x\"]\nlimits = { wall-ms = 500, per-second = 0.01, burst = 2 }";
    let bench = Bench::new(grants("sender", limits));
    let installed = bench
        .host
        .install(support::with_world(&guest("sender"), "sender", "step", ""))
        .await
        .unwrap();
    for _ in 0..2 {
        let report = bench.run(&installed.digest, json!({ "wait": 1 })).await;
        assert!(!format!("{report:?}").contains("PLUGIN_RATE"), "{report:?}");
    }
    let report = bench.run(&installed.digest, json!({ "wait": 1 })).await;
    let failure = failed(&report);
    assert_eq!(failure.code.as_str(), "PLUGIN_RATE");
    assert!(failure.retry_after_ms.is_some_and(|ms| ms > 90_000), "{failure:?}");
}
