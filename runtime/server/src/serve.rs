//! Starts a server: packs, store, pools, plugins, engine and HTTP, in that order, and stops
//! it again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine::tenant::TenantName;
use host::Loaded;
use host::host::TENANT_PERCENT;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};

use crate::access::cookie::Cookies;
use crate::access::session::Life;
use crate::access::{Access, People, Permission, Roles, Ways};
use crate::config::{Config, ConfigError, tenants};
use crate::packs::PacksError;
use crate::services::Services;
use crate::tls::TlsError;

use self::listener::Listener;
use self::opened::Opened;
use self::tenant::{Planned, Process, Tenant};
use self::threads::Threads;
pub use crate::plugins::reason;

mod certificates;
mod followed;
mod listener;
mod opened;
pub mod plugins;
mod tenant;
mod threads;

/// The folder of the store in the data folder.
pub const STORE: &str = "store";

/// Timeout for a killed server to release its address and data folder.
const HANDOVER_WAIT: Duration = Duration::from_secs(5);

/// The loops of the engines of all tenants.
type Engines = JoinSet<Result<(), engine::documents::Error>>;

/// A running server.
pub struct Server {
    /// Those of the default tenant.
    pub services: Services,
    pub address: SocketAddr,
    /// `https` by TLS, else `http`.
    pub scheme: &'static str,
    /// Those of all tenants.
    all: Vec<Services>,
    stop: watch::Sender<bool>,
    http: JoinHandle<std::io::Result<()>>,
    engines: Engines,
    tasks: Vec<JoinSet<()>>,
    /// Those of named tenants.
    threads: Vec<Threads>,
    /// Turns to `true` when another node leads.
    lost: Option<watch::Receiver<bool>>,
}

