//! The role of checking an order before anything is done for it.

use std::marker::PhantomData;

use crate::bindings::validator::exports::ferrule::plugin::validation::Guest;
use crate::{Done, Failure, Task};

/// Checks an order. Export an implementation with [`validator!`](crate::validator).
pub trait Validator {
    /// Accepts the order, or fails with class `reject` and a message for whoever sent it.
    fn validate(task: &Task) -> Result<Done, Failure>;
}

/// Joins a [`Validator`] to the generated trait.
#[doc(hidden)]
pub struct Glue<P>(PhantomData<P>);

impl<P: Validator> Guest for Glue<P> {
    fn validate(task: Task) -> Result<Done, Failure> {
        P::validate(&task)
    }
}

/// Exports a type as the [`Validator`] of this component and embeds `plugin.toml`.
#[macro_export]
macro_rules! validator {
    ($plugin:ident) => {
        // Uses the plugin where nothing is exported, as in its tests.
        const _: ::core::marker::PhantomData<$crate::validator::Glue<$plugin>> =
            ::core::marker::PhantomData;
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::validator::Glue<$plugin>;
            $crate::bindings::validator::export!(Exported with_types_in $crate::bindings::validator);
            $crate::__embed_manifest!();
        };
    };
}
