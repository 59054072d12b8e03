//! Which file an id belongs to: the one that had it first. Grants and settings go by the id, and
//! any file may claim any id.
//!
//! An id belongs to a file name and to the bytes that had it: another version under the same name
//! is an upgrade, the same bytes under another name are the same plugin. Anything else is named by
//! the operator, with `file` in `[plugins.<id>]`. A component that a program installs without a file
//! may have any id; files that are not named cannot get that id.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use model::{Digest, PluginId};
use serde::{Deserialize, Serialize};

use crate::candidate::Candidate;
use crate::disk;
use crate::provenance::Provenance;

/// Max digests of an id that are remembered; older ones are forgotten.
const DIGESTS_MAX: usize = 100;

/// The bindings of all ids, each a file in a folder.
#[derive(Debug)]
pub(crate) struct Bindings {
    folder: PathBuf,
    /// Held while a binding is read and written.
    turn: Mutex<()>,
}

/// What an id belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binding {
    /// The name of the file that had it first; `None` if it came without a file.
    pub(crate) file: Option<String>,
    /// The digests that had it, latest last.
    pub(crate) digests: Vec<Digest>,
    /// Where they came from; of digests that were bound by an older host it is not known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) provenance: BTreeMap<Digest, Provenance>,
    /// The version on trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) candidate: Option<Candidate>,
}

/// Why an id is not given away.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindingError {
    /// It belongs to another.
    #[error("the id belongs to {0}")]
    Other(String),
    /// It cannot be told.
    #[error("`{}` cannot be used", .path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Bindings {
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        disk::private_dir(&folder)?;
        Ok(Self { folder, turn: Mutex::new(()) })
    }

    /// Checks that a file may have an id. `named` is the name that the operator gave, with at most
    /// one `*`.
    pub(crate) fn check(
        &self,
        id: &PluginId,
        file: &str,
        digest: &Digest,
        named: Option<&str>,
    ) -> Result<(), BindingError> {
        if let Some(named) = named {
            return match matches(named, file) {
                true => Ok(()),
                false => Err(BindingError::Other(format!("`{named}`, by ferrule.toml"))),
            };
        }
        let Some(binding) = self.read(id)? else { return Ok(()) };
        let is_owner = binding.file.as_deref() == Some(file) || binding.digests.contains(digest);
        if is_owner || binding.digests.is_empty() {
            return Ok(());
        }
        Err(BindingError::Other(match binding.file {
            Some(owner) => format!("the file `{owner}`, which had it first"),
            None => "a plugin that was installed without a file".into(),
        }))
    }

    /// Notes, durably, that these bytes have an id, and that this file does where it is the first
    /// or was named. `provenance` counts if that of the bytes is not known yet; it has the time of now.
    pub(crate) fn bind(
        &self,
        id: &PluginId,
        file: Option<&str>,
        (digest, mut provenance): (&Digest, Provenance),
        named: Option<&str>,
    ) -> Result<(), BindingError> {
        self.change(id, |binding| {
            let is_first = binding.digests.is_empty() || named.is_some();
            if let (Some(file), true) = (file, is_first) {
                binding.file = Some(file.into());
            }
            let now = provenance.received;
            let (signed, certified) = (provenance.signed.take(), provenance.certified.take());
            let known = binding.provenance.entry(digest.clone()).or_insert(provenance);
            (known.signed, known.certified) = (signed, certified);
            if binding.digests.last() != Some(digest) || known.since.is_none() {
                known.since = Some(now);
                binding.digests.retain(|one| one != digest);
                binding.digests.push(digest.clone());
                let old = binding.digests.len().saturating_sub(DIGESTS_MAX);
                binding.digests.drain(..old);
            }
            let Binding { digests, provenance, candidate, .. } = binding;
            let on_trial = candidate.as_ref().map(|candidate| &candidate.digest);
            provenance.retain(|one, _| digests.contains(one) || on_trial == Some(one));
        })
    }

    /// Notes, durably, where bytes come from that are about to have an id.
    pub(crate) fn note(
        &self,
        id: &PluginId,
        digest: &Digest,
        mut provenance: Provenance,
    ) -> Result<(), BindingError> {
        self.change(id, |binding| {
            let (signed, certified) = (provenance.signed.take(), provenance.certified.take());
            let known = binding.provenance.entry(digest.clone()).or_insert(provenance);
            known.signed = signed.or_else(|| known.signed.take());
            known.certified = certified.or_else(|| known.certified.take());
        })
    }

    /// Puts a version on trial, or ends the trial, durably.
    pub(crate) fn set_candidate(
        &self,
        id: &PluginId,
        candidate: Option<Candidate>,
    ) -> Result<(), BindingError> {
        self.change(id, |binding| binding.candidate = candidate)
    }

    /// Changes what an id belongs to, durably.
    fn change(&self, id: &PluginId, change: impl FnOnce(&mut Binding)) -> Result<(), BindingError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.read(id)?;
        let mut after = before.clone().unwrap_or_default();
        change(&mut after);
        if before.as_ref() == Some(&after) {
            return Ok(());
        }
        let bytes = serde_json::to_vec_pretty(&after)
            .map_err(|error| self.failed(id, io::Error::other(error)))?;
        disk::write(&self.path(id), &bytes).map_err(|error| self.failed(id, error))
    }

    /// What an id belongs to; `None` if no plugin has had it.
    pub(crate) fn read(&self, id: &PluginId) -> Result<Option<Binding>, BindingError> {
        let bytes = match fs::read(self.path(id)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed(id, error)),
        };
        let binding = serde_json::from_slice(&bytes);
        binding.map(Some).map_err(|error| self.failed(id, io::Error::other(error)))
    }

    fn path(&self, id: &PluginId) -> PathBuf {
        // An id of a manifest has no slash in it, and begins with a letter.
        self.folder.join(format!("{id}.json"))
    }

    fn failed(&self, id: &PluginId, source: io::Error) -> BindingError {
        BindingError::Io { path: self.path(id), source }
    }
}

/// Whether a file has a name that may have one `*` in it.
fn matches(pattern: &str, file: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == file,
        Some((begin, end)) => {
            file.len() >= begin.len() + end.len() && file.starts_with(begin) && file.ends_with(end)
        }
    }
}

/// The name of a file, as bindings have it.
pub(crate) fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
