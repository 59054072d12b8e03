//! A collector by TLS: whom it trusts, and what it does with a connection that was closed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::certified::certified;

/// Takes one message a connection, and counts them. The CA of its certificate is in `ca.pem`.
async fn stub(folder: &Path) -> (u16, Arc<AtomicUsize>) {
    let acceptor = TlsAcceptor::from(Arc::new(certified(folder)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut message = Vec::new();
            while !message.ends_with(b"{}") {
                message.push(stream.read_u8().await.unwrap());
            }
            assert!(message.starts_with(b"POST /v1/traces HTTP/1.1\r\n"), "{message:?}");
            counted.fetch_add(1, Ordering::Relaxed);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (port, taken)
}

#[tokio::test]
async fn a_collector_is_spoken_to_by_tls_if_its_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (port, taken) = stub(folder.path()).await;
    for (host, ca, reason) in [
        ("localhost", Some("ca.pem"), None),
        ("localhost", Some("other.pem"), Some("certificate")),
        ("localhost", Some("missing.pem"), Some("missing.pem")),
        ("localhost", None, Some("certificate")),
        ("127.0.0.1", Some("ca.pem"), Some("certificate")),
    ] {
        let url = format!("https://{host}:{port}/v1/traces").parse().unwrap();
        let ca_file = ca.map(|name| folder.path().join(name));
        let mut link = Link::new(Collector { url, ca: ca_file });
        // The second goes over a connection of its own: the first was closed.
        for _ in 0..2 {
            let sent = link.send("{}".into()).await;
            match reason {
                None => assert_eq!(sent.unwrap().status(), 200),
                Some(reason) => {
                    let error = sent.unwrap_err();
                    assert!(error.contains(reason), "{host} {ca:?}: {error}");
                }
            }
        }
    }
    assert_eq!(taken.load(Ordering::Relaxed), 2);
}
