//! The cache: the bytes of each plugin by their digest, and what was compiled of them.

use std::fs::{self, DirBuilder, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use model::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::precompiled;

/// The folder in which plugins and artefacts are kept.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    plugins: PathBuf,
    artefacts: PathBuf,
}

impl Cache {
    /// Opens the cache, making its folders where there are none; only this user can enter them.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let cache = Self { plugins: root.join("plugins"), artefacts: root.join("artefacts") };
        private_dir(&cache.plugins)?;
        private_dir(&cache.artefacts)?;
        Ok(cache)
    }

    /// Keeps the bytes of a plugin, durably: plans will name them by their digest.
    pub(crate) fn keep(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        let path = self.plugin(digest);
        if fs::metadata(&path).is_ok_and(|meta| meta.len() == bytes.len() as u64) {
            return Ok(());
        }
        write(&path, bytes)
    }

    /// The bytes of a plugin; nothing where they are not kept, or are damaged.
    pub(crate) fn kept(&self, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
        // A digest from outside must not name another file.
        if digest.as_str().len() != 64 || !digest.as_str().bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(None);
        }
        match fs::read(self.plugin(digest)) {
            Ok(bytes) => Ok((Digest::of(&bytes) == *digest).then_some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What was compiled of a plugin by this engine before, or what is compiled now. A cache that
    /// cannot be written costs time, so it is a warning and no error.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        digest: &Digest,
        bytes: &[u8],
    ) -> wasmtime::Result<Component> {
        let path = self.artefacts.join(format!("{digest}-{}.cwasm", compatibility(engine)));
        if let Some(component) = cached(engine, &path) {
            return Ok(component);
        }
        let component = Component::from_binary(engine, bytes)?;
        let artefact = component.serialize()?;
        let sum = Digest::of(&artefact);
        let kept = write(&path, &artefact)
            .and_then(|()| write(&path.with_extension("sha256"), sum.as_str().as_bytes()));
        if let Err(error) = kept {
            tracing::warn!(path = %path.display(), %error, "cannot keep a compiled plugin");
        }
        Ok(component)
    }

    fn plugin(&self, digest: &Digest) -> PathBuf {
        self.plugins.join(format!("{digest}.wasm"))
    }
}

fn cached(engine: &Engine, path: &Path) -> Option<Component> {
    let sum = fs::read_to_string(path.with_extension("sha256")).ok()?;
    let artefact = fs::read(path).ok()?;
    let component = precompiled::load(engine, &artefact, &Digest::new(sum));
    if component.is_none() {
        tracing::warn!(path = %path.display(), "a compiled plugin is damaged, compiling it again");
    }
    component
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
    sum.0.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700).create(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    #[cfg(not(unix))]
    builder.create(path)?;
    // A power loss must not take the names of new folders: plans name what is in them.
    let mut above =
        path.ancestors().skip(1).take(2).filter(|folder| !folder.as_os_str().is_empty());
    above.try_for_each(|folder| File::open(folder)?.sync_all())
}

/// Writes a file whole or not at all, and durably.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests;
