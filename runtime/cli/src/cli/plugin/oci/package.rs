//! Makes an artefact of a plugin. The same plugin makes the same bytes, so its digest is always the same.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::Package;
use super::digest::Sha;
use super::document::{CERTIFICATE, CONFIG, Descriptor, ImageManifest, MANIFEST, SIGNATURE, WASM};

/// The blobs of an artefact, and its manifest.
pub(super) struct Packed<'a> {
    pub(super) config: Blob<'a>,
    pub(super) plugin: Blob<'a>,
    pub(super) manifest: Blob<'a>,
}

pub(super) struct Blob<'a> {
    pub(super) media_type: &'static str,
    pub(super) bytes: std::borrow::Cow<'a, [u8]>,
    pub(super) digest: Sha,
}

/// The config of a component, as CNCF's layout of WebAssembly artefacts has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    /// Not the time of now, which would give each push another digest.
    created: &'static str,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [&'a Sha; 1],
    component: Component,
}

#[derive(Serialize)]
struct Component {
    exports: Vec<String>,
    imports: Vec<String>,
}

impl<'a> Packed<'a> {
    pub(super) fn new(package: &'a Package) -> Result<Self> {
        let plugin = Blob::new(WASM, package.plugin.as_slice());
        let (imports, exports) = host::interfaces(&package.plugin)?;
        let config = serde_json::to_vec(&Config {
            created: "1970-01-01T00:00:00Z",
            architecture: "wasm",
            os: "wasip2",
            layer_digests: [&plugin.digest],
            component: Component { exports, imports },
        })?;
        let config = Blob::new(CONFIG, config);
        let manifest = serde_json::to_vec(&ImageManifest {
            schema_version: 2,
            media_type: MANIFEST.into(),
            config: config.descriptor(),
            layers: vec![plugin.descriptor()],
            annotations: annotations(package),
        })?;
        Ok(Self { config, plugin, manifest: Blob::new(MANIFEST, manifest) })
    }
}

impl<'a> Blob<'a> {
    fn new(media_type: &'static str, bytes: impl Into<std::borrow::Cow<'a, [u8]>>) -> Self {
        let bytes = bytes.into();
        Self { media_type, digest: Sha::of(&bytes), bytes }
    }

    pub(super) fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type.into(),
            digest: self.digest.to_owned(),
            size: self.bytes.len() as u64,
            platform: None,
            artifact_type: None,
            annotations: BTreeMap::new(),
            rest: BTreeMap::new(),
        }
    }
}

fn annotations(package: &Package) -> BTreeMap<String, String> {
    let host::Manifest { id, version, summary, .. } = &package.manifest;
    let proofs = &package.proofs;
    let all = [
        ("org.opencontainers.image.title", Some(id)),
        ("org.opencontainers.image.version", Some(version)),
        ("org.opencontainers.image.description", Some(summary)),
        (SIGNATURE, proofs.signature.as_ref()),
        (CERTIFICATE, proofs.certificate.as_ref()),
    ];
    all.into_iter().filter_map(|(name, text)| Some((name.into(), text?.to_owned()))).collect()
}
