//! Accepts connections and passes them to the router, until it is told to stop.

mod connection;
mod pace;
mod peers;
mod rest;
mod secure;
mod written;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

pub(super) use self::connection::Arrival;
use crate::config::EdgeSettings;
use crate::http::proxies::Proxies;
use crate::tls::Serving;
use connection::Ends;
use peers::Peers;

/// Max connections at one time; more wait to be accepted.
const CONNECTIONS_MAX: usize = 4_096;

/// Max connections of one peer on another machine that is no trusted proxy.
const PEER_CONNECTIONS_MAX: usize = CONNECTIONS_MAX / 4;

/// Below this many free connections, idle ones are closed.
const CONNECTIONS_SPARE: usize = 64;

/// Timeout for a client to read some of a response.
const WRITE_WAIT: Duration = Duration::from_secs(30);

/// Time limit for requests under way when the server stops.
const CLOSING_WAIT: Duration = Duration::from_secs(10);

/// The pause after a failed accept (too many open files).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Shutdown signal for long-lived responses (SSE). Never fires in tests.
#[derive(Clone, Default)]
pub(super) struct Closing(Option<watch::Receiver<bool>>);

impl Closing {
    /// Ends when the server stops.
    pub(super) async fn closed(&mut self) {
        let Some(receiver) = &mut self.0 else {
            return std::future::pending().await;
        };
        // An error means that the server is gone, which is as good.
        receiver.wait_for(|closing| *closing).await.ok();
    }
}

/// What a connection leads to.
#[derive(Clone)]
struct Door {
    router: Router,
    /// The certificates, unless connections are plain.
    tls: Option<Serving>,
}

/// Serves until `shutdown` ends; then finishes requests under way, within a limit. Streams of events
/// end at once.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    edge: &EdgeSettings,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    accept_all(listener, Door { router, tls: None }, edge, shutdown).await
}

/// Serves by TLS in the same way.
pub(crate) async fn serve_tls(
    listener: TcpListener,
    router: Router,
    edge: &EdgeSettings,
    tls: Serving,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    accept_all(listener, Door { router, tls: Some(tls) }, edge, shutdown).await
}

async fn accept_all(
    listener: TcpListener,
    door: Door,
    edge: &EdgeSettings,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let close = watch::Sender::new(false);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let peers = Peers::new(PEER_CONNECTIONS_MAX, Proxies::new(edge));
    let mut connections = JoinSet::new();
    let door = Arc::new(door);
    tokio::pin!(shutdown);
    loop {
        let place = Arc::clone(&places).acquire_owned();
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            (place, (stream, peer)) = async { (place.await, accept(&listener).await) } => {
                if places.available_permits() < CONNECTIONS_SPARE {
                    peers.make_room();
                }
                let Some(held) = peers.hold(peer) else {
                    tracing::debug!(%peer, "it has {PEER_CONNECTIONS_MAX} connections already");
                    continue;
                };
                let ends = Ends { closing: Closing(Some(close.subscribe())), held };
                // A handshake happens in the task of its connection, so none keeps another waiting.
                let connection = connection::serve(stream, peer, Arc::clone(&door), ends);
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    close.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(CLOSING_WAIT, all).await.is_err() {
        tracing::warn!("requests were still being answered when the server stopped");
    }
    Ok(())
}

async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Without it responses wait for the other side's acknowledgement. It is not vital.
                stream.set_nodelay(true).ok();
                return (stream, peer.ip());
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
