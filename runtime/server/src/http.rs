//! The HTTP server: the TM Forum APIs, the orchestration API, health and metrics. One handler gets
//! every request, so that a path with `//` or a trailing slash, an unknown path and a wrong method
//! are all answered in the same way.

mod addresses;
mod answer;
mod audited;
mod body;
mod call;
mod changes;
mod csrf;
mod demand;
mod documents;
mod etag;
mod fields;
mod gate;
mod headers;
mod hub;
mod index;
mod login;
mod masked;
mod metrics;
mod network;
mod orchestration;
mod origin;
mod page;
pub(crate) mod permits;
mod places;
mod problem;
mod proxies;
mod rates;
mod repeat;
mod resources;
mod rights;
mod route;
mod serve;
mod space;
mod standby;
mod tenant;
mod texts;
mod topics;
mod traced;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use engine::audit;
use engine::tenant::TenantName;
use tmf::href;
use tokio::runtime::Handle;

pub use crate::search::in_url;
pub(crate) use serve::{serve, serve_tls};
pub(crate) use standby::router as standby;

use crate::access::{Access, Permission};
use crate::config::{EdgeSettings, RateLimits};
use crate::events::Events;
use crate::services::Services;
use crate::tls::Serving;
use crate::traces;
use audited::Acting;
use body::Bodies;
use call::Call;
use changes::Changes;
use headers::Transport;
use metrics::{MethodName, Metrics};
use origin::Origins;
use places::Places;
use problem::Problem;
use proxies::Proxies;
use rates::Rates;
use serve::Arrival;
pub(crate) use space::Space;
use tenant::{Named, Tenants};

/// The share of places that the default tenant may have beside others, in percent.
const SHARE_PERCENT: u32 = host::host::TENANT_PERCENT;

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

/// The state of all handlers of a tenant.
struct ServerState {
    /// `None` for the default tenant.
    tenant: Option<TenantName>,
    /// The named tenants, which the default one is in front of.
    tenants: Tenants,
    /// What carries out the requests of a named tenant.
    threads: Option<Handle>,
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
    exports: Places,
    tls: Option<Serving>,
    proxies: Proxies,
    rates: Rates,
    /// The disk that must have space; `None` for named tenants, which are on the same.
    space: Option<Space>,
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
    pub(crate) settings: EdgeSettings,
    pub(crate) rates: RateLimits,
    pub(crate) space: Option<Space>,
}

/// A named tenant beside the default one.
pub struct Beside {
    pub name: TenantName,
    pub services: Services,
    pub events: Events,
    /// Max size of a body, in bytes.
    pub body_bytes_max: usize,
    /// The share of places that it may have, in percent.
    pub share_percent: u32,
    /// What carries out its requests.
    pub threads: Handle,
}

/// Serves this machine: hrefs begin with the request's `Host`.
pub fn router(services: Services, events: Events, limits: Limits, access: Access) -> Router {
    let edge = Edge { access, ..Edge::default() };
    router_behind(services, events, limits, edge, Vec::new())
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
    router_behind(services, events, limits, edge, Vec::new())
}

/// Serves the default tenant and those beside it.
pub(crate) fn router_behind(
    services: Services,
    events: Events,
    limits: Limits,
    edge: Edge<'_>,
    beside: Vec<Beside>,
) -> Router {
    let Edge { public_url, address, tls, access, settings, rates, space } = edge;
    let mut origins = public_url.map_or_else(Origins::local, Origins::public);
    if let Some(address) = address {
        origins = origins.at(address);
    }
    let mut server = ServerState {
        tenant: None,
        tenants: Tenants::new(),
        threads: None,
        services,
        events,
        limits,
        origins,
        access,
        known: permits::permissions(),
        metrics: Metrics::default(),
        changes: Changes::new(SHARE_PERCENT),
        bodies: Bodies::new(limits.bodies_mib, SHARE_PERCENT),
        exports: Places::new(limits.exports, SHARE_PERCENT),
        tls,
        proxies: Proxies::new(&settings),
        rates: Rates::new(rates),
        space,
    };
    for tenant in beside {
        let (name, tenant) = (tenant.name.clone(), server.beside(tenant));
        server.tenants.insert(name, Arc::new(tenant));
    }
    Router::new().fallback(handle).with_state(Arc::new(server))
}

