//! Reads a component before it is compiled: its manifest, its imports and its exports.

use std::collections::BTreeSet;

use model::{Digest, PluginId};
use wasmparser::{Parser, Payload};

use crate::contract::{Interfaces, Part, Version, interface};
use crate::declared::Declared;
use crate::error::{InstallError, Refused};
use crate::later;
use crate::manifest::{self, Manifest};
use crate::role::{Capability, Role};
use crate::trust::Proven;

/// The bytes of a plugin, read.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
    pub(crate) manifest: Manifest,
    /// The version of the contract that it was built against.
    pub(crate) contract: Version,
    /// The optional parts of the contract that it offers.
    pub(crate) parts: BTreeSet<Part>,
    /// The bytes that the host keeps of an instance, beside its memories and tables.
    pub(crate) instance_bytes: usize,
    /// What is proven about it.
    pub(crate) proven: Proven,
    imports: Vec<String>,
}

/// What lies in the outermost component.
#[derive(Debug, Default)]
struct Surface {
    imports: Vec<String>,
    exports: Vec<String>,
    /// The manifest, and how deep it lay; one further out was put there to replace it.
    manifest: Option<(usize, Vec<u8>)>,
}

impl Component {
    /// Reads a plugin, and checks that it is one.
    pub(crate) fn read(bytes: Vec<u8>, bytes_max: usize) -> Result<Self, Refused> {
        if bytes.len() > bytes_max {
            return Err(InstallError::TooLarge { bytes: bytes.len(), max: bytes_max }.into());
        }
        if !bytes.starts_with(b"\0asm") {
            return Err(InstallError::NotWasm.into());
        }
        if Parser::is_core_wasm(&bytes) {
            return Err(InstallError::CoreModule.into());
        }
        let surface = survey(&bytes)?;
        let section = surface.manifest.as_ref().map(|(_, section)| Manifest::parse(section));
        let exports = Interfaces::of(&surface.exports);
        let checked = later::check(&bytes, &surface.imports);
        let checked = checked.and_then(|()| check(&surface, &exports));
        let (contract, roles, manifest) = match (checked, section) {
            (Ok((contract, roles)), Some(Ok(manifest))) => (contract, roles, manifest),
            (Ok(_), Some(Err(error))) => return Err(InstallError::Manifest(error).into()),
            (Ok(_), None) => return Err(InstallError::NoManifest.into()),
            (Err(error), section) => {
                let manifest = section.and_then(Result::ok).map(Box::new);
                return Err(Refused { manifest, error });
            }
        };
        if !roles.contains(&manifest.world) {
            let missing = contract.mandatory(manifest.world);
            let error = InstallError::OtherRole {
                manifest: manifest.world,
                exported: roles[0],
                missing: missing.iter().copied().filter(|name| !exports.has(name)).collect(),
            };
            return Err(Refused { manifest: Some(Box::new(manifest)), error });
        }
        let parts = contract.parts(manifest.world, &exports);
        let instance_bytes = match Declared::read(&bytes).and_then(Declared::check) {
            Ok(declared) => declared.instance_bytes(),
            Err(error) => return Err(Refused { manifest: Some(Box::new(manifest)), error }),
        };
        let digest = Digest::of(&bytes);
        let imports = surface.imports;
        let proven = Proven::default();
        Ok(Self { digest, bytes, manifest, contract, parts, instance_bytes, proven, imports })
    }

    /// The id that it claims.
    pub(crate) fn id(&self) -> PluginId {
        PluginId::new(self.manifest.id.as_str())
    }

    /// The refusal of this component.
    pub(crate) fn refused(&self, error: InstallError) -> Refused {
        Refused { manifest: Some(Box::new(self.manifest.clone())), error }
    }

    /// Whether its work can be undone: by itself, or because it has no effect beyond its answers. Its
    /// reservations are released by the engine.
    pub(crate) fn can_undo(&self) -> bool {
        self.parts.contains(&Part::Undo) || !self.has_effects()
    }

    /// Whether it can have an effect beyond its answers: outside, or in its scratch space.
    pub(crate) fn has_effects(&self) -> bool {
        self.imports(Capability::Http) || self.imports(Capability::Scratch)
    }

    /// Whether the component can use a capability at all.
    pub(crate) fn imports(&self, capability: Capability) -> bool {
        let prefixes: &[&str] = match capability {
            Capability::Http => &["wasi:http/", "ferrule:plugin/http@"],
            Capability::Inventory => &["ferrule:plugin/inventory@"],
            Capability::Reservation => &["ferrule:plugin/reservation@"],
            Capability::Scratch => &["ferrule:plugin/scratch@"],
        };
        self.imports.iter().any(|import| prefixes.iter().any(|prefix| import.starts_with(prefix)))
    }
}

impl Manifest {
    /// Reads the manifest of a plugin's file, which must be a plugin. Whether it compiles, and may have
    /// what it requests, only its installation shows.
    pub fn of(plugin: Vec<u8>) -> Result<Self, InstallError> {
        Component::read(plugin, usize::MAX)
            .map(|component| component.manifest)
            .map_err(|refused| refused.error)
    }
}

/// The names of what a component imports and exports.
pub fn interfaces(component: &[u8]) -> Result<(Vec<String>, Vec<String>), InstallError> {
    let Surface { imports, exports, .. } = survey(component)?;
    Ok((imports, exports))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a component has 30 kinds of sections")]
fn survey(bytes: &[u8]) -> Result<Surface, InstallError> {
    let mut surface = Surface::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(InstallError::Malformed)? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    let import = import.map_err(InstallError::Malformed)?;
                    surface.imports.push(import.name.name.into());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    let export = export.map_err(InstallError::Malformed)?;
                    surface.exports.push(export.name.name.into());
                }
            }
            Payload::CustomSection(section) if section.name() == manifest::SECTION => {
                surface.note_manifest(depth, section.data());
            }
            _ => {}
        }
    }
    Ok(surface)
}

impl Surface {
    fn note_manifest(&mut self, depth: usize, data: &[u8]) {
        if self.manifest.as_ref().is_none_or(|(found, _)| depth <= *found) {
            self.manifest = Some((depth, data.to_vec()));
        }
    }
}

/// Checks that a component was built against one version of the contract that this host serves, and
/// has a role in it.
fn check(surface: &Surface, exports: &Interfaces) -> Result<(Version, Vec<Role>), InstallError> {
    let mut contract = None;
    let names = surface.imports.iter().chain(&surface.exports);
    for (_, text) in names.filter_map(|name| interface(name)) {
        let numbers = manifest::precedence(text);
        let version = numbers.and_then(|([major, minor, _], ..)| Version::of(major, minor));
        let Some(version) = version else {
            return Err(InstallError::OtherContract { wanted: text.to_owned() });
        };
        if contract.is_some_and(|contract| contract != version) {
            return Err(InstallError::MixedContract);
        }
        contract = Some(version);
    }
    let contract = contract.ok_or(InstallError::NoRole)?;
    let roles = contract.roles(exports);
    if roles.is_empty() { Err(InstallError::NoRole) } else { Ok((contract, roles)) }
}
