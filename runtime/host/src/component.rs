//! Reads what a component says of itself before it is compiled: its manifest, what it exports and
//! what it imports.

use model::{Digest, PluginId};
use wasmparser::{Parser, Payload};

use crate::declared::Declared;
use crate::install::{InstallError, Refused};
use crate::manifest::{self, Manifest};
use crate::role::{Capability, Role};

/// The package of the contract.
const PACKAGE: &str = "ferrule:plugin/";

/// The version of the contract that this host speaks; a plugin's must agree in these numbers.
const VERSION: (u64, u64) = (0, 1);

/// The bytes of a plugin, read.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
    pub(crate) manifest: Manifest,
    /// What the host keeps of an instance, beside its memories and tables.
    pub(crate) instance_bytes: usize,
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
        let manifest = match (check(&surface), section) {
            (Ok(()), Some(Ok(manifest))) => manifest,
            (Ok(()), Some(Err(error))) => return Err(InstallError::Manifest(error).into()),
            (Ok(()), None) => return Err(InstallError::NoManifest.into()),
            (Err(error), section) => {
                let manifest = section.and_then(Result::ok).map(Box::new);
                return Err(Refused { manifest, error });
            }
        };
        let roles = roles(&surface.exports);
        if !roles.contains(&manifest.world) {
            let error = InstallError::OtherRole { manifest: manifest.world, exported: roles[0] };
            return Err(Refused { manifest: Some(Box::new(manifest)), error });
        }
        let instance_bytes = match Declared::read(&bytes).and_then(Declared::check) {
            Ok(declared) => declared.instance_bytes(),
            Err(error) => return Err(Refused { manifest: Some(Box::new(manifest)), error }),
        };
        let digest = Digest::of(&bytes);
        Ok(Self { digest, bytes, manifest, instance_bytes, imports: surface.imports })
    }

    /// The id that it claims.
    pub(crate) fn id(&self) -> PluginId {
        PluginId::new(self.manifest.id.as_str())
    }

    /// The refusal of this component.
    pub(crate) fn refused(&self, error: InstallError) -> Refused {
        Refused { manifest: Some(Box::new(self.manifest.clone())), error }
    }

    /// Whether the component can use a capability at all.
    pub(crate) fn imports(&self, capability: Capability) -> bool {
        let prefix = match capability {
            Capability::Http => "wasi:http/",
            Capability::Inventory => "ferrule:plugin/inventory@",
            Capability::Reservation => "ferrule:plugin/reservation@",
        };
        self.imports.iter().any(|import| import.starts_with(prefix))
    }
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

fn roles(exports: &[String]) -> Vec<Role> {
    let exported = |role: &Role| {
        exports
            .iter()
            .filter_map(|export| interface(export))
            .any(|(name, _)| name == role.interface())
    };
    Role::ALL.into_iter().filter(exported).collect()
}

/// Checks that a component speaks this host's contract, and has a role in it.
fn check(surface: &Surface) -> Result<(), InstallError> {
    let other = surface.imports.iter().chain(&surface.exports).find_map(|name| {
        let (_, version) = interface(name)?;
        let ([major, minor, _], ..) = manifest::precedence(version)?;
        ((major, minor) != VERSION).then(|| version.to_owned())
    });
    match other {
        Some(wanted) => {
            Err(InstallError::OtherContract { wanted, major: VERSION.0, minor: VERSION.1 })
        }
        None if roles(&surface.exports).is_empty() => Err(InstallError::NoRole),
        None => Ok(()),
    }
}

/// The name and version of an interface of the contract.
fn interface(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}