impl ServerState {
    /// The state of another tenant, which shares places with this one.
    fn beside(&self, tenant: Beside) -> Self {
        let Beside { name, services, events, body_bytes_max, share_percent, threads } = tenant;
        Self {
            tenant: Some(name),
            tenants: Tenants::new(),
            threads: Some(threads),
            services,
            events,
            limits: Limits { body_bytes_max, ..self.limits },
            origins: self.origins.clone(),
            access: self.access.clone(),
            known: self.known.clone(),
            metrics: Metrics::default(),
            changes: self.changes.for_tenant(share_percent),
            bodies: self.bodies.for_tenant(share_percent),
            exports: self.exports.for_tenant(share_percent),
            // They count once for all tenants, before one is entered.
            tls: None,
            proxies: Proxies::default(),
            rates: Rates::default(),
            space: None,
        }
    }
}

async fn handle(State(server): State<Arc<ServerState>>, request: Request) -> Response {
    let transport = transport(&server, &request);
    let mut response = answered(server, request).await;
    headers::seal(response.headers_mut(), transport);
    response
}

fn transport(server: &ServerState, request: &Request) -> Transport {
    let is_secure = request.extensions().get::<Arrival>().is_some_and(|arrival| arrival.is_secure)
        || server.origins.are_by_tls();
    match is_secure && !origin::is_localhost(request) {
        true => Transport::Named,
        false => Transport::Plain,
    }
}

async fn answered(server: Arc<ServerState>, request: Request) -> Response {
    let begun = Instant::now();
    let method = MethodName::of(request.method());
    match admit(&server, request).await {
        Ok((tenant, call)) => match &tenant.threads {
            Some(threads) => {
                let threads = threads.to_owned();
                tenant::on(&threads, carried_out(tenant, call, begun)).await
            }
            None => carried_out(tenant, call, begun).await,
        },
        Err(problem) => {
            let response = problem.into_response();
            server.metrics.count("refused", method, response.status(), begun.elapsed());
            response
        }
    }
}

async fn carried_out(server: Arc<ServerState>, call: Call, begun: Instant) -> Response {
    match changes::is_safe(&call.method) {
        true => answer_to(server, call, begun).await,
        false => changes::carry_out(server, call, begun).await,
    }
}

/// Takes a request apart, and lets it in to its tenant.
async fn admit(
    server: &Arc<ServerState>,
    request: Request,
) -> Result<(Arc<ServerState>, Call), Problem> {
    let mut call = Call::read(request, (&server.origins, &server.proxies))?;
    server.rates.address(call.address()).map_err(Problem::too_fast)?;
    let named = Named::take(server, &mut call);
    if let Err(problem) = gate::pass(server, &mut call, &named).await {
        audited::refused(server, &mut call, problem.status());
        return Err(problem);
    }
    let tenant = named.enter(Arc::clone(server), &mut call)?;
    Ok((tenant, call))
}

async fn answer_to(server: Arc<ServerState>, mut call: Call, begun: Instant) -> Response {
    let method = MethodName::of(&call.method);
    let traced = traced::begin(&server.tracer, &call);
    let within = traced.as_ref().map(|traced| traced.trace);
    let acting = audited::begin(&server, &mut call, within.as_ref());
    if let Some(acting) = &acting
        && let Err(error) = acting.start(&server).await
    {
        return Problem::from(error).into_response();
    }
    let act = acting.as_ref().and_then(Acting::act);
    let dispatched = audit::within(act, route::dispatch(&server, call));
    let (route, answer) = traces::within(within, Box::pin(dispatched)).await;
    let answer = settled(&server, route, answer).await;
    let mut response = answer.unwrap_or_else(|problem| problem.into_response());
    if let Some(acting) = acting
        && let Err(error) = acting.end(&server, response.status()).await
    {
        response = Problem::from(error).into_response();
    }
    server.metrics.count(route, method, response.status(), begun.elapsed());
    if let Some(traced) = traced {
        server.tracer.take(traced.end(route, response.status()));
    }
    response
}

/// Routes whose answers do not depend on stored data.
const ROUTES_AT_ONCE: [&str; 6] = ["healthz", "readyz", "metrics", "openapi", "index", "login"];

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
