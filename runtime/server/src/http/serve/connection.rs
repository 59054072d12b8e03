//! One connection: TLS if it is by TLS, then HTTP/1.1 or HTTP/2, until the client leaves or is asked to.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::pace::{Measured, Pace};
use super::peers::Held;
use super::rest::Rest;
use super::secure::{self, Secured};
use super::written::Written;
use super::{Closing, Door, WRITE_WAIT};
use crate::tls::seen::ClientCertificate;
use crate::tls::{self, Loaded, Serving};

/// Timeout of a request's head, and of a TLS handshake with its first byte.
const HEAD_WAIT: Duration = Duration::from_secs(30);
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);

/// Limits of an HTTP/2 connection: requests at one time, the size of their heads, and what is received before a
/// handler reads it, for one request and for all.
const STREAMS_MAX: u32 = 128;
const HEAD_BYTES_MAX: u32 = 64 << 10;
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 512 << 10;

/// Limits of requests that a client resets before they are served, and of those that are reset for its errors.
const RESETS_MAX: usize = 20;
const ERRORS_MAX: usize = 256;

/// Max bytes of a response that wait for a client to allow more.
const SEND_BYTES_MAX: usize = 64 << 10;

/// Without a frame for this long, an HTTP/2 client is asked whether it is there, and has this long to answer. It
/// cannot answer in the middle of a head, so this limits the time of a head too.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_WAIT: Duration = Duration::from_secs(10);

/// How a request came in.
#[derive(Clone, Debug)]
pub(in crate::http) struct Arrival {
    pub(in crate::http) is_secure: bool,
    /// The other side of the connection, which may be a proxy.
    pub(in crate::http) peer: IpAddr,
    /// Whether a certificate is mandatory that expired while the connection was open.
    pub(in crate::http) is_expired: bool,
}

/// What ends a connection from our side.
pub(super) struct Ends {
    pub(super) closing: Closing,
    pub(super) held: Arc<Held>,
}

impl Ends {
    /// Ends when the server stops or others need the place.
    async fn asked(&self) {
        let mut closing = self.closing.clone();
        tokio::select! {
            () = closing.closed() => {}
            () = self.held.leave.notified() => {}
        }
    }
}

/// What all requests of a connection share.
struct Shared {
    door: Arc<Door>,
    ends: Ends,
    peer: IpAddr,
    secured: Option<(Arc<Loaded>, Option<Arc<ClientCertificate>>)>,
    pace: Arc<Pace>,
}

/// Serves a connection to its end.
pub(super) async fn serve(stream: TcpStream, peer: IpAddr, door: Arc<Door>, ends: Ends) {
    let pace = Arc::new(Pace::new());
    let Some(tls) = &door.tls else {
        let shared = Shared { door, ends, peer, secured: None, pace };
        return serve_http1(Written::new(stream, WRITE_WAIT), Arc::new(shared)).await;
    };
    let greeted = tokio::time::timeout(HANDSHAKE_WAIT, secure::greet(stream, tls));
    let greeted = tokio::select! {
        greeted = greeted => greeted,
        () = ends.asked() => return,
    };
    let secured = match greeted {
        Ok(Ok(Some(secured))) => secured,
        Ok(Ok(None)) => return,
        Ok(Err(error)) => return failed(tls, peer, &error.to_string()),
        Err(_) => return failed(tls, peer, "it took too long"),
    };
    let Secured { stream, loaded, client, is_http2 } = secured;
    let shared = Shared { door, ends, peer, secured: Some((loaded, client)), pace };
    match is_http2 {
        true => serve_http2(stream, Arc::new(shared)).await,
        false => serve_http1(stream, Arc::new(shared)).await,
    }
}

fn failed(tls: &Serving, peer: IpAddr, error: &str) {
    tls.counts.failed_handshakes.fetch_add(1, Ordering::Relaxed);
    tracing::debug!(%peer, error, "a TLS handshake failed");
}

async fn serve_http1(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn({
        let shared = Arc::clone(&shared);
        move |request| shared.answer(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WAIT);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let ended = drive(connection, |connection| connection.graceful_shutdown(), shared.asked());
    tell(ended.await);
}

async fn serve_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shared: Arc<Shared>,
) {
    let service = service_fn({
        let shared = Arc::clone(&shared);
        move |request| {
            // Counted from here, so that a request whose answer takes long keeps its connection.
            let turn = shared.pace.begin();
            let answer = shared.answer(request);
            async move { answer.await.map(|answer| answer.map(|body| Measured::new(body, turn))) }
        }
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_local_error_reset_streams(ERRORS_MAX)
        .max_send_buf_size(SEND_BYTES_MAX)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_WAIT);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let leave = async {
        tokio::select! {
            () = shared.asked() => {}
            () = shared.pace.is_idle() => {}
        }
    };
    let driven = drive(connection, |connection| connection.graceful_shutdown(), leave);
    tokio::select! {
        ended = driven => tell(ended),
        () = shared.pace.is_stalled() => {
            tracing::debug!(peer = %shared.peer, "a connection ended: the other side takes nothing any more");
        }
    }
}

/// Drives a connection to its end; once `leave` ends, it takes no further request.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    shut_down: fn(Pin<&mut C>),
    leave: impl Future<Output = ()>,
) -> hyper::Result<()> {
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = leave => shut_down(connection.as_mut()),
    }
    connection.await
}

fn tell(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

impl Shared {
    /// Ends when the connection is to take no further request.
    async fn asked(&self) {
        match (&self.secured, &self.door.tls) {
            (Some((loaded, _)), Some(tls)) => tokio::select! {
                () = self.ends.asked() => {}
                () = tls.is_outdated(loaded) => {}
            },
            (None, _) | (_, None) => self.ends.asked().await,
        }
    }

    fn answer(
        &self,
        request: hyper::Request<Incoming>,
    ) -> impl Future<Output = Result<hyper::Response<Body>, Infallible>> + use<> {
        let mut request: Request = Rest::of(request).map(Body::new);
        let (is_secure, peer) = (self.secured.is_some(), self.peer.to_canonical());
        let mut arrival = Arrival { is_secure, peer, is_expired: false };
        let extensions = request.extensions_mut();
        extensions.insert(self.ends.closing.clone());
        if let Some((loaded, client)) = &self.secured {
            match client {
                Some(client) if tls::now() < client.not_after => {
                    extensions.insert(Arc::clone(client));
                }
                Some(_) | None => arrival.is_expired = loaded.requires_certificates(),
            }
        }
        extensions.insert(arrival);
        let answer = TowerToHyperService::new(self.door.router.clone()).call(request);
        let held = Arc::clone(&self.ends.held);
        held.begin();
        async move {
            let answer = answer.await.unwrap_or_else(|never| match never {});
            // The response may still be sent: a connection told to leave closes after it.
            held.end();
            Ok(answer)
        }
    }
}
