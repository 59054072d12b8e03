//! The role of saying what an item becomes, where rules in YAML do not reach.

use std::marker::PhantomData;

use crate::Failure;
use crate::bindings::decomposer::exports::ferrule::plugin::decomposition::Guest;

pub use crate::bindings::decomposer::exports::ferrule::plugin::decomposition::{
    Production, Request,
};

/// Says what an item becomes. Export an implementation with [`decomposer!`](crate::decomposer).
pub trait Decomposer {
    /// The productions, in an order that depends on the request alone.
    fn decompose(request: &Request) -> Result<Vec<Production>, Failure>;
}

/// Joins a [`Decomposer`] to the generated trait.
#[doc(hidden)]
pub struct Glue<P>(PhantomData<P>);

impl<P: Decomposer> Guest for Glue<P> {
    fn decompose(request: Request) -> Result<Vec<Production>, Failure> {
        P::decompose(&request)
    }
}

/// Exports a type as the [`Decomposer`] of this component and embeds `plugin.toml`.
#[macro_export]
macro_rules! decomposer {
    ($plugin:ident) => {
        // Uses the plugin where nothing is exported, as in its tests.
        const _: ::core::marker::PhantomData<$crate::decomposer::Glue<$plugin>> =
            ::core::marker::PhantomData;
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::decomposer::Glue<$plugin>;
            $crate::bindings::decomposer::export!(Exported with_types_in $crate::bindings::decomposer);
            $crate::__embed_manifest!();
        };
    };
}
