//! Facts on disk: sled under the engine's `Store` trait. One tree, one writer, one sync for all
//! that arrived meanwhile.
#![forbid(unsafe_code)]

mod failure;
mod layout;
mod open;
mod sled;
mod tree;
mod writer;

pub use self::open::{OpenError, Options};
pub use self::sled::Sled;
