//! Starts a server: packs, store, pools, plugins, engine and HTTP, in that order, and stops
//! it again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::clock::System;
use engine::pools::Pools;
use engine::{Durability, Engine, Parts};
use host::secret::Secret;
use host::{Host, Loaded};
use model::Rulebook;
use store::Sled;
use store::private::{self, Depth, tighten};
use store::seal::MasterKeys;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::access::{Access, Permission, Roles};
use crate::bulk::jobs::Jobs;
use crate::config::{Config, ConfigError, Retention, TrustError};
use crate::events::Events;
use crate::http::Edge;
use crate::packs::{self, PacksError};
use crate::plugins::{Plugins, Uploads, first_look};
use crate::retention::Retainer;
use crate::secrets::Sources;
use crate::secrets::renewal::Renewal;
use crate::services::Services;
use crate::tls::TlsError;
use crate::traces::{Traced, Tracer};

use self::followed::Followed;
use self::listener::Listener;
use self::plugins::Folder;
pub use crate::plugins::reason;

mod certificates;
mod followed;
mod listener;
pub mod plugins;
mod stamp;

/// The folder of the store in the data folder.
pub const STORE: &str = "store";

/// Timeout for a killed server to release its address and data folder.
const HANDOVER_WAIT: Duration = Duration::from_secs(5);

/// The folder beside the store with the files of jobs.
const EXCHANGE: &str = "exchange";

/// A running server.
pub struct Server {
    pub services: Services,
    pub address: SocketAddr,
    /// `https` by TLS, else `http`.
    pub scheme: &'static str,
    stop: watch::Sender<bool>,
    engine: JoinHandle<Result<(), engine::documents::Error>>,
    http: JoinHandle<std::io::Result<()>>,
    events: JoinHandle<()>,
    jobs: JoinHandle<()>,
    reconciliations: JoinHandle<()>,
    retention: JoinHandle<()>,
    replanning: JoinHandle<()>,
    traces: JoinHandle<()>,
    watcher: JoinHandle<()>,
    renewal: JoinHandle<()>,
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
    #[error("HTTP cannot be served any more")]
    Http(#[source] std::io::Error),
}

impl Server {
    /// Starts a server. When this returns it accepts requests, and open orders
    /// continue. It is ready once the plugins folder was read ([`Server::plugins`]).
    pub async fn start(mut config: Config) -> Result<Self, ServeError> {
        config.check()?;
        let access = access(&config)?;
        let serving = packs::serving(&config.workflows_dir, &config.data)?;
        let listener = Listener::open(&mut config).await?;
        let (address, scheme) = (listener.address, listener.scheme());
        let store: Arc<Sled> = Arc::new(sealed_store(&config).await?);
        serving.keep();
        let pools = pools(&serving.rulebook);
        let (renewal, secrets) = Renewal::begin(&config.secrets).await;
        let host = host(&config, &listener.base_url, &store, &pools, secrets)?;
        make_folder(&config.plugins_dir)?;
        let clock = Arc::new(System::default());
        let (tracer, exporter) = Tracer::open(&config.traces);
        let parts = Parts {
            store,
            worker: Arc::new(Traced { host: host.clone(), tracer: tracer.clone() }),
            clock: Arc::clone(&clock) as _,
            pools,
            durability: durability(&config),
            limits: config.engine_limits(),
        };
        let (engine, engine_loop) = Engine::begin(parts).map_err(ServeError::Recover)?;
        engine.rebuild_indexes().await.map_err(ServeError::Failed)?;
        let (look, first_look) = first_look();
        let uploads = if config.install.uploads { Uploads::On } else { Uploads::Off };
        let plugins = Plugins::new(host)
            .in_folder(config.plugins_dir.clone(), uploads)
            .ready_after(first_look);
        let mut services = Services::new(engine, plugins, serving.rulebook, config.commerce());
        services.tracer = tracer;
        let settings = config.events.settings(listener.reached(), address);
        let documents = services.documents.clone();
        let events = Events::open(documents, clock, settings).map_err(ServeError::Failed)?;
        take_catalogs(&services).await.map_err(ServeError::Failed)?;
        load_keys(&services, &access).await?;
        let router = router(&services, &events, &config, listener.edge(&config, access));
        let stop = watch::Sender::new(false);
        let stopped = || until(stop.subscribe());
        let http = listener.serve(router, stopped);
        let events = tokio::spawn(events.run(stopped()));
        let jobs = tokio::spawn(crate::bulk::jobs::run(jobs(&services, &config), stopped()));
        let reconciler = Arc::clone(&services.reconciler);
        let reconciliations = tokio::spawn(crate::reconcile::run(reconciler, stopped()));
        let retainer = retainer(&services, config.retention);
        let retention = tokio::spawn(crate::retention::run(retainer, stopped()));
        let replanning = tokio::spawn(crate::replan::run(Arc::clone(&services.orders), stopped()));
        let traces = tokio::spawn(exporter.run(services.engine.watch(), stopped()));
        let (sources, followed) = watch::channel(Arc::new(config.secrets.clone()));
        let host = services.plugins.host.clone();
        let renewal = tokio::spawn(renewal.run(followed, host, stopped()));
        let folder = folder(&services, config, sources);
        let watcher = tokio::spawn(plugins::watch(folder, look, stopped()));
        Ok(Self {
            services,
            address,
            scheme,
            stop,
            engine: tokio::spawn(engine_loop.run()),
            http,
            events,
            jobs,
            reconciliations,
            retention,
            replanning,
            traces,
            watcher,
            renewal,
        })
    }

