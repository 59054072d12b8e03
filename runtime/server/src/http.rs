//! The HTTP server: the TM Forum APIs, the orchestration API, health and metrics. One handler gets
//! every request, so that a path with `//` or a trailing slash, an unknown path and a wrong method
//! are all answered in the same way.

mod answer;
mod body;
mod call;
mod changes;
mod documents;
mod etag;
mod fields;
mod gate;
mod hub;
mod index;
mod metrics;
mod orchestration;
mod origin;
mod page;
pub(crate) mod permits;
mod problem;
mod repeat;
mod resources;
mod route;
mod serve;
mod topics;
mod traced;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use tmf::href;
use tokio::sync::Semaphore;

pub use crate::search::in_url;
pub use serve::serve;
pub(crate) use serve::serve_tls;

use crate::access::{Access, Permission};
use crate::events::Events;
use crate::services::Services;
use crate::tls::Serving;
use crate::traces;
use body::Bodies;
use call::Call;
use changes::Changes;
use metrics::{MethodName, Metrics};
use origin::Origins;

/// Limits of a request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Max size of a body, in bytes.
    pub body_bytes_max: usize,
    /// Max MiB of all bodies of requests under way.
    pub bodies_mib: usize,
    /// Max exports at one time.
    pub exports: usize,
}

impl Deref for ServerState {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

/// The state of all handlers.
struct ServerState {
    services: Services,
    events: Events,
    limits: Limits,
    origins: Origins,
    access: Access,
    /// All permissions that some route demands.
    known: Vec<Permission>,
    metrics: Metrics,
    changes: Changes,
    bodies: Bodies,
    exports: Arc<Semaphore>,
    tls: Option<Serving>,
}

/// How a server is reached.
#[derive(Default)]
pub(crate) struct Edge<'a> {
    /// The URL that hrefs begin with, if it is not made of the request's `Host`.
    pub(crate) public_url: Option<&'a str>,
    /// The address that it listens on.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) tls: Option<Serving>,
    pub(crate) access: Access,
}

/// Serves this machine: hrefs begin with the request's `Host`.
pub fn router(services: Services, events: Events, limits: Limits, access: Access) -> Router {
    router_behind(services, events, limits, Edge { access, ..Edge::default() })
}

/// Serves a public URL, such as `https://ferrule.example.com`, with which
/// hrefs begin.
pub fn router_at(
    services: Services,
    events: Events,
    limits: Limits,
    (public_url, access): (&str, Access),
) -> Router {
    let edge = Edge { public_url: Some(public_url), access, ..Edge::default() };
    router_behind(services, events, limits, edge)
}

pub(crate) fn router_behind(
    services: Services,
    events: Events,
    limits: Limits,
    edge: Edge<'_>,
) -> Router {
    let Edge { public_url, address, tls, access } = edge;
    let mut origins = public_url.map_or_else(Origins::local, Origins::public);
    if let Some(address) = address {
        origins = origins.at(address);
    }
    let (metrics, changes) = (Metrics::default(), Changes::default());
    let bodies = Bodies::new(limits.bodies_mib);
    let exports = Arc::new(Semaphore::new(limits.exports));
    let server = ServerState {
        services,
        events,
        limits,
        origins,
        access,
        known: permits::permissions(),
        metrics,
        changes,
        bodies,
        exports,
        tls,
    };
    Router::new().fallback(handle).with_state(Arc::new(server))
}

async fn handle(State(server): State<Arc<ServerState>>, request: Request) -> Response {
    let begun = Instant::now();
    let method = MethodName::of(request.method());
    match admit(&server, request).await {
        Ok(call) if changes::is_safe(&call.method) => answer_to(server, call, begun).await,
        Ok(call) => changes::carry_out(server, call, begun).await,
        Err(problem) => {
            let response = problem.into_response();
            server.metrics.count("refused", method, response.status(), begun.elapsed());
            response
        }
    }
}

/// Takes a request apart, and lets it in.
async fn admit(server: &ServerState, request: Request) -> Result<Call, problem::Problem> {
    let mut call = Call::read(request, &server.origins)?;
    gate::pass(server, &mut call).await?;
    Ok(call)
}

async fn answer_to(server: Arc<ServerState>, call: Call, begun: Instant) -> Response {
    let method = MethodName::of(&call.method);
    let traced = traced::begin(&server.tracer, &call);
    let within = traced.as_ref().map(|traced| traced.trace);
    let dispatched = route::dispatch(&server, call);
    let (route, answer) = traces::within(within, Box::pin(dispatched)).await;
    let answer = settled(&server, route, answer).await;
    let response = answer.unwrap_or_else(|problem| problem.into_response());
    server.metrics.count(route, method, response.status(), begun.elapsed());
    if let Some(traced) = traced {
        server.tracer.take(traced.end(route, response.status()));
    }
    response
}

/// Routes whose answers do not depend on stored data.
const ROUTES_AT_ONCE: [&str; 5] = ["healthz", "readyz", "metrics", "openapi", "index"];

/// Gives an answer away when everything that it may rest on is durable: the store shows a commit a
/// little before. If the store fails meanwhile, what was seen is not told.
async fn settled(server: &ServerState, route: &str, answer: problem::Answer) -> problem::Answer {
    let is_committed = matches!(&answer, Ok(response) if answer::is_committed(response));
    if is_committed || ROUTES_AT_ONCE.contains(&route) {
        return answer;
    }
    server.documents.settled().await?;
    answer
}

#[cfg(test)]
mod tests;
