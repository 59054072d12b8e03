//! Write a Ferrule plugin as a struct and a trait impl: pick the role, implement its trait, name
//! it in the role's macro. `plugins/README.md` walks through a whole plugin.
//!
//! ```
//! use ferrule_plugin::{Failure, Outcome, Step, Task, log};
//! use serde_json::Value;
//!
//! struct Echo;
//!
//! impl Step for Echo {
//!     fn run(task: &Task) -> Result<Outcome, Failure> {
//!         log::info("echoes its input");
//!         Ok(Outcome::done(&task.input::<Value>()?))
//!     }
//! }
//!
//! ferrule_plugin::step!(Echo);
//! ```

pub mod activator;
pub mod allocator;
pub mod decomposer;
pub mod rater;
pub mod step;
pub mod validator;

pub mod failure;
pub mod outcome;
pub mod task;

pub mod date;
pub mod money;

pub mod config;
pub mod http;
pub mod inventory;
pub mod log;
pub mod reservation;

pub mod element;

#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub mod manifest;

/// The walk-through, compiled, so that it keeps working.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

pub use activator::Activator;
pub use allocator::Allocator;
pub use bindings::step::ferrule::plugin::types::{
    Attribute, Callback, Done, Failure, FailureClass, Finding, Outcome, Task,
};
pub use date::Date;
pub use decomposer::Decomposer;
pub use money::Money;
pub use rater::Rater;
pub use step::Step;
pub use task::Characteristics;
pub use validator::Validator;