/// Why a server cannot start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The packs cannot be used.
    #[error(transparent)]
    Packs(#[from] PacksError),
    #[error("cannot listen on `{address}`: is something else listening there?")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    /// A folder cannot be made or read.
    #[error("cannot use the folder `{}`", .path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The certificate of the listener cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The store cannot be opened.
    #[error("cannot open the store")]
    Store(#[source] store::OpenError),
    /// The database of the store cannot be opened.
    #[error("cannot open the store")]
    Database(#[source] store::postgres::OpenError),
    #[error("this node cannot lead")]
    Lead(#[source] store::postgres::LeadError),
    #[error(
        "another node has taken the lease of the store, so this one ends: start it again to stand by"
    )]
    Lost,
    #[error(
        "`{}` belongs to the store {of}, and the database has the store {name}: give this node an empty folder as \
         `data`, or name the right database",
        .path.display()
    )]
    OtherStore { path: PathBuf, of: String, name: String },
    #[error(
        "`{}` is a store, and `store` names a database: copy it there with `ferrule store copy` and move it away, or \
         give this node an empty folder as `data`",
        .path.display()
    )]
    BothStores { path: PathBuf },
    #[error(
        "`{}` belongs to a store in a database, and `store` is not set: set it, or give this server another `data`",
        .path.display()
    )]
    NoDatabase { path: PathBuf },
    /// The host cannot start.
    #[error("cannot run plugins")]
    Host(#[source] host::HostError),
    /// The stored data cannot be continued.
    #[error("cannot carry on what the store holds")]
    Recover(#[source] engine::core::RecoverError),
    /// The store failed while the server ran.
    #[error("the store failed; what was acknowledged is safe, start again once the disk is well")]
    Failed(#[source] engine::documents::Error),
    /// A part of the server panicked: a bug of ours.
    #[error("a part of the server ended unexpectedly")]
    Ended(#[source] tokio::task::JoinError),
    /// The system gave no threads for a tenant.
    #[error("cannot start the threads of a tenant")]
    Threads(#[source] std::io::Error),
    #[error("HTTP cannot be served any more")]
    Http(#[source] std::io::Error),
    /// A tenant cannot start.
    #[error("the tenant `{name}` cannot be served")]
    Tenant {
        name: TenantName,
        #[source]
        source: Box<ServeError>,
    },
}

impl Server {
    /// Starts a server. When this returns it accepts requests, and open orders
    /// continue. It is ready once the plugins folder was read ([`Server::plugins`]).
    pub async fn start(config: Config) -> Result<Self, ServeError> {
        let (access, people) = access(&config)?;
        let limits = limits(&config);
        let (first, others) = planned(config)?;
        let listener = Listener::open(&first.config).await?;
        let (address, scheme) = (listener.address, listener.scheme());
        let Opened { store, lost } = opened::open(&first.config, &listener).await?;
        make_folders(std::iter::once(&first).chain(&others))?;
        let all = std::iter::once(&first).chain(&others);
        let process = Process::begin(store, &listener, access.owners(), all)?;
        let public_url = first.config.public_url.to_owned();
        let (first, others) = Box::pin(started(first, others, &process)).await?;
        for tenant in std::iter::once(&first).chain(&others) {
            access.keys().add(Arc::clone(&tenant.services.keys));
        }
        let access = with_people(access, &first.services, &listener.base_url, people).await?;
        let (services, events) = (first.services.clone(), first.events.clone());
        let beside = others.iter().filter_map(Tenant::beside).collect();
        let stop = process.stop;
        tokio::spawn(access.clone().run(until(stop.subscribe())));
        let edge = listener.edge(public_url.as_deref(), access);
        let router = crate::http::router_behind(services.clone(), events, limits, edge, beside);
        let http = listener.serve(router, || until(stop.subscribe()));
        let mut server = Self {
            services,
            address,
            scheme,
            all: Vec::new(),
            stop,
            http,
            engines: Engines::new(),
            tasks: Vec::new(),
            threads: Vec::new(),
            lost,
        };
        for tenant in std::iter::once(first).chain(others) {
            let running = tenant::carried_on(tenant.engine, tenant.services.plugins.clone());
            match tenant.threads.as_ref().and_then(Threads::handle) {
                Some(threads) => server.engines.spawn_on(running, threads),
                None => server.engines.spawn(running),
            };
            server.tasks.push(tenant.tasks);
            server.all.push(tenant.services);
            server.threads.extend(tenant.threads);
        }
        Ok(server)
    }

    /// Waits for the first look at the plugins folders; returns the result of the default tenant.
    pub async fn plugins(&self) -> Arc<Vec<Loaded>> {
        for services in &self.all {
            services.plugins.ready().await;
        }
        self.services.plugins.ready().await
    }

    /// Runs until `shutdown` ends, then finishes requests under way and writes what is
    /// decided. Open orders continue at the next start.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { services, all, stop, http, mut engines, tasks, lost, threads: _threads, .. } =
            self;
        tokio::select! {
            () = shutdown => {}
            () = taken(lost) => return Err(ServeError::Lost),
            // A loop ends by itself only if the store failed.
            Some(ended) = engines.join_next() => return of_engine(ended),
        }
        // An error means that no task listens any more, which is what we want.
        stop.send(true).ok();
        http.await.map_err(ServeError::Ended)?.map_err(ServeError::Http)?;
        for mut tasks in tasks {
            while let Some(ended) = tasks.join_next().await {
                ended.map_err(ServeError::Ended)?;
            }
        }
        drop((services, all));
        while let Some(ended) = engines.join_next().await {
            of_engine(ended)?;
        }
        Ok(())
    }
}

/// Ends when another node has taken the lease.
async fn taken(lost: Option<watch::Receiver<bool>>) {
    match lost {
        Some(lost) => until(lost).await,
        None => std::future::pending().await,
    }
}

fn of_engine(
    ended: Result<Result<(), engine::documents::Error>, JoinError>,
) -> Result<(), ServeError> {
    ended.map_err(ServeError::Ended)?.map_err(ServeError::Failed)
}

/// The default tenant of a server, and those beside it.
fn planned(config: Config) -> Result<(Planned, Vec<Planned>), ServeError> {
    let (named, shares) = (config.of_tenants()?, config.tenants.clone());
    let first = Planned::read(None, config, TENANT_PERCENT)?;
    let mut others = Vec::new();
    for (name, config) in named {
        let percent = shares.get(&name).map_or(TENANT_PERCENT, |of| of.share_percent);
        let read = Planned::read(Some(name.clone()), config, percent);
        others.push(read.map_err(of_tenant(Some(name)))?);
    }
    Ok((first, others))
}

/// Makes the folders of plugins; no two tenants may have the same.
fn make_folders<'a>(planned: impl Iterator<Item = &'a Planned> + Clone) -> Result<(), ServeError> {
    for one in planned.clone() {
        let path = &one.config.plugins_dir;
        std::fs::create_dir_all(path)
            .map_err(|source| ServeError::Folder { path: path.to_owned(), source })?;
    }
    let folders = planned.map(|one| (one.shown(), one.config.plugins_dir.as_path()));
    Ok(tenants::check_folders(folders)?)
}

/// Starts all tenants: the default one, and those beside it.
async fn started(
    first: Planned,
    others: Vec<Planned>,
    process: &Process,
) -> Result<(Tenant, Vec<Tenant>), ServeError> {
    let first = first.start(process, None).await?;
    let mut beside = Vec::new();
    for one in others {
        let name = one.name.clone();
        let threads = Threads::start(one.share_percent).map_err(ServeError::Threads)?;
        let starting = one.start(process, Some(&first.services.plugins.host));
        let started = threads::within(threads.handle(), starting).await;
        let mut tenant = started.map_err(of_tenant(name))?;
        tenant.threads = Some(threads);
        beside.push(tenant);
    }
    Ok((first, beside))
}

/// Tells which tenant cannot be served, if it has a name.
fn of_tenant(name: Option<TenantName>) -> impl FnOnce(ServeError) -> ServeError {
    move |error| match name {
        Some(name) => ServeError::Tenant { name, source: Box::new(error) },
        None => error,
    }
}

/// The roles of some settings, and the permissions that they are made of.
pub fn roles(config: &Config) -> Result<(Roles, Vec<Permission>), ConfigError> {
    let known = crate::http::permits::permissions();
    let roles = Roles::new(&config.access.roles, &known);
    Ok((roles.map_err(|error| ConfigError::Contradiction(error.to_string()))?, known))
}

/// Who may do what, and how people log in, by settings that are checked.
fn access(config: &Config) -> Result<(Access, Option<(Ways, Life)>), ConfigError> {
    config.check()?;
    let access = config.access.open(&crate::http::permits::permissions(), &config.tenants)?;
    let people = config.access.people(&access, &config.secrets);
    let people = people.map_err(ConfigError::Contradiction)?;
    Ok((access, people))
}

/// Access with the people who log in, whose sessions are in the store of the default tenant.
async fn with_people(
    access: Access,
    services: &Services,
    base_url: &str,
    people: Option<(Ways, Life)>,
) -> Result<Access, ServeError> {
    let Some((ways, life)) = people else { return Ok(access) };
    let people = People::open(&services.documents, ways, life, Cookies::of(base_url)).await;
    Ok(access.with_people(people.map_err(ServeError::Failed)?))
}

fn limits(config: &Config) -> crate::http::Limits {
    let crate::config::Limits { bodies_mib, exports, .. } = config.limits;
    crate::http::Limits { body_bytes_max: config.body_bytes_max, bodies_mib, exports }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender was dropped, so the server is gone too.
    stopped.wait_for(|stopped| *stopped).await.ok();
}

#[cfg(test)]
mod tests;
