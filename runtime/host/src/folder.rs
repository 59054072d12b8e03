//! Follows a folder of plugins, and takes in what is dropped there. One bad file is one rejected
//! entry: the others are taken in all the same.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::clock::Clock as _;
use engine::worker::Effects;
use model::{Digest, PluginId};

use crate::artefact::Refusal;
use crate::binding::{self, BindingError};
use crate::compile::Stopped;
use crate::component::Component;
use crate::error::{InstallError, Refused};
use crate::host::Host;
use crate::install::{self, Installed, Plugin};
use crate::mask::Mask;
use crate::plain::plain;
use crate::provenance::{Provenance, Source};
use crate::registry::{Change, Loaded};
use crate::regular;
use crate::shared::{Shared, blocking};
use crate::trust::{Proofs, Proven};
use crate::used::Ledger;

pub use crate::plain::shown;

/// Where a plugin comes from, which decides what it may be.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A file of the folder: it may have an id that is its own.
    File(PathBuf),
    /// The API: it is to become this file of the folder, and is not yet.
    Upload {
        /// The file.
        file: PathBuf,
        /// What was sent along.
        proofs: Proofs,
    },
    /// The program that the host is part of: it may have any id.
    Program,
    /// The cache: it was taken in before.
    Cache,
}

impl Host {
    /// Takes a plugin in; new plans use it, unless a higher version is there. It is the program's
    /// own doing, so it may have any id, and keeps it from files.
    pub async fn install(&self, bytes: Vec<u8>) -> Result<Installed, InstallError> {
        let built = self.build(bytes, Origin::Program).await;
        let plugin = built.map_err(|refused| refused.error)?;
        Ok(self.offer(plugin, None))
    }

    /// Loads every `*.wasm` of a folder that is new there. New plans no longer use a plugin whose
    /// file was deleted. A file that is rejected changes nothing else.
    pub async fn load_dir(&self, folder: impl AsRef<Path>) -> io::Result<Vec<Loaded>> {
        let _turn = self.0.folder_turn.lock().await;
        let folder = folder.as_ref();
        let scanned = folder.to_owned();
        let files = blocking(move || scan(&scanned)).await.unwrap_or_else(|| Ok(Vec::new()))?;
        let mut loaded = Vec::new();
        let mut present = BTreeMap::new();
        for file in files {
            let (digest, result) = self.load(&file).await;
            let shown = shown(&file).into();
            present.insert(file, digest.filter(|_| result.is_ok()));
            loaded.push(Loaded { file: shown, result });
        }
        report(&self.0.registry.retire(folder, &present));
        self.resume_trials().await;
        Ok(loaded)
    }

    /// Makes a plugin callable that was installed once, for plans that began with it.
    pub async fn restore(&self, digest: &Digest) -> Result<Installed, InstallError> {
        Ok(self.restored(digest).await?.installed.clone())
    }

    /// The plugin with these bytes, from the cache if it is not loaded.
    pub(crate) async fn restored(&self, digest: &Digest) -> Result<Arc<Plugin>, InstallError> {
        if let Some(plugin) = self.0.registry.get(digest) {
            return Ok(plugin);
        }
        let bytes = self.kept(digest).await?;
        let built = self.build(bytes, Origin::Cache).await;
        built.map(|plugin| self.0.registry.keep(plugin)).map_err(|refused| refused.error)
    }

    /// The bytes of a plugin that was taken in before.
    pub(crate) async fn kept(&self, digest: &Digest) -> Result<Vec<u8>, InstallError> {
        let (shared, wanted) = (Arc::clone(&self.0), digest.clone());
        let kept = blocking(move || shared.cache.kept(&wanted)).await;
        let bytes = kept.ok_or(InstallError::Closing)?.map_err(InstallError::Cache)?;
        bytes.ok_or_else(|| InstallError::NotKept { digest: digest.clone() })
    }

    /// Has new plans use a plugin, unless a higher version is there.
    fn offer(&self, plugin: Arc<Plugin>, file: Option<&Path>) -> Installed {
        let installed = plugin.installed.clone();
        report(&self.0.registry.offer(plugin, file));
        installed
    }

