//! TLS of the listener, with the clients that a server meets on a network: good ones, foreign ones, slow ones.

mod elements;
mod lab;
mod login;
mod revoked;
mod slow;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hyper::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::eventually;
use lab::{Ca, Days, Protocol, Server, server_certificate};

#[tokio::test]
async fn http1_and_http2_are_served_by_tls() {
    let ca = Ca::new("lab");
    let server = Server::start(&ca, "").await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let client = ca.client(None);
        let mut connection = server.connect(&client, protocol).await.unwrap();
        let index = connection.get("/", &[]).await.unwrap();
        assert_eq!(index.status, StatusCode::OK, "{protocol:?}");
        assert_eq!(index.headers["x-content-type-options"], "nosniff", "{protocol:?}");
        let own = format!("https://localhost:{}/healthz", server.port);
        assert!(index.text.contains(&own), "{protocol:?}: {}", index.text);
        let foreign = [("origin", "https://evil.example")];
        let refused = connection.get("/healthz", &foreign).await.unwrap();
        assert_eq!(refused.status, StatusCode::MISDIRECTED_REQUEST, "{protocol:?}");
        let metrics = connection.get("/metrics", &[]).await.unwrap().text;
        let left = metrics
            .lines()
            .find_map(|line| line.strip_prefix("ferrule_tls_certificate_expiry_seconds "));
        let left: i64 = left.unwrap().parse().unwrap();
        assert!((1..=30 * 86_400).contains(&left), "{left}");
    }
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A request that is refused before its body is read, and what its answer has.
struct Refused<'a> {
    path: &'a str,
    host: &'a str,
    length: Option<&'a str>,
    answer: &'a str,
}

impl Refused<'_> {
    /// Its head, without the tables of HPACK (RFC 7541): POST, https, a path, an authority, perhaps a length.
    fn head(&self) -> Vec<u8> {
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let length = self.length.map(|length| [&[0x0f, 0x0d], &*text(length)].concat());
        let named = [vec![0x83, 0x87, 0x04], text(self.path), vec![0x01], text(self.host)];
        [named.concat(), length.unwrap_or_default()].concat()
    }

    /// Sends it with a body that does not end, and reads until the server has answered what follows it.
    async fn send(&self, server: &Server, ca: &Ca) {
        let [data, headers, reset, settings, ping] = [0, 1, 3, 4, 6];
        let mut stream = server.secure(&ca.client(None), Protocol::Http2).await.unwrap();
        let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        sent.extend(frame(settings, 0, 0, &[]));
        sent.extend(frame(headers, 4, 1, &self.head()));
        sent.extend(frame(data, 0, 1, b"{"));
        stream.write_all(&sent).await.unwrap();
        let (mut seen, mut body) = (Vec::new(), Vec::new());
        loop {
            let mut header = [0; 9];
            stream.read_exact(&mut header).await.unwrap();
            let bytes = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
            let mut payload = vec![0; bytes];
            stream.read_exact(&mut payload).await.unwrap();
            let (kind, flags, is_own) = (header[3], header[4], header[8] == 1);
            if is_own {
                seen.push(kind);
            }
            if is_own && kind == data {
                body.extend(payload);
                if flags & 1 == 1 {
                    stream.write_all(&frame(ping, 0, 0, &[0; 8])).await.unwrap();
                }
            }
            if kind == ping && flags & 1 == 1 {
                break;
            }
        }
        let body = String::from_utf8(body).unwrap();
        assert!(body.contains(self.answer), "{} on {}: {body}", self.answer, self.path);
        assert!(seen.contains(&headers) && !seen.contains(&reset), "{}: {seen:?}", self.path);
    }
}

/// Clients such as curl take a stream that is reset while they still send for a failure, though the answer
/// came before (RFC 9113, 8.1).
#[tokio::test]
async fn the_stream_of_a_refused_request_is_not_reset_while_its_body_comes() {
    let (ca, path) = (Ca::new("lab"), "/tmf-api/party/v4/individual");
    let closed = Server::start(&ca, "[access]\nauthentication = \"required\"\n").await;
    let open = Server::start(&ca, "").await;
    let limits = "[limits]\nrequests-per-second = 1\nrequests-burst = 1\n";
    let slow = Server::start(&ca, limits).await;
    let length = Some("99999999");
    for (server, path, host, length, answer) in [
        (&closed, path, "localhost", None, "\"401\""),
        (&closed, "/tenants/none/healthz", "localhost", None, "\"401\""),
        (&open, path, "evil.example", None, "\"421\""),
        (&open, path, "localhost", length, "\"413\""),
        (&open, "/tenants/none/healthz", "localhost", None, "\"404\""),
        (&slow, "/tenants/none/healthz", "localhost", None, "\"404\""),
        (&slow, path, "localhost", None, "\"429\""),
    ] {
        Refused { path, host, length, answer }.send(server, &ca).await;
    }
}

