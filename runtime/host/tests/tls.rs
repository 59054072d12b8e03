//! Outbound HTTP by TLS and by HTTP/2: whom it trusts, what it shows, and what is told when it fails.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::sync::atomic::Ordering;

use engine::worker::Report;
use host::Installed;
use host::secret::Secret;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use support::secure::{Authority, Identity, Secure};
use support::{Bench, failed, grants, guest, outputs};

mod support;

/// A bench with the sender, granted a URL with these settings of its target. `DIR` is a folder.
async fn sender(url: &str, settings: &str, folder: &Path) -> (Bench, Installed) {
    let settings = settings.replace("DIR", folder.to_str().unwrap());
    let target = url.split_once("://").unwrap().1;
    let limits = "limits = { wall-ms = 4000 }";
    let table = format!("http = [\"{url}\"]\n{limits}\n[targets.\"{target}\"]\n{settings}");
    let bench = Bench::new(grants("sender", &table));
    let plugin = support::with_world(&guest("sender"), "sender", "step", "");
    let installed = bench.host.install(plugin).await.unwrap();
    (bench, installed)
}

async fn sent(url: &str, settings: &str, folder: &Path) -> Report {
    let (bench, installed) = sender(url, settings, folder).await;
    bench.run(&installed.digest, json!({ "url": format!("{url}/x") })).await
}

