//! The pure core of Ferrule: orders, catalogs, rules, plans, prices and the journal. Nothing
//! here does IO, reads a clock, draws a random number or is async.
//!
//! An order comes in ([`order`]), is decomposed by the packs ([`pack`], [`rulebook`],
//! [`decompose`](mod@decompose)) into a [`plan`], and from then on its [`fulfilment`] is the fold
//! over its [`journal`].
#![forbid(unsafe_code)]

pub mod bounds;
pub mod codes;
pub mod id;
pub mod operation;
pub mod outcome;

pub mod catalog;
pub mod diagnostic;
pub mod expr;
mod places;
pub mod pool;
pub mod rule;
pub mod workflow;

pub mod pack;
pub mod rulebook;

pub mod pricing;

pub mod activation;
pub mod decompose;
pub mod installed;
pub mod order;
pub mod plan;

pub mod documents;
pub mod fulfilment;
pub mod journal;
pub mod reconcile;
pub mod task;

pub use bounds::{BOUNDS, Bounds, Exceeded};
pub use codes::FailureCode;
pub use documents::{Changes, Document};
pub use fulfilment::{Context, Due, Fulfilment, NoCall, Phase};
pub use id::{Digest, FulfilmentId, InstanceId, ItemId, PluginId, PoolId, SpecId, TaskId};
pub use journal::{End, Event, Kind, Record};
pub use operation::{Direction, Effects, Operation};
pub use order::Order;
pub use outcome::{Failure, FailureClass, Outcome, Reservation, Wait};
pub use pack::Pack;
pub use plan::Plan;
pub use pool::{Pool, Values};
pub use rulebook::Rulebook;
pub use task::TaskState;
