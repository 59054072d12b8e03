//! A secret of Vault, read by its HTTP API with a token from a file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use engine::causes::chain;
use host::{TargetFault, Trust};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::header::HeaderValue;
use hyper::rt::{Read, Write};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::net::TcpStream;
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
    /// A PEM file with the CAs that its certificate is checked by, instead of those of the system.
    ca: Option<PathBuf>,
}

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
pub(super) enum VaultError {
    #[error("the token")]
    Token(#[source] Box<SecretError>),
    #[error("the token cannot stand in a header")]
    TokenText,
    #[error("the address cannot stand in a header")]
    Host,
    #[error("the address cannot be used")]
    Request(#[source] hyper::http::Error),
    #[error("`{url}` does not answer")]
    Connect {
        url: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{url}` does not answer by TLS: see its certificate, and `vault.ca`")]
    Tls {
        url: String,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Trust(TargetFault),
    #[error("`{url}` does not answer by HTTP")]
    Send {
        url: String,
        #[source]
        source: hyper::Error,
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
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
            ": it is on standby; name the active node, since a token is not sent where an answer leads"
        }
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
    /// Refuses CAs that cannot be read.
    pub(super) fn check_ca(&self) -> Result<(), String> {
        let read = Trust::read("vault", self.ca.as_deref()).map(drop);
        read.map_err(|error| chain(&error))
    }

    /// Fails with what cannot be used.
    pub(super) fn check(&self) -> Result<(), String> {
        for (setting, text) in [("path", &self.path), ("field", &self.field)] {
            if text.trim_matches('/').is_empty() {
                return Err(format!("`vault.{setting}` is empty"));
            }
        }
        let uri: Uri = self.url.parse().map_err(|_| "`vault.url` is no address".to_owned())?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_inside = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err("`vault.url` is `https://host:port`, without a user".into());
        }
        match (uri.scheme_str(), is_inside) {
            (Some("https"), _) => Ok(()),
            (Some("http"), _) if self.ca.is_some() => {
                Err("`vault.ca` is for TLS, and `vault.url` begins with http: write https".into())
            }
            (Some("http"), true) => Ok(()),
            (Some("http"), false) => {
                Err("`vault.url` is plain http to another machine, which shows the \
                                          token: write https"
                    .into())
            }
            _ => Err("`vault.url` begins with https, or with http for this machine".into()),
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
        let answer = self.send(url, request).await?;
        let (head, body) = answer.into_parts();
        if head.status != StatusCode::OK {
            return Err(VaultError::Status { url: url.to_owned(), status: head.status });
        }
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|_| VaultError::Answer { url: url.to_owned() })?;
        Ok(Zeroizing::new(body.to_bytes().into()))
    }

    /// Sends a request over a connection of its own: a new token and new CAs count at once.
    async fn send(
        &self,
        url: &str,
        mut request: Request<Empty<Bytes>>,
    ) -> Result<Response<Incoming>, VaultError> {
        let uri = std::mem::take(request.uri_mut());
        let is_secure = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let authority = HeaderValue::from_str(authority).map_err(|_| VaultError::Host)?;
        request.headers_mut().insert(HOST, authority);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().unwrap_or_default();
        let connect = |source| VaultError::Connect { url: url.to_owned(), source };
        let stream = TcpStream::connect((host, port)).await.map_err(connect)?;
        if !is_secure {
            return exchange(url, TokioIo::new(stream), request).await;
        }
        let ca = self.ca.to_owned();
        let read = tokio::task::spawn_blocking(move || Trust::read("vault", ca.as_deref()));
        let broken = |source| VaultError::Tls { url: url.to_owned(), source };
        let trust = read.await.map_err(|error| broken(std::io::Error::other(error)))?;
        let trust = trust.map_err(VaultError::Trust)?;
        let stream = trust.connect(host, stream).await.map_err(broken)?;
        exchange(url, TokioIo::new(stream), request).await
    }
}

/// The answer to a request on a connection, which ends with it.
async fn exchange(
    url: &str,
    stream: impl Read + Write + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
) -> Result<Response<Incoming>, VaultError> {
    let failed = |source| VaultError::Send { url: url.to_owned(), source };
    let (mut sender, connection) = http1::handshake(stream).await.map_err(failed)?;
    // It ends when the answer is read, or dropped.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(failed)
}

#[cfg(test)]
mod tests;
