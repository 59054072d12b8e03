//! A secret of Vault, read by its HTTP API with a token from a file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::{SecretError, read_file};

/// Timeout of an answer.
const WAIT: Duration = Duration::from_secs(10);

/// Max bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Where a secret is in Vault.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Vault {
    /// The address of Vault, or of its agent.
    url: String,
    /// The path behind `/v1/`, such as `secret/data/nms` of KV version 2.
    path: String,
    /// The name of the value there.
    field: String,
    /// The file with the token; none for an agent that adds its own.
    token_file: Option<PathBuf>,
    /// The namespace of Vault Enterprise.
    namespace: Option<String>,
}

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
pub(super) enum VaultError {
    #[error("the token")]
    Token(#[source] Box<SecretError>),
    #[error("the token cannot stand in a header")]
    TokenText,
    #[error("the address cannot be used")]
    Request(#[source] hyper::http::Error),
    #[error("`{url}` does not answer")]
    Send {
        url: String,
        #[source]
        source: hyper_util::client::legacy::Error,
    },
    #[error("`{url}` does not answer within {} s", WAIT.as_secs())]
    Late { url: String },
    #[error("`{url}` answers {status}{}", hint(*.status))]
    Status { url: String, status: StatusCode },
    #[error("`{url}` answers what is no secret of Vault")]
    Answer { url: String },
    #[error("`{url}` has no text `{field}`")]
    NoField { url: String, field: String },
}

/// The causes that people meet.
fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => ": see the token and its policy",
        StatusCode::NOT_FOUND => ": see the path; of KV version 2 it has `data/` after the mount",
        StatusCode::SERVICE_UNAVAILABLE => ": is it sealed?",
        _ => "",
    }
}

/// An answer of Vault.
#[derive(Deserialize)]
struct Answer {
    /// Only what is made for its reader has one.
    #[serde(default)]
    lease_id: String,
    #[serde(default)]
    lease_duration: u32,
    data: Data,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Data {
    /// Of KV version 2.
    Versioned {
        data: BTreeMap<String, Field>,
        #[serde(rename = "metadata")]
        _metadata: IgnoredAny,
    },
    /// Of all other engines.
    Plain(BTreeMap<String, Field>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Text(String),
    Other(IgnoredAny),
}

impl Vault {
    /// Fails with what cannot be used.
    pub(super) fn check(&self) -> Result<(), String> {
        let uri: Uri = self.url.parse().map_err(|_| "`vault.url` is no address".to_owned())?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_inside = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err("`vault.url` is `http://host:port`, without a user".into());
        }
        match (uri.scheme_str(), is_inside) {
            (Some("http"), true) => Ok(()),
            (Some("http"), false) => Err("`vault.url` is plain http to another machine, which shows the \
                                          token: run a Vault agent or a proxy on this one"
                .into()),
            _ => Err("`vault.url` begins with http: Vault is read without TLS, so run a Vault agent or a \
                      proxy on this machine"
                .into()),
        }
    }

    /// The value, and how long it is good for in seconds.
    pub(super) async fn read(&self) -> Result<(Vec<u8>, Option<u32>), VaultError> {
        let url = format!("{}/v1/{}", self.url.trim_end_matches('/'), self.path.trim_matches('/'));
        let mut request = Request::get(&url).header("x-vault-request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if let Some(token) = self.token().await? {
            request = request.header("x-vault-token", token);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(VaultError::Request)?;
        let answered = tokio::time::timeout(WAIT, self.ask(&url, request)).await;
        let body = answered.unwrap_or_else(|_| Err(VaultError::Late { url: url.to_owned() }))?;
        let Ok(Answer { lease_id, lease_duration, data }) = serde_json::from_slice(&body) else {
            return Err(VaultError::Answer { url });
        };
        let (Data::Versioned { mut data, .. } | Data::Plain(mut data)) = data;
        let lease_s = (!lease_id.is_empty() && lease_duration > 0).then_some(lease_duration);
        match data.remove(&self.field) {
            Some(Field::Text(text)) => Ok((text.into_bytes(), lease_s)),
            Some(Field::Other(_)) | None => {
                Err(VaultError::NoField { url, field: self.field.to_owned() })
            }
        }
    }

    async fn token(&self) -> Result<Option<HeaderValue>, VaultError> {
        let Some(file) = &self.token_file else { return Ok(None) };
        let bytes = read_file(file).await.map_err(|error| VaultError::Token(Box::new(error)))?;
        let bytes = Zeroizing::new(bytes);
        let token = HeaderValue::from_bytes(bytes.trim_ascii());
        let mut token = token.map_err(|_| VaultError::TokenText)?;
        token.set_sensitive(true);
        Ok(Some(token))
    }

    async fn ask(
        &self,
        url: &str,
        request: Request<Empty<Bytes>>,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let sent = client.request(request).await;
        let answer = sent.map_err(|source| VaultError::Send { url: url.to_owned(), source })?;
        let (head, body) = answer.into_parts();
        if head.status != StatusCode::OK {
            return Err(VaultError::Status { url: url.to_owned(), status: head.status });
        }
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|_| VaultError::Answer { url: url.to_owned() })?;
        Ok(Zeroizing::new(body.to_bytes().into()))
    }
}