const TRUST: &str = "ca = \"DIR/ca.pem\"\n";
const CLIENT: &str =
    "ca = \"DIR/ca.pem\"\ncertificate = \"DIR/acme.pem\"\nkey = \"DIR/acme.key\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_is_spoken_if_both_sides_know_it_over_one_connection() {
    let authority = Authority::new();
    let target = Secure::start(authority.identity("localhost", 2090), None).await;
    let url = format!("https://localhost:{}", target.port);
    let (bench, installed) = sender(&url, TRUST, authority.folder.path()).await;
    for _ in 0..10 {
        let report =
            bench.run(&installed.digest, json!({ "url": format!("{url}/x"), "body": "b" })).await;
        assert_eq!(outputs(&report)["body"], format!("HTTP/2.0 {url}/x"), "{report:?}");
    }
    assert_eq!(target.connections.load(Ordering::Relaxed), 1);
    let never = format!("{TRUST}http2 = \"never\"");
    let report = sent(&url, &never, authority.folder.path()).await;
    assert_eq!(outputs(&report)["body"], "HTTP/1.1 /x", "{report:?}");
    // Another plugin, or the same with other settings, has a connection of its own.
    assert_eq!(target.connections.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn http2_without_tls_is_spoken_if_it_is_set() {
    let target = Secure::plain().await;
    let url = format!("http://127.0.0.1:{}", target.port);
    let report = sent(&url, "http2 = \"always\"", Path::new("")).await;
    assert_eq!(outputs(&report)["body"], format!("HTTP/2.0 {url}/x"), "{report:?}");
    let report = sent(&url, "", Path::new("")).await;
    assert_eq!(failed(&report).code.as_str(), "BROKEN", "{report:?}");
}

#[tokio::test]
async fn a_client_key_that_is_a_secret_is_shown_as_it_is_now() {
    let authority = Authority::new();
    authority.identity("acme", 2090);
    let pem = |name: &str| std::fs::read(authority.file(name)).unwrap();
    let secret = |pem: Vec<u8>| Secret::new(pem).unwrap();
    let target = Secure::start(authority.identity("localhost", 2090), Some(&authority)).await;
    let url = format!("https://localhost:{}", target.port);
    for settings in [
        "certificate = \"DIR/acme.pem\"\nkey = { secret = \"acme-key\" }",
        "certificate = { secret = \"acme-pem\" }\nkey = { secret = \"acme-key\" }",
        "certificate = { secret = \"acme-pem\" }\nkey = \"DIR/acme.key\"",
    ] {
        let settings = format!("{TRUST}{settings}\nhttp2 = \"never\"");
        let (bench, installed) = sender(&url, &settings, authority.folder.path()).await;
        let run = async || bench.run(&installed.digest, json!({ "url": format!("{url}/x") })).await;
        let report = run().await;
        assert_eq!(failed(&report).code.as_str(), "UNREACHABLE", "{report:?}");
        assert!(report.log[0].contains("a secret that has no usable value"), "{:?}", report.log);
        assert_eq!(target.requests.load(Ordering::Relaxed), 0);
        // A key of another certificate is not shown either.
        bench.host.renew("acme-pem", secret(pem("acme.pem")));
        bench.host.renew("acme-key", secret(pem("localhost.key")));
        if settings.contains("acme-key") {
            assert_eq!(failed(&run().await).code.as_str(), "UNREACHABLE", "{report:?}");
        }
        bench.host.renew("acme-key", secret(pem("acme.key")));
        assert_eq!(outputs(&run().await)["status"], 200);
        // What cannot be used leaves that of before in use.
        bench.host.renew("acme-key", secret(b"no key at all".to_vec()));
        assert_eq!(outputs(&run().await)["status"], 200);
        target.requests.store(0, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_its_target() {
    let authority = Authority::new();
    authority.identity("acme", 2090);
    for http2 in ["negotiate", "never"] {
        let identity = authority.identity("localhost", 2090);
        let target = Secure::start(identity, Some(&authority)).await;
        let url = format!("https://localhost:{}", target.port);
        let settings = format!("{CLIENT}http2 = \"{http2}\"");
        let report = sent(&url, &settings, authority.folder.path()).await;
        assert_eq!(outputs(&report)["status"], 200, "{report:?}");
    }
}

/// What a target is, what is set about it, and what the log has.
struct Case {
    name: &'static str,
    identity: fn(&Authority) -> Identity,
    asks: bool,
    settings: &'static str,
    told: &'static str,
}

fn usual(authority: &Authority) -> Identity {
    authority.identity("localhost", 2090)
}

const CASES: [Case; 8] = [
    Case {
        name: "no CA",
        identity: usual,
        asks: false,
        settings: "",
        told: "not signed by a CA that the system trusts; to trust its CA, set",
    },
    Case {
        name: "another CA",
        identity: |_| Authority::new().identity("localhost", 2090),
        asks: false,
        settings: TRUST,
        told: "not signed by a CA of `DIR/ca.pem`; to trust its CA, set",
    },
    Case {
        name: "expired",
        identity: |authority| authority.identity("localhost", 2020),
        asks: false,
        settings: TRUST,
        told: "its certificate expired on 2020-01-01: have it renewed",
    },
    Case {
        name: "another name",
        identity: |authority| authority.identity("nms.example", 2090),
        asks: false,
        settings: TRUST,
        told: "not for `localhost` but for DnsName(\"nms.example\"); if that is the target, set",
    },
    Case {
        name: "no certificate of ours",
        identity: usual,
        asks: true,
        settings: TRUST,
        told: "asks for a certificate; to show one, set",
    },
    Case {
        name: "no certificate of ours, by HTTP/1.1",
        identity: usual,
        asks: true,
        settings: "ca = \"DIR/ca.pem\"\nhttp2 = \"never\"",
        told: "asks for a certificate; to show one, set",
    },
    Case {
        name: "a certificate of ours that it does not trust",
        identity: usual,
        asks: true,
        settings: "ca = \"DIR/ca.pem\"\ncertificate = \"DIR/x.pem\"\nkey = \"DIR/x.key\"",
        told: "see that it trusts the CA of `DIR/x.pem`",
    },
    Case {
        name: "a certificate of ours that expired",
        identity: usual,
        asks: true,
        settings: "ca = \"DIR/ca.pem\"\ncertificate = \"DIR/old.pem\"\nkey = \"DIR/old.key\"",
        told: "our certificate `DIR/old.pem` expired on 2020-01-01: replace the file",
    },
];

#[tokio::test]
async fn a_check_that_fails_is_named_with_the_remedy_and_nothing_is_sent() {
    for case in &CASES {
        let authority = Authority::new();
        authority.identity("old", 2020);
        let stranger = Authority::new();
        stranger.identity("x", 2090);
        for file in ["x.pem", "x.key"] {
            std::fs::copy(stranger.file(file), authority.file(file)).unwrap();
        }
        let asks = case.asks.then_some(&authority);
        let target = Secure::start((case.identity)(&authority), asks).await;
        let url = format!("https://localhost:{}", target.port);
        let folder = authority.folder.path();
        let report = sent(&url, case.settings, folder).await;
        assert_eq!(failed(&report).code.as_str(), "UNREACHABLE", "{}: {report:?}", case.name);
        let log = report.log.join("\n");
        let told = case.told.replace("DIR", folder.to_str().unwrap());
        assert!(log.contains(&told), "{}: {log}", case.name);
        let table = format!("host: [plugins.sender.targets.\"localhost:{}\"]", target.port);
        assert_eq!(case.told.ends_with(", set"), log.contains(&table), "{}: {log}", case.name);
        assert_eq!(target.requests.load(Ordering::Relaxed), 0, "{}", case.name);
    }
}

/// A target that answers the first bytes that it gets with these.
async fn answering(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 4096];
        let _read = stream.read(&mut hello).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        // It stays open until the other side has had enough.
        let _ended = stream.read(&mut hello).await;
    });
    port
}

#[tokio::test]
async fn older_tls_and_what_is_not_tls_are_refused() {
    // A server hello of TLS 1.1 (RFC 4346, 7.4.1.3) with TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA.
    const HELLO: &[u8] = b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02\
        0123456789abcdef0123456789abcdef\x00\xc0\x13\x00";
    // The alert of a server that knows TLS 1.1 at most.
    const ALERT: &[u8] = b"\x15\x03\x02\x00\x02\x02\x46";
    for (bytes, told) in [
        (HELLO, "the target must speak TLS 1.2 or 1.3"),
        (ALERT, "the target speaks no TLS 1.2 or 1.3"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "see whether the port speaks http"),
    ] {
        let url = format!("https://127.0.0.1:{}", answering(bytes).await);
        let report = sent(&url, "", Path::new("")).await;
        assert_eq!(failed(&report).code.as_str(), "UNREACHABLE", "{report:?}");
        assert!(report.log.join("\n").contains(told), "{report:?}");
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_by_tls_too() {
    let report = sent("https://127.1:443", "", Path::new("")).await;
    assert_eq!(failed(&report).code.as_str(), "DENIED", "{report:?}");
    assert!(report.log.join("\n").contains("`127.0.0.1`, which is inside"), "{report:?}");
}

#[tokio::test]
async fn a_certificate_that_changes_is_shown_from_then_on() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let put = |from: &Authority| {
        for file in ["acme.pem", "acme.key"] {
            std::fs::copy(from.file(file), authority.file(&format!("now-{file}"))).unwrap();
        }
    };
    stranger.identity("acme", 2090);
    authority.identity("acme", 2090);
    let target = Secure::start(authority.identity("localhost", 2090), Some(&authority)).await;
    let url = format!("https://localhost:{}", target.port);
    put(&stranger);
    let settings = CLIENT.replace("acme", "now-acme");
    let (bench, installed) = sender(&url, &settings, authority.folder.path()).await;
    let run = async || bench.run(&installed.digest, json!({ "url": url })).await;
    let refused = run().await;
    assert_eq!(failed(&refused).code.as_str(), "UNREACHABLE", "{refused:?}");
    put(&authority);
    let again = format!(
        "http = [\"{url}\"]\nlimits = {{ wall-ms = 4000 }}\n[targets.\"localhost:{}\"]\n{}",
        target.port,
        settings.replace("DIR", authority.folder.path().to_str().unwrap())
    );
    let changed = bench.host.regrant(grants("sender", &again)).await.unwrap();
    assert_eq!(changed.len(), 1);
    assert_eq!(outputs(&run().await)["status"], 200);
    // The same bytes change nothing, and a file that is gone leaves what was there.
    assert!(bench.host.regrant(grants("sender", &again)).await.unwrap().is_empty());
    std::fs::remove_file(authority.file("now-acme.key")).unwrap();
    assert!(bench.host.regrant(grants("sender", &again)).await.is_err());
    assert_eq!(outputs(&run().await)["status"], 200);
}
