use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::access::signing::Signer;
use crate::outbound::Outbound;

/// A provider whose set of keys a test changes.
#[derive(Clone, Default)]
struct Provider(Arc<Shared>);

#[derive(Default)]
struct Shared {
    set: std::sync::Mutex<Option<Value>>,
    fetches: AtomicUsize,
}

async fn answer(State(provider): State<Provider>) -> Response {
    provider.0.fetches.fetch_add(1, Ordering::SeqCst);
    match &*provider.0.set.lock().unwrap() {
        Some(set) => set.to_string().into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

impl Provider {
    async fn start() -> (Self, Keys) {
        let provider = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let router = Router::new().route("/jwks", get(answer)).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let outbound = Outbound::new(("[access.issuers.acme]", "ca"), None);
        (provider, Keys::new(Source::Url { url: url.parse().unwrap(), outbound }))
    }

    fn has(&self, signers: &[&Signer]) {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        *self.0.set.lock().unwrap() = Some(json!({ "keys": keys }));
    }

    fn is_down(&self) {
        *self.0.set.lock().unwrap() = None;
    }

    fn fetches(&self) -> usize {
        self.0.fetches.load(Ordering::SeqCst)
    }
}

fn at(ms: u64) -> Timestamp {
    Timestamp(1_000_000_000_000).plus_ms(ms)
}

async fn has(keys: &Keys, kid: &str, ms: u64) -> bool {
    keys.find(Some(kid), Algorithm::ES256, at(ms)).await.is_ok()
}

#[tokio::test]
async fn unknown_ids_cost_one_fetch_a_minute() {
    let (provider, keys) = Provider::start().await;
    provider.has(&[&Signer::es256("one")]);
    let unknown = (0..1_000).map(|number| {
        let keys = keys.clone();
        tokio::spawn(async move { has(&keys, &format!("unknown-{number}"), number).await })
    });
    for found in unknown.collect::<Vec<_>>() {
        assert!(!found.await.unwrap());
    }
    assert_eq!(provider.fetches(), 1);
    assert!(has(&keys, "one", FETCH_MS_MIN - 1).await);
    assert!(!has(&keys, "unknown", FETCH_MS_MIN - 1).await);
    assert_eq!(provider.fetches(), 1);
    assert!(!has(&keys, "unknown", FETCH_MS_MIN).await);
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test]
async fn keys_rotate_and_those_that_vanish_stop() {
    let (provider, keys) = Provider::start().await;
    let (one, two) = (Signer::es256("one"), Signer::es256("two"));
    provider.has(&[&one]);
    assert!(has(&keys, "one", 0).await);
    let before = keys.current(at(0)).generation;
    provider.has(&[&one, &two]);
    assert!(!has(&keys, "two", 1_000).await, "the last fetch was a second ago");
    assert!(has(&keys, "two", FETCH_MS_MIN).await);
    assert!(has(&keys, "one", FETCH_MS_MIN).await);
    provider.has(&[&two]);
    keys.fetch_once(at(2 * FETCH_MS_MIN)).await;
    assert!(!has(&keys, "one", 2 * FETCH_MS_MIN).await);
    assert_ne!(keys.current(at(0)).generation, before);
    // Another key under the same id is another key.
    let generation = keys.current(at(0)).generation;
    provider.has(&[&Signer::es256("two")]);
    keys.fetch_once(at(3 * FETCH_MS_MIN)).await;
    assert_ne!(keys.current(at(0)).generation, generation);
}

#[tokio::test]
async fn keys_outlive_a_provider_that_is_down_for_a_day() {
    let (provider, keys) = Provider::start().await;
    provider.has(&[&Signer::es256("one")]);
    assert!(has(&keys, "one", 0).await);
    provider.is_down();
    assert!(has(&keys, "one", AGE_MS_MAX - 1).await);
    let old = keys.find(Some("one"), Algorithm::ES256, at(AGE_MS_MAX)).await;
    assert!(matches!(old, Err(NoKey::Old)));
    provider.has(&[&Signer::es256("one")]);
    keys.fetch_once(at(AGE_MS_MAX + FETCH_MS_MIN)).await;
    assert!(has(&keys, "one", AGE_MS_MAX + FETCH_MS_MIN).await);
}

#[tokio::test]
async fn a_provider_that_comes_up_late_is_asked_again_soon() {
    let (provider, keys) = Provider::start().await;
    assert!(!has(&keys, "one", 0).await);
    provider.has(&[&Signer::es256("one")]);
    assert!(!has(&keys, "one", RETRY_MS_MIN - 1).await);
    assert!(has(&keys, "one", RETRY_MS_MIN).await);
}

#[test]
fn keys_that_are_not_for_signatures_here_are_left_out() {
    let good = Signer::es256("good").jwk();
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        key
    };
    let table = [
        ("good", good.clone(), 1),
        ("for encryption", with("use", json!("enc")), 0),
        ("for wrapping", with("key_ops", json!(["wrapKey"])), 0),
        ("another algorithm", with("alg", json!("ES384")), 0),
        ("HMAC", with("alg", json!("HS256")), 0),
        ("none", with("alg", json!("none")), 0),
        ("another curve", with("crv", json!("secp256k1")), 0),
        ("short", with("x", json!("AAAA")), 0),
        ("padded", with("x", json!(format!("{}=", good["x"].as_str().unwrap()))), 0),
        ("no point", with("y", json!(null)), 0),
        ("a secret", json!({ "kty": "oct", "kid": "good", "k": "c2VjcmV0", "alg": "HS256" }), 0),
        ("small RSA", json!({ "kty": "RSA", "n": "A".repeat(171), "e": "AQAB" }), 0),
        ("no object", json!(5), 0),
    ];
    for (what, key, expected) in table {
        let set = json!({ "keys": [key, Signer::es256("other").jwk()] }).to_string();
        let set = KeySet::read(set.as_bytes()).unwrap();
        assert_eq!(set.find(Some("good"), Algorithm::ES256).len(), expected, "{what}");
        assert_eq!(set.find(Some("other"), Algorithm::ES256).len(), 1, "{what}");
    }
    for set in ["", "[]", "{}", "{\"keys\":5}", "{\"keys\":[]}"] {
        assert!(KeySet::read(set.as_bytes()).is_err(), "{set}");
    }
    let many = json!({ "keys": vec![good; 101] }).to_string();
    assert!(matches!(KeySet::read(many.as_bytes()), Err(SetError::TooMany)));
}

#[test]
fn a_token_without_an_id_needs_a_set_with_one_fitting_key() {
    let (one, two) = (Signer::es256("one"), Signer::es256("two"));
    let set =
        |keys: &[Value]| KeySet::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
    assert_eq!(set(&[one.jwk()]).find(None, Algorithm::ES256).len(), 1);
    assert_eq!(set(&[one.jwk()]).find(None, Algorithm::EdDSA).len(), 0);
    assert_eq!(set(&[one.jwk(), two.jwk()]).find(None, Algorithm::ES256).len(), 0);
}

#[tokio::test]
async fn an_issuer_tells_where_its_keys_are_under_its_own_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let described = |issuer: &str, keys: &str| {
        json!({ "issuer": format!("{base}{issuer}"), "jwks_uri": keys }).to_string()
    };
    let good = described("/good", &format!("{base}/keys"));
    let other = described("/good", &format!("{base}/keys"));
    let elsewhere = described("/elsewhere", "http://keys.example.com/");
    let set = json!({ "keys": [Signer::es256("one").jwk()] }).to_string();
    let path = |name: &str| format!("/{name}/.well-known/openid-configuration");
    let router = Router::new()
        .route(&path("good"), get(|| std::future::ready(good)))
        .route(&path("other"), get(|| std::future::ready(other)))
        .route(&path("elsewhere"), get(|| std::future::ready(elsewhere)))
        .route("/keys", get(|| std::future::ready(set)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let read = async |name: &str| {
        let outbound = Outbound::new(("[access.issuers.acme]", "ca"), None);
        Source::Issuer { issuer: format!("{base}/{name}"), outbound }.read().await
    };
    assert_eq!(read("good").await.unwrap().len(), 1);
    assert!(matches!(read("other").await, Err(SourceError::OtherIssuer(_))));
    assert!(matches!(read("elsewhere").await, Err(SourceError::Send(_))));
    assert!(matches!(read("missing").await, Err(SourceError::Status(StatusCode::NOT_FOUND))));
}

#[tokio::test]
async fn keys_are_fetched_by_tls_from_a_provider_of_the_own_ca_only() {
    let folder = tempfile::tempdir().unwrap();
    let acceptor =
        tokio_rustls::TlsAcceptor::from(Arc::new(crate::certified::certified(folder.path())));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let set = json!({ "keys": [Signer::es256("one").jwk()] }).to_string();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{set}", set.len());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let read = async |host: &str, ca: Option<&str>| {
        let url = format!("https://{host}:{port}/keys").parse().unwrap();
        let outbound =
            Outbound::new(("[access.issuers.acme]", "ca"), ca.map(|ca| folder.path().join(ca)));
        Source::Url { url, outbound }.read().await
    };
    assert_eq!(read("localhost", Some("ca.pem")).await.unwrap().len(), 1);
    assert!(matches!(read("localhost", None).await, Err(SourceError::Send(_))));
    assert!(matches!(read("127.0.0.2", Some("ca.pem")).await, Err(SourceError::Send(_))));
}

#[tokio::test]
async fn keys_are_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let source = Source::File(path.clone());
    assert!(matches!(source.read().await, Err(SourceError::Set(SetError::File(_)))));
    std::fs::write(&path, json!({ "keys": [Signer::es256("one").jwk()] }).to_string()).unwrap();
    assert_eq!(source.read().await.unwrap().len(), 1);
}
