//! Changes which version of a plugin its folder has, for those who ask over the API: installs, rolls
//! back and removes. The folder stays the truth: what is changed here is there after a crash or a
//! restart, whole or not at all.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::worker::Worker as _;
use model::{Digest, PluginId};
use tokio::sync::MutexGuard;

use crate::binding::{Binding, BindingError};
use crate::component::Component;
use crate::error::InstallError;
use crate::folder::{Origin, report};
use crate::host::Host;
use crate::registry::{Entry, State, Usage};
use crate::regular;
use crate::shared::blocking;
use crate::trust::Proofs;

/// The kind of the file with the version before, from which `ferrule plugin rollback` takes it without a
/// server. A server does not look at it.
pub const BEFORE: &str = "wasm.before";

/// The fewest characters of a digest that name a version.
const DIGEST_CHARACTERS_MIN: usize = 8;

/// The open work that began with each version.
pub type Used = BTreeMap<(PluginId, Digest), Usage>;

/// Why the versions of a plugin are not changed.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// The bytes are refused.
    #[error("the plugin is not installed")]
    Refused(#[source] InstallError),
    /// The bytes are another plugin.
    #[error("the component is the plugin `{found}`: send it under that id, or mend its manifest")]
    OtherId {
        /// The id in its manifest.
        found: PluginId,
    },
    /// The folder has no such plugin.
    #[error("there is no such plugin")]
    Unknown,
    /// There is no version to go back to.
    #[error("there is no version before, or its bytes are not kept any more")]
    NoneBefore,
    /// The digest names no version, or several.
    #[error(
        "no one version has this digest: give at least {DIGEST_CHARACTERS_MIN} characters of one that \
         `GET` of the plugin lists as kept"
    )]
    NoSuchVersion,
    /// No version is on trial.
    #[error("no version of the plugin is on trial")]
    NoTrial,
    /// All new orders use it already.
    #[error("all new orders use this version already: there is nothing to try out")]
    IsCurrent,
    /// The program brought it along, so there is no file to remove.
    #[error("the plugin came without a file: it cannot be removed")]
    NoFile,
    /// The folder cannot be written.
    #[error("`{}` cannot be written: see who may write there and whether the disk is full", .path.display())]
    Folder {
        /// The file.
        path: PathBuf,
        /// The error.
        #[source]
        source: io::Error,
    },
}

impl From<InstallError> for VersionError {
    fn from(error: InstallError) -> Self {
        Self::Refused(error)
    }
}

/// The turn of one who changes the folder: nothing else changes it meanwhile.
pub struct Turn<'a> {
    host: &'a Host,
    folder: &'a Path,
    _turn: MutexGuard<'a, ()>,
}

impl Host {
    /// Waits until nothing else changes the folder.
    pub async fn turn<'a>(&'a self, folder: &'a Path) -> Turn<'a> {
        let turn = self.0.folder_turn.lock().await;
        Turn { host: self, folder, _turn: turn }
    }

    /// Max bytes of a plugin.
    pub fn plugin_bytes_max(&self) -> usize {
        self.0.plugin_bytes_max
    }

    /// The digest of the version that new plans use.
    pub fn current(&self, id: &PluginId) -> Option<Digest> {
        self.resolve(id).map(|resolved| resolved.digest)
    }

    /// The versions of all plugins that are loaded or open work began with, with that work.
    pub async fn entries(&self, used: Used) -> Result<Vec<Entry>, InstallError> {
        let host = Self(Arc::clone(&self.0));
        let listed = blocking(move || host.listed(used, BTreeMap::new()));
        listed.await.unwrap_or(Err(InstallError::Closing))
    }

    /// All versions that have had an id, the one that new plans used last first.
    pub async fn versions(&self, id: PluginId, mut used: Used) -> Result<Vec<Entry>, InstallError> {
        let host = Self(Arc::clone(&self.0));
        let listed = blocking(move || {
            let mut binding = host.binding(&id)?;
            let history = std::mem::take(&mut binding.digests);
            let on_trial = binding.candidate.as_ref().map(|candidate| &candidate.digest);
            for digest in history.iter().chain(on_trial) {
                let key = (PluginId::new(id.as_str()), Digest::new(digest.as_str()));
                used.entry(key).or_default();
            }
            let read = BTreeMap::from([(PluginId::new(id.as_str()), binding)]);
            let mut entries = host.listed(used, read)?;
            entries.retain(|entry| entry.id.as_deref() == Some(id.as_str()));
            entries.sort_by_cached_key(|entry| {
                let is_it = |digest: &Digest| entry.digest.as_deref() == Some(digest.as_str());
                Reverse(history.iter().rposition(is_it))
            });
            Ok(entries)
        });
        listed.await.unwrap_or(Err(InstallError::Closing))
    }