#[tokio::test]
async fn plain_http_on_the_port_of_tls_is_told_what_to_use() {
    let ca = Ca::new("lab");
    let server = Server::start(&ca, "").await;
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let request = format!("POST / HTTP/1.1\r\nhost: localhost\r\n\r\n{}", "x".repeat(20_000));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert!(body["message"].as_str().unwrap().contains("https://"), "{body}");
}

/// A certificate is swapped twice while requests come in: first its key is late, so that both do not match for a while.
#[tokio::test]
async fn certificates_change_under_load_without_a_failed_request() {
    let (old, new) = (Ca::new("old"), Ca::new("new"));
    let server = Arc::new(Server::start(&old, "").await);
    let both = old.client_of_both(&new);
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load = [Protocol::Http1, Protocol::Http2].map(|protocol| {
        let (server, both) = (Arc::clone(&server), Arc::clone(&both));
        let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
        tokio::spawn(async move {
            let mut kept = server.connect(&both, protocol).await.unwrap();
            while !stop.load(Ordering::Relaxed) {
                let mut fresh = server.connect(&both, protocol).await.unwrap();
                for connection in [&mut kept, &mut fresh] {
                    assert_eq!(
                        connection.get("/healthz", &[]).await.unwrap().status,
                        StatusCode::OK
                    );
                }
                sent.fetch_add(2, Ordering::Relaxed);
            }
        })
    });
    let (pem, key) = server_certificate(&new);
    std::fs::write(server.path("server.pem"), pem).unwrap();
    let count = async |name: &str| {
        let mut connection = server.connect(&both, Protocol::Http1).await.unwrap();
        let metrics = connection.get("/metrics", &[]).await.unwrap().text;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        line.parse::<u64>().unwrap()
    };
    let rejected = async || (count("ferrule_tls_reloads_rejected_total").await > 0).then_some(());
    eventually("the half of a pair is refused", rejected).await;
    assert!(server.connect(&new.client(None), Protocol::Http1).await.is_err());
    std::fs::write(server.path("server.key"), key).unwrap();
    let is_new = async || server.connect(&new.client(None), Protocol::Http1).await.ok().map(drop);
    eventually("the new certificate is shown", is_new).await;
    assert!(server.connect(&old.client(None), Protocol::Http1).await.is_err());
    assert_eq!(count("ferrule_tls_reloads_total").await, 1);
    let until = sent.load(Ordering::Relaxed) + 8;
    let is_loaded = async || (sent.load(Ordering::Relaxed) >= until).then_some(());
    eventually("more requests were sent", is_loaded).await;
    stop.store(true, Ordering::Relaxed);
    for load in load {
        load.await.unwrap();
    }
}

#[tokio::test]
async fn only_clients_of_the_ca_are_let_in_until_they_expire() {
    let (ca, foreign) = (Ca::new("lab"), Ca::new("foreign"));
    let server =
        Server::start(&ca, "client-ca = \"ca.pem\"\nclient-certificates = \"required\"").await;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        for (what, shown) in [
            ("none", None),
            ("of another CA", Some(foreign.issue("olt-1", Days(30)))),
            ("expired", Some(ca.issue("olt-1", Days(-1)))),
        ] {
            // With TLS 1.3 the client learns of it with its first request.
            let answer = match server.connect(&ca.client(shown), protocol).await {
                Ok(mut connection) => connection.get("/healthz", &[]).await,
                Err(error) => Err(error),
            };
            assert!(answer.is_err(), "{what}: {:?}", answer.unwrap().status);
        }
        let good = ca.client(Some(ca.issue("olt-1", Days(30))));
        let mut connection = server.connect(&good, protocol).await.unwrap();
        assert_eq!(connection.get("/healthz", &[]).await.unwrap().status, StatusCode::OK);
    }
    let short = ca.client(Some(ca.issue_for_seconds("olt-1", 4)));
    let connection = server.connect(&short, Protocol::Http2).await.unwrap();
    let connection = tokio::sync::Mutex::new(connection);
    let get = async || connection.lock().await.get("/healthz", &[]).await.unwrap().status;
    assert_eq!(get().await, StatusCode::OK);
    let expired = async || (get().await == StatusCode::FORBIDDEN).then_some(());
    eventually("its certificate has expired", expired).await;
}