    /// Waits for the first look at the plugins folder; returns its result.
    pub async fn plugins(&self) -> Arc<Vec<Loaded>> {
        self.services.plugins.ready().await
    }

    /// Runs until `shutdown` ends, then finishes requests under way and writes what is
    /// decided. Open orders continue at the next start.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self {
            services,
            stop,
            mut engine,
            http,
            events,
            jobs,
            reconciliations,
            retention,
            replanning,
            traces,
            watcher,
            renewal,
            ..
        } = self;
        tokio::select! {
            () = shutdown => {}
            // The loop ends by itself only if the store failed.
            ended = &mut engine => return ended.map_err(ServeError::Ended)?.map_err(ServeError::Failed),
        }
        // An error means that no task listens any more, which is what we want.
        stop.send(true).ok();
        http.await.map_err(ServeError::Ended)?.map_err(ServeError::Http)?;
        events.await.map_err(ServeError::Ended)?;
        jobs.await.map_err(ServeError::Ended)?;
        reconciliations.await.map_err(ServeError::Ended)?;
        retention.await.map_err(ServeError::Ended)?;
        replanning.await.map_err(ServeError::Ended)?;
        traces.await.map_err(ServeError::Ended)?;
        watcher.await.map_err(ServeError::Ended)?;
        renewal.await.map_err(ServeError::Ended)?;
        drop(services);
        engine.await.map_err(ServeError::Ended)?.map_err(ServeError::Failed)
    }
}

/// The roles of some settings, and the permissions that they are made of.
pub fn roles(config: &Config) -> Result<(Roles, Vec<Permission>), ConfigError> {
    let known = crate::http::permits::permissions();
    let roles = Roles::new(&config.access.roles, &known);
    Ok((roles.map_err(|error| ConfigError::Contradiction(error.to_string()))?, known))
}

/// Loads the catalogs of the packs, with the stored documents of them.
async fn take_catalogs(services: &Services) -> Result<(), engine::documents::Error> {
    let Services { engine, documents, rulebooks, policies, .. } = services;
    let (rulebook, now) = (rulebooks.current(), engine.now());
    let catalogs = documents
        .read(move |session| packs::documents(&rulebook, now, |key, id| session.readable(key, id)));
    documents.write(catalogs.await?).await?;
    policies.catalog.refreshed(documents).await
}