    /// Lists versions. The bindings that were read already are not read again.
    fn listed(
        &self,
        mut used: Used,
        mut read: BTreeMap<PluginId, Binding>,
    ) -> Result<Vec<Entry>, InstallError> {
        let mut came = |id: &PluginId, digest: &Digest| {
            if !read.contains_key(id) {
                read.insert(PluginId::new(id.as_str()), self.binding(id)?);
            }
            let binding = read.get(id);
            Ok::<_, InstallError>(binding.and_then(|one| one.provenance.get(digest).cloned()))
        };
        let mut entries = self.list();
        for entry in &mut entries {
            let (Some(id), Some(digest)) = (&entry.id, &entry.digest) else { continue };
            let (id, digest) = (PluginId::new(id.as_str()), Digest::new(digest.as_str()));
            entry.provenance = came(&id, &digest)?;
            entry.usage = Some(used.remove(&(id, digest)).unwrap_or_default());
            self.judge(entry);
        }
        for ((id, digest), usage) in used {
            let provenance = came(&id, &digest)?;
            let state = if self.0.cache.has(&digest) { State::Kept } else { State::Gone };
            let mut entry = Entry::unloaded(&id, &digest, provenance, state);
            self.judge(&mut entry);
            entries.push(Entry { usage: Some(usage), ..entry });
        }
        Ok(entries)
    }

    pub(crate) fn binding(&self, id: &PluginId) -> Result<Binding, InstallError> {
        let read = self.0.bindings.read(id);
        read.map(Option::unwrap_or_default).map_err(unreadable)
    }
}

impl Turn<'_> {
    pub(crate) fn host(&self) -> &Host {
        self.host
    }

    /// The digest of the version that new plans use.
    pub fn current(&self, id: &PluginId) -> Option<Digest> {
        self.host.current(id)
    }

    /// Has new plans use these bytes, if they are a plugin with this id that the folder would take in.
    /// When this returns, that is on disk. If there is an error nothing has changed.
    pub async fn install(
        &self,
        id: &PluginId,
        bytes: Vec<u8>,
        proofs: Proofs,
    ) -> Result<Digest, VersionError> {
        let (host, registry) = (self.host, &self.host.0.registry);
        let component = Component::read(bytes, host.0.plugin_bytes_max);
        let component = component.map_err(|refused| refused.error)?;
        let Component { digest, bytes, manifest, .. } = component;
        if manifest.id != id.as_str() {
            return Err(VersionError::OtherId { found: PluginId::new(manifest.id) });
        }
        let is_there = || registry.current_file(id).is_none_or(|file| file.is_file());
        // Proofs that come later are looked at too.
        if self.current(id).as_ref() == Some(&digest) && is_there() && proofs.are_none() {
            return Ok(digest);
        }
        let file = self.file(id, &manifest.version)?;
        let origin = Origin::Upload { file: file.as_path().into(), proofs };
        host.build(bytes, origin).await.map_err(|refused| refused.error)?;
        let (bytes, proofs) = (host.kept(&digest).await?, host.0.cache.proofs(&digest));
        let bytes_max = host.0.plugin_bytes_max;
        let written = blocking(move || {
            let written = prove(&file, &proofs).and_then(|()| replace(&file, &bytes, bytes_max));
            (file, written)
        });
        match written.await.ok_or(InstallError::Closing)? {
            (file, Ok(())) => host.load(&file).await.1?,
            (path, Err(source)) => return Err(VersionError::Folder { path, source }),
        };
        if host.binding(id)?.candidate.is_some_and(|candidate| candidate.digest == digest) {
            self.set_candidate(id, None).await?;
        }
        Ok(digest)
    }

    /// Has all new plans use a version that they used before: the one before that of now, or the one that
    /// a digest, or its beginning, names. A trial ends.
    pub async fn roll_back(
        &self,
        id: &PluginId,
        wanted: Option<&str>,
    ) -> Result<Digest, VersionError> {
        let (host, current) = (self.host, self.current(id));
        let mut known = host.binding(id)?.digests;
        if known.is_empty() {
            return Err(VersionError::Unknown);
        }
        known.retain(|digest| host.0.cache.has(digest));
        let digest = match wanted {
            None => known.into_iter().rfind(|digest| Some(digest) != current.as_ref()),
            Some(wanted) => Some(named(wanted, known)?),
        };
        let bytes = host.kept(&digest.ok_or(VersionError::NoneBefore)?).await?;
        let digest = self.install(id, bytes, Proofs::default()).await?;
        self.set_candidate(id, None).await?;
        Ok(digest)
    }

    /// Removes a plugin: new plans no longer have it. Open ones go on with the copy that is kept.
    pub async fn remove(&self, id: &PluginId) -> Result<(), VersionError> {
        let registry = &self.host.0.registry;
        let Some(file) = registry.current_file(id) else {
            let is_known = registry.current(id).is_some();
            return Err(if is_known { VersionError::NoFile } else { VersionError::Unknown });
        };
        let removed = blocking(move || {
            let removed = remove(&file);
            (file, removed)
        });
        match removed.await.ok_or(InstallError::Closing)? {
            (file, Ok(())) => {
                report(&registry.retire_file(&file));
                self.set_candidate(id, None).await
            }
            (path, Err(source)) => Err(VersionError::Folder { path, source }),
        }
    }

    /// The file of a plugin: the one that it has, or is to have by the settings, or had.
    pub(crate) fn file(&self, id: &PluginId, version: &str) -> Result<PathBuf, VersionError> {
        let shared = &self.host.0;
        if let Some(file) = shared.registry.current_file(id) {
            return Ok(file);
        }
        let (grants, _client) = shared.granting.of(id);
        let named = grants.file.as_ref().map(|named| named.replacen('*', version, 1));
        let owner = || self.host.binding(id).map(|binding| binding.file);
        let name = match named {
            Some(named) => named,
            None => owner()?.unwrap_or_else(|| format!("{id}.wasm")),
        };
        Ok(self.folder.join(name))
    }
}

