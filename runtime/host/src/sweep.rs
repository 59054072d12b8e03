//! Removes versions of plugins from the cache that nothing needs any more.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::Digest;

use crate::artefact::Cache;
use crate::host::Host;
use crate::shared::blocking;

impl Host {
    /// Removes the versions that no file has had and no plan has begun with for this time. `needed`
    /// tells which digests open plans began with; where it cannot, nothing is removed. It is asked
    /// only where there is something to remove. Answers with what was removed.
    pub async fn sweep(
        &self,
        age: Duration,
        needed: impl FnOnce() -> Option<BTreeSet<Digest>> + Send + 'static,
    ) -> io::Result<Vec<Digest>> {
        let shared = Arc::clone(&self.0);
        let swept = blocking(move || {
            let (offered, now) = (shared.registry.offered(), SystemTime::now());
            let old = shared.cache.unused(&offered, age, now)?;
            if old.is_empty() {
                return Ok(Vec::new());
            }
            let Some(needed) = needed() else { return Ok(Vec::new()) };
            let removed: Vec<_> = old.into_iter().filter(|one| !needed.contains(one)).collect();
            for digest in &removed {
                shared.cache.remove(digest)?;
                shared.registry.forget(digest);
            }
            Ok(removed)
        });
        swept.await.unwrap_or_else(|| Ok(Vec::new()))
    }
}

impl Cache {
    /// The versions that were not on offer for this time. Those on offer are marked as used now.
    fn unused(
        &self,
        offered: &BTreeSet<Digest>,
        age: Duration,
        now: SystemTime,
    ) -> io::Result<Vec<Digest>> {
        let mut old = Vec::new();
        for path in files(&self.plugins)? {
            let Some(digest) = digest(&path) else { continue };
            if offered.contains(&digest) {
                File::options().append(true).open(&path)?.set_modified(now)?;
                continue;
            }
            let used = fs::metadata(&path)?.modified()?;
            if now.duration_since(used).is_ok_and(|unused| unused > age) {
                old.push(digest);
            }
        }
        Ok(old)
    }

    /// Removes the bytes of a version, and what was compiled of it by any compiler if no other tenant has
    /// it.
    fn remove(&self, digest: &Digest) -> io::Result<()> {
        remove_from(&self.plugins, digest)?;
        if self.is_kept_by_any(digest) {
            return Ok(());
        }
        remove_from(&self.artefacts, digest)
    }
}

/// Removes the files of a version.
fn remove_from(folder: &Path, digest: &Digest) -> io::Result<()> {
    for path in files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(digest.as_str()) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

fn digest(path: &Path) -> Option<Digest> {
    let is_plugin = path.extension().is_some_and(|extension| extension == "wasm");
    let stem = path.file_stem()?.to_str()?;
    let is_digest = stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_plugin && is_digest).then(|| Digest::new(stem))
}
