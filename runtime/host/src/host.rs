//! Runs plugins for the engine.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use engine::pools::Pools;
use engine::store::Store;
use engine::worker::{Call, Manner, Nature, Report, Resolved, Worker};
use model::reconcile::Reading;
use model::{Digest, Failure, FailureClass, Outcome, PluginId};
use serde_json::Map;
use tokio::sync::Semaphore;

use crate::artefact::Cache;
use crate::border;
use crate::capability::http::Client;
use crate::capability::log::Log;
use crate::component::Component;
use crate::grants::Grants;
use crate::install::{InstallError, Installed, Plugin, Refused};
use crate::invoke::{self, Decomposition, Production};
use crate::limits::CEILING;
use crate::machine::Machine;
use crate::registry::{Entry, Loaded, Registry};
use crate::role::Role;

/// How large a plugin may be, unless the options say otherwise.
const PLUGIN_BYTES_MAX: usize = 64 << 20;

/// How many instances there may be at one time, unless the options say otherwise.
const INSTANCES: u32 = 256;

/// What a host needs to run plugins.
pub struct Options {
    /// What each plugin was granted.
    pub grants: BTreeMap<PluginId, Grants>,
    /// The pools that plugins reserve from.
    pub pools: Pools,
    /// Where inventory documents are read.
    pub store: Arc<dyn Store>,
    /// Where plugins and what was compiled of them are kept; made where there is none.
    pub cache: PathBuf,
    /// Where elements reach this server, such as `http://127.0.0.1:8080`.
    pub base_url: String,
    /// How many instances there may be at one time.
    pub instances: u32,
    /// How large a plugin may be.
    pub plugin_bytes_max: usize,
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
}

/// Runs plugins; cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Shared>);

/// What all clones of a host share.
pub(crate) struct Shared {
    pub(crate) machine: Machine,
    pub(crate) pools: Pools,
    pub(crate) store: Arc<dyn Store>,
    /// One permit for each instance that the pool has room for.
    pub(crate) instances: Semaphore,
    registry: Registry,
    cache: Cache,
    grants: BTreeMap<PluginId, (Arc<Grants>, Client)>,
    nothing: (Arc<Grants>, Client),
    callbacks: String,
    plugin_bytes_max: usize,
}

impl Options {
    /// Options that grant nothing, for this store, these pools and this cache folder.
    pub fn new(store: Arc<dyn Store>, pools: Pools, cache: impl Into<PathBuf>) -> Self {
        Self {
            grants: BTreeMap::new(),
            pools,
            store,
            cache: cache.into(),
            base_url: "http://127.0.0.1:8080".into(),
            instances: INSTANCES,
            plugin_bytes_max: PLUGIN_BYTES_MAX,
        }
    }
}

impl Host {
    /// Starts a host without plugins.
    pub fn new(options: Options) -> Result<Self, HostError> {
        let cache = Cache::open(&options.cache)
            .map_err(|source| HostError::Cache { path: options.cache.clone(), source })?;
        let memory_max = |grants: &Grants| grants.limits.memory_mib.unwrap_or(0);
        let memory_mib = options.grants.values().map(memory_max).fold(CEILING.memory_mib, u32::max);
        let machine = Machine::new(options.instances, (memory_mib as usize) << 20)
            .map_err(|error| HostError::Engine(error.into_boxed_dyn_error()))?;
        let with_client = |grants: Grants| {
            let client = Client::new(&grants.http);
            (Arc::new(grants), client)
        };
        let grants = options.grants.into_iter();
        Ok(Self(Arc::new(Shared {
            machine,
            pools: options.pools,
            store: options.store,
            instances: Semaphore::new(options.instances as usize),
            registry: Registry::default(),
            cache,
            grants: grants.map(|(id, grants)| (id, with_client(grants))).collect(),
            nothing: with_client(Grants::default()),
            callbacks: callbacks(&options.base_url),
            plugin_bytes_max: options.plugin_bytes_max,
        })))
    }

    /// Takes a plugin in; new plans use it, unless a higher version is there.
    pub async fn install(&self, bytes: Vec<u8>) -> Result<Installed, InstallError> {
        let plugin = self.build(bytes).await.map_err(|refused| refused.error)?;
        let installed = plugin.installed.clone();
        self.0.registry.offer(plugin, None);
        Ok(installed)
    }

