//! What a plugin asks of its host: in a component the imports of the contract, elsewhere the
//! [`fake`](crate::fake) host of a test.

#[cfg(target_family = "wasm")]
mod component;
#[cfg(target_family = "wasm")]
pub(crate) use component::{find, get, reserve, scratch, search, secret, send, setting, write};

#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::fake::{find, get, reserve, scratch, search, secret, send, setting, write};
