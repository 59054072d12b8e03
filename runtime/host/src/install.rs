//! Takes a plugin in: reads it, holds what it wants against what it was granted, compiles and
//! links it. All of it, or nothing changes.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use engine::worker::Effects;
use model::{Digest, PluginId};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{InstancePre, Linker};

use crate::admission::Usual;
use crate::bindings::activator::ActivatorPre;
use crate::bindings::allocator::AllocatorPre;
use crate::bindings::decomposer::DecomposerPre;
use crate::bindings::rater::RaterPre;
use crate::bindings::step::StepPre;
use crate::bindings::validator::ValidatorPre;
use crate::capability::{self, http};
use crate::compile::Setting;
use crate::component::Component;
use crate::grants::{self, Grants};
use crate::limits::Limits;
use crate::manifest::{self, Manifest, ManifestError};
use crate::mask::Mask;
use crate::role::{Capability, Role};
use crate::state::State;

/// What a call is taken to need of memory before any call of its plugin has ended.
const USUAL_BYTES: usize = 4 << 20;

/// A plugin that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its id.
    pub id: PluginId,
    /// Its version.
    pub version: String,
    /// Its role.
    pub role: Role,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Whether it can have an effect beyond its answers.
    pub effects: Effects,
}

/// Why a plugin was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It is larger than plugins may be.
    #[error(
        "the file has {bytes} bytes, a plugin may have {max}: build it with opt-level \"s\" and strip it"
    )]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// It is no WebAssembly.
    #[error("the file is no WebAssembly: build the plugin with `ferrule plugin build`")]
    NotWasm,
    /// It is a core module.
    #[error("the file is a core module and no component: build it for the target wasm32-wasip2")]
    CoreModule,
    /// It is cut off or damaged.
    #[error("the file is damaged or cut off: copy or build it again")]
    Malformed(#[source] wasmparser::BinaryReaderError),
    /// It says nothing of itself.
    #[error(
        "the component has no manifest: put a `plugin.toml` into its custom section `ferrule:plugin-manifest`"
    )]
    NoManifest,
    /// What it says of itself is wrong.
    #[error("the plugin's manifest is wrong: mend its `plugin.toml` and build it again")]
    Manifest(#[source] ManifestError),
    /// It has none of our roles.
    #[error(
        "the component exports no interface of ferrule:plugin: implement a world of `wit/`, such as `activator`"
    )]
    NoRole,
    /// It says that it has another role than it has.
    #[error(
        "the manifest says world `{manifest}`, the component exports that of `{exported}`: make them agree"
    )]
    OtherRole {
        /// What the manifest says.
        manifest: Role,
        /// What the component is.
        exported: Role,
    },
    /// It was built against another contract.
    #[error(
        "the plugin was built against ferrule:plugin@{wanted}, this host speaks {major}.{minor}: build it with the `wit/` of this host"
    )]
    OtherContract {
        /// What it was built against.
        wanted: String,
        /// What the host speaks.
        major: u64,
        /// What the host speaks.
        minor: u64,
    },
    /// It imports what its role may not have.
    #[error("the component imports {}, which a plugin of world `{role}` may not have: use the world `step`", .capability.name())]
    NotInRole {
        /// Its role.
        role: Role,
        /// What it imports.
        capability: Capability,
    },
    /// It imports what it was not granted.
    #[error("the component needs {}, which is not granted; to grant it, add to ferrule.toml:\n{lines}", .capability.name())]
    NotGranted {
        /// What it needs.
        capability: Capability,
        /// The lines that grant it.
        lines: String,
    },
    /// It was granted two things that do not go together.
    #[error(
        "`{plugin}` is granted both `http` and `pools`, and may have one of them: allocate in one plugin and act in another, so that what an element is told is on disk first"
    )]
    Conflict {
        /// The plugin.
        plugin: String,
    },
    /// It cannot be read.
    #[error("the file cannot be read: see where it leads and who may read it")]
    Unreadable(#[source] io::Error),
    /// It is a folder, a pipe or a device.
    #[error("this is no file: remove it, or copy the plugin itself here")]
    NotAFile,
    /// Its id is another's.
    #[error(
        "the id `{id}` belongs to {owner}; if `{file}` may have its grants and settings, name it in ferrule.toml, where one `*` stands for anything:\n[plugins.{}]\nfile = {}", grants::table_key(id.as_str()), grants::quote(file)
    )]
    OtherFile {
        /// The id that it claims.
        id: PluginId,
        /// Whose it is.
        owner: String,
        /// The name of the file.
        file: String,
    },
    /// Whose its id is cannot be told.
    #[error(
        "whose the id is cannot be told from `{}`: mend or remove that file, then copy the plugin again", .path.display()
    )]
    Binding {
        /// The file that tells it.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: io::Error,
    },
    /// Compiling it takes more than it may.
    #[error(
        "compiling the plugin takes more than {max} {}: build it with opt-level \"s\" and smaller functions, or raise `{}` in `[host]` of ferrule.toml; it is not tried again until then, or until `{}` is removed", .setting.noun(), .setting.key(), .memory.display()
    )]
    CompileLimit {
        /// Which limit.
        setting: Setting,
        /// What it was.
        max: u32,
        /// The file that remembers it.
        memory: PathBuf,
    },
    /// It declares more than an instance may have.
    #[error(
        "the component has {count} {what}, counted as often as they are instantiated, and may have {max}: build it of fewer modules"
    )]
    TooMany {
        /// What it has too much of.
        what: &'static str,
        /// How many it has.
        count: u64,
        /// How many it may have.
        max: u64,
    },
    /// It instantiates a module or a component that is not in it.
    #[error("the component instantiates what another one gives it: compose it into one file")]
    Foreign,
    /// The compiler refused it.
    #[error(
        "the component cannot be compiled: {reason}; build it again, or report it if it stays so; these bytes are not tried again until `{}` is removed", .memory.display()
    )]
    Compile {
        /// What the compiler said.
        reason: String,
        /// The file that remembers it.
        memory: PathBuf,
    },
    /// Compiling it was interrupted.
    #[error("compiling the plugin was interrupted ({how}): it is tried again by itself")]
    Interrupted {
        /// How the process ended.
        how: String,
    },
    /// The compiler cannot be run.
    #[error("the compiler cannot be run; it is tried again by itself")]
    Compiler(#[source] io::Error),
    /// Its imports or exports are not those of the contract.
    #[error("the component does not fit its world: build it with the `wit/` of this host")]
    Link(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The cache failed.
    #[error(
        "the plugin cannot be kept in the cache: see that its folder can be written and has room"
    )]
    Cache(#[source] io::Error),
    /// The cache has no such plugin.
    #[error("no plugin `{}` is kept: install the file again", .digest.short())]
    NotKept {
        /// The digest that was asked for.
        digest: Digest,
    },
    /// The host was shutting down.
    #[error("the host is shutting down")]
    Closing,
}

