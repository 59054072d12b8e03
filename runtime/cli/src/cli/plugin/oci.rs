//! Plugins as OCI artefacts, in registries and in layouts on disk. The shape is that of `wkg`: a config, and one
//! layer with the component. What vouches for a plugin stands in annotations of the manifest, which others ignore.

pub(crate) mod access;

mod auth;
mod challenge;
mod digest;
mod document;
mod layout;
mod package;
mod reference;
mod registry;
mod wire;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use host::Manifest;
use host::trust::Proofs;

use self::access::Access;
use self::digest::Sha;
use self::document::{Descriptor, Document};
use self::layout::Layout;
use self::package::Packed;
use self::reference::Reference;
use self::registry::Registry;
use crate::cli::Usage;

/// Max bytes of a manifest or an index.
const MANIFEST_BYTES_MAX: u64 = 4 << 20;

/// Max bytes of a plugin: no server takes more.
const PLUGIN_BYTES_MAX: u64 = 64 << 20;

/// The begin of an address in a registry.
const SCHEME: &str = "oci://";

/// A plugin with what vouches for it.
pub(crate) struct Package {
    pub(crate) plugin: Vec<u8>,
    pub(crate) manifest: Manifest,
    pub(crate) proofs: Proofs,
}

/// Where plugins are pushed to and pulled from.
enum Shelf {
    Registry(Box<Registry>),
    Layout(Layout),
}

/// Whether a text names an artefact, and not the file of a plugin.
pub(crate) fn is_artefact(text: &str) -> bool {
    text.starts_with(SCHEME) || layout::is_layout(text)
}

/// Writes a plugin to a place; returns the address that names these very bytes.
pub(crate) async fn push(package: &Package, place: &str, access: &Access) -> Result<String> {
    let mut shelf = Shelf::open(place, access, &package.manifest.version)?;
    let packed = Packed::new(package)?;
    shelf.put(&packed).await.with_context(|| format!("`{}` is not pushed", shelf.name()))?;
    Ok(format!("{}@{}", shelf.name(), packed.manifest.digest))
}

/// Reads the plugin at a place; returns the address that names these very bytes too.
pub(crate) async fn pull(place: &str, access: &Access) -> Result<(Package, String)> {
    let mut shelf = Shelf::open(place, access, "")?;
    let name = shelf.name();
    let (package, digest) =
        shelf.get().await.with_context(|| format!("nothing is pulled from `{name}`"))?;
    Ok((package, format!("{name}@{digest}")))
}

impl Shelf {
    fn open(place: &str, access: &Access, tag: &str) -> Result<Self> {
        let Some(rest) = place.strip_prefix(SCHEME) else {
            return Ok(Self::Layout(Layout::open(place, tag)));
        };
        let reference = Reference::parse(rest, tag).map_err(Usage)?;
        Ok(Self::Registry(Box::new(Registry::new(reference, access)?)))
    }

    /// Its address without a digest.
    fn name(&self) -> String {
        match self {
            Self::Registry(registry) => format!("{SCHEME}{}", registry.reference.name()),
            Self::Layout(layout) => layout.name(),
        }
    }

    async fn put(&mut self, packed: &Packed<'_>) -> Result<()> {
        match self {
            Self::Registry(registry) => registry.put(packed).await,
            Self::Layout(layout) => layout.put(packed),
        }
    }

    async fn get(&mut self) -> Result<(Package, Sha)> {
        let named = match self {
            Self::Registry(registry) => registry.named().await?,
            Self::Layout(layout) => layout.named()?,
        };
        let (manifest, digest) = match Document::read(&named)? {
            Document::Manifest(manifest) => (manifest, Sha::of(&named)),
            Document::Index(index) => {
                let chosen = index.plugin()?;
                let bytes = self.blob(chosen, MANIFEST_BYTES_MAX).await?;
                match Document::read(&bytes)? {
                    Document::Manifest(manifest) => (manifest, Sha::of(&bytes)),
                    Document::Index(_) => {
                        bail!("its index leads to another index: name a manifest")
                    }
                }
            }
        };
        let plugin = self.blob(manifest.plugin()?, PLUGIN_BYTES_MAX).await?;
        let proofs = manifest.proofs();
        let manifest = Manifest::of(plugin.to_owned()).context("its component is no plugin")?;
        Ok((Package { plugin, manifest, proofs }, digest))
    }

    /// The bytes that a descriptor names, checked.
    async fn blob(&mut self, descriptor: &Descriptor, bytes_max: u64) -> Result<Vec<u8>> {
        let Descriptor { digest, size, .. } = descriptor;
        if *size > bytes_max {
            bail!("{digest} has {size} bytes, the limit is {bytes_max}");
        }
        let bytes = match self {
            Self::Registry(registry) => registry.fetch(descriptor).await?,
            Self::Layout(layout) => layout.blob(digest, *size)?,
        };
        if bytes.len() as u64 != *size {
            bail!("{digest} was cut off: it has {} bytes of {size}; try again", bytes.len());
        }
        digest.check(&bytes)?;
        Ok(bytes)
    }
}

/// The files of a package in a folder, the plugin's first.
pub(crate) fn files(package: &Package, plugin: PathBuf) -> Vec<(PathBuf, &[u8])> {
    let mut files = Vec::new();
    for (kind, text) in package.proofs.files() {
        files.extend(text.map(|text| (plugin.with_extension(kind), text.as_bytes())));
    }
    files.push((plugin, &package.plugin));
    files
}
