//! Plugins as OCI artefacts, in registries and in layouts on disk. The shape is that of `wkg`: a config, and one
//! layer with the component. What vouches for a plugin stands in annotations of the manifest, which others ignore.

pub(crate) mod access;

mod auth;
mod challenge;
mod digest;
mod document;
mod file;
mod layout;
mod package;
mod reference;
mod registry;
mod wire;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result, bail};
use host::Manifest;
use host::folder::shown;
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
    text.starts_with(SCHEME) || foreign(text).is_some() || layout::is_layout(text)
}

/// The reason why a text is no place at all. It may have a password, so it is not shown.
fn foreign(place: &str) -> Option<String> {
    const SHAPE: &str =
        "write `oci://HOST/REPOSITORY:TAG`, or the path of a layout, a folder or a `.tar` file";
    let begin = place.get(..4).unwrap_or_default();
    let is_other = place.contains("://") || begin.eq_ignore_ascii_case("oci:");
    let (before, after) = place.rsplit_once('@').unwrap_or((place, ""));
    let (user, _) = before.split_once('@').unwrap_or((before, ""));
    let is_login = user.contains(':') && !after.is_empty() && !after.starts_with("sha256:");
    match () {
        () if place.is_empty() => Some(format!("the place is empty: {SHAPE}")),
        () if place.starts_with(SCHEME) => None,
        () if is_other => Some(format!("the place has a scheme that is not `{SCHEME}`: {SHAPE}")),
        () if is_login && !Path::new(place).exists() => Some(reference::PASSWORD.into()),
        () => None,
    }
}

/// Writes a plugin to a place; returns the address that names these very bytes.
pub(crate) async fn push(package: &Package, place: &str, access: &Access) -> Result<String> {
    let mut shelf = Shelf::open(place, access, &package.manifest.version)?;
    let packed = Packed::new(package)?;
    let done = shelf.put(&packed).await;
    let done = done.with_context(|| format!("`{}` is not pushed", shelf.name()));
    done.map_err(|error| shelf.told(&error))?;
    Ok(format!("{}@{}", shelf.name(), packed.manifest.digest))
}

/// Reads the plugin at a place; returns the address that names these very bytes too.
pub(crate) async fn pull(place: &str, access: &Access) -> Result<(Package, String)> {
    let mut shelf = Shelf::open(place, access, "")?;
    let name = shelf.name();
    let got = shelf.get().await.with_context(|| format!("nothing is pulled from `{name}`"));
    let (package, digest) = got.map_err(|error| shelf.told(&error))?;
    Ok((package, format!("{name}@{digest}")))
}

impl Shelf {
    fn open(place: &str, access: &Access, tag: &str) -> Result<Self> {
        if let Some(reason) = foreign(place) {
            return Err(Usage(reason).into());
        }
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

    /// An error as it may be shown: without what proves who asks, and in plain text.
    fn told(&self, error: &Error) -> Error {
        let secrets = match self {
            Self::Registry(registry) => registry.secrets(),
            Self::Layout(_) => Vec::new(),
        };
        let plain = |text: String| shown(Path::new(&registry::masked(&text, &secrets)));
        let mut texts = error.chain().map(|cause| plain(cause.to_string())).rev();
        let inmost = Error::msg(texts.next().unwrap_or_default());
        texts.fold(inmost, |error, text| error.context(text))
    }

    async fn put(&mut self, packed: &Packed<'_>) -> Result<()> {
        match self {
            Self::Registry(registry) => registry.put(packed).await,
            Self::Layout(layout) => layout.put(packed).await,
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
