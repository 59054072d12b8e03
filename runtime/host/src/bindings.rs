//! What wasmtime makes of the contract in `wit/`: one module per world. The types and the imports
//! of all worlds are those of [`step`], whose imports are a superset of the others'.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    reason = "generated code"
)]

pub(crate) use step::ferrule::plugin::{config, inventory, log, reservation, types};

pub(crate) mod step {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "ferrule:plugin/step",
        exports: { default: async },
    });
}

/// Declares the bindings of a world whose imports are in [`step`].
macro_rules! world {
    ($name:ident, $path:literal) => {
        pub(crate) mod $name {
            wasmtime::component::bindgen!({
                path: "../../wit",
                world: $path,
                exports: { default: async },
                with: { "ferrule:plugin": crate::bindings::step::ferrule::plugin },
            });
        }
    };
}

world!(validator, "ferrule:plugin/validator");
world!(decomposer, "ferrule:plugin/decomposer");
world!(allocator, "ferrule:plugin/allocator");
world!(activator, "ferrule:plugin/activator");
world!(rater, "ferrule:plugin/rater");
