//! Connects to a target: to an address that is allowed, and by TLS where the request is `https`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::ProtocolVersion;
use rustls::pki_types::ServerName;
use tokio::io::AsyncBufRead as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::{CONNECT_MAX, address};
use crate::grants::rule::Rule;
use crate::tls::{Secured, Tls};

/// Makes the connections of one plugin.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    plain: address::Connector,
    tls: Arc<Tls>,
}

/// How long a target that asked for a certificate may take to accept it.
const ACCEPT_MAX: Duration = Duration::from_millis(300);

/// A connection to a target.
pub(super) enum Stream {
    Plain(TokioIo<TcpStream>),
    Secure(Box<TokioIo<TlsStream<TcpStream>>>),
}

/// Why there is no connection: an [`io::Error`] at some depth.
pub(super) type Unconnected = Box<dyn std::error::Error + Send + Sync>;

/// Why no connection by TLS was tried.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTried {
    #[error("no TLS is set up for this target")]
    NotSet,
    #[error("the host is no name that a certificate can have")]
    NoName,
    #[error("our own certificate expired")]
    Expired,
    #[error(
        "our certificate or its key is a secret that has no usable value: the log of the server has the reason"
    )]
    NoKey,
}

impl Connector {
    pub(super) fn new(rules: &[Rule], tls: Arc<Tls>) -> Self {
        Self { plain: address::Connector::new(rules, CONNECT_MAX), tls }
    }

    async fn connect(mut self, uri: Uri) -> Result<Stream, Unconnected> {
        let is_secure = uri.scheme() == Some(&Scheme::HTTPS);
        let secured = if is_secure { Some(self.secured(&uri)?) } else { None };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let plain = self.plain.call(uri).await?;
        let Some(secured) = secured else { return Ok(Stream::Plain(plain)) };
        let name = match &secured.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host).map_err(|_| io::Error::other(NotTried::NoName))?,
        };
        let stream = handshake(&secured, name, plain.into_inner()).await?;
        Ok(Stream::Secure(Box::new(TokioIo::new(stream))))
    }

    fn secured(&self, uri: &Uri) -> io::Result<Arc<Secured>> {
        let secured = self.tls.of(uri).ok_or_else(|| io::Error::other(NotTried::NotSet))?;
        match secured.expired() {
            Some(_) => Err(io::Error::other(NotTried::Expired)),
            None if secured.is_unready() => Err(io::Error::other(NotTried::NoKey)),
            None => Ok(Arc::clone(secured)),
        }
    }
}

/// Makes a connection that both sides accepted.
///
/// In TLS 1.3 a target looks at our certificate when we are done, and may have requests by then that it
/// does not read. So it is given the time to show that it accepts the certificate, by a ticket or by its
/// first bytes of HTTP/2: what it refuses is then known before anything is sent.
async fn handshake(
    secured: &Secured,
    name: ServerName<'static>,
    tcp: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let connector = TlsConnector::from(Arc::clone(&secured.config));
    let mut stream = connector.connect(name, tcp).await?;
    let is_tls13 = stream.get_ref().1.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    if is_tls13 && secured.asked.was_asked() {
        let accepted = std::future::poll_fn(|context| {
            let read = Pin::new(&mut stream).poll_fill_buf(context).map_ok(|_bytes| ());
            match read.is_pending() && stream.get_ref().1.tls13_tickets_received() > 0 {
                true => Poll::Ready(Ok(())),
                false => read,
            }
        });
        // A silent target may have accepted it.
        if let Ok(accepted) = tokio::time::timeout(ACCEPT_MAX, accepted).await {
            accepted?;
        }
    }
    Ok(stream)
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Unconnected;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Unconnected>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Unconnected>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.clone().connect(uri);
        Box::pin(async move {
            match tokio::time::timeout(CONNECT_MAX, connecting).await {
                Ok(connected) => connected,
                Err(_elapsed) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Self::Plain(stream) => stream.connected(),
            Self::Secure(stream) => {
                let (tcp, session) = stream.inner().get_ref();
                match session.alpn_protocol() {
                    Some(b"h2") => tcp.connected().negotiated_h2(),
                    Some(_) | None => tcp.connected(),
                }
            }
        }
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl Write for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Secure(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(context, parts),
        }
    }
}