    /// Takes in every `*.wasm` of a folder that is new there. What came from a file that is gone
    /// is no longer used by new plans. A file that is not taken in changes nothing else.
    pub async fn load_dir(&self, folder: impl AsRef<Path>) -> io::Result<Vec<Loaded>> {
        let folder = folder.as_ref().to_owned();
        let (scanned, bytes_max) = (folder.clone(), self.0.plugin_bytes_max);
        let files =
            blocking(move || scan(&scanned, bytes_max)).await.unwrap_or_else(|| Ok(Vec::new()))?;
        let mut loaded = Vec::new();
        let mut present = BTreeMap::new();
        for (file, bytes) in files {
            let digest = Digest::of(&bytes);
            let result = match self.0.registry.is_loaded(&file, &digest) {
                Some(plugin) => Ok(plugin.installed.clone()),
                None => self.load(&file, &digest, bytes).await,
            };
            present.insert(file.clone(), result.is_ok().then_some(digest));
            loaded.push(Loaded { file, result });
        }
        self.0.registry.retire(&folder, &present);
        Ok(loaded)
    }

    /// Makes a plugin callable that was installed once, for plans that began with it.
    pub async fn restore(&self, digest: &Digest) -> Result<Installed, InstallError> {
        if let Some(plugin) = self.0.registry.get(digest) {
            return Ok(plugin.installed.clone());
        }
        let (shared, wanted) = (Arc::clone(&self.0), digest.clone());
        let kept = blocking(move || shared.cache.kept(&wanted)).await;
        let bytes = kept
            .ok_or(InstallError::Closing)?
            .map_err(InstallError::Cache)?
            .ok_or_else(|| InstallError::NotKept { digest: digest.clone() })?;
        let plugin = self.build(bytes).await.map_err(|refused| refused.error)?;
        let installed = plugin.installed.clone();
        self.0.registry.keep(plugin);
        Ok(installed)
    }

    /// Every plugin, and every file that was not taken in.
    pub fn list(&self) -> Vec<Entry> {
        self.0.registry.list()
    }

    /// What an item becomes, as the decomposer with these bytes says, and what it logged.
    pub async fn decompose(
        &self,
        digest: &Digest,
        item: &Decomposition,
    ) -> (Result<Vec<Production>, Failure>, Vec<String>) {
        let Some(plugin) = self.plugin(digest).await else {
            return (Err(missing(digest)), Vec::new());
        };
        let log = Log::default();
        let mask = &plugin.mask;
        let productions = invoke::decompose(&self.0, &plugin, item, &log)
            .await
            .map_err(|failure| border::failure(failure, mask))
            .and_then(|productions| border::productions(productions, mask));
        (productions, border::log(log.finish(), mask))
    }

    /// The role of the plugin with these bytes; nothing where it is not to be had.
    pub async fn role(&self, digest: &Digest) -> Option<Role> {
        self.plugin(digest).await.map(|plugin| plugin.installed.role)
    }

    /// Reads back what stands of the work that a call did, by the activator with these bytes. It
    /// has no effect: the plugin may send no request that changes what it is about.
    pub async fn probe(&self, digest: &Digest, call: &Call) -> Result<Reading, Failure> {
        let plugin = self.plugin(digest).await.ok_or_else(|| missing(digest))?;
        invoke::probe(&self.0, &plugin, call, &Log::default())
            .await
            .map_err(|failure| border::failure(failure, &plugin.mask))
            .and_then(|reading| border::reading(reading, &plugin.mask))
    }

    async fn load(
        &self,
        file: &Path,
        digest: &Digest,
        bytes: Vec<u8>,
    ) -> Result<Installed, InstallError> {
        let registry = &self.0.registry;
        match self.build(bytes).await {
            Ok(plugin) => {
                let installed = plugin.installed.clone();
                registry.offer(plugin, Some(file));
                Ok(installed)
            }
            Err(refused) => {
                registry.reject(file, Entry::rejected(file, digest, &refused));
                Err(refused.error)
            }
        }
    }

    /// Reads, compiles and links a plugin on a thread that may block.
    async fn build(&self, bytes: Vec<u8>) -> Result<Arc<Plugin>, Refused> {
        let shared = Arc::clone(&self.0);
        let built = blocking(move || {
            let component = Component::read(bytes, shared.plugin_bytes_max)?;
            if let Some(plugin) = shared.registry.get(&component.digest) {
                return Ok(plugin);
            }
            shared.build(&component).map(Arc::new).map_err(|error| {
                let manifest = Some(Box::new(component.manifest));
                Refused { manifest, error }
            })
        });
        built.await.unwrap_or_else(|| Err(InstallError::Closing.into()))
    }

