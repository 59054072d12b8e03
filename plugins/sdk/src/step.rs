//! The role of doing anything else.

use std::marker::PhantomData;

use crate::bindings::step::exports::ferrule::plugin::work::Guest;
use crate::{Failure, Outcome, Task};

/// Does any step that has no role of its own. Export an implementation with [`step!`](crate::step).
pub trait Step {
    /// Does the step.
    fn run(task: &Task) -> Result<Outcome, Failure>;

    /// Reads an answer that came by callback; `payload` is its body. Only for a plugin that
    /// returns [`Outcome::waiting`].
    fn resume(task: &Task, _payload: &str) -> Result<Outcome, Failure> {
        Err(Failure::unexpected_callback(task))
    }
}

/// Joins a [`Step`] to the generated trait.
#[doc(hidden)]
pub struct Glue<P>(PhantomData<P>);

impl<P: Step> Guest for Glue<P> {
    fn run(task: Task) -> Result<Outcome, Failure> {
        P::run(&task)
    }

    fn resume(task: Task, payload: String) -> Result<Outcome, Failure> {
        P::resume(&task, &payload)
    }
}

/// Exports a type as the [`Step`] of this component and embeds `plugin.toml`.
#[macro_export]
macro_rules! step {
    ($plugin:ident) => {
        // Uses the plugin where nothing is exported, as in its tests.
        const _: ::core::marker::PhantomData<$crate::step::Glue<$plugin>> =
            ::core::marker::PhantomData;
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::step::Glue<$plugin>;
    $crate::bindings::step::export!(Exported with_types_in $crate::bindings::step);
            $crate::__embed_manifest!();
        };
    };
}
