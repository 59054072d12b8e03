//! Runs plugins for the engine.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use engine::pools::Pools;
use engine::scratch::Scratch;
use engine::store::Store;
use engine::worker::{Call, Effects, Report, Resolved, Worker};
use model::reconcile::Reading;
use model::{Digest, Failure, FailureClass, FailureCode, Outcome, PluginId};
use prometheus_client::registry::Registry as Page;
use serde_json::Map;

use crate::admission::{Admission, Capacity};
use crate::artefact::Cache;
use crate::binding::Bindings;
use crate::border;
use crate::candidate::Chooser;
use crate::capability::log::Log;
use crate::capability::record::Keep;
use crate::capability::tape::Tape;
use crate::compile::{CompileLimits, Compiler, Program};
use crate::contract::Part;
use crate::executor::Executor;
use crate::executor::lane::Lanes;
use crate::granting::{Granting, RegrantError};
use crate::grants::{Grants, Target};
use crate::install::Plugin;
use crate::invoke::{self, Decomposition, Production, Schemas};
use crate::machine::Machine;
use crate::mask::Mask;
use crate::rate::Throttle;
use crate::registry::{Entry, Registry};
use crate::role::Role;
use crate::secret::{Safe, Secret};
use crate::shadow::Shadows;
use crate::shared::{Shared, callbacks};
use crate::trust::{Trust, Trusted};

/// Default limit of the bytes of a plugin.
const PLUGIN_BYTES_MAX: usize = 64 << 20;

/// Default limit of concurrent instances.
pub const INSTANCES: u32 = 256;

/// Default limit of the memory of all guests together, in MiB.
pub const MEMORY_MIB: u32 = 4096;

/// Default share of both that one plugin may have, in percent.
pub const SHARE_PERCENT: u32 = 25;

/// Default share of both that the plugins of one tenant may have beside others, in percent.
pub const TENANT_PERCENT: u32 = 50;

/// What a host needs to run plugins.
pub struct Options {
    /// The grants of each plugin.
    pub grants: BTreeMap<PluginId, Grants>,
    /// What all plugins share of targets.
    pub targets: BTreeMap<Target, Throttle>,
    /// The values of the operator's secrets, by their names.
    pub secrets: BTreeMap<String, Secret>,
    /// The pools that plugins reserve from.
    pub pools: Pools,
    /// Where inventory documents are read.
    pub store: Arc<dyn Store>,
    /// The folder of plugins and of their compiled artefacts; created if it is missing.
    pub cache: PathBuf,
    /// Where elements reach this server, such as `http://127.0.0.1:8080`.
    pub base_url: String,
    /// Max concurrent instances.
    pub instances: u32,
    /// Max memory of all guests together, in MiB, including the host's own for them.
    pub memory_mib: u32,
    /// Max share of the instances and of the memory of one plugin, in percent.
    pub share_percent: u32,
    /// Max share of both of the plugins of this tenant, in percent, where there are others.
    pub tenant_percent: u32,
    /// The most memory of a call that any tenant grants, in MiB.
    pub call_memory_mib: u32,
    /// Max cores that guests may use; all of them if it is zero.
    pub cores: u32,
    /// Max bytes of a plugin.
    pub plugin_bytes_max: usize,
    /// The keys that vouch for plugins.
    pub trust: Trust,
    /// The program that compiles plugins.
    pub compiler: Program,
    /// The limits of compiling one plugin.
    pub compile_limits: CompileLimits,
    /// What is kept of the exchanges of plugins with elements.
    pub keep: Keep,
}

