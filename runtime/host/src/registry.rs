//! The plugins: by digest to call them, by id to choose the version that new plans use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use engine::causes::chain;
use engine::worker::Effects;
use model::{Digest, PluginId};
use serde::{Deserialize, Serialize};

use crate::candidate::{Candidate, Chooser, Trial};
use crate::error::{InstallError, Refused};
use crate::install::{Installed, Plugin};
use crate::limits::Limits;
use crate::manifest::{Manifest, Requests, precedence};
use crate::plain::shown;
use crate::provenance::Provenance;
use crate::used::UsedCapabilities;

pub use self::granted::Granted;
pub(crate) use self::trials::InShadow;

mod granted;
mod trials;

/// One line of the list of plugins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The id; `None` if it cannot be read.
    pub id: Option<String>,
    /// The version; `None` if it cannot be read.
    pub version: Option<String>,
    /// The world; `None` if it cannot be read.
    pub world: Option<String>,
    /// Its summary, in a line.
    pub summary: Option<String>,
    /// The digest of the bytes; `None` if they were not read.
    pub digest: Option<String>,
    /// The file it came from; `None` if it came without one.
    pub file: Option<PathBuf>,
    /// Whether it can be called.
    pub state: State,
    /// Whether new plans use it.
    pub is_current: bool,
    /// Its requests.
    pub requests: Requests,
    /// Its grants.
    pub grants: Granted,
    /// The use of its grants since it was loaded; `None` if it is not loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<UsedCapabilities>,
    /// The limits that hold for it.
    pub limits: Option<Limits>,
    /// Which new orders use it, while it is on trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// Where its bytes came from; `None` if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// Why the next start or install would refuse it: the keys that vouched for it are trusted no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted: Option<String>,
    /// The open work that began with it; `None` if that was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// The open work that began with a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Open fulfilments whose plan names it.
    pub open_fulfilments: u64,
    /// Their tasks of the plugin that are not over.
    pub open_tasks: u64,
}

/// Whether a plugin can be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum State {
    /// It can be called.
    Ready,
    /// No file has it any more: it is kept for open work and for a rollback.
    Kept,
    /// Its bytes are not kept any more.
    Gone,
    /// It was rejected.
    Rejected {
        /// Why, and the remedy.
        reason: String,
    },
}

/// The result of loading one file of a folder.
#[derive(Debug)]
pub struct Loaded {
    /// The file.
    pub file: PathBuf,
    /// The plugin, or why it was rejected.
    pub result: Result<Installed, InstallError>,
}

/// The installed plugins, and the rejected files.
#[derive(Default)]
pub(crate) struct Registry(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    plugins: BTreeMap<Digest, Registered>,
    rejected: BTreeMap<PathBuf, Entry>,
    /// The versions that new plans use.
    current: BTreeMap<PluginId, Arc<Plugin>>,
    /// The versions that some new plans use instead.
    candidates: BTreeMap<PluginId, Candidate>,
    installs: u64,
    /// The effects of plugins that were installed once and are not compiled yet.
    effects: BTreeMap<Digest, Effects>,
}

/// Another version that new plans use.
pub(crate) struct Change {
    pub(crate) from: Option<Arc<Plugin>>,
    pub(crate) to: Option<Arc<Plugin>>,
    /// The file that the new one came from.
    pub(crate) file: Option<PathBuf>,
}

struct Registered {
    plugin: Arc<Plugin>,
    file: Option<PathBuf>,
    /// When it was last installed; `None` if it is kept for plans that began with it.
    offered: Option<u64>,
}

impl Registry {
    /// The plugin with these bytes.
    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Plugin>> {
        self.read().plugins.get(digest).map(|registered| Arc::clone(&registered.plugin))
    }

    /// The version of a plugin that new plans use.
    pub(crate) fn current(&self, id: &PluginId) -> Option<Arc<Plugin>> {
        self.read().current.get(id).cloned()
    }

    /// The version of a plugin that the plan of an order uses.
    pub(crate) fn chosen(&self, id: &PluginId, chooser: Chooser<'_>) -> Option<Arc<Plugin>> {
        let inner = self.read();
        let current = inner.current.get(id)?;
        let candidate = inner.candidates.get(id).filter(|one| one.trial.takes(id, chooser));
        // One whose grants no longer do is not loaded.
        let candidate = candidate.and_then(|one| inner.plugins.get(&one.digest));
        Some(Arc::clone(candidate.map_or(current, |registered| &registered.plugin)))
    }

    /// Adds a plugin that new plans may use.
    pub(crate) fn offer(&self, plugin: Arc<Plugin>, file: Option<&Path>) -> Vec<Change> {
        let mut inner = self.write();
        inner.installs += 1;
        let offered = Some(inner.installs);
        let digest = plugin.installed.digest.clone();
        if let Some(file) = file {
            inner.rejected.remove(file);
        }
        let file = file.map(Path::to_owned);
        // A file has one version: the one that it had before goes.
        for registered in inner.plugins.values_mut() {
            if file.is_some() && registered.file == file {
                registered.file = None;
                registered.offered = None;
            }
        }
        inner.plugins.insert(digest, Registered { plugin, file, offered });
        inner.choose()
    }