    /// The plugin with these bytes, from the cache where it is not at hand.
    async fn plugin(&self, digest: &Digest) -> Option<Arc<Plugin>> {
        if let Some(plugin) = self.0.registry.get(digest) {
            return Some(plugin);
        }
        if let Err(error) = self.restore(digest).await {
            tracing::warn!(%digest, error = &error as &dyn std::error::Error, "plugin missing");
        }
        self.0.registry.get(digest)
    }

    async fn carry_out(&self, call: Call) -> Report {
        let Some(plugin) = self.plugin(&call.digest).await else {
            return Report { outcome: Outcome::Failed(missing(&call.digest)), log: Vec::new() };
        };
        // What a task reserved is given back by the engine; only activators have more to undo.
        let is_undo = matches!(call.manner, Manner::Undo { .. } | Manner::Restore);
        if is_undo && plugin.installed.role != Role::Activator {
            return Report { outcome: Outcome::Done(Map::new()), log: Vec::new() };
        }
        let log = Log::default();
        let outcome = invoke::carry_out(&self.0, &plugin, &call, &log).await;
        let outcome = border::outcome(outcome, &plugin.mask);
        Report { outcome, log: border::log(log.finish(), &plugin.mask) }
    }
}

impl Worker for Host {
    fn resolve(&self, plugin: &PluginId) -> Option<Resolved> {
        let plugin = self.0.registry.current(plugin)?;
        let installed = &plugin.installed;
        Some(Resolved { digest: installed.digest.clone(), nature: installed.nature })
    }

    fn nature(&self, digest: &Digest) -> Option<Nature> {
        self.0.registry.get(digest).map(|plugin| plugin.installed.nature)
    }

    fn run(&self, call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        let host = self.clone();
        Box::pin(async move { host.carry_out(call).await })
    }
}

impl Shared {
    /// Compiles and links a plugin, and keeps its bytes.
    fn build(&self, component: &Component) -> Result<Plugin, InstallError> {
        let id = PluginId::new(component.manifest.id.as_str());
        let (grants, client) = self.grants.get(&id).unwrap_or(&self.nothing).clone();
        let engine = self.machine.engine();
        let plugin = Plugin::build(engine, &self.cache, component, grants, client)?;
        self.cache.keep(&component.digest, &component.bytes).map_err(InstallError::Cache)?;
        Ok(plugin)
    }

    /// Where an element posts its answer to a call, by the name that the engine gives it.
    pub(crate) fn callback_url(&self, name: &str) -> String {
        let mut url = self.callbacks.clone();
        for byte in name.bytes() {
            // What a path segment may hold as it is (RFC 3986); the rest is escaped.
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => url.push(char::from(byte)),
                b'-' | b'.' | b'_' | b'~' | b':' | b'@' | b'+' => url.push(char::from(byte)),
                _ => {
                    // Writing to a text cannot fail.
                    let _ok = write!(url, "%{byte:02X}");
                }
            }
        }
        url
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

fn callbacks(base_url: &str) -> String {
    format!("{}/orchestration/v1/callbacks/", base_url.trim_end_matches('/'))
}

fn missing(digest: &Digest) -> Failure {
    let message = format!(
        "no plugin `{}` is installed; put its file back into the plugins folder, then retry the \
         task",
        digest.short()
    );
    Failure::new(FailureClass::Person, "PLUGIN_MISSING", message)
}

/// Runs something on a thread that may block; nothing where the runtime is shutting down.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Some(result),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    }
}

/// The plugins of a folder, oldest first: of equal versions the one that was written last counts.
fn scan(folder: &Path, bytes_max: usize) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden =
            path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_hidden || path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let meta = std::fs::metadata(&path)?;
        if meta.is_file() {
            files.push((meta.modified()?, path));
        }
    }
    files.sort();
    files.into_iter().map(|(_, path)| Ok((path.clone(), read(&path, bytes_max)?))).collect()
}

/// Reads a file, and no more than one byte past what a plugin may have.
fn read(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = bytes_max as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
