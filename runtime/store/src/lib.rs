//! Facts that last: sled in a folder, or a PostgreSQL database, under the engine's `Store` trait. One writer,
//! one commit for all that arrived meanwhile.
#![forbid(unsafe_code)]

mod acknowledged;
pub mod backup;
mod bulk;
mod check;
mod closing;
pub mod compaction;
pub mod copy;
mod database;
mod failure;
mod first;
mod folder;
mod form;
mod keeper;
mod layout;
mod log;
mod logs;
mod manifest;
mod marker;
mod open;
mod packed;
pub mod postgres;
pub mod private;
mod range;
mod record;
mod rehearsal;
mod replay;
pub mod restoration;
mod scan;
pub mod seal;
mod sled;
mod tables;
mod tally;
mod tree;
mod writer;

pub use self::database::OpenError;
pub use self::folder::free_bytes;
pub use self::marker::Lack;
pub use self::open::Options;
pub use self::postgres::Postgres;
pub use self::sled::Sled;