    /// Adds a plugin for plans that began with it, unless it is there; returns the one that is there.
    pub(crate) fn keep(&self, plugin: Arc<Plugin>) -> Arc<Plugin> {
        let digest = plugin.installed.digest.clone();
        let registered = Registered { plugin, file: None, offered: None };
        Arc::clone(&self.write().plugins.entry(digest).or_insert(registered).plugin)
    }

    /// The versions of these plugins that are loaded.
    pub(crate) fn of(&self, ids: &BTreeSet<PluginId>) -> Vec<Digest> {
        let inner = self.read();
        let loaded = inner.plugins.iter();
        let found = loaded.filter(|(_, registered)| ids.contains(&registered.plugin.installed.id));
        found.map(|(digest, _)| digest.clone()).collect()
    }

    /// Replaces a plugin by the same bytes with other grants.
    pub(crate) fn replace(&self, plugin: Arc<Plugin>) {
        let mut inner = self.write();
        if let Some(registered) = inner.plugins.get_mut(&plugin.installed.digest) {
            registered.plugin = plugin;
            inner.choose();
        }
    }

    /// Rejects a plugin that was taken in before, and returns why.
    pub(crate) fn revoke(&self, digest: &Digest, refused: Refused) -> InstallError {
        let mut inner = self.write();
        let file = inner.plugins.remove(digest).and_then(|registered| registered.file);
        inner.choose();
        drop(inner);
        match file {
            Some(file) => self.reject(&file, Some(digest), refused),
            None => refused.error,
        }
    }

    /// Notes a file that was rejected, and returns why.
    pub(crate) fn reject(
        &self,
        file: &Path,
        digest: Option<&Digest>,
        Refused { manifest, error }: Refused,
    ) -> InstallError {
        let entry = Entry::rejected(file, digest, manifest, &error);
        self.write().rejected.insert(file.into(), entry);
        error
    }

    /// Forgets what came from files of this folder that are gone or hold something else now:
    /// new plans no longer use it, plans that began with it still can. A file that is there and
    /// was not taken in (`None`) leaves what came from it before as it was.
    pub(crate) fn retire(
        &self,
        folder: &Path,
        present: &BTreeMap<PathBuf, Option<Digest>>,
    ) -> Vec<Change> {
        let mut inner = self.write();
        for (digest, registered) in &mut inner.plugins {
            let Some(file) = &registered.file else { continue };
            let is_same = match present.get(file) {
                Some(Some(now)) => now == digest,
                Some(None) => true,
                None => false,
            };
            if file.parent() == Some(folder) && !is_same {
                registered.file = None;
                registered.offered = None;
            }
        }
        inner
            .rejected
            .retain(|file, _| file.parent() != Some(folder) || present.get(file) == Some(&None));
        inner.choose()
    }

    /// Forgets what came from a file that is gone.
    pub(crate) fn retire_file(&self, file: &Path) -> Vec<Change> {
        let mut inner = self.write();
        for registered in inner.plugins.values_mut() {
            if registered.file.as_deref() == Some(file) {
                registered.file = None;
                registered.offered = None;
            }
        }
        inner.choose()
    }

    /// The file of the version that new plans use.
    pub(crate) fn current_file(&self, id: &PluginId) -> Option<PathBuf> {
        let inner = self.read();
        let digest = &inner.current.get(id)?.installed.digest;
        inner.plugins.get(digest)?.file.clone()
    }

    /// The plugin of a file, if its bytes are still the same.
    pub(crate) fn is_loaded(&self, file: &Path, digest: &Digest) -> Option<Arc<Plugin>> {
        let inner = self.read();
        let registered = inner.plugins.get(digest)?;
        (registered.file.as_deref() == Some(file)).then(|| Arc::clone(&registered.plugin))
    }

    /// The versions that new plans use or may use again.
    pub(crate) fn offered(&self) -> BTreeSet<Digest> {
        let inner = self.read();
        let offered = inner.plugins.iter().filter(|(_, registered)| registered.offered.is_some());
        let on_trial = inner.candidates.values().map(|candidate| &candidate.digest);
        offered.map(|(digest, _)| digest).chain(on_trial).cloned().collect()
    }

    /// Forgets a version that nothing needs any more.
    pub(crate) fn forget(&self, digest: &Digest) {
        let mut inner = self.write();
        inner.effects.remove(digest);
        if inner.plugins.get(digest).is_some_and(|registered| registered.offered.is_none()) {
            inner.plugins.remove(digest);
        }
    }

