//! The loop that owns plans. It states what it needs of the outside (a [`store::Store`] that keeps
//! facts, a [`worker::Worker`] that runs plugins, a [`clock::Clock`]) and is driven by submissions,
//! outcomes, callbacks and time.
#![forbid(unsafe_code)]

pub mod address;
pub mod audit;
pub mod causes;
pub mod clock;
pub mod documents;
pub mod keys;
pub mod limits;
pub mod pools;
pub mod scratch;
pub mod stamp;
pub mod store;
pub mod telemetry;
pub mod tenant;
pub mod trace;
pub mod worker;

pub mod core;

pub mod handle;

#[cfg(test)]
mod sim;

pub use core::{
    Amendment, Callback, Denied, Durability, Held, Published, Received, Release, Seen, SetAside,
    Wish,
};
pub use handle::{Engine, Loop, NotSubmitted, Parts, Submitted};
pub use limits::Limits;
