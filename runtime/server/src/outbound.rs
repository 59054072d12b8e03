//! Requests of the server itself to providers of identities: by TLS, or by plain HTTP to this machine.
//! Each has a connection of its own, so that changed CAs count at once. Redirects are not followed, and the
//! answer is bounded in size and time.

use std::path::PathBuf;
use std::time::Duration;

use host::{TargetFault, Trust};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use hyper::rt::{Read, Write};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Timeout of an answer.
const WAIT: Duration = Duration::from_secs(10);

/// Max bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Sends requests to a provider.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// The place in the settings, for errors.
    table: &'static str,
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
    #[error("`{url}` does not answer by TLS: see its certificate, and `ca`")]
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
    /// Sends requests with the CAs of a file, or with those of the system.
    pub fn new(table: &'static str, ca: Option<PathBuf>) -> Self {
        Self { table, ca }
    }

    /// The answer to a request with a whole URL.
    pub async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, OutboundError> {
        let (mut head, body) = request.into_parts();
        let uri = std::mem::take(&mut head.uri);
        // Without its query: that may have codes.
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let told = format!("{}://{authority}{}", uri.scheme_str().unwrap_or(""), uri.path());
        check_url(&uri)
            .map_err(|reason| OutboundError::Address { url: told.to_owned(), reason })?;
        head.uri =
            uri.path_and_query().map_or("/", |path| path.as_str()).parse().unwrap_or_default();
        if let Ok(host) = HeaderValue::from_str(authority) {
            head.headers.insert(HOST, host);
        }
        head.headers.insert(USER_AGENT, HeaderValue::from_static("ferrule"));
        let request = Request::from_parts(head, Full::new(Bytes::from(body)));
        let exchange = self.exchange(&uri, &told, request);
        let answered = tokio::time::timeout(WAIT, exchange).await;
        answered.unwrap_or_else(|_elapsed| Err(OutboundError::Late { url: told.to_owned() }))
    }

    async fn exchange(
        &self,
        uri: &Uri,
        told: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Vec<u8>>, OutboundError> {
        let answer = self.connect(uri, told, request).await?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|_| OutboundError::Answer { url: told.to_owned() })?;
        Ok(Response::from_parts(head, body.to_bytes().into()))
    }

    async fn connect(
        &self,
        uri: &Uri,
        told: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, OutboundError> {
        let is_secure = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await;
        let stream =
            stream.map_err(|source| OutboundError::Connect { url: told.to_owned(), source })?;
        if !is_secure {
            return carried(told, TokioIo::new(stream), request).await;
        }
        let broken = |source| OutboundError::Tls { url: told.to_owned(), source };
        let (table, ca) = (self.table, self.ca.to_owned());
        let read = tokio::task::spawn_blocking(move || Trust::read(table, ca.as_deref()));
        let trust = read.await.map_err(|error| broken(std::io::Error::other(error)))?;
        let trust = trust.map_err(OutboundError::Trust)?;
        let stream = trust.connect(host, stream).await.map_err(broken)?;
        carried(told, TokioIo::new(stream), request).await
    }
}

/// The answer to a request on a connection, which ends with it.
async fn carried(
    told: &str,
    stream: impl Read + Write + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, OutboundError> {
    let failed = |source| OutboundError::Send { url: told.to_owned(), source };
    let (mut sender, connection) = http1::handshake(stream).await.map_err(failed)?;
    // It ends when the answer is read, or dropped.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(failed)
}

#[cfg(test)]
mod tests;
