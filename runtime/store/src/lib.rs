//! Facts on disk: sled under the engine's `Store` trait. One tree, one writer, one sync for all
//! that arrived meanwhile.
#![forbid(unsafe_code)]

mod acknowledged;
pub mod backup;
mod cells;
mod check;
mod closing;
pub mod compaction;
mod database;
mod failure;
mod feed;
mod layout;
mod marker;
mod open;
mod packed;
pub mod private;
mod rehearsal;
pub mod restoration;
mod scan;
pub mod seal;
mod sled;
mod tally;
mod tree;
mod writer;

pub use self::database::OpenError;
pub use self::marker::Lack;
pub use self::open::Options;
pub use self::sled::Sled;
