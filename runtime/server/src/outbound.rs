//! Requests of the server itself, to providers of identities, Vault and collectors: by TLS, or by plain HTTP. CAs are
//! read for each connection, so that changed ones count without a restart. Redirects are not followed.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use host::{TargetFault, Trust};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use hyper::rt::{Read, Write};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The place of the CAs in the settings, for errors: a table and a key.
pub(crate) type Setting<'a> = (&'a str, &'static str);

/// Timeout of an answer.
const WAIT: Duration = Duration::from_secs(10);

/// Max bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Sends requests, and makes connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// The place of the CAs in the settings, for errors.
    table: Arc<str>,
    key: &'static str,
    /// A PEM file with the CAs that certificates are checked by, instead of those of the system.
    ca: Option<PathBuf>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    #[error("`{url}` cannot be called: {reason}")]
    Address { url: String, reason: &'static str },
    #[error("`{url}` does not answer")]
    Connect {
        url: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{url}` does not answer by TLS: see its certificate, and `{key}`")]
    Tls {
        url: String,
        key: &'static str,
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
    #[error("the answer of `{url}` has no end, or more than {ANSWER_BYTES_MAX} bytes")]
    Answer { url: String },
}

/// Whether a URL may be called: `https` anywhere, `http` on this machine.
pub fn check_url(uri: &Uri) -> Result<(), &'static str> {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_inside = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if host.is_empty() || uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
        return Err("it is no URL with a host and without a user");
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_inside => Ok(()),
        Some("http") => Err("plain http goes to this machine only: write https"),
        _ => Err("it begins with https, or with http for this machine"),
    }
}

impl Outbound {
    /// Trusts the CAs of a file, or those of the system.
    pub(crate) fn new((table, key): Setting<'_>, ca: Option<PathBuf>) -> Self {
        Self { table: table.into(), key, ca }
    }

    /// The answer to a request with a whole URL, over a connection of its own. It is bounded in size and time.
    pub async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, OutboundError> {
        let (mut head, body) = request.into_parts();
        let uri = std::mem::take(&mut head.uri);
        check_url(&uri).map_err(|reason| OutboundError::Address { url: told(&uri), reason })?;
        head.uri =
            uri.path_and_query().map_or("/", |path| path.as_str()).parse().unwrap_or_default();
        if let Ok(host) = HeaderValue::from_str(authority(&uri)) {
            head.headers.insert(HOST, host);
        }
        head.headers.insert(USER_AGENT, HeaderValue::from_static("ferrule"));
        let request = Request::from_parts(head, Full::new(Bytes::from(body)));
        let answered = tokio::time::timeout(WAIT, self.exchange(&uri, request)).await;
        answered.unwrap_or_else(|_elapsed| Err(OutboundError::Late { url: told(&uri) }))
    }

    async fn exchange(
        &self,
        uri: &Uri,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Vec<u8>>, OutboundError> {
        let answer = self.connect(uri).await?.send_request(request).await;
        let answer = answer.map_err(|source| OutboundError::Send { url: told(uri), source })?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|_| OutboundError::Answer { url: told(uri) })?;
        Ok(Response::from_parts(head, body.to_bytes().into()))
    }

    /// Connects to the host of a URL, by TLS if that begins with `https`.
    pub(crate) async fn connect<B>(&self, uri: &Uri) -> Result<SendRequest<B>, OutboundError>
    where
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let is_secure = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await;
        let stream = stream.map_err(|source| OutboundError::Connect { url: told(uri), source })?;
        if !is_secure {
            return handshake(uri, TokioIo::new(stream)).await;
        }
        let broken = |source| OutboundError::Tls { url: told(uri), key: self.key, source };
        let Self { table, key, ca } = self.clone();
        let read = tokio::task::spawn_blocking(move || Trust::read((&table, key), ca.as_deref()));
        let trust = read.await.map_err(|error| broken(std::io::Error::other(error)))?;
        let trust = trust.map_err(OutboundError::Trust)?;
        let stream = trust.connect(host, stream).await.map_err(broken)?;
        handshake(uri, TokioIo::new(stream)).await
    }
}

async fn handshake<B>(
    uri: &Uri,
    stream: impl Read + Write + Unpin + Send + 'static,
) -> Result<SendRequest<B>, OutboundError>
where
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let failed = |source| OutboundError::Send { url: told(uri), source };
    let (sender, connection) = http1::handshake(stream).await.map_err(failed)?;
    // It ends when the sender is dropped and the last answer is read or dropped, or the other side closes it.
    tokio::spawn(connection);
    Ok(sender)
}

/// A URL in errors. Without its query: that may have codes.
fn told(uri: &Uri) -> String {
    format!("{}://{}{}", uri.scheme_str().unwrap_or_default(), authority(uri), uri.path())
}

fn authority(uri: &Uri) -> &str {
    uri.authority().map_or("", |authority| authority.as_str())
}

#[cfg(test)]
mod tests;
