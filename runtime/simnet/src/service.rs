//! The network over HTTP: delays, lost answers and callbacks.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, put};
use serde_json::{Value, json};
use thiserror::Error as ThisError;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::callback::Client;
use super::dialect::{self, Envelope, Incoming};
use super::element::{self, ELEMENTS, Element, Place};
use super::fault::Faults;
use super::line::{Lines, Switch};
use super::network::{Answer, Drift, Network, Reply, Ticket, Woken};
use super::refusal::Refusal;

#[cfg(test)]
mod tests;

const BODY_BYTES_MAX: usize = 1 << 20;
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Why the simulated network stopped.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The listener cannot be used.
    #[error("the simulated network cannot listen")]
    Listen(#[source] io::Error),
}

/// Serves the simulated network until the shutdown comes. Calls that wait then end without being
/// applied, and callbacks still owed are dropped.
pub async fn serve<F>(listener: TcpListener, shutdown: F) -> Result<(), Error>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (close, closing) = watch::channel(false);
    let service = Service {
        network: Arc::new(Mutex::new(Network::default())),
        client: Client::new(),
        closing,
    };
    let app = router(service).into_make_service_with_connect_info::<Switch>();
    let shutdown = async move {
        shutdown.await;
        close.send_replace(true);
    };
    axum::serve(Lines(listener), app).with_graceful_shutdown(shutdown).await.map_err(Error::Listen)
}

/// A path of the simulator itself, and what answers there.
pub(super) struct Own {
    pub(super) path: &'static str,
    /// Each method, with what it does.
    pub(super) methods: &'static [(&'static str, &'static str)],
    handlers: fn() -> MethodRouter<Service>,
}

/// The paths of the simulator itself; all others are the elements'.
pub(super) static OWN: [Own; 6] = [
    Own {
        path: "/healthz",
        methods: &[("GET", "whether it runs")],
        handlers: || get(async || reply(200, json!({"status": "ok"}))),
    },
    Own {
        path: "/_elements",
        methods: &[("GET", "the elements and their dialects")],
        handlers: || get(elements),
    },
    Own {
        path: "/_effects",
        methods: &[
            (
                "GET",
                "each write by element, operation and key: how often it was called, and how \
              often it changed something; `?element=NAME` for one element",
            ),
            ("DELETE", "forgets everything: effects and what elements hold"),
        ],
        handlers: || get(effects).delete(clear),
    },
    Own {
        path: "/_state/{element}",
        methods: &[("GET", "what an element holds")],
        handlers: || get(state),
    },
    Own {
        path: "/_state/{element}/{collection}/{id}",
        methods: &[
            ("PUT", "changes it as if by hand: `{\"config\": {}, \"idempotencyKey\": \"…\"}`"),
            ("DELETE", "has the element forget it, as if by hand"),
        ],
        handlers: || put(change).delete(remove),
    },
    Own {
        path: "/_faults",
        methods: &[
            ("GET", "the faults, with how often each has fired"),
            ("PUT", "arms a list of faults instead of those before"),
            ("DELETE", "disarms them"),
        ],
        handlers: || get(faults).put(arm).delete(disarm),
    },
];

fn router(service: Service) -> Router {
    let own =
        OWN.iter().fold(Router::new(), |router, own| router.route(own.path, (own.handlers)()));
    own.fallback(call).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(service)
}

#[derive(Clone)]
pub(super) struct Service {
    network: Arc<Mutex<Network>>,
    client: Client,
    closing: watch::Receiver<bool>,
}

impl Service {
    fn network(&self) -> MutexGuard<'_, Network> {
        // The network leaves nothing half done where it could panic.
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs beside the call, so that a client that gives up stops nothing.
    fn spawn<F>(self, work: impl FnOnce(Self) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut closing = self.closing.clone();
        let work = work(self);
        tokio::spawn(async move {
            tokio::select! {
                () = work => {}
                () = closed(&mut closing) => {}
            }
        });
    }

    /// Waits for the answer of a delayed call.
    async fn later(self, ticket: Ticket, delay_ms: u64) -> Reply {
        let (answer, answered) = oneshot::channel();
        self.spawn(move |service| async move {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            let reply = match service.network().wake(ticket) {
                Woken::Reply(reply) => reply,
                Woken::Callback(_) | Woken::Quiet | Woken::Gone => Err(Refusal::Cleared),
            };
            if answer.send(reply).is_err() {
                tracing::debug!("the client of a slow call gave up");
            }
        });
        answered.await.unwrap_or(Err(Refusal::Cleared))
    }

    /// Finishes an accepted call and reports it.
    fn report(self, ticket: Ticket, delay_ms: u64) {
        self.spawn(move |service| async move {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            let woken = service.network().wake(ticket);
            match woken {
                Woken::Callback(callback) => service.client.deliver(&callback).await,
                Woken::Reply(_) | Woken::Quiet | Woken::Gone => {}
            }
        });
    }

    /// Waits until the client must have given up.
    async fn silence(mut self) {
        tokio::select! {
            () = tokio::time::sleep(SILENCE_MAX) => {}
            () = closed(&mut self.closing) => {}
        }
    }
}

