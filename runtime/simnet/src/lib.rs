//! The simulated network: the element managers that the shipped plugins talk to.
//!
//! It is the oracle of every reliability test, so what it counts is exact: how often each write was
//! called, and how often it really changed something. Faults are armed over HTTP and make it slow,
//! silent, wrong or late on purpose.
//!
//! State is bounded by `network::BYTES_MAX`. When that is reached writes are refused and nothing is
//! forgotten: an oracle that evicts would lie about repeats. `DELETE /_effects` starts afresh.

mod callback;
mod dialect;
mod element;
mod fault;
mod line;
mod network;
mod page;
mod refusal;
#[cfg(test)]
mod script;
mod service;

pub use page::page;
pub use service::{Error, serve};
