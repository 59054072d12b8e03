//! Write a Ferrule plugin as a type and a trait impl: pick the role, implement its trait, name both
//! in [`export!`]. `plugins/README.md` walks through a whole plugin.
//!
//! ```
//! use ferrule_plugin::{Context, Failure, Outcome, Step, log};
//! use serde_json::Value;
//!
//! struct Echo;
//!
//! impl Step for Echo {
//!     type Input = Value;
//!     type Output = Value;
//!
//!     fn run(context: &Context, input: Value) -> Result<Outcome<Value>, Failure> {
//!         log::info(format!("attempt {} echoes its input", context.attempt()));
//!         Ok(Outcome::Done(input))
//!     }
//! }
//!
//! ferrule_plugin::export!(Echo as Step);
//! ```

pub mod rater;
pub mod role;
pub mod usage;

pub mod context;
pub mod failure;
pub mod outcome;

pub mod date;
pub mod money;

pub mod config;
pub mod http;
pub mod inventory;
pub mod log;
pub mod reservation;
pub mod scratch;
pub mod secrets;

pub mod element;

#[cfg(not(target_family = "wasm"))]
pub mod fake;

#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub mod export;
mod host;
pub mod schema;

/// The walk-through, compiled, so that it keeps working.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

pub use bindings::step::ferrule::plugin::types::{Attribute, Failure, FailureClass};
pub use context::{Action, Characteristics, Context, Item};
pub use date::Date;
pub use money::Money;
pub use outcome::{Callback, Difference, Finding, Observation, Outcome, Owner, State};
pub use rater::Rater;
pub use role::{Allocator, Callbacks, Decomposer, Observe, Probe, Step, Undo, Validator};
pub use usage::UsageRater;