impl InstallError {
    /// Whether the same bytes may be taken in at a later look, without any change.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Interrupted { .. } | Self::Compiler(_) | Self::Cache(_) | Self::Closing
        )
    }
}

/// A file that was not taken in, with what could be read of it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) manifest: Option<Box<Manifest>>,
    pub(crate) error: InstallError,
}

impl From<InstallError> for Refused {
    fn from(error: InstallError) -> Self {
        Self { manifest: None, error }
    }
}

/// A plugin, ready to be called.
pub(crate) struct Plugin {
    pub(crate) installed: Installed,
    pub(crate) manifest: Manifest,
    pub(crate) name: Arc<str>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) limits: Limits,
    pub(crate) client: http::Client,
    pub(crate) exports: Exports,
    /// What the host keeps of an instance, beside its memories and tables.
    pub(crate) instance_bytes: usize,
    /// How much memory its calls take.
    pub(crate) usual: Usual,
    /// Takes the values of its settings out of what it says.
    pub(crate) mask: Arc<Mask>,
    /// One permit for each call that may be under way.
    pub(crate) calls: Semaphore,
}

/// The exports of a plugin, by role.
pub(crate) enum Exports {
    Validator(ValidatorPre<State>),
    Decomposer(DecomposerPre<State>),
    Allocator(AllocatorPre<State>),
    Activator(ActivatorPre<State>),
    Rater(RaterPre<State>),
    Step(StepPre<State>),
}

