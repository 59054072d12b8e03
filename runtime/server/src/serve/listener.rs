//! The address that the server listens on, plain or by TLS.

use std::io;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::certificates::Certificates;
use super::{HANDOVER_WAIT, ServeError};
use crate::access::Access;
use crate::config::{Config, EdgeSettings, RateLimits};
use crate::http::{self, Edge, Space};

/// The pause between attempts at the address.
const HANDOVER_PAUSE: Duration = Duration::from_millis(50);

/// An address that is listened on.
pub(super) struct Listener {
    socket: TcpListener,
    pub(super) address: SocketAddr,
    edge: EdgeSettings,
    rates: RateLimits,
    space: Option<Space>,
    certificates: Option<Certificates>,
    /// How elements and clients reach it.
    pub(super) base_url: String,
}

impl Listener {
    /// Listens. The port of the settings may be 0, that of the address is not.
    pub(super) async fn open(config: &Config) -> Result<Self, ServeError> {
        let certificates = config.tls.clone().map(Certificates::open).transpose()?;
        let failed = |source| ServeError::Listen { address: config.listen, source };
        let socket = bind(config.listen).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let scheme = if certificates.is_some() { "https" } else { "http" };
        let base_url = config.public_url.to_owned();
        let base_url = base_url.unwrap_or_else(|| format!("{scheme}://{address}"));
        let (edge, rates) = (config.edge.clone(), config.rates());
        let space = Space::of(config);
        Ok(Self { socket, address, edge, rates, space, certificates, base_url })
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.certificates.is_some() { "https" } else { "http" }
    }

    /// What requests are checked by.
    pub(super) fn edge<'a>(&self, public_url: Option<&'a str>, access: Access) -> Edge<'a> {
        let tls = self.certificates.as_ref().map(|certificates| certificates.serving().clone());
        let (address, settings) = (Some(self.address), self.edge.clone());
        let (rates, space) = (self.rates, self.space.clone());
        Edge { public_url, address, tls, access, settings, rates, space }
    }

    /// Serves something else on the same address, until then.
    pub(super) fn serve_beside(
        &self,
        router: Router,
        stopped: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<JoinHandle<io::Result<()>>> {
        let socket = std::net::TcpListener::from(self.socket.as_fd().try_clone_to_owned()?);
        let (socket, edge) = (TcpListener::from_std(socket)?, self.edge.clone());
        let tls = self.certificates.as_ref().map(|certificates| certificates.serving().clone());
        Ok(tokio::spawn(async move {
            match tls {
                None => http::serve(socket, router, &edge, stopped).await,
                Some(tls) => http::serve_tls(socket, router, &edge, tls, stopped).await,
            }
        }))
    }

    /// Serves until the server stops.
    pub(super) fn serve<S: Future<Output = ()> + Send + 'static>(
        self,
        router: Router,
        stopped: impl Fn() -> S,
    ) -> JoinHandle<io::Result<()>> {
        let Self { socket, certificates, edge, .. } = self;
        let Some(certificates) = certificates else {
            let stopped = stopped();
            return tokio::spawn(async move { http::serve(socket, router, &edge, stopped).await });
        };
        let serving = certificates.serving().clone();
        tokio::spawn(certificates.follow(stopped()));
        let stopped = stopped();
        tokio::spawn(async move { http::serve_tls(socket, router, &edge, serving, stopped).await })
    }
}

/// Listens as soon as an earlier server has released the address: a killed one is closed
/// by the system only after a while.
async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let until = Instant::now() + HANDOVER_WAIT;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < until => {
                tokio::time::sleep(HANDOVER_PAUSE).await;
            }
            bound => return bound,
        }
    }
}

#[cfg(test)]
mod tests;