    /// Takes one file in; answers with the digest of its bytes too, where they could be read.
    pub(crate) async fn load(
        &self,
        file: &Path,
    ) -> (Option<Digest>, Result<Installed, InstallError>) {
        let registry = &self.0.registry;
        let (path, bytes_max) = (file.to_owned(), self.0.plugin_bytes_max);
        let read = blocking(move || read(&path, bytes_max)).await;
        let bytes = match read.unwrap_or(Err(InstallError::Closing)) {
            Ok(bytes) => bytes,
            Err(error) => return (None, Err(registry.reject(file, None, error.into()))),
        };
        let digest = Digest::of(&bytes);
        if let Some(plugin) = registry.is_loaded(file, &digest)
            && !self.has_new_proofs(file, &digest).await
        {
            return (Some(digest), Ok(plugin.installed.clone()));
        }
        let result = match self.build(bytes, Origin::File(file.into())).await {
            Ok(plugin) => Ok(self.offer(plugin, Some(file))),
            Err(refused) => Err(registry.reject(file, Some(&digest), refused)),
        };
        (Some(digest), result)
    }

    /// Reads a plugin, compiles it in a process of its own, links it, and keeps its bytes.
    pub(crate) async fn build(
        &self,
        bytes: Vec<u8>,
        origin: Origin,
    ) -> Result<Arc<Plugin>, Refused> {
        let shared = Arc::clone(&self.0);
        let examined = blocking(move || {
            let component = shared.examine(bytes, &origin)?;
            let known = shared.registry.get(&component.digest);
            Ok::<_, Refused>((component, known, origin))
        });
        let (component, known, origin) =
            examined.await.unwrap_or(Err(InstallError::Closing.into()))?;
        let plugin = match known {
            Some(plugin) => plugin,
            None => self.make(&component).await.map_err(|error| component.refused(error))?,
        };
        let shared = Arc::clone(&self.0);
        let kept = Arc::clone(&component);
        let kept = blocking(move || {
            shared.cache.keep(&kept.digest, &kept.bytes).map_err(InstallError::Cache)?;
            let proofs = &kept.proven.proofs;
            shared.cache.keep_proofs(&kept.digest, proofs).map_err(InstallError::Cache)?;
            shared.bind(&kept, &origin)
        });
        let kept = kept.await.unwrap_or(Err(InstallError::Closing));
        kept.map(|()| plugin).map_err(|error| component.refused(error))
    }

    /// Compiles a component and links it.
    pub(crate) async fn make(
        &self,
        component: &Arc<Component>,
    ) -> Result<Arc<Plugin>, InstallError> {
        let compiled = self.compiled(component).await?;
        let (shared, component) = (Arc::clone(&self.0), Arc::clone(component));
        let linked = blocking(move || {
            let granted = shared.granting.of(&component.id());
            for name in Mask::too_short(&granted.0.config) {
                tracing::warn!(
                    plugin = component.manifest.id,
                    setting = name,
                    "the setting is too short to be masked in answers of the plugin"
                );
            }
            let before = shared.registry.get(&component.digest);
            let before = before.as_ref().map(|plugin| &*plugin.ledger);
            let ledger = Ledger::new(&granted.0, before, &shared.clock);
            let (engine, secrets) = (shared.machine.engine(), &shared.secrets);
            Plugin::link(engine, &compiled, &component, granted, ledger, secrets)
        });
        linked.await.unwrap_or(Err(InstallError::Closing)).map(Arc::new)
    }

    /// What was compiled of a component before, or what is compiled now.
    async fn compiled(
        &self,
        component: &Arc<Component>,
    ) -> Result<wasmtime::component::Component, InstallError> {
        if let Some(compiled) = self.cached(component).await? {
            return Ok(compiled);
        }
        let _turn = self.0.compiler.turn().await.ok_or(InstallError::Closing)?;
        // Another call may have compiled it meanwhile.
        if let Some(compiled) = self.cached(component).await? {
            return Ok(compiled);
        }
        let (engine, digest) = (self.0.machine.engine(), &component.digest);
        let draft = self.0.cache.draft(engine, digest).map_err(InstallError::Cache)?;
        let stopped = match self.0.compiler.run(&component.bytes, draft).await {
            Ok(()) => {
                let (shared, component) = (Arc::clone(&self.0), Arc::clone(component));
                let adopted = blocking(move || {
                    shared.cache.adopt(shared.machine.engine(), &component.digest)
                });
                return adopted.await.ok_or(InstallError::Closing)?.map_err(InstallError::Cache);
            }
            Err(stopped) => stopped,
        };
        self.0.cache.discard(engine, digest);
        Err(self.0.stopped(digest, stopped))
    }