impl Plugin {
    /// Makes a plugin of a component that was checked and compiled.
    pub(crate) fn link(
        engine: &Engine,
        compiled: &wasmtime::component::Component,
        component: &Component,
        grants: Arc<Grants>,
        client: http::Client,
    ) -> Result<Self, InstallError> {
        let manifest = component.manifest.clone();
        let exports = linker(engine, component)
            .and_then(|linker| linker.instantiate_pre(compiled))
            .and_then(|pre| Exports::find(manifest.world, pre))
            .map_err(|error| InstallError::Link(error.into_boxed_dyn_error()))?;
        let limits = Limits::settle(&manifest.limits, &grants.limits);
        let installed = Installed {
            id: component.id(),
            version: manifest.version.clone(),
            role: manifest.world,
            digest: component.digest.clone(),
            effects: effects(component),
        };
        Ok(Self {
            installed,
            name: manifest.id.as_str().into(),
            manifest,
            mask: Arc::new(Mask::new(&grants.config)),
            grants,
            limits,
            client,
            exports,
            instance_bytes: component.instance_bytes,
            usual: Usual::new(USUAL_BYTES.min((limits.memory_mib as usize) << 20)),
            calls: Semaphore::new(limits.concurrency as usize),
        })
    }
}

impl Plugin {
    /// Whether what it does can be taken back.
    pub(crate) fn can_undo(&self) -> bool {
        let Installed { role, effects, .. } = self.installed;
        manifest::can_undo(role, effects == Effects::External)
    }
}

/// Whether a component can have an effect beyond its answers.
pub(crate) fn effects(component: &Component) -> Effects {
    if component.imports(Capability::Http) { Effects::External } else { Effects::Pure }
}

impl Exports {
    fn find(role: Role, pre: InstancePre<State>) -> wasmtime::Result<Self> {
        Ok(match role {
            Role::Validator => Self::Validator(ValidatorPre::new(pre)?),
            Role::Decomposer => Self::Decomposer(DecomposerPre::new(pre)?),
            Role::Allocator => Self::Allocator(AllocatorPre::new(pre)?),
            Role::Activator => Self::Activator(ActivatorPre::new(pre)?),
            Role::Rater => Self::Rater(RaterPre::new(pre)?),
            Role::Step => Self::Step(StepPre::new(pre)?),
        })
    }
}

/// Holds what a component imports against what its role may have and what it was granted.
pub(crate) fn check(component: &Component, grants: &Grants) -> Result<(), InstallError> {
    let manifest = &component.manifest;
    if grants.any(Capability::Http) && grants.any(Capability::Reservation) {
        return Err(InstallError::Conflict { plugin: manifest.id.clone() });
    }
    for capability in [Capability::Http, Capability::Inventory, Capability::Reservation] {
        if !component.imports(capability) {
            continue;
        }
        if !manifest.world.may(capability) {
            return Err(InstallError::NotInRole { role: manifest.world, capability });
        }
        if !grants.any(capability) {
            let lines = proposal(manifest, capability);
            return Err(InstallError::NotGranted { capability, lines });
        }
    }
    Ok(())
}

/// The lines that would grant what a manifest requests of a capability.
fn proposal(manifest: &Manifest, capability: Capability) -> String {
    let requests = &manifest.requests;
    let (key, requested, otherwise) = match capability {
        Capability::Http => ("http", &[][..], "http://HOST:PORT"),
        Capability::Inventory => ("inventory", &requests.inventory[..], "service"),
        Capability::Reservation => ("pools", &requests.pools[..], "*"),
    };
    match requested.split_last() {
        Some((last, rest)) => grants::lines(&manifest.id, key, rest, last),
        None => grants::lines(&manifest.id, key, &[], otherwise),
    }
}

/// Links what a component was granted and imports, and nothing else.
fn linker(engine: &Engine, component: &Component) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    // The standard libraries of all languages import parts of WASI; the context is empty.
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    capability::log::add_to_linker(&mut linker)?;
    capability::config::add_to_linker(&mut linker)?;
    if component.imports(Capability::Inventory) {
        capability::inventory::add_to_linker(&mut linker)?;
    }
    if component.imports(Capability::Reservation) {
        capability::reservation::add_to_linker(&mut linker)?;
    }
    if component.imports(Capability::Http) {
        capability::http::add_to_linker(&mut linker)?;
    }
    Ok(linker)
}
