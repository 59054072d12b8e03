//! Runs plugins: WebAssembly components under wasmtime, each call in a store of its own, with the
//! capabilities that the operator granted and no others.

pub mod compile;
pub mod folder;
pub mod grants;
pub mod host;
pub mod inspect;
pub mod install;
pub mod limits;
pub mod manifest;
pub mod provenance;
pub mod registry;
pub mod role;
pub mod schema;
pub mod signature;
pub mod versions;

mod admission;
mod answer;
mod artefact;
mod binding;
mod border;
mod capability;
mod component;
mod contract;
mod counters;
mod declared;
mod error;
mod executor;
mod granting;
mod invoke;
mod link;
mod machine;
mod mask;
mod precompiled;
mod rating;
mod regrant;
mod seal;
mod shared;
mod state;
mod sweep;
mod tls;

pub use capability::http::address::{Place, place};
pub use capability::record::{Keep, Of};
pub use error::InstallError;
pub use granting::RegrantError;
pub use grants::Grants;
pub use host::{Host, HostError, Options};
pub use inspect::{InspectError, Inspected};
pub use install::Installed;
pub use invoke::{Decomposition, Production, Schemas};
pub use limits::Limits;
pub use manifest::{Manifest, ManifestError};
pub use registry::{Entry, Loaded, State};
pub use role::Role;
pub use tls::TlsError;
