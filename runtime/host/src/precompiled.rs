//! The one place where machine code is loaded that was not compiled just now.

use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::seal::Seal;

/// Loads an artefact if it is the very bytes that this host sealed under this name.
///
/// A process that can write to the folder of artefacts and cannot read the key can neither change one nor
/// put one in the place of another. Artefacts from elsewhere are never accepted.
#[expect(unsafe_code, reason = "wasmtime trusts artefacts; these are ours, and checked")]
pub(crate) fn load(
    engine: &Engine,
    artefact: &[u8],
    seal: &Seal,
    (path, tag): (&Path, &[u8]),
) -> Option<Component> {
    if !seal.is_of(path, artefact, tag) {
        return None;
    }
    // SAFETY: the bytes came out of `Engine::precompile_component` of this user's process and
    // have not changed since. wasmtime itself checks that its version and settings agree.
    unsafe { Component::deserialize(engine, artefact) }.ok()
}