fn access(config: &Config) -> Result<Access, ConfigError> {
    let access = config.access.open(&crate::http::permits::permissions());
    access.map_err(|error| ConfigError::Contradiction(error.to_string()))
}

/// Has access take the API keys of the store as proof.
async fn load_keys(services: &Services, access: &Access) -> Result<(), ServeError> {
    let known = crate::http::permits::permissions();
    services.keys.load(access.roles(), &known).await.map_err(ServeError::Failed)?;
    access.keys().add(Arc::clone(&services.keys));
    Ok(())
}

fn durability(config: &Config) -> Durability {
    if config.commit_each_step { Durability::EachStep } else { Durability::Shared }
}

fn folder(services: &Services, config: Config, secrets: watch::Sender<Arc<Sources>>) -> Folder {
    let Services { engine, rulebooks, plugins, .. } = services;
    Folder {
        host: plugins.host.clone(),
        taken_in: rulebooks.changed(),
        settings: Followed::new(&config, secrets),
        path: config.plugins_dir,
        store: Arc::clone(engine.store()),
        keep_versions: config.host.keep_versions(),
    }
}

fn jobs(services: &Services, config: &Config) -> Jobs {
    let (importer, arrived) = (services.importer(), Arc::clone(&services.jobs));
    Jobs { importer, arrived, folder: config.data.join(EXCHANGE) }
}

fn retainer(services: &Services, keep: Retention) -> Retainer {
    let Services { documents, removed, .. } = services;
    Retainer { documents: documents.clone(), removed: Arc::clone(removed), keep }
}

fn router(services: &Services, events: &Events, config: &Config, edge: Edge<'_>) -> axum::Router {
    let crate::config::Limits { bodies_mib, exports, .. } = config.limits;
    let body_bytes_max = config.body_bytes_max;
    let limits = crate::http::Limits { body_bytes_max, bodies_mib, exports };
    crate::http::router_behind(services.clone(), events.clone(), limits, edge)
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender was dropped, so the server is gone too.
    stopped.wait_for(|stopped| *stopped).await.ok();
}

/// Opens the store with the keys that it is sealed by, if it is.
async fn sealed_store(config: &Config) -> Result<Sled, ServeError> {
    let keys = config.encryption.keys(&config.secrets).await.map_err(ConfigError::Encryption)?;
    open_store(&config.data, config.limits.store_cache_mib, keys)
}

fn open_store(data: &Path, cache_mib: u64, keys: Option<MasterKeys>) -> Result<Sled, ServeError> {
    let folder = |source| ServeError::Folder { path: data.into(), source };
    private::make_folder(data).map_err(folder)?;
    tighten(data, Depth::Folder);
    tighten(&data.join("plugins"), Depth::Whole);
    let options = store::Options { lock_wait: HANDOVER_WAIT, cache_bytes: cache_mib << 20, keys };
    Sled::open(data.join(STORE), &options).map_err(ServeError::Store)
}

fn make_folder(path: &Path) -> Result<(), ServeError> {
    std::fs::create_dir_all(path).map_err(|source| ServeError::Folder { path: path.into(), source })
}

fn pools(rulebook: &Rulebook) -> Pools {
    let pools = Pools::default();
    for pool in rulebook.packs().flat_map(|pack| &pack.pools) {
        pools.define(pool.clone());
    }
    pools
}

fn host(
    config: &Config,
    base_url: &str,
    store: &Arc<Sled>,
    pools: &Pools,
    secrets: BTreeMap<String, Secret>,
) -> Result<Host, ServeError> {
    let cache = config.data.join("plugins");
    let mut options = host::Options::new(Arc::clone(store) as _, pools.clone(), cache);
    options.base_url = base_url.to_owned();
    options.grants = config.grants();
    options.targets.clone_from(&config.targets);
    options.secrets = secrets;
    config.host.apply(&mut options);
    let contradiction = |error: TrustError| ConfigError::Contradiction(error.to_string());
    options.trust = config.install.trust().map_err(contradiction)?;
    Host::new(options).map_err(ServeError::Host)
}

#[cfg(test)]
mod tests;
