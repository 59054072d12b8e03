//! One tenant of a server: its packs, pools, plugins, engine and events, and what runs beside them. The
//! default tenant is one too.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use engine::clock::System;
use engine::pools::Pools;
use engine::store::{Epoch, Memory, Store, TenantNumber, View};
use engine::tenant::TenantName;
use engine::{Durability, Engine, Loop, Parts, audit as acts};
use host::Host;
use host::secret::Secret;
use model::Rulebook;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::followed::Followed;
use super::listener::Listener;
use super::plugins::{self, Folder};
use super::threads::Threads;
use super::{ServeError, until};
use crate::access::Owners;
use crate::access::keys::Ring;
use crate::audit::{Audit, Follower, Witness};
use crate::bulk::jobs::Jobs;
use crate::config::tenants::DEFAULT;
use crate::config::{Config, ConfigError, Reached, Retention, TrustError};
use crate::events::Events;
use crate::http::{Beside, permits};
use crate::packs::{self, Serving};
use crate::plugins::{Plugins, Uploads, first_look};
use crate::retention::Retainer;
use crate::secrets::Sources;
use crate::secrets::renewal::Renewal;
use crate::services::Services;
use crate::traces::{Exporter, Traced, Tracer};

/// The folder beside the store with the files of jobs.
const EXCHANGE: &str = "exchange";

/// What all tenants of a server have in common.
pub(super) struct Process {
    store: Arc<dyn Store>,
    /// The epoch that was claimed for all of them.
    epoch: Epoch,
    /// The URL of the server without a tenant.
    url: String,
    address: SocketAddr,
    /// The most memory that any tenant grants to a call, in MiB.
    call_memory_mib: u32,
    /// What those who subscribe to events may do.
    owners: Owners,
    pub(super) stop: watch::Sender<bool>,
}

/// A tenant whose settings and packs were read.
pub(super) struct Planned {
    /// `None` for the default tenant.
    pub(super) name: Option<TenantName>,
    pub(super) config: Config,
    /// The share that it may have beside others, in percent.
    pub(super) share_percent: u32,
    serving: Serving,
}

/// A tenant that runs.
pub(super) struct Tenant {
    pub(super) name: Option<TenantName>,
    pub(super) services: Services,
    pub(super) events: Events,
    body_bytes_max: usize,
    share_percent: u32,
    /// Runs until all handles of the engine are dropped.
    pub(super) engine: Loop,
    /// What runs until the server stops.
    pub(super) tasks: JoinSet<()>,
    /// `None` for the default tenant, which has those of the server.
    pub(super) threads: Option<Threads>,
}

impl Planned {
    /// Reads the packs of a tenant.
    pub(super) fn read(
        name: Option<TenantName>,
        config: Config,
        share_percent: u32,
    ) -> Result<Self, ServeError> {
        config.check_own(config.asks())?;
        let serving = packs::serving(&config.workflows_dir, &config.data)?;
        Ok(Self { name, config, share_percent, serving })
    }

    /// Its name in messages.
    pub(super) fn shown(&self) -> &str {
        self.name.as_ref().map_or(DEFAULT, TenantName::as_str)
    }

