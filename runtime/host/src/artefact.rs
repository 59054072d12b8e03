//! The cache: the bytes of each plugin by their digest, and what was compiled of them.

use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::compile::{CompileLimits, Setting};
use crate::disk::{draft, private_dir, write};
use crate::precompiled;
use crate::seal::Seal;
use crate::trust::Proofs;

/// The kind of the file that seals an artefact, beside it.
const TAG: &str = "tag";

/// The folder in which plugins and artefacts are kept.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    pub(crate) plugins: PathBuf,
    pub(crate) artefacts: PathBuf,
    refused: PathBuf,
    /// Seals artefacts.
    seal: Seal,
    /// Where all tenants keep plugins: they share what was compiled of them.
    folders: Arc<Mutex<Vec<PathBuf>>>,
}

/// Why a plugin was not compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// The limit that it exceeded, and what it was.
    pub(crate) limit: Option<(Setting, u32)>,
    /// The compiler's reason.
    pub(crate) reason: String,
}

impl Cache {
    /// Opens the cache, making its folders where there are none; only this user can enter them.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let plugins = root.join("plugins");
        let cache = Self {
            artefacts: root.join("artefacts"),
            refused: root.join("refused"),
            seal: Seal::open(root)?,
            folders: Arc::new(Mutex::new(vec![plugins.clone()])),
            plugins,
        };
        private_dir(&cache.plugins)?;
        private_dir(&cache.artefacts)?;
        private_dir(&cache.refused)?;
        remove_drafts([&cache.plugins, &cache.artefacts, &cache.refused])?;
        Ok(cache)
    }

    /// The cache of another tenant, with plugins of its own in a folder, and the same artefacts.
    pub(crate) fn for_tenant(&self, root: &Path) -> io::Result<Self> {
        let plugins = root.join("plugins");
        private_dir(&plugins)?;
        remove_drafts([&plugins])?;
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.push(plugins.clone());
        drop(folders);
        Ok(Self { plugins, ..self.clone() })
    }

    /// Whether any tenant keeps the bytes of a plugin.
    pub(crate) fn is_kept_by_any(&self, digest: &Digest) -> bool {
        let folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        folders.iter().any(|folder| plugin_in(folder, digest).is_file())
    }

    /// Keeps the bytes of a plugin, durably: plans will name them by their digest.
    pub(crate) fn keep(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        let path = self.plugin(digest);
        if fs::metadata(&path).is_ok_and(|meta| meta.len() == bytes.len() as u64) {
            return Ok(());
        }
        write(&path, bytes)
    }

    /// The bytes of a plugin; `None` if they are not kept, or are damaged.
    pub(crate) fn kept(&self, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
        if !is_digest(digest) {
            return Ok(None);
        }
        match fs::read(self.plugin(digest)) {
            Ok(bytes) => Ok((Digest::of(&bytes) == *digest).then_some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the bytes of a plugin are kept.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        is_digest(digest) && self.plugin(digest).is_file()
    }

    /// Keeps what proves the bytes of a plugin, durably: its file may lose it.
    pub(crate) fn keep_proofs(&self, digest: &Digest, proofs: &Proofs) -> io::Result<()> {
        let (plugin, kept) = (self.plugin(digest), self.proofs(digest));
        for ((kind, text), (_, kept)) in proofs.files().into_iter().zip(kept.files()) {
            if let Some(text) = text.filter(|text| Some(*text) != kept) {
                write(&plugin.with_extension(kind), text.as_bytes())?;
            }
        }
        Ok(())
    }

    /// What is kept that proves the bytes of a plugin.
    pub(crate) fn proofs(&self, digest: &Digest) -> Proofs {
        Proofs::beside(&self.plugin(digest)).unwrap_or_default()
    }

    /// What was compiled of a plugin for this engine before.
    pub(crate) fn compiled(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        self.sealed(engine, &self.artefact(engine, digest))
    }

    /// A file for the compiler to write to, which [`Cache::adopt`] takes over.
    pub(crate) fn draft(&self, engine: &Engine, digest: &Digest) -> io::Result<File> {
        File::create(draft(&self.artefact(engine, digest)))
    }

    /// Takes over what the compiler wrote, durably.
    pub(crate) fn adopt(&self, engine: &Engine, digest: &Digest) -> io::Result<Component> {
        let path = self.artefact(engine, digest);
        let written = fs::read(draft(&path))?;
        let tag = self.seal.tag(&path, &written);
        let other = || io::Error::other("the compiler is of another build than the server");
        let component = precompiled::load(engine, &written, &self.seal, (&path, &tag));
        let component = component.ok_or_else(other)?;
        File::open(draft(&path))?.sync_all()?;
        fs::rename(draft(&path), &path)?;
        write(&path.with_extension(TAG), &tag)?;
        Ok(component)
    }

    /// An artefact, if it is the one that was sealed under its name.
    fn sealed(&self, engine: &Engine, path: &Path) -> Option<Component> {
        let tag = fs::read(path.with_extension(TAG)).ok()?;
        let artefact = fs::read(path).ok()?;
        let component = precompiled::load(engine, &artefact, &self.seal, (path, &tag));
        if component.is_none() {
            tracing::warn!(
                path = %path.display(),
                "a compiled plugin was damaged or changed, compiling it again"
            );
        }
        component
    }

    /// Removes what a compiler wrote that did not come to an end.
    pub(crate) fn discard(&self, engine: &Engine, digest: &Digest) {
        // Where there is none there is nothing to do.
        fs::remove_file(draft(&self.artefact(engine, digest))).ok();
    }

    /// Why a plugin was not compiled before, unless a limit was raised since.
    pub(crate) fn refusal(
        &self,
        engine: &Engine,
        digest: &Digest,
        limits: &CompileLimits,
    ) -> Option<(Refusal, PathBuf)> {
        let path = self.refused(engine, digest);
        let refusal: Refusal = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        let is_raised = refusal.limit.is_some_and(|(limit, max)| limits.of(limit) > max);
        (!is_raised).then_some((refusal, path))
    }

    /// Remembers, durably, why a plugin was not compiled: trying again would cost as much again.
    pub(crate) fn refuse(&self, engine: &Engine, digest: &Digest, refusal: &Refusal) -> PathBuf {
        let path = self.refused(engine, digest);
        let bytes = serde_json::to_vec_pretty(refusal).unwrap_or_default();
        if let Err(error) = write(&path, &bytes) {
            tracing::warn!(path = %path.display(), %error, "cannot remember a refused plugin");
        }
        path
    }

    fn artefact(&self, engine: &Engine, digest: &Digest) -> PathBuf {
        self.artefacts.join(format!("{digest}-{}.cwasm", compatibility(engine)))
    }

    /// Another version of the compiler may take what this one refused.
    fn refused(&self, engine: &Engine, digest: &Digest) -> PathBuf {
        self.refused.join(format!("{digest}-{}.json", compatibility(engine)))
    }

    fn plugin(&self, digest: &Digest) -> PathBuf {
        plugin_in(&self.plugins, digest)
    }
}

fn plugin_in(folder: &Path, digest: &Digest) -> PathBuf {
    folder.join(format!("{digest}.wasm"))
}

/// Removes what an earlier process was writing when it ended.
fn remove_drafts<const N: usize>(folders: [&Path; N]) -> io::Result<()> {
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "tmp") {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

/// Whether a text is a digest: one from outside must not name another file.
fn is_digest(digest: &Digest) -> bool {
    digest.as_str().len() == 64 && digest.as_str().bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Names everything of an engine that compiled code depends on.
fn compatibility(engine: &Engine) -> String {
    struct Sum(Sha256);
    impl Hasher for Sum {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut sum = Sum(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sum);
    hex::encode(&sum.0.finalize()[..8])
}

#[cfg(test)]
mod tests;
