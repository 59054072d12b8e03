//! The JSON documents of OCI, as far as a plugin needs them: manifests and indexes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use host::certificate::CERTIFICATE_BYTES_MAX;
use host::folder::shown;
use host::signature::SIGNATURE_BYTES_MAX;
use host::trust::Proofs;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::digest::Sha;

/// Media types.
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const CONFIG: &str = "application/vnd.wasm.config.v0+json";
pub(super) const WASM: &str = "application/wasm";

/// The annotations of a manifest with what vouches for its plugin.
pub(super) const SIGNATURE: &str = "ferrule.plugin.signature";
pub(super) const CERTIFICATE: &str = "ferrule.plugin.certificate";

/// The annotation of a manifest in the index of a layout with its tag.
pub(super) const TAG: &str = "org.opencontainers.image.ref.name";

/// Max media types that an error lists.
const LISTED_MAX: usize = 5;

/// The members that other tools wrote: kept as they are.
pub(super) type Rest = BTreeMap<String, serde_json::Value>;

/// Names bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: Sha,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) platform: Option<Platform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(super) rest: Rest,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Platform {
    architecture: String,
    os: String,
    #[serde(flatten)]
    rest: Rest,
}

/// The parts of an artefact.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageManifest {
    pub(super) schema_version: u32,
    #[serde(default = "manifest")]
    pub(super) media_type: String,
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

/// Several artefacts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    pub(super) schema_version: u32,
    #[serde(default = "index")]
    pub(super) media_type: String,
    pub(super) manifests: Vec<Descriptor>,
    #[serde(flatten)]
    pub(super) rest: Rest,
}

pub(super) enum Document {
    Manifest(ImageManifest),
    Index(Index),
}

/// What tells documents apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Surface {
    schema_version: Option<u32>,
    media_type: Option<String>,
    config: Option<IgnoredAny>,
}

fn index() -> String {
    INDEX.into()
}

fn manifest() -> String {
    MANIFEST.into()
}

impl Document {
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        const ELSE: &str = "it is no OCI artefact: see whether the address is that of a registry, \
                            or of a layout";
        let Surface { schema_version, media_type, config } =
            serde_json::from_slice(bytes).context(ELSE)?;
        if schema_version != Some(2) {
            bail!(
                "its manifest is of another version than 2: push the plugin with `ferrule plugin push`"
            );
        }
        let usual = if config.is_some() { MANIFEST } else { INDEX };
        match media_type.as_deref().unwrap_or(usual) {
            MANIFEST => Ok(Self::Manifest(serde_json::from_slice(bytes).context(ELSE)?)),
            INDEX => Ok(Self::Index(serde_json::from_slice(bytes).context(ELSE)?)),
            other => bail!(
                "it is `{}` and no OCI artefact: push the plugin with `ferrule plugin push` or `wkg`",
                short(other)
            ),
        }
    }
}

impl Index {
    /// The only manifest that may have a plugin.
    pub(super) fn plugin(&self) -> Result<&Descriptor> {
        let is_wasm = |one: &&Descriptor| {
            let is_platform = one.platform.as_ref().is_none_or(|it| it.architecture == "wasm");
            one.media_type == MANIFEST && is_platform
        };
        let mut found = self.manifests.iter().filter(is_wasm);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => bail!(
                "its index has no WebAssembly among {} manifests: see whether it is a plugin, and not an image \
                 of containers",
                self.manifests.len()
            ),
            (Some(_), Some(_)) => {
                bail!("its index has several manifests: name one by its tag or digest")
            }
        }
    }
}

impl ImageManifest {
    /// The layer with the plugin.
    pub(super) fn plugin(&self) -> Result<&Descriptor> {
        let mut found = self.layers.iter().filter(|layer| layer.media_type == WASM);
        match (found.next(), found.next()) {
            (Some(layer), None) => Ok(layer),
            (Some(_), Some(_)) => bail!("it has several layers of `{WASM}`, a plugin has one"),
            (None, _) => {
                let kinds = self.layers.iter().map(|layer| short(&layer.media_type));
                let kinds: Vec<_> = kinds.take(LISTED_MAX).collect();
                bail!(
                    "it has no layer of `{WASM}`, only {} ({}): see whether it is a plugin, and not an image of \
                     containers",
                    self.layers.len(),
                    kinds.join(", ")
                )
            }
        }
    }

    /// What vouches for the plugin; what is too long to do so is left out by a text that no one signed.
    pub(super) fn proofs(&self) -> Proofs {
        let text = |name, bytes_max: usize| {
            let text = self.annotations.get(name)?;
            // One character more than a proof may have is refused as too long.
            Some(text.chars().take(bytes_max + 1).collect())
        };
        Proofs {
            signature: text(SIGNATURE, SIGNATURE_BYTES_MAX),
            certificate: text(CERTIFICATE, CERTIFICATE_BYTES_MAX),
        }
    }
}

/// A text from outside, as it may be shown.
pub(super) fn short(text: &str) -> String {
    let text: String = text.chars().take(200).collect();
    shown(Path::new(&text))
}