    /// Starts it, beside the host of another tenant if there is one.
    pub(super) async fn start(
        self,
        process: &Process,
        beside: Option<&Host>,
    ) -> Result<Tenant, ServeError> {
        let Self { name, config, share_percent, serving } = self;
        let store: Arc<dyn Store> = Arc::new(view(process, name.as_ref()).await?);
        serving.keep();
        let pools = pools(&serving.rulebook);
        let (renewal, secrets) = Renewal::begin(&config.secrets).await;
        let url = config.public_url.clone().unwrap_or_else(|| process.url_of(name.as_ref()));
        let mut options = options(&config, (&store, &pools), secrets)?;
        options.base_url.clone_from(&url);
        options.call_memory_mib = process.call_memory_mib;
        options.tenant_percent = share_percent;
        let host = match beside {
            Some(first) => first.for_tenant(options),
            None => Host::new(options),
        };
        let host = host.map_err(ServeError::Host)?;
        let (tracer, exporter) = Tracer::open(&config.traces);
        let worker = Arc::new(Traced { host: host.clone(), tracer: tracer.clone() });
        let (engine, engine_loop) = begin(&config, store, worker, pools)?;
        engine.rebuild_indexes().await.map_err(ServeError::Failed)?;
        let (look, first_look) = first_look();
        let uploads = if config.install.uploads { Uploads::On } else { Uploads::Off };
        let plugins = Plugins::new(host)
            .in_folder(config.plugins_dir.clone(), uploads)
            .ready_after(first_look);
        let mut services = Services::new(engine, plugins, serving.rulebook, config.commerce());
        services.tracer = tracer;
        services.audit = Audit::new(services.engine.clone(), config.audit.mode);
        if let Some(name) = &name {
            let of = Some(name.to_string());
            services.keys = Arc::new(Ring::new(services.documents.clone(), of));
        }
        let reached = match &config.public_url {
            Some(url) => Reached::Publicly(url),
            None => Reached::Directly(&url),
        };
        let settings = config.events.settings(reached, process.address);
        let known = permits::permissions();
        let owners = process.owners.of_tenant(&services.keys);
        // Before events are delivered: a key that is not read yet proves no owner.
        let loaded = services.keys.load(owners.roles(), &known).await;
        loaded.map_err(ServeError::Failed)?;
        let settings = settings.with_owners(owners, known);
        let events =
            Events::open(services.documents.clone(), Arc::new(System::default()), settings);
        let events = events.map_err(ServeError::Failed)?;
        let packs = take_catalogs(&services);
        acts::within(services.audit.job("packs"), packs).await.map_err(ServeError::Failed)?;
        let body_bytes_max = config.body_bytes_max;
        let background = Background { events: events.clone(), exporter, renewal, look };
        let tasks = background.run(&services, config, &process.stop);
        let engine = engine_loop;
        Ok(Tenant {
            name,
            services,
            events,
            body_bytes_max,
            share_percent,
            engine,
            tasks,
            threads: None,
        })
    }
}

impl Tenant {
    /// What HTTP needs of it beside the default tenant; `None` for that one.
    pub(super) fn beside(&self) -> Option<Beside> {
        Some(Beside {
            name: self.name.clone()?,
            services: self.services.clone(),
            events: self.events.clone(),
            body_bytes_max: self.body_bytes_max,
            share_percent: self.share_percent,
            threads: self.threads.as_ref()?.handle()?.clone(),
        })
    }
}

/// Begins an engine from its part of the store.
fn begin(
    config: &Config,
    store: Arc<dyn Store>,
    worker: Arc<Traced>,
    pools: Pools,
) -> Result<(Engine, Loop), ServeError> {
    let durability =
        if config.commit_each_step { Durability::EachStep } else { Durability::Shared };
    let (clock, limits) = (Arc::new(System::default()), config.engine_limits());
    let parts = Parts { store, worker, clock, pools, durability, limits };
    Engine::begin(parts).map_err(ServeError::Recover)
}

impl Process {
    /// Claims a store for all tenants that are planned.
    pub(super) fn begin<'a>(
        store: Arc<dyn Store>,
        listener: &Listener,
        owners: Owners,
        planned: impl Iterator<Item = &'a Planned>,
    ) -> Result<Self, ServeError> {
        let epoch = store
            .claim()
            .map_err(|error| ServeError::Recover(engine::core::RecoverError::Store(error)))?;
        let grants = planned.flat_map(|one| one.config.plugins.values());
        let call_memory_mib = grants.filter_map(|grants| grants.limits.memory_mib).max();
        Ok(Self {
            store,
            epoch,
            url: listener.base_url.to_owned(),
            address: listener.address,
            call_memory_mib: call_memory_mib.unwrap_or_default(),
            owners,
            stop: watch::Sender::new(false),
        })
    }

    /// The URL of a tenant.
    fn url_of(&self, name: Option<&TenantName>) -> String {
        let prefix = name.map(crate::config::tenants::prefix).unwrap_or_default();
        format!("{}{prefix}", self.url)
    }
}

/// What runs beside the engine of a tenant.
struct Background {
    events: Events,
    exporter: Exporter,
    renewal: Renewal,
    look: crate::plugins::Look,
}

