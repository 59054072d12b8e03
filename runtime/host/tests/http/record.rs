//! What is kept of a call: its figures, and its exchanges without secrets.

use engine::telemetry::{Exchange, Telemetry};
use host::{Keep, Of};
use serde_json::json;

use super::support::{Bench, grants, guest, with_world};
use super::{Element, sender};

fn telemetry(report: engine::worker::Report) -> Telemetry {
    report.telemetry.expect("the host measures")
}

fn only(telemetry: &Telemetry) -> &Exchange {
    let [exchange] = telemetry.exchanges.kept.as_slice() else { panic!("one: {telemetry:?}") };
    exchange
}

#[tokio::test]
async fn an_exchange_is_kept_whichever_interface_sends_it() {
    let element = Element::start().await;
    let (bench, installed) = element.dialler("127.0.0.1").await;
    let wasi = bench.run(&installed.digest, element.request("127.0.0.1", "/a?b=c")).await;
    let url = format!("http://127.0.0.1:{}/a?b=c", element.port);
    let (bench, installed) = sender(&element).await;
    let input = json!({ "method": "PUT", "url": url, "body": "{\"vlan\":7}" });
    let plain = bench.run(&installed.digest, input).await;
    for (report, interface, method, body) in
        [(wasi, "wasi:http", "GET", None), (plain, "http", "PUT", Some("{\"vlan\":7}"))]
    {
        let telemetry = telemetry(report);
        let exchange = only(&telemetry);
        assert_eq!((exchange.method.as_str(), &exchange.url), (method, &url));
        assert_eq!(exchange.request.body.as_deref(), body);
        assert_eq!((exchange.status, &exchange.failure), (Some(200), &None));
        let answer = exchange.answer.as_ref().unwrap();
        assert_eq!((answer.body.as_deref(), answer.body_bytes), (Some("/a?b=c"), 6));
        assert!(answer.headers.contains(&("content-length".into(), "6".into())), "{answer:?}");
        assert!(exchange.took_us > 0, "{exchange:?}");
        let figures = &telemetry.figures;
        assert_eq!(figures.host_calls, [(interface.to_owned(), 1)].into());
        assert_eq!(figures.operation, "run");
        assert!(figures.memory_kib >= 64 && figures.cpu_us > 0, "{figures:?}");
        assert!(figures.took_us >= exchange.after_us + exchange.took_us, "{telemetry:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_not_answered_is_kept_with_the_reason() {
    let element = Element::start().await;
    let (bench, installed) = sender(&element).await;
    let here = format!("http://127.0.0.1:{}", element.port);
    for (url, timeout, reason) in [
        ("http://10.0.0.1/x".to_owned(), None, "HttpRequestDenied"),
        ("http://127.0.0.1:1/".to_owned(), None, "ConnectionRefused"),
        (format!("{here}/silent"), Some(50), "HttpResponseTimeout"),
        (format!("{here}/long"), None, "HttpResponseBodySize"),
    ] {
        let report = bench.run(&installed.digest, json!({ "url": url, "timeout": timeout })).await;
        let telemetry = telemetry(report);
        let exchange = only(&telemetry);
        assert_eq!(exchange.url, url);
        let failure = exchange.failure.as_deref().unwrap();
        assert!(failure.contains(reason), "{exchange:?}");
    }
}

#[tokio::test]
async fn the_exchanges_of_a_call_are_limited_and_the_others_counted() {
    let element = Element::start().await;
    let (bench, installed) = sender(&element).await;
    let url = format!("http://127.0.0.1:{}/x", element.port);
    let report = bench.run(&installed.digest, json!({ "url": url, "again": 34 })).await;
    let exchanges = telemetry(report).exchanges;
    assert_eq!((exchanges.kept.len(), exchanges.dropped), (32, 3));
}

#[tokio::test]
async fn each_redirect_that_is_followed_is_an_exchange() {
    let element = Element::start().await;
    let here = format!("http://127.0.0.1:{}", element.port);
    let rule = format!("http = [\"{here} redirects=2\", \"http://127.0.0.1:1\"]");
    let bench = Bench::new(grants("sender", &rule));
    let plugin = with_world(&guest("sender"), "sender", "step", "");
    let installed = bench.host.install(plugin).await.unwrap();
    let run = async |path: &str| {
        let input = json!({ "method": "POST", "url": format!("{here}{path}"), "body": "x" });
        telemetry(bench.run(&installed.digest, input).await).exchanges.kept
    };
    let kept = run("/redirect?303,/redirect?302,/head").await;
    let shown = kept.iter().map(|one| {
        let path = one.url.strip_prefix(&here).unwrap();
        (one.method.as_str(), path, one.status, one.request.body.as_deref(), &one.failure)
    });
    let wanted = [
        ("POST", "/redirect?303,/redirect?302,/head", Some(303), Some("x"), &None),
        ("GET", "/redirect?302,/head", Some(302), None, &None),
        ("GET", "/head", Some(200), None, &None),
    ];
    assert_eq!(shown.collect::<Vec<_>>(), wanted);
    assert!(kept.windows(2).all(|two| two[0].after_us <= two[1].after_us), "{kept:?}");
    let kept = run("/redirect?303,http://127.0.0.1:1/").await;
    assert_eq!((kept.len(), kept[0].status, kept[1].status), (2, Some(303), None));
    assert!(kept[1].failure.as_deref().is_some_and(|failure| failure.contains("Refused")));
}

#[tokio::test]
async fn no_secret_is_in_an_exchange() {
    let element = Element::start().await;
    let rule = format!(
        "http = [\"http://127.0.0.1:{}\"]\nconfig = {{ api-token = \"s3cr3t-value\" }}",
        element.port
    );
    let bench = Bench::new(grants("sender", &rule));
    let plugin = with_world(&guest("sender"), "sender", "step", "");
    let installed = bench.host.install(plugin).await.unwrap();
    let url = format!("http://127.0.0.1:{}/head?access_token=abc&x=s3cr3t-value", element.port);
    let headers = json!({
        "Authorization": "Bearer s3cr3t-value", "X-Own": "is s3cr3t-value", "Cookie": "id=abc",
        "Idempotency-Key": "F-1.3",
    });
    let input = json!({
        "method": "POST", "url": url, "headers": headers,
        "body": r#"{"password":"abc","note":"s3cr3t-value"}"#,
    });
    let telemetry = telemetry(bench.run(&installed.digest, input).await);
    let exchange = only(&telemetry);
    let text = format!("{exchange:?}");
    assert!(!text.contains("s3cr3t-value"), "{text}");
    assert!(exchange.url.ends_with("/head?access_token=[hidden]&x=[setting api-token]"), "{text}");
    let body = exchange.request.body.as_deref();
    assert_eq!(body, Some(r#"{"password":"[hidden]","note":"[setting api-token]"}"#));
    let header = |name: &str| {
        let found = exchange.request.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    };
    assert_eq!(header("authorization"), Some("[hidden]"));
    assert_eq!(header("cookie"), Some("[hidden]"));
    assert_eq!(header("x-own"), Some("is [setting api-token]"));
    assert_eq!(header("idempotency-key"), Some("F-1.3"));
    assert_eq!(header("host"), None, "it is in the URL, and there without a user");
}

#[tokio::test]
async fn a_long_body_is_cut_and_the_operator_decides_what_is_kept() {
    let element = Element::start().await;
    for (of, path, kept) in [(Of::All, "/long", 1), (Of::Failed, "/x", 0), (Of::None, "/x", 0)] {
        let rule = format!("http = [\"http://127.0.0.1:{}\"]", element.port);
        let bench = Bench::with(grants("dialler", &rule), |options| {
            options.keep = Keep { of, body_bytes: 100 };
        });
        let installed = bench.host.install(guest("dialler")).await.unwrap();
        let report = bench.run(&installed.digest, element.request("127.0.0.1", path)).await;
        let exchanges = telemetry(report).exchanges;
        assert_eq!((exchanges.kept.len(), exchanges.dropped), (kept, 0), "{of:?}");
        if let Some(exchange) = exchanges.kept.first() {
            let answer = exchange.answer.as_ref().unwrap();
            assert_eq!(answer.body.as_ref().unwrap().len(), 100);
            assert!(answer.is_cut && answer.body_bytes > 100, "{answer:?}");
        }
        let refused = json!({ "host": "127.0.0.1:1" });
        let exchanges = telemetry(bench.run(&installed.digest, refused).await).exchanges;
        assert_eq!(exchanges.kept.len(), usize::from(of != Of::None), "a failure, {of:?}");
    }
}
