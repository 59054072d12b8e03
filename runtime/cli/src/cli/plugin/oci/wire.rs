//! One request to a registry: a connection of its own, with limits on time and size.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

/// The time for a connection, for the head of an answer, and for each part of its body.
const CONNECT: Duration = Duration::from_secs(10);
const HEAD: Duration = Duration::from_secs(60);
const PART: Duration = Duration::from_secs(30);

/// The time for a whole push or pull.
const WHOLE: Duration = Duration::from_secs(600);

/// Sends requests until its time is over.
pub(super) struct Wire {
    tls: Arc<ClientConfig>,
    end: Instant,
}

impl Wire {
    pub(super) fn new(tls: Arc<ClientConfig>) -> Self {
        Self { tls, end: Instant::now() + WHOLE }
    }

    /// Sends a request, to the beginning of its answer.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>> {
        let uri = std::mem::take(request.uri_mut());
        let (host, address) = address(&uri)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse()?;
        let headers = request.headers_mut();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        headers.insert(HOST, HeaderValue::from_str(authority)?);
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("ferrule/", env!("CARGO_PKG_VERSION"))),
        );
        let connect = timeout(CONNECT, TcpStream::connect(&address)).await;
        let stream = connect
            .map_err(|_| {
                anyhow!("`{address}` does not answer: see whether it can be reached from here")
            })?
            .with_context(|| format!("cannot connect to `{address}`"))?;
        stream.set_nodelay(true)?;
        if uri.scheme_str() == Some("http") {
            return self.exchange(stream, request).await;
        }
        let name = ServerName::try_from(host.to_owned())
            .with_context(|| format!("`{host}` is no name of a host"))?;
        let connected = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        let stream = timeout(CONNECT, connected).await;
        let stream = stream
            .map_err(|_| anyhow!("`{address}` does not speak TLS: give `--plain-http` if it need not"))?
            .with_context(|| {
                format!(
                    "no TLS with `{address}`: give the file of its CA by `--ca`, or `--plain-http` if it \
                     speaks without TLS"
                )
            })?;
        self.exchange(stream, request).await
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // An error of the connection is one of the request or of its body too.
        tokio::spawn(async move { connection.await.ok() });
        let size = request.body().size_hint_bytes();
        // A large body takes its time: 64 KiB/s at least.
        let wait = HEAD + Duration::from_secs(size / (64 << 10));
        let sent =
            timeout_at(self.end.min(Instant::now() + wait), sender.send_request(request)).await;
        sent.map_err(|_| anyhow!("the registry took too long to answer: try again later"))?
            .context("the registry does not speak HTTP as it should, or went away")
    }

    /// Reads a body to its end; an error if it is longer than this.
    pub(super) async fn read(&self, mut body: Incoming, bytes_max: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let next = timeout_at(self.end.min(Instant::now() + PART), body.frame()).await;
            let next =
                next.map_err(|_| anyhow!("the registry stopped sending: try again later"))?;
            let Some(frame) = next else { return Ok(bytes) };
            let frame = frame.context("the answer was cut off: try again")?;
            bytes.extend_from_slice(&frame.into_data().unwrap_or_default());
            if bytes.len() as u64 > bytes_max {
                bail!("the registry sends more than the {bytes_max} bytes that there may be");
            }
        }
    }
}

/// The bytes of a body that is there.
trait Sized {
    fn size_hint_bytes(&self) -> u64;
}

impl Sized for Full<Bytes> {
    fn size_hint_bytes(&self) -> u64 {
        hyper::body::Body::size_hint(self).exact().unwrap_or_default()
    }
}

/// The host of a URL, and where to connect to.
pub(super) fn address(uri: &Uri) -> Result<(&str, String)> {
    let usual = match uri.scheme_str() {
        Some("https") => 443,
        Some("http") => 80,
        Some(_) | None => {
            bail!("the registry leads to an address that is not `http` or `https`")
        }
    };
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        bail!("the registry leads to an address with a login in it: that is not followed");
    }
    let host = uri.host().filter(|host| !host.is_empty());
    let host = host.context("the registry leads to an address without a host")?;
    let port = match authority.strip_prefix(host).unwrap_or_default() {
        "" => Some(usual),
        port => port.strip_prefix(':').and_then(super::reference::port),
    };
    let port = port.context("the registry leads to an address with a port that is none")?;
    Ok((host.trim_matches(['[', ']']), format!("{host}:{port}")))
}

#[cfg(test)]
mod tests;
