//! Links the capabilities that a component imports, in the contract that it was built against.

use wasmtime::component::Linker;

use crate::capability::{config, http, inventory, log, reservation, scratch, secrets};
use crate::contract::{Version, v01};
use crate::role::Capability;
use crate::state::State;

/// Links the capabilities that a component imports and was granted, and no others.
pub(crate) fn add_to_linker(
    linker: &mut Linker<State>,
    version: Version,
    granted: impl Fn(Capability) -> bool,
) -> wasmtime::Result<()> {
    if granted(Capability::Http) {
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    }
    match version {
        Version::V01 => add_v01(linker, granted),
        Version::V02 => add_v02(linker, granted),
    }
}

fn add_v02(
    linker: &mut Linker<State>,
    granted: impl Fn(Capability) -> bool,
) -> wasmtime::Result<()> {
    log::add_to_linker(linker, |state| &mut state.log)?;
    config::add_to_linker(linker, |state| &mut state.config)?;
    secrets::add_to_linker(linker, |state| &mut state.secrets)?;
    if granted(Capability::Http) {
        http::plain::add_to_linker(linker, |state| &mut state.outbound)?;
    }
    if granted(Capability::Inventory) {
        inventory::add_to_linker(linker, |state| &mut state.inventory)?;
    }
    if granted(Capability::Scratch) {
        scratch::add_to_linker(linker, |state| &mut state.scratch)?;
    }
    if granted(Capability::Reservation) {
        reservation::add_to_linker(linker, |state| &mut state.reservation)?;
    }
    Ok(())
}

fn add_v01(
    linker: &mut Linker<State>,
    granted: impl Fn(Capability) -> bool,
) -> wasmtime::Result<()> {
    v01::log::add_to_linker::<_, log::HasLog>(linker, |state| &mut state.log)?;
    v01::config::add_to_linker::<_, config::HasConfig>(linker, |state| &mut state.config)?;
    if granted(Capability::Inventory) {
        v01::inventory::add_to_linker::<_, inventory::HasInventory>(linker, |state| {
            &mut state.inventory
        })?;
    }
    if granted(Capability::Reservation) {
        v01::reservation::add_to_linker::<_, reservation::HasReservation>(linker, |state| {
            &mut state.reservation
        })?;
    }
    Ok(())
}