    async fn cached(
        &self,
        component: &Arc<Component>,
    ) -> Result<Option<wasmtime::component::Component>, InstallError> {
        let (shared, component) = (Arc::clone(&self.0), Arc::clone(component));
        let cached = blocking(move || {
            let (engine, digest) = (shared.machine.engine(), &component.digest);
            if let Some(compiled) = shared.cache.compiled(engine, digest) {
                return Ok(Some(compiled));
            }
            match shared.cache.refusal(engine, digest, &shared.compiler.limits) {
                Some((refusal, memory)) => Err(before(refusal, memory)),
                None => Ok(None),
            }
        });
        cached.await.unwrap_or(Err(InstallError::Closing))
    }
}

impl Shared {
    /// Reads a component and checks it.
    pub(crate) fn examine(
        &self,
        bytes: Vec<u8>,
        origin: &Origin,
    ) -> Result<Arc<Component>, Refused> {
        let mut component = Component::read(bytes, self.plugin_bytes_max)?;
        let checked = self.check(&component, origin).and_then(|()| self.proven(&component, origin));
        match checked {
            Ok(proven) => {
                component.proven = proven;
                Ok(Arc::new(component))
            }
            Err(error) => Err(component.refused(error)),
        }
    }

    /// What is proven about a component, by what lies beside its file or was sent along, or else by what is kept
    /// of the same bytes.
    fn proven(&self, component: &Component, origin: &Origin) -> Result<Proven, InstallError> {
        let given = match origin {
            Origin::File(file) => Proofs::beside(file).map_err(InstallError::Unreadable)?,
            Origin::Upload { proofs, .. } => proofs.to_owned(),
            Origin::Program | Origin::Cache => return Ok(Proven::default()),
        };
        let Component { digest, bytes, .. } = component;
        let mut kept = self.cache.proofs(digest);
        if let Origin::Upload { .. } = origin {
            // The client is told that a proof is wrong. A file may have one of another version beside it for a
            // moment.
            kept = kept.without(&given);
        }
        self.trust.now().check(&component.id(), (digest, bytes), given, kept)
    }

    /// Checks what vouches for a version that was taken in before, by the keys of now.
    pub(crate) fn check_kept(&self, id: &PluginId, digest: &Digest) -> Result<(), InstallError> {
        let trust = self.trust.now();
        if trust.is_off() {
            return Ok(());
        }
        let bytes = self.cache.kept(digest).map_err(InstallError::Cache)?;
        let bytes = bytes.ok_or_else(|| InstallError::NotKept { digest: digest.clone() })?;
        let kept = self.cache.proofs(digest);
        trust.check(id, (digest, &bytes), Proofs::default(), kept).map(drop)
    }

    /// Checks what a component imports, and whose its id is, before it costs anything.
    fn check(&self, component: &Component, origin: &Origin) -> Result<(), InstallError> {
        let (grants, _client) = self.granting.of(&component.id());
        install::check(component, &grants)?;
        let (Origin::File(file) | Origin::Upload { file, .. }) = origin else { return Ok(()) };
        let named = grants.file.as_deref();
        self.bindings
            .check(&component.id(), &binding::name(file), &component.digest, named)
            .map_err(|error| bound(component.id(), file, error))
    }

    fn bind(&self, component: &Component, origin: &Origin) -> Result<(), InstallError> {
        let id = component.id();
        let (grants, _client) = self.granting.of(&id);
        let Proven { signed, certified, .. } = component.proven.to_owned();
        let provenance = |source| {
            let now = self.clock.now();
            let new = Provenance::new(&component.manifest.version, source, now);
            Provenance { signed, certified, ..new }
        };
        let (file, path, provenance) = match origin {
            Origin::File(file) => {
                (Some(binding::name(file)), file.as_path(), provenance(Source::File))
            }
            Origin::Program => (None, Path::new(""), provenance(Source::Program)),
            Origin::Upload { file, .. } => {
                let noted = self.bindings.note(&id, &component.digest, provenance(Source::Upload));
                return noted.map_err(|error| bound(id, file, error));
            }
            Origin::Cache => return Ok(()),
        };
        self.bindings
            .bind(&id, file.as_deref(), (&component.digest, provenance), grants.file.as_deref())
            .map_err(|error| bound(id, path, error))
    }