/// The one version whose digest begins so.
pub fn named(wanted: &str, known: Vec<Digest>) -> Result<Digest, VersionError> {
    let is_it = |digest: &Digest| digest.as_str().starts_with(wanted);
    let mut found = known.into_iter().filter(is_it);
    match (found.next(), found.next()) {
        (Some(digest), None) if wanted.len() >= DIGEST_CHARACTERS_MIN => Ok(digest),
        _ => Err(VersionError::NoSuchVersion),
    }
}

/// Puts the proofs of the version that comes beside its file. Those of the version before are kept.
fn prove(file: &Path, proofs: &Proofs) -> io::Result<()> {
    for (kind, text) in proofs.files() {
        let beside = file.with_extension(kind);
        match text {
            Some(text) => write(&beside, text.as_bytes())?,
            None => match fs::remove_file(beside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            },
        }
    }
    Ok(())
}

/// Removes a file of the folder, durably, with its proofs and the version before it.
fn remove(file: &Path) -> io::Result<()> {
    fs::remove_file(file)?;
    // They may not be there.
    fs::remove_file(file.with_extension(BEFORE)).ok();
    for (kind, _) in Proofs::default().files() {
        fs::remove_file(file.with_extension(kind)).ok();
    }
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Replaces a file of the folder, which others look at meanwhile, durably. The version before is kept beside it.
fn replace(file: &Path, bytes: &[u8], bytes_max: usize) -> io::Result<()> {
    match regular::read(file, bytes_max) {
        Ok(old) if old == bytes => return Ok(()),
        // A longer file was never a plugin.
        Ok(old) if old.len() > bytes_max => {}
        Ok(old) => write(&file.with_extension(BEFORE), &old)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    write(file, bytes)
}

/// Removes what earlier processes were writing into a folder when they ended.
pub fn remove_drafts(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if writer(&path).is_some_and(is_gone) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// The process that writes a draft.
fn writer(path: &Path) -> Option<u32> {
    let draft = path.file_name()?.to_str()?.strip_prefix('.')?.strip_suffix(".part")?;
    let (name, process) = draft.rsplit_once('.')?;
    let kinds = Proofs::default().files().map(|(kind, _)| kind);
    let is_ours = kinds.into_iter().chain(["wasm", BEFORE]).any(|kind| name.ends_with(kind));
    process.parse().ok().filter(|_| is_ours)
}

/// Whether a process has ended. This one writes nothing yet: the number was that of an earlier one.
fn is_gone(process: u32) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    let known = i32::try_from(process).ok().and_then(Pid::from_raw).map(test_kill_process);
    process == std::process::id() || matches!(known, None | Some(Err(Errno::SRCH)))
}

/// Writes a file of the folder whole or not at all. While it is written its name is not that of a plugin.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{}.part", std::process::id()));
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    });
    if let Err(error) = written {
        fs::remove_file(&draft).ok();
        return Err(error);
    }
    File::open(folder)?.sync_all()
}

pub(crate) fn unreadable(error: BindingError) -> InstallError {
    match error {
        BindingError::Io { path, source } => InstallError::Binding { path, source },
        BindingError::Other(owner) => {
            InstallError::Cache(io::Error::other(format!("the id belongs to {owner}")))
        }
    }
}
