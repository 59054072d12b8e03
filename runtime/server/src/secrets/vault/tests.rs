//! Vault by TLS: whom it trusts, and that no token goes to anyone else.

use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::certified::certified;

const ANSWER: &str = r#"{"data":{"password":"s3cret-by-tls"}}"#;

/// A Vault with a certificate for `localhost`, whose CA is in `ca.pem`. It keeps what it was asked.
struct Stub {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
}

impl Stub {
    async fn start(status: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = certified(folder.path());
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { break };
                    head.push(byte);
                }
                heard.lock().unwrap().push(String::from_utf8(head).unwrap());
                let length = ANSWER.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{ANSWER}");
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        Self { port, asked, folder }
    }

    fn vault(&self, host: &str, ca: Option<&str>) -> Vault {
        let path = |name: &str| self.folder.path().join(name);
        Vault {
            url: format!("https://{host}:{}", self.port),
            path: "database/nms".into(),
            field: "password".into(),
            token_file: Some(path("token")),
            namespace: None,
            ca: ca.map(path),
        }
    }

    fn token(&self, token: &str) {
        std::fs::write(self.folder.path().join("token"), token).unwrap();
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

async fn error(vault: &Vault) -> String {
    engine::causes::chain(&vault.read().await.unwrap_err())
}

#[tokio::test]
async fn a_secret_is_read_by_tls_with_the_token_of_now() {
    let stub = Stub::start("200 OK").await;
    let vault = stub.vault("localhost", Some("ca.pem"));
    assert_eq!(vault.check(), Ok(()));
    for token in ["hvs.first", "hvs.second"] {
        stub.token(token);
        let (value, lease_s) = vault.read().await.unwrap();
        assert_eq!((value, lease_s), (b"s3cret-by-tls".to_vec(), None));
        let asked = stub.asked().concat().to_ascii_lowercase();
        assert!(asked.starts_with("get /v1/database/nms http/1.1\r\n"), "{asked}");
        assert!(asked.contains(&format!("host: localhost:{}\r\n", stub.port)), "{asked}");
        assert!(asked.contains(&format!("x-vault-token: {token}\r\n")), "{asked}");
    }
}

#[tokio::test]
async fn a_vault_that_is_not_trusted_is_sent_nothing() {
    let stub = Stub::start("200 OK").await;
    stub.token("hvs.token");
    for (host, ca, why) in [
        ("localhost", None, "see its certificate, and `vault.ca`"),
        ("localhost", Some("other.pem"), "see its certificate"),
        ("127.0.0.1", Some("ca.pem"), "see its certificate"),
        ("localhost", Some("none.pem"), "`[secrets] vault.ca`: "),
        ("localhost", Some("token"), "holds no certificate in PEM"),
    ] {
        let error = error(&stub.vault(host, ca)).await;
        assert!(error.contains(why) && !error.contains("hvs"), "{host} {ca:?}: {error}");
        assert_eq!(stub.asked(), Vec::<String>::new(), "{host} {ca:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_node_is_not_followed() {
    let stub = Stub::start("307 Temporary Redirect").await;
    stub.token("hvs.token");
    let error = error(&stub.vault("localhost", Some("ca.pem"))).await;
    assert!(error.contains("name the active node"), "{error}");
}
