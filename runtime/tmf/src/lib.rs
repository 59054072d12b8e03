//! The TM Forum standard, independent of how orders are carried out: what is served as a table
//! ([`resource`], [`table`]), what documents look like ([`shape`]), and what follows from that: checks,
//! patches, versions, filters, subscriptions, the OpenAPI description. Nothing here does IO, reads a
//! clock, draws a random number or is async.
#![forbid(unsafe_code)]

// The macros of this crate name it by its name, here too.
extern crate self as tmf;

pub mod nearest;
pub mod number;
pub mod time;

pub mod day;
pub mod money;
pub mod period;
pub mod zone;

pub mod document;
pub mod malformed;
#[macro_use]
mod states;

pub mod resource;
pub mod shape;
pub mod table;
pub mod version;

pub mod check;
pub mod describes;
pub mod difference;
pub mod erasure;
pub mod event;
pub mod href;
pub mod index;
pub mod json;
pub mod json_path;
pub mod new;
pub mod openapi;
pub mod patch;
pub mod personal;
pub mod references;
pub mod unknown;
pub mod uses;

pub mod filter;
pub mod subscription;

pub use check::{Invalid, InvalidKind};
pub use day::{Day, Days};
pub use malformed::Malformed;
pub use resource::{Api, Resource};
pub use table::{
    BillState, CatalogState, JobState, OnDemandState, OrderState, ProductStatus, QuoteState,
    ResourceStatus, ServiceState, StockStatus, TaskState, UsageStatus,
};
pub use time::Timestamp;
pub use version::Version;
pub use zone::Zone;
