//! The things that a plugin may be granted, one file each.

use wasmtime::component::Linker;

use crate::contract::Version;
use crate::role::Capability;
use crate::state::State;

pub(crate) mod config;
pub(crate) mod http;
pub(crate) mod inventory;
pub(crate) mod log;
pub(crate) mod reservation;

mod v01;

/// Links the capabilities that a component imports and was granted, and no others.
pub(crate) fn add_to_linker(
    linker: &mut Linker<State>,
    version: Version,
    granted: impl Fn(Capability) -> bool,
) -> wasmtime::Result<()> {
    if granted(Capability::Http) {
        http::add_to_linker(linker)?;
    }
    match version {
        Version::V01 => v01::add_to_linker(linker, granted),
        Version::V02 => {
            log::add_to_linker(linker)?;
            config::add_to_linker(linker)?;
            if granted(Capability::Inventory) {
                inventory::add_to_linker(linker)?;
            }
            if granted(Capability::Reservation) {
                reservation::add_to_linker(linker)?;
            }
            Ok(())
        }
    }
}
