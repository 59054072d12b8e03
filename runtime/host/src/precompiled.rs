//! The one place where machine code is loaded that was not compiled just now.

use model::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Loads an artefact if it is the very bytes that this digest was taken of.
///
/// The caller vouches for the digest: it was written by [`crate::artefact`], beside the artefact,
/// into a folder that only this user can write to. Artefacts from elsewhere are never accepted.
#[expect(unsafe_code, reason = "wasmtime trusts artefacts; these are ours, and checked")]
pub(crate) fn load(engine: &Engine, artefact: &[u8], digest: &Digest) -> Option<Component> {
    if Digest::of(artefact) != *digest {
        return None;
    }
    // SAFETY: the bytes came out of `Engine::precompile_component` of this user's process and
    // have not changed since. wasmtime itself checks that its version and settings agree.
    unsafe { Component::deserialize(engine, artefact) }.ok()
}
