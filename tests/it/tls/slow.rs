//! Clients that are slow on purpose: no handshake, no end of a head. They keep no other client waiting, and are dropped.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::lab::{Ca, Protocol, Server};
use crate::world::DEADLINE;

/// The beginning of an HTTP/2 connection: the preface, empty settings, and a head of a request that does not end
/// (a frame of type HEADERS without END_HEADERS).
const HEAD_OF_HTTP2: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\0\0\0\0\x01\x82";

#[tokio::test]
async fn slow_clients_keep_none_waiting_and_are_dropped() {
    let ca = Ca::new("lab");
    let server = Server::start(&ca, "").await;
    let client = ca.client(None);
    let mut silent = Vec::new();
    for first in [&b""[..], b"\x16", b"\x16\x03\x01\x02\0\x01"] {
        for _ in 0..20 {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
            stream.write_all(first).await.unwrap();
            silent.push(stream);
        }
    }
    let mut slow1 = server.secure(&client, Protocol::Http1).await.unwrap();
    slow1.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-").await.unwrap();
    let mut slow2 = server.secure(&client, Protocol::Http2).await.unwrap();
    slow2.write_all(HEAD_OF_HTTP2).await.unwrap();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut connection = server.connect(&client, protocol).await.unwrap();
        assert_eq!(connection.get("/healthz", &[]).await.unwrap().status, 200);
    }
    let dropped = async {
        for mut stream in silent {
            // Whether it is closed or reset: it ends.
            stream.read_to_end(&mut Vec::new()).await.ok();
        }
        // One that sends a byte now and then is as slow.
        let mut trickle = tokio::time::interval(std::time::Duration::from_secs(1));
        let trickled = async {
            loop {
                trickle.tick().await;
                if slow1.write_all(b"x").await.is_err() || slow1.flush().await.is_err() {
                    break;
                }
            }
        };
        let mut rest = Vec::new();
        tokio::join!(trickled, slow2.read_to_end(&mut rest)).1.ok();
    };
    tokio::time::timeout(DEADLINE, dropped).await.expect("slow clients are dropped");
    let mut connection = server.connect(&client, Protocol::Http1).await.unwrap();
    let metrics = connection.get("/metrics", &[]).await.unwrap().text;
    assert!(metrics.contains("ferrule_tls_handshakes_failed_total 60\n"), "{metrics}");
}