    /// Whether a plugin can have an effect beyond its answers, if that is known.
    pub(crate) fn effects(&self, digest: &Digest) -> Option<Effects> {
        let inner = self.read();
        let ready = inner.plugins.get(digest).map(|registered| registered.plugin.installed.effects);
        ready.or_else(|| inner.effects.get(digest).copied())
    }

    /// Notes the effects of a plugin that was installed once.
    pub(crate) fn note_effects(&self, digest: Digest, effects: Effects) {
        self.write().effects.insert(digest, effects);
    }

    /// Every plugin, by id and version, and every file that was not taken in.
    pub(crate) fn list(&self) -> Vec<Entry> {
        let inner = self.read();
        let ready = inner.plugins.values().map(|registered| {
            let mut entry = describe(&registered.plugin);
            entry.file = registered.file.as_deref().map(|file| shown(file).into());
            let installed = &registered.plugin.installed;
            let current = inner.current.get(&installed.id);
            entry.is_current =
                current.is_some_and(|current| current.installed.digest == installed.digest);
            let candidate = inner.candidates.get(&installed.id);
            let candidate = candidate.filter(|one| one.digest == installed.digest);
            entry.trial = candidate.map(|one| one.trial.clone());
            entry
        });
        let mut entries: Vec<_> = ready.chain(inner.rejected.values().cloned()).collect();
        entries.sort_by_cached_key(|entry| {
            (entry.id.clone(), entry.version.as_deref().and_then(precedence), entry.digest.clone())
        });
        entries
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        // Every change leaves the maps consistent, so a poisoned lock is still good.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// New plans use the highest version on offer, and of equal ones what was installed last.
    fn choose(&mut self) -> Vec<Change> {
        let mut best: BTreeMap<&PluginId, (_, &Arc<Plugin>)> = BTreeMap::new();
        for registered in self.plugins.values() {
            let Some(offered) = registered.offered else { continue };
            let installed = &registered.plugin.installed;
            let rank = (precedence(&installed.version), offered);
            if best.get(&installed.id).is_none_or(|(before, _)| rank > *before) {
                best.insert(&installed.id, (rank, &registered.plugin));
            }
        }
        let chosen: BTreeMap<_, _> =
            best.into_iter().map(|(id, (_, plugin))| (id.clone(), Arc::clone(plugin))).collect();
        let before = std::mem::replace(&mut self.current, chosen);
        let mut changes = Vec::new();
        for id in before.keys().chain(self.current.keys()).collect::<BTreeSet<_>>() {
            let (from, to) = (before.get(id), self.current.get(id));
            if digest(from) != digest(to) {
                let registered = digest(to).and_then(|digest| self.plugins.get(digest));
                let file = registered.and_then(|registered| registered.file.clone());
                changes.push(Change { from: from.cloned(), to: to.cloned(), file });
            }
        }
        changes
    }
}

fn digest(plugin: Option<&Arc<Plugin>>) -> Option<&Digest> {
    plugin.map(|plugin| &plugin.installed.digest)
}

fn describe(plugin: &Plugin) -> Entry {
    let mut entry = Entry::of(plugin.manifest.clone());
    entry.digest = Some(plugin.installed.digest.to_string());
    entry.grants = Granted::from(&*plugin.grants);
    entry.used = Some(plugin.ledger.shown());
    entry.limits = Some(plugin.limits);
    entry
}

impl Entry {
    /// The entry of a plugin that is ready, by its manifest.
    fn of(manifest: Manifest) -> Self {
        Self {
            id: Some(manifest.id),
            version: Some(manifest.version),
            world: Some(manifest.world.to_string()),
            summary: Some(manifest.summary),
            requests: manifest.requests,
            ..Self::empty()
        }
    }

    /// The entry of a version that is not loaded.
    pub(crate) fn unloaded(
        id: &PluginId,
        digest: &Digest,
        provenance: Option<Provenance>,
        state: State,
    ) -> Self {
        Self {
            id: Some(id.to_string()),
            version: provenance.as_ref().map(|provenance| provenance.version.clone()),
            digest: Some(digest.to_string()),
            state,
            provenance,
            ..Self::empty()
        }
    }

    /// The entry of a rejected file.
    fn rejected(
        file: &Path,
        digest: Option<&Digest>,
        manifest: Option<Box<Manifest>>,
        error: &InstallError,
    ) -> Self {
        let known = manifest.map_or_else(Self::empty, |manifest| Self::of(*manifest));
        let state = State::Rejected { reason: chain(error) };
        let digest = digest.map(ToString::to_string);
        Self { digest, file: Some(shown(file).into()), state, ..known }
    }

    fn empty() -> Self {
        Self {
            id: None,
            version: None,
            world: None,
            summary: None,
            digest: None,
            file: None,
            state: State::Ready,
            is_current: false,
            requests: Requests::default(),
            grants: Granted::default(),
            used: None,
            limits: None,
            trial: None,
            provenance: None,
            untrusted: None,
            usage: None,
        }
    }
}