async fn closed(closing: &mut watch::Receiver<bool>) {
    // The sender lives as long as the service: it ends by sending, or with the service.
    drop(closing.wait_for(|closing| *closing).await);
}

async fn call(
    State(service): State<Service>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match read_body(body) {
        Ok(body) => body,
        Err(refusal) => return refuse(refusal),
    };
    let incoming = Incoming { method: &method, path: uri.path(), headers: &headers, body: &body };
    let (request, envelope) = match dialect::read(incoming) {
        Ok(read) => read,
        Err((refusal, envelope)) => return respond(&envelope, Err(refusal)),
    };
    let answer = service.network().apply(request);
    match answer {
        Answer::Reply(reply) => respond(&envelope, reply),
        Answer::Later { ticket, delay_ms } => {
            respond(&envelope, service.later(ticket, delay_ms).await)
        }
        Answer::Accepted { reply, ticket, delay_ms } => {
            service.report(ticket, delay_ms);
            respond(&envelope, reply)
        }
        Answer::Lost => cut(&switch),
        Answer::Silence => {
            service.silence().await;
            cut(&switch)
        }
    }
}

async fn elements() -> Response {
    let shown = ELEMENTS
        .iter()
        .map(|element| json!({"name": element.name, "dialect": element.dialect.name()}));
    reply(200, shown.collect())
}

async fn effects(State(service): State<Service>, RawQuery(query): RawQuery) -> Response {
    let element = match query.as_deref().filter(|query| !query.is_empty()) {
        None => None,
        Some(query) => match filter(query) {
            Ok(element) => Some(element),
            Err(refusal) => return refuse(refusal),
        },
    };
    let shown = service.network().effects(element);
    reply(200, shown)
}

async fn clear(State(service): State<Service>) -> Response {
    service.network().clear();
    reply(200, json!([]))
}

async fn state(State(service): State<Service>, Path(name): Path<String>) -> Response {
    match named(&name) {
        Ok(element) => {
            let shown = service.network().state(element);
            reply(200, shown)
        }
        Err(refusal) => refuse(refusal),
    }
}

/// Changes what an element holds as if by hand, with what a read shows: a `config`, and perhaps
/// another `idempotencyKey`.
async fn change(
    State(service): State<Service>,
    Path(place): Path<(String, String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let read = || -> Result<(Place, Drift), Refusal> {
        let body: Value = serde_json::from_slice(&read_body(body)?)
            .map_err(|error| Refusal::Json { why: error.to_string() })?;
        let config = body.get("config").filter(|config| config.is_object());
        let config = config.ok_or_else(|| Refusal::malformed("`config` is not an object"))?;
        let key = body.get("idempotencyKey").and_then(Value::as_str).map(str::to_owned);
        Ok((placed(place)?, Drift { key, config: config.to_string() }))
    };
    match read() {
        Ok((place, drift)) => {
            service.network().drift(place, drift);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refusal) => refuse(refusal),
    }
}

/// Has an element forget something as if by hand.
async fn remove(
    State(service): State<Service>,
    Path(place): Path<(String, String, String)>,
) -> Response {
    match placed(place).and_then(|place| service.network().forget(place)) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refuse(refusal),
    }
}

fn placed((name, collection, id): (String, String, String)) -> Result<Place, Refusal> {
    Ok(Place { element: named(&name)?, collection, id })
}

async fn faults(State(service): State<Service>) -> Response {
    let shown = service.network().faults();
    reply(200, shown)
}

async fn arm(State(service): State<Service>, body: Result<Bytes, BytesRejection>) -> Response {
    let faults = read_body(body)
        .and_then(|body| {
            serde_json::from_slice::<Value>(&body)
                .map_err(|error| Refusal::Json { why: error.to_string() })
        })
        .and_then(Faults::parse);
    match faults {
        Ok(faults) => {
            let mut network = service.network();
            network.arm(faults);
            reply(200, network.faults())
        }
        Err(refusal) => refuse(refusal),
    }
}

async fn disarm(State(service): State<Service>) -> Response {
    service.network().arm(Faults::default());
    reply(200, json!([]))
}

fn filter(query: &str) -> Result<&'static Element, Refusal> {
    let Some(name) = query.strip_prefix("element=") else {
        return Err(Refusal::malformed(format!("`{query}` is not `element=` and a name")));
    };
    named(name)
}

fn named(name: &str) -> Result<&'static Element, Refusal> {
    element::find(name).ok_or_else(|| Refusal::UnknownElement { name: name.to_owned() })
}

fn read_body(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Refusal> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge { max: BODY_BYTES_MAX },
        _ => Refusal::malformed("the body broke off"),
    })
}

/// The answer is never seen: the connection breaks where it would be written.
fn cut(switch: &Switch) -> Response {
    switch.cut();
    StatusCode::NO_CONTENT.into_response()
}

fn respond(envelope: &Envelope, answer: Reply) -> Response {
    let (status, body) = envelope.close(answer);
    raw(status, body)
}

fn refuse(refusal: Refusal) -> Response {
    respond(&Envelope::Plain, Err(refusal))
}

#[expect(clippy::needless_pass_by_value, reason = "callers make the value for this")]
fn reply(status: u16, body: Value) -> Response {
    raw(status, body.to_string())
}

fn raw(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).expect("statuses are from 200 to 599");
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}
