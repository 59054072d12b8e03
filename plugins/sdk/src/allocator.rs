//! The role of taking resources out of pools.

use std::marker::PhantomData;

use crate::bindings::allocator::exports::ferrule::plugin::allocation::Guest;
use crate::{Done, Failure, Task};

/// Takes resources out of pools. Export an implementation with [`allocator!`](crate::allocator).
pub trait Allocator {
    /// Reserves what the input asks for and gives the values as outputs. There is no release:
    /// the host gives back what was reserved when the task is undone.
    fn allocate(task: &Task) -> Result<Done, Failure>;
}

/// Joins an [`Allocator`] to the generated trait.
#[doc(hidden)]
pub struct Glue<P>(PhantomData<P>);

impl<P: Allocator> Guest for Glue<P> {
    fn allocate(task: Task) -> Result<Done, Failure> {
        P::allocate(&task)
    }
}

/// Exports a type as the [`Allocator`] of this component and embeds `plugin.toml`.
#[macro_export]
macro_rules! allocator {
    ($plugin:ident) => {
        // Uses the plugin where nothing is exported, as in its tests.
        const _: ::core::marker::PhantomData<$crate::allocator::Glue<$plugin>> =
            ::core::marker::PhantomData;
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::allocator::Glue<$plugin>;
            $crate::bindings::allocator::export!(Exported with_types_in $crate::bindings::allocator);
            $crate::__embed_manifest!();
        };
    };
}
