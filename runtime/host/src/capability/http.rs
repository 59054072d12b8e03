//! Outbound HTTP: `wasi:http/outgoing-handler`, and the contract's own [`plain`] interface, over a
//! pooled client of our own. A request goes out
//! where a rule of the operator's allows it, to an address that is allowed too. Redirects are not
//! followed: where one leads is for the guest to ask and for the rules to decide.
//!
//! There is one client for each plugin, because the addresses that a name may resolve to are
//! part of what was granted, and a connection is kept by name.

use std::sync::Arc;
use std::time::Duration;

use hyper::{Method, Request, Response, Uri};
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody, WasiHttpHooks};

use crate::capability::caller::Caller;
use crate::capability::calls::Interface;
use crate::capability::record::Slot;
use crate::grants::rule::{Rule, without_user};

use self::body::Capped;
pub(crate) use self::client::Client;
use self::explain::explain;

pub(crate) mod address;
mod body;
mod client;
mod connect;
mod explain;
pub(crate) mod plain;

/// Timeout of a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Timeout of an idle connection.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Max idle connections to one host.
const IDLE_CONNECTIONS_MAX: usize = 64;
/// How much of a request's body waits to be sent, and how much of a connection is buffered. A call
/// is charged for the handles that an exchange takes, which is more than this.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Max pause between two parts of a response's body.
const BETWEEN_BYTES_MAX: Duration = Duration::from_secs(30);

/// How far the requests of a call may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// As far as was granted.
    Granted,
    /// No further than to read: nothing is put, patched or deleted. A `POST` may be a question, as
    /// in JSON-RPC.
    Reads,
}

/// Outbound HTTP of one call.
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) caller: Arc<Caller>,
    pub(crate) client: Client,
    pub(crate) deadline: Instant,
    pub(crate) body_max: u64,
    pub(crate) reach: Reach,
}

type Answer = (Response<WasiBody>, Box<dyn Future<Output = Result<()>> + Send>);

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer>> + Send> {
        self.caller.calls.count(Interface::WasiHttp);
        let slot = self.caller.recorder.begin(&request);
        if let Err(error) = self.check(&request) {
            slot.failed(&error);
            return Box::new(std::future::ready(Err(error)));
        }
        let exchange = self.exchange(options.unwrap_or_default(), self.body_max, slot);
        Box::new(async move {
            let response = exchange.send(request).await?;
            let done: Box<dyn Future<Output = Result<()>> + Send> =
                Box::new(std::future::ready(Ok(())));
            Ok((response, done))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BUFFER_BYTES_MAX
    }
}

impl Outbound {
    fn check(&self, request: &Request<WasiBody>) -> Result<()> {
        let (method, uri) = (request.method(), request.uri());
        let shown = shown(uri);
        // It would go out in `Host`, and stand in the logs of the element.
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            let message = format!(
                "denied {method} {shown}: no user and password in a URL, use the header \
                 `Authorization`"
            );
            self.caller.note(&message);
            return Err(Error::HttpRequestUriInvalid);
        }
        if !self.caller.grants.http.iter().any(|rule| rule.allows(method, uri)) {
            let lines = self.caller.http_lines(&Rule::asked(method, uri));
            self.caller.note(&format!("denied {method} {shown}; to grant it, add\n{lines}"));
            return Err(Error::HttpRequestDenied);
        }
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST];
        if self.reach == Reach::Reads && !reads.contains(method) {
            let message = format!("denied {method} {shown}: a reconciliation only reads");
            self.caller.note(&message);
            return Err(Error::HttpRequestDenied);
        }
        Ok(())
    }

    fn exchange(&self, options: RequestOptions, body_max: u64, slot: Slot) -> Exchange {
        Exchange {
            client: self.client.clone(),
            caller: Arc::clone(&self.caller),
            patience: self.patience(options),
            between: options
                .between_bytes_timeout
                .map_or(BETWEEN_BYTES_MAX, |asked| asked.min(BETWEEN_BYTES_MAX)),
            body_max,
            slot,
        }
    }

    /// How long to wait for the head of a response. A tenth of what is left is kept back, so that
    /// the guest can still report it.
    fn patience(&self, options: RequestOptions) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now()) * 9 / 10;
        let connect = options.connect_timeout.unwrap_or_default();
        let asked = options.first_byte_timeout.map(|first| first.saturating_add(connect));
        asked.map_or(left, |asked| asked.min(left))
    }
}

/// A request that is allowed, on its way.
struct Exchange {
    client: Client,
    caller: Arc<Caller>,
    patience: Duration,
    between: Duration,
    body_max: u64,
    slot: Slot,
}

impl Exchange {
    async fn send(self, request: Request<WasiBody>) -> Result<Response<WasiBody>> {
        let request = request.map(|body| self.slot.request(body));
        match self.answer(request).await {
            Ok(response) => {
                self.slot.answered(&response);
                Ok(response.map(|body| self.slot.answer(body)))
            }
            Err(error) => {
                self.slot.failed(&error);
                Err(error)
            }
        }
    }

    async fn answer(&self, request: Request<WasiBody>) -> Result<Response<WasiBody>> {
        let uri = request.uri().clone();
        let sent = tokio::time::timeout(self.patience, self.client.request(request)).await;
        let response = match sent {
            Err(_elapsed) => return Err(Error::HttpResponseTimeout),
            Ok(Err(error)) => {
                return Err(explain(&self.caller, &self.client, &uri, &error));
            }
            Ok(Ok(response)) => response,
        };
        let body = |incoming| Capped::new(incoming, self.body_max, self.between).boxed();
        Ok(response.map(body))
    }
}

/// A URI as it may be logged.
fn shown(uri: &Uri) -> String {
    without_user(&uri.to_string()).into_owned()
}