    /// The error for a failed compilation. It is remembered if it would fail again in the same way.
    fn stopped(&self, digest: &Digest, stopped: Stopped) -> InstallError {
        let limits = &self.compiler.limits;
        let (limit, reason) = match stopped {
            Stopped::Limit(setting) => {
                let max = limits.of(setting);
                let reason = format!("it takes more than {max} {}", setting.noun());
                (Some((setting, max)), reason)
            }
            Stopped::Refused(reason) => (None, reason),
            Stopped::Interrupted(how) => return InstallError::Interrupted { how },
            Stopped::Io(error) => return InstallError::Compiler(error),
        };
        let refusal = Refusal { limit, reason };
        let memory = self.cache.refuse(self.machine.engine(), digest, &refusal);
        before(refusal, memory)
    }

    /// Whether a plugin that was taken in once can have an effect beyond its answers. It is known
    /// without compiling it.
    pub(crate) fn effects(&self, digest: &Digest) -> Option<Effects> {
        if let Some(effects) = self.registry.effects(digest) {
            return Some(effects);
        }
        let kept = self.cache.kept(digest).inspect_err(|error| {
            tracing::warn!(%digest, %error, "a kept plugin cannot be read");
        });
        let component = Component::read(kept.ok()??, self.plugin_bytes_max).ok()?;
        let effects = install::effects(&component);
        self.registry.note_effects(component.digest, effects);
        Some(effects)
    }
}

fn before(refusal: Refusal, memory: PathBuf) -> InstallError {
    match refusal.limit {
        Some((setting, max)) => InstallError::CompileLimit { setting, max, memory },
        None => InstallError::Compile { reason: refusal.reason, memory },
    }
}

fn bound(id: PluginId, file: &Path, error: BindingError) -> InstallError {
    match error {
        BindingError::Other(owner) => {
            let file = shown(Path::new(&binding::name(file)));
            InstallError::OtherFile { id, owner: plain(&owner), file }
        }
        BindingError::Io { path, source } => InstallError::Binding { path, source },
    }
}

/// Logs which version new plans use from now on.
pub(crate) fn report(changes: &[Change]) {
    for Change { from, to, file } in changes {
        let from = from.as_ref().map(|from| &from.installed);
        let Some(Installed { id, version, digest, .. }) = to.as_ref().map(|to| &to.installed)
        else {
            if let Some(Installed { id, digest, .. }) = from {
                let was = digest.as_str();
                tracing::warn!(plugin = %id, was, "new plans no longer have the plugin");
            }
            continue;
        };
        let file = file.as_deref().map(shown);
        let Some(from) = from else {
            tracing::info!(plugin = %id, version, %digest, file, "new plans use the plugin");
            continue;
        };
        let (was_version, was) = (&from.version, &from.digest);
        tracing::warn!(
            plugin = %id, was_version, %was, version, %digest, file,
            "new plans use other bytes"
        );
    }
}

/// The plugin files of a folder, oldest first: of equal versions the one that was written last
/// counts. An entry that cannot be inspected is listed too; reading it fails later.
fn scan(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if is_plugin(&path) {
            let modified = fs::metadata(&path).and_then(|meta| meta.modified()).ok();
            files.push((modified, path));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// Whether a file is one that a folder is looked through for: `*.wasm`, and not hidden.
pub fn is_plugin(path: &Path) -> bool {
    let is_hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !is_hidden && path.extension().is_some_and(|extension| extension == "wasm")
}

/// Reads a file, and no more than one byte past what a plugin may have. A pipe or device is not
/// waited for.
fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, InstallError> {
    regular::read(path, bytes_max).map_err(|error| match regular::is_refused(&error) {
        true => InstallError::NotAFile,
        false => InstallError::Unreadable(error),
    })
}

#[cfg(test)]
mod tests;
