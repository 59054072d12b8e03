//! The pooled client of one plugin. A connection is kept by scheme, host and port, and no pool is shared:
//! what a connection was granted for, and the certificate that it was made with, are those of this
//! plugin's grants. Other grants have another client.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hyper::Request;
use hyper_util::client::legacy::{Client as Pooled, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use model::PluginId;
use wasmtime_wasi_http::WasiBody;

use super::connect::Connector;
use super::{BUFFER_BYTES_MAX, IDLE_CONNECTIONS_MAX, IDLE_MAX};
use crate::gate::{Gate, Gates};
use crate::grants::{Connecting, Grants, Http2, Target};
use crate::limits::FIELDS_BYTES_MAX;
use crate::secret::Safe;
use crate::tls::{TargetFault, Tls};

/// How much a connection of HTTP/2 receives that no request has taken yet.
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// Sends a plugin's requests; cheap to clone, shared by all of the plugin's calls.
#[derive(Clone)]
pub(crate) struct Client(Arc<Clients>);

struct Clients {
    usual: Pooled<Connector, WasiBody>,
    /// For targets that are known to speak HTTP/2.
    http2: Pooled<Connector, WasiBody>,
    tls: Arc<Tls>,
    /// For its calls.
    calls: Option<Arc<Gate>>,
    /// For its requests to targets.
    targets: BTreeMap<Target, Arc<Gate>>,
    gates: Arc<Gates>,
}

impl Client {
    /// A client for a plugin with these grants.
    pub(crate) fn new(
        plugin: &PluginId,
        grants: &Grants,
        (gates, safe): (&Arc<Gates>, &Arc<Safe>),
    ) -> Result<Self, TargetFault> {
        let tls = Arc::new(Tls::read(plugin.as_str(), grants, safe)?);
        let calls = gates.of(plugin, None, grants.limits.throttle());
        let gate = |(target, connecting): (&Target, &Connecting)| {
            Some((target.clone(), gates.of(plugin, Some(target), connecting.throttle())?))
        };
        let targets = grants.targets.iter().filter_map(gate).collect();
        let connector = Connector::new(&grants.http, Arc::clone(&tls));
        let mut builder = Pooled::builder(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .http1_max_buf_size(BUFFER_BYTES_MAX)
            .http2_initial_stream_window_size(BUFFER_BYTES_MAX as u32)
            .http2_initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_max_send_buf_size(BUFFER_BYTES_MAX)
            .http2_max_header_list_size(FIELDS_BYTES_MAX as u32)
            // wasmtime-wasi-http has set it already.
            .set_host(false);
        let usual = builder.build(connector.clone());
        let http2 = builder.http2_only(true).build(connector);
        Ok(Self(Arc::new(Clients { usual, http2, tls, calls, targets, gates: Arc::clone(gates) })))
    }

    /// Sends a request.
    pub(super) fn request(&self, request: Request<WasiBody>) -> ResponseFuture {
        let secured = self.0.tls.of(request.uri());
        match secured.map_or(Http2::Negotiate, |secured| secured.http2) {
            Http2::Negotiate | Http2::Never => self.0.usual.request(request),
            Http2::Always => self.0.http2.request(request),
        }
    }

    /// The gate of its calls, if there is one.
    pub(crate) fn calls(&self) -> Option<&Gate> {
        self.0.calls.as_deref()
    }

    /// The gates of requests to a target: its own, and that of all plugins.
    pub(super) fn gates(&self, target: &Target) -> [Option<Arc<Gate>>; 2] {
        [self.0.targets.get(target).cloned(), self.0.gates.common(target)]
    }

    pub(super) fn tls(&self) -> &Tls {
        &self.0.tls
    }

    /// Whether its certificates and keys are those of another client.
    pub(crate) fn has_files_of(&self, other: &Self) -> bool {
        self.0.tls.is_same(&other.0.tls)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}
