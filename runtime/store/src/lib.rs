//! Facts that last: sled in a folder, or a PostgreSQL database, under the engine's `Store` trait. One writer,
//! one commit for all that arrived meanwhile.
#![forbid(unsafe_code)]

mod acknowledged;
pub mod backup;
mod cells;
mod check;
mod closing;
pub mod compaction;
pub mod copy;
mod database;
mod failure;
mod feed;
mod form;
mod layout;
mod marker;
mod open;
mod packed;
pub mod postgres;
pub mod private;
mod range;
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
pub use self::postgres::Postgres;
pub use self::sled::Sled;
