//! The role of driving an element, or any other system outside.

use std::marker::PhantomData;

use crate::bindings::activator::exports::ferrule::plugin::activation::Guest;
use crate::{Done, Failure, Finding, Outcome, Task};

/// Drives an element. Export an implementation with [`activator!`](crate::activator).
pub trait Activator {
    /// Does the work. Called again with the same idempotency key after a failure of class
    /// `retry`, a crash or a lost answer; doing it twice must be as good as once.
    fn activate(task: &Task) -> Result<Outcome, Failure>;

    /// Takes the work back. `outputs` are those of `activate` as a JSON object, or `{}` where its
    /// answer was never seen; having nothing to take back is success.
    fn undo(task: &Task, outputs: &str) -> Result<Done, Failure>;

    /// Finds out whether the work was applied, after a crash or a lost answer. Without an answer
    /// of your own the work is done again, with the same key.
    fn probe(_task: &Task) -> Result<Finding, Failure> {
        Ok(Finding::NotApplied)
    }

    /// Reads an answer that came by callback; `payload` is its body. Only for a plugin that
    /// returns [`Outcome::waiting`].
    fn resume(task: &Task, _payload: &str) -> Result<Outcome, Failure> {
        Err(Failure::unexpected_callback(task))
    }
}

/// Joins an [`Activator`] to the generated trait.
#[doc(hidden)]
pub struct Glue<P>(PhantomData<P>);

impl<P: Activator> Guest for Glue<P> {
    fn activate(task: Task) -> Result<Outcome, Failure> {
        P::activate(&task)
    }

    fn undo(task: Task, outputs: String) -> Result<Done, Failure> {
        P::undo(&task, &outputs)
    }

    fn probe(task: Task) -> Result<Finding, Failure> {
        P::probe(&task)
    }

    fn resume(task: Task, payload: String) -> Result<Outcome, Failure> {
        P::resume(&task, &payload)
    }
}

/// Exports a type as the [`Activator`] of this component and embeds `plugin.toml`.
#[macro_export]
macro_rules! activator {
    ($plugin:ident) => {
        // Uses the plugin where nothing is exported, as in its tests.
        const _: ::core::marker::PhantomData<$crate::activator::Glue<$plugin>> =
            ::core::marker::PhantomData;
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::activator::Glue<$plugin>;
            $crate::bindings::activator::export!(Exported with_types_in $crate::bindings::activator);
            $crate::__embed_manifest!();
        };
    };
}
