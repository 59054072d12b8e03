//! The errors of installing a plugin.

use std::io;
use std::path::PathBuf;

use model::{Digest, PluginId};

use crate::certificate::CertificateError;
use crate::compile::Setting;
use crate::grants;
use crate::manifest::{Manifest, ManifestError};
use crate::role::{Capability, Role};
use crate::signature::SignatureError;

/// Why a plugin was not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It is larger than plugins may be.
    #[error(
        "the file has {bytes} bytes, a plugin may have {max}: build it with opt-level \"s\" and strip it"
    )]
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// The limit.
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
    /// It has no manifest.
    #[error(
        "the component has no manifest: put a `plugin.toml` into its custom section `ferrule:plugin-manifest`"
    )]
    NoManifest,
    /// Its manifest is wrong.
    #[error("the plugin's manifest is wrong: mend its `plugin.toml` and build it again")]
    Manifest(#[source] ManifestError),
    /// It has none of our roles.
    #[error(
        "the component exports no interface of ferrule:plugin: implement a world of `wit/`, such as `activator`"
    )]
    NoRole,
    /// Its manifest names another role than its exports.
    #[error(
        "the manifest names world `{manifest}`, the component exports that of `{exported}` and lacks {}: make them agree",
        list(missing)
    )]
    OtherRole {
        /// The role in the manifest.
        manifest: Role,
        /// The role of the component.
        exported: Role,
        /// The interfaces that the manifest's world exports and the component does not.
        missing: Vec<&'static str>,
    },
    /// It was built against another contract.
    #[error(
        "the plugin was built against ferrule:plugin@{wanted}, this host serves 0.1 and 0.2: build it with the `wit/` of this host"
    )]
    OtherContract {
        /// The version that it was built against.
        wanted: String,
    },
    /// It needs WASI 0.3.
    #[error(
        "the component needs {needs} of WASI 0.3, this host runs WASI 0.2: build it for the target wasm32-wasip2, with functions that are not async"
    )]
    LaterWasi {
        /// The import, or what else it needs.
        needs: String,
    },
    /// It was built against two versions of the contract.
    #[error("the component uses two versions of ferrule:plugin: build it against one of them")]
    MixedContract,
    /// Its signature does not do.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Its certificate does not do.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// It imports a capability that its role may not have.
    #[error("the component imports {}, which a plugin of world `{role}` may not have: use the world `step`", .capability.name())]
    NotInRole {
        /// Its role.
        role: Role,
        /// The capability.
        capability: Capability,
    },
    /// It imports a capability that it was not granted.
    #[error("the component needs {}, which is not granted; to grant it, add to ferrule.toml:\n{lines}", .capability.name())]
    NotGranted {
        /// The capability.
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
    /// Its settings are not those that it declares.
    #[error("its settings in ferrule.toml are wrong:\n{mistakes}")]
    Settings {
        /// A line for each mistake, with the fix.
        mistakes: String,
    },
    /// It cannot be read.
    #[error("the file cannot be read: see where it leads and who may read it")]
    Unreadable(#[source] io::Error),
    /// It is a folder, a pipe or a device.
    #[error("this is no file: remove it, or copy the plugin itself here")]
    NotAFile,
    /// Its id belongs to another.
    #[error(
        "the id `{id}` belongs to {owner}; if `{file}` may have its grants and settings, name it in ferrule.toml, where one `*` stands for anything:\n[plugins.{}]\nfile = {}", grants::table_key(id.as_str()), grants::quote(file)
    )]
    OtherFile {
        /// The id that it claims.
        id: PluginId,
        /// The owner.
        owner: String,
        /// The name of the file.
        file: String,
    },
    /// The owner of its id is not known.
    #[error(
        "the owner of the id cannot be read from `{}`: mend or remove that file, then copy the plugin again", .path.display()
    )]
    Binding {
        /// The file with the owner.
        path: PathBuf,
        /// The error.
        #[source]
        source: io::Error,
    },
    /// Compiling it exceeds a limit.
    #[error(
        "compiling the plugin takes more than {max} {}: build it with opt-level \"s\" and smaller functions, or raise `{}` in `[host]` of ferrule.toml; it is not tried again until then, or until `{}` is removed", .setting.noun(), .setting.key(), .memory.display()
    )]
    CompileLimit {
        /// The setting of the limit.
        setting: Setting,
        /// Its value.
        max: u32,
        /// The file that remembers it.
        memory: PathBuf,
    },
    /// It declares more than the limits of an instance.
    #[error(
        "the component has {count} {what}, counted as often as they are instantiated, and may have {max}: build it of fewer modules"
    )]
    TooMany {
        /// The declarations.
        what: &'static str,
        /// Their number.
        count: u64,
        /// The limit.
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
        /// The compiler's reason.
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
    /// Whether the same bytes may be installed later, without any change.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Interrupted { .. } | Self::Compiler(_) | Self::Cache(_) | Self::Closing
        )
    }
}

/// A file that was not installed, with its manifest if it could be read.
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

/// Names, each in backticks.
fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
