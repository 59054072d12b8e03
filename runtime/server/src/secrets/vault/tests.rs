//! Vault by TLS: whom it trusts, and that no token goes to anyone else.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

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
        let config = certified(&folder);
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

fn certified(folder: &TempDir) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for name in ["ca.pem", "other.pem"] {
        let root = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join(name), root.pem()).unwrap();
    }
    std::fs::write(folder.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()
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
        ("localhost", Some("none.pem"), "`vault ca`: "),
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
