//! The pure core of Ferrule: TM Forum documents, catalogs, rules, plans and the journal. Nothing
//! here does IO, reads a clock, draws a random number or is async.
#![forbid(unsafe_code)]

pub mod id;
pub mod outcome;
pub mod pool;
pub mod time;

pub use id::{Digest, FulfilmentId, ItemId, PluginId, PoolId, SpecId, TaskId};
pub use outcome::{Failure, FailureClass, Hold, Outcome, Wait};
pub use pool::{Pool, Values};
pub use time::Timestamp;