impl Background {
    fn run(self, services: &Services, config: Config, stop: &watch::Sender<bool>) -> JoinSet<()> {
        let Self { events, exporter, renewal, look } = self;
        let stopped = || until(stop.subscribe());
        let mut tasks = JoinSet::new();
        tasks.spawn(events.run(stopped()));
        let audit = &services.audit;
        let imports = crate::bulk::jobs::run(jobs(services, &config), stopped());
        tasks.spawn(acts::within(audit.job("imports"), imports));
        let reconciliations = crate::reconcile::run(Arc::clone(&services.reconciler), stopped());
        tasks.spawn(acts::within(audit.job("reconciliation"), reconciliations));
        tasks.spawn(audit.clone().run(stopped()));
        if let Some(follower) = follower(services, &config) {
            tasks.spawn(follower.run(stopped()));
        }
        if let Some(witness) = witness(services, &config) {
            let own = services.plugins.clone();
            tasks.spawn(witness.run(async move { own.ready().await }, stopped()));
        }
        tasks.spawn(crate::retention::run(retainer(services, config.retention), stopped()));
        tasks.spawn(crate::replan::run(Arc::clone(&services.orders), stopped()));
        tasks.spawn(exporter.run(services.engine.watch(), stopped()));
        let (sources, followed) = watch::channel(Arc::new(config.secrets.clone()));
        tasks.spawn(renewal.run(followed, services.plugins.host.clone(), stopped()));
        tasks.spawn(plugins::watch(folder(services, config, sources), look, stopped()));
        tasks
    }
}

/// Runs an engine. Where it has open work whose plugins are not there, as on a node that takes over from another, the
/// folder of plugins is read first.
pub(super) async fn carried_on(
    engine: Loop,
    plugins: Plugins,
) -> Result<(), engine::documents::Error> {
    if engine.lacks_a_plugin() {
        plugins.ready().await;
        // The server is stopping: the work is carried on at the next start.
        if !plugins.are_ready() {
            return Ok(());
        }
    }
    // What it holds of the host would keep the server from ending.
    drop(plugins);
    engine.run().await
}

/// The part of the store that is a tenant's.
async fn view(process: &Process, name: Option<&TenantName>) -> Result<View, ServeError> {
    let (store, epoch) = (&process.store, process.epoch);
    let view = match name {
        Some(name) => {
            let number = TenantNumber::of(&**store, epoch, name).await;
            let number = number.map_err(|error| ServeError::Failed(error.into()))?;
            View::of(Arc::clone(store), number)
        }
        None => View::of_default(Arc::clone(store)),
    };
    Ok(view.claimed(epoch))
}

/// Compiles the plugins of a folder for a node that stands by. Its host is none that works: it has no store.
pub(super) async fn compiled_ahead(config: &Config) {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let host = options(config, (&store, &Pools::default()), BTreeMap::new())
        .and_then(|options| Host::new(options).map_err(ServeError::Host));
    match host {
        Ok(host) => match host.load_dir(&config.plugins_dir).await {
            Ok(loaded) => tracing::info!(plugins = loaded.len(), "the plugins are compiled ahead"),
            Err(error) => tracing::warn!(%error, "the plugins are not compiled ahead"),
        },
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "the plugins are not compiled ahead");
        }
    }
}

fn options(
    config: &Config,
    (store, pools): (&Arc<dyn Store>, &Pools),
    secrets: BTreeMap<String, Secret>,
) -> Result<host::Options, ServeError> {
    let cache = config.data.join("plugins");
    let mut options = host::Options::new(Arc::clone(store), pools.clone(), cache);
    options.grants = config.grants();
    options.targets.clone_from(&config.targets);
    options.secrets = secrets;
    config.host.apply(&mut options);
    let contradiction = |error: TrustError| ConfigError::Contradiction(error.to_string());
    options.trust = config.install.trust().map_err(contradiction)?;
    Ok(options)
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
    let Services { documents, removed, audit, .. } = services;
    let act = audit.job("retention");
    Retainer { documents: documents.clone(), removed: Arc::clone(removed), keep, act }
}

/// What adds entries of changes outside the store; `None` if nothing is audited.
fn witness(services: &Services, config: &Config) -> Option<Witness> {
    let Services { documents, rulebooks, plugins, audit, .. } = services;
    audit.is_on().then(|| Witness {
        documents: documents.clone(),
        host: plugins.host.clone(),
        rulebooks: rulebooks.clone(),
        settings: config.file.as_deref().map(Path::to_owned),
    })
}

/// What sends the audit elsewhere; `None` if it is not sent.
fn follower(services: &Services, config: &Config) -> Option<Follower> {
    let Services { documents, audit, .. } = services;
    let receiver = config.audit.syslog.clone()?;
    let (ca, progress) = (config.audit.syslog_ca.to_owned(), Arc::clone(audit.progress()));
    Some(Follower { documents: documents.clone(), receiver, ca, progress })
}

fn pools(rulebook: &Rulebook) -> Pools {
    let pools = Pools::default();
    for pool in rulebook.packs().flat_map(|pack| &pack.pools) {
        pools.define(pool.clone());
    }
    pools
}