/// Why a host could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The cache folder cannot be used.
    #[error("cannot use the plugin cache `{}`", .path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// wasmtime refused to start.
    #[error("cannot start the WebAssembly engine")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The memory for guests is less than what the pool keeps for itself.
    #[error(
        "[host] memory-mib is {memory_mib}, and a pool of {instances} instances keeps {kept_mib}: \
         raise it, or lower [host] instances"
    )]
    Memory {
        /// How much guests may have together.
        memory_mib: u32,
        /// How many instances there are.
        instances: u32,
        /// How much of the memory the pool keeps.
        kept_mib: usize,
    },
    /// The grants cannot be used.
    #[error("the grants of a plugin cannot be used")]
    Grants(#[source] RegrantError),
    /// The system gave no threads.
    #[error("cannot start the threads for plugins")]
    Threads(#[source] io::Error),
}

/// What the hosts of all tenants of a process have in common.
struct Common {
    machine: Arc<Machine>,
    admission: Admission,
    executor: Arc<Executor>,
    cache: Cache,
    compiler: Arc<Compiler>,
}

/// Runs plugins; cheap to clone.
#[derive(Clone)]
pub struct Host(pub(crate) Arc<Shared>);

impl Options {
    /// Options that grant nothing, for this store, these pools and this cache folder.
    pub fn new(store: Arc<dyn Store>, pools: Pools, cache: impl Into<PathBuf>) -> Self {
        Self {
            grants: BTreeMap::new(),
            targets: BTreeMap::new(),
            secrets: BTreeMap::new(),
            pools,
            store,
            cache: cache.into(),
            base_url: "http://127.0.0.1:8080".into(),
            instances: INSTANCES,
            memory_mib: MEMORY_MIB,
            share_percent: SHARE_PERCENT,
            tenant_percent: TENANT_PERCENT,
            call_memory_mib: 0,
            cores: 0,
            plugin_bytes_max: PLUGIN_BYTES_MAX,
            trust: Trust::default(),
            compiler: Program::default(),
            compile_limits: CompileLimits::default(),
            keep: Keep::default(),
        }
    }
}

impl Options {
    /// The capacity for guests, without the memory that the pool keeps for itself.
    fn capacity(&self) -> Result<Capacity, HostError> {
        let kept = Machine::kept(self.instances);
        let bytes = (self.memory_mib as usize) << 20;
        let (instances, share_percent) = (self.instances as usize, self.share_percent as usize);
        match bytes.checked_sub(kept) {
            Some(bytes) if bytes > 0 => Ok(Capacity { instances, bytes, share_percent }),
            _ => Err(HostError::Memory {
                memory_mib: self.memory_mib,
                instances: self.instances,
                kept_mib: kept >> 20,
            }),
        }
    }

    fn cores(&self) -> usize {
        match self.cores {
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            cores => cores as usize,
        }
    }
}

impl Host {
    /// Starts a host without plugins.
    pub fn new(mut options: Options) -> Result<Self, HostError> {
        let unusable = |source| HostError::Cache { path: options.cache.clone(), source };
        let cache = Cache::open(&options.cache).map_err(unusable)?;
        let capacity = options.capacity()?;
        let cores = options.cores();
        let grants = options.grants.values();
        options.call_memory_mib = Granting::memory_mib_max(grants).max(options.call_memory_mib);
        let memory = (options.call_memory_mib as usize) << 20;
        let machine = Machine::new(options.instances, memory)
            .map_err(|error| HostError::Engine(error.into_boxed_dyn_error()))?;
        let engine = machine.engine().clone();
        let executor =
            Executor::new(cores, move || engine.increment_epoch()).map_err(HostError::Threads)?;
        let compiler = Compiler::new(std::mem::take(&mut options.compiler), options.compile_limits);
        let common = Common {
            machine: Arc::new(machine),
            admission: Admission::new(capacity, options.tenant_percent as usize),
            executor: Arc::new(executor),
            cache,
            compiler: Arc::new(compiler),
        };
        Self::within(common, options)
    }

    /// Starts the host of another tenant in the same process. They share the engine with its pool, memory and
    /// threads, each with its share, and what was compiled; nothing else. Limits of the process in `options`
    /// do not count.
    pub fn for_tenant(&self, options: Options) -> Result<Self, HostError> {
        let unusable = |source| HostError::Cache { path: options.cache.clone(), source };
        let shared = &self.0;
        shared.executor.share();
        let common = Common {
            machine: Arc::clone(&shared.machine),
            admission: shared.admission.for_tenant(options.tenant_percent as usize),
            executor: Arc::clone(&shared.executor),
            cache: shared.cache.for_tenant(&options.cache).map_err(unusable)?,
            compiler: Arc::clone(&shared.compiler),
        };
        let call_memory_mib = shared.granting.memory_mib();
        Self::within(common, Options { call_memory_mib, ..options })
    }

    fn within(common: Common, options: Options) -> Result<Self, HostError> {
        let unusable = |source| HostError::Cache { path: options.cache.clone(), source };
        let bindings = Bindings::open(options.cache.join("ids")).map_err(unusable)?;
        let secrets = Arc::new(Safe::new(options.secrets));
        let granting = Granting::new(options.grants, &secrets, options.call_memory_mib);
        let granting = granting.map_err(HostError::Grants)?;
        granting.share(options.targets);
        let Common { machine, admission, executor, cache, compiler } = common;
        Ok(Self(Arc::new(Shared {
            machine,
            pools: options.pools,
            scratch: Scratch::default(),
            store: options.store,
            lanes: Lanes::new(admission.tenant()),
            admission,
            executor,
            registry: Registry::default(),
            cache,
            bindings,
            compiler,
            granting,
            secrets,
            callbacks: callbacks(&options.base_url),
            plugin_bytes_max: options.plugin_bytes_max,
            counters: Arc::default(),
            keep: options.keep,
            shadows: Shadows::default(),
            clock: Arc::default(),
            trust: Trusted::new(options.trust),
            folder_turn: tokio::sync::Mutex::default(),
        })))
    }

    /// Every plugin, and every file that was rejected.
    pub fn list(&self) -> Vec<Entry> {
        self.0.registry.list()
    }

    /// Decomposes an item by the decomposer with these bytes. Also returns its log.
    pub async fn decompose(
        &self,
        digest: &Digest,
        item: Decomposition<'_>,
    ) -> (Result<Vec<Production>, Failure>, Vec<String>) {
        self.decompose_for(digest, item, None).await
    }

    /// The same for an order, which a version in shadow may repeat.
    pub async fn decompose_for(
        &self,
        digest: &Digest,
        item: Decomposition<'_>,
        order: Option<Chooser<'_>>,
    ) -> (Result<Vec<Production>, Failure>, Vec<String>) {
        let Some(plugin) = self.plugin(digest).await else {
            return (Err(missing(digest)), Vec::new());
        };
        let (log, mask) = (Log::default(), &plugin.mask);
        let beside = order.and_then(|order| self.beside_decomposition(digest, item, order));
        let (request, tape) = (invoke::question(item), Tape::Off);
        let productions = invoke::decompose(&self.0, &plugin, request, &log, tape).await;
        let productions = border::decomposed(productions, mask);
        if let Some(beside) = beside {
            beside.decomposed(&productions);
        }
        (productions, border::log(log.finish(), mask))
    }

    /// Adds what plugins did to a page of metrics.
    pub fn count(&self, page: &mut Page) {
        self.0.counters.register(page);
    }

    /// Where an element posts its answer to a call, by the name that the engine gives it.
    pub fn callback_url(&self, name: &str) -> String {
        self.0.callback_url(name)
    }

    /// Takes the value of a secret into use, and returns whether it is another one. Calls that are under way
    /// keep theirs.
    pub fn renew(&self, name: &str, value: Secret) -> bool {
        self.0.secrets.renew(name, value)
    }

    /// Ends the use of a secret that is no longer configured.
    pub fn withdraw(&self, name: &str) {
        self.0.secrets.withdraw(name);
    }

    /// A text of a plugin as it may be shown: without the values of its settings and secrets.
    pub fn masked(&self, plugin: &PluginId, text: String) -> String {
        let (grants, _) = self.0.granting.of(plugin);
        Mask::new(&grants, &self.0.secrets).text(text)
    }

    /// The role of the plugin with these bytes; `None` if it is not installed.
    pub async fn role(&self, digest: &Digest) -> Option<Role> {
        self.plugin(digest).await.map(|plugin| plugin.installed.role)
    }

    /// The instances of plugins that calls have now.
    pub fn instances(&self) -> usize {
        self.0.admission.instances()
    }

    /// Whether the version of a plugin that new plans use can be undone: one that reaches outside
    /// and exports no `undo` cannot. `None` if there is no such plugin.
    pub fn can_undo(&self, plugin: &PluginId) -> Option<bool> {
        self.0.registry.current(plugin).map(|plugin| plugin.can_undo)
    }

    /// The JSON Schemas by which the plugin with these bytes describes its input, outputs and
    /// settings; `None` if it does not describe them.
    pub async fn describe(&self, digest: &Digest) -> Result<Option<Schemas>, Failure> {
        let plugin = self.plugin(digest).await.ok_or_else(|| missing(digest))?;
        invoke::describe(&self.0, &plugin).await
    }

    /// Compares an element with the work of a call, by the plugin with these bytes. It has no effect:
    /// requests of the plugin that change anything are denied.
    pub async fn probe(&self, digest: &Digest, call: Call) -> Result<Reading, Failure> {
        let plugin = self.plugin(digest).await.ok_or_else(|| missing(digest))?;
        let (tape, beside) = self.beside_look(&call);
        let reading = invoke::observe(&self.0, &plugin, call, &Log::default(), tape).await;
        let reading = border::looked(reading, &plugin.mask);
        if let Some(beside) = beside {
            beside.looked(&reading);
        }
        reading
    }

    /// The plugin with these bytes, from the cache if it is not loaded.
    async fn plugin(&self, digest: &Digest) -> Option<Arc<Plugin>> {
        match self.restored(digest).await {
            Ok(plugin) => Some(plugin),
            Err(error) => {
                tracing::warn!(%digest, error = &error as &dyn std::error::Error, "plugin missing");
                self.0.registry.get(digest)
            }
        }
    }

    async fn carry_out(&self, call: Call) -> Report {
        let Some(plugin) = self.plugin(&call.digest).await else {
            return Report::new(Outcome::Failed(missing(&call.digest)), Vec::new());
        };
        if call.operation.reverts() && !plugin.offers(Part::Undo) {
            let outcome = match plugin.can_undo {
                // It cannot reach outside. All its effects are reservations, which the engine
                // releases itself, in the commit of the undo.
                true => Outcome::Done(Map::new()),
                // Its work remains. To answer that it is undone would be wrong, and to call it
                // would do the work again.
                false => Outcome::Failed(invoke::no_undo(&plugin)),
            };
            return Report::new(outcome, Vec::new());
        }
        let log = Log::default();
        let (tape, beside) = self.beside(&call);
        let done = invoke::carry_out(&self.0, &plugin, call, &log, tape).await;
        let outcome = border::outcome(done.outcome, &plugin.mask);
        if let Some(beside) = beside {
            beside.worked(&outcome);
        }
        let log = border::log(log.finish(), &plugin.mask);
        Report { outcome, log, telemetry: Some(done.telemetry), scratch: done.scratch }
    }
}

impl Worker for Host {
    fn resolve(&self, plugin: &PluginId) -> Option<Resolved> {
        let plugin = self.0.registry.current(plugin)?;
        let installed = &plugin.installed;
        Some(Resolved { digest: installed.digest.clone(), effects: installed.effects })
    }

    fn effects(&self, digest: &Digest) -> Option<Effects> {
        self.0.effects(digest)
    }

    fn scratch(&self) -> Scratch {
        Scratch::clone(&self.0.scratch)
    }

    fn run(&self, call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        let host = self.clone();
        Box::pin(async move { host.carry_out(call).await })
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

fn missing(digest: &Digest) -> Failure {
    let message = format!(
        "no plugin `{}` is installed; put its file back into the plugins folder, then retry the \
         task",
        digest.short()
    );
    Failure::new(FailureClass::Operator, FailureCode::PluginMissing, message)
}
