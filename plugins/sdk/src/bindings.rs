//! The bindings that `wit-bindgen` makes of the contract in `wit/`: one module per world. The types
//! and the imports that worlds share are generated once, in `step`, which has them all; the other
//! worlds refer to them there. Plugins see none of this, only the export macro reaches in.
#![expect(clippy::mem_forget, reason = "generated code hands memory over to the host")]

pub mod step {
    wit_bindgen::generate!({
        path: "wit",
        world: "ferrule:plugin/step",
        generate_all,
        additional_derives: [Eq, PartialEq],
        pub_export_macro: true,
        default_bindings_module: "ferrule_plugin::bindings::step",
    });
}

/// Declares the bindings of a world, with the interfaces that it shares with `step`.
macro_rules! world {
    ($name:ident, $world:literal, { $($interface:literal: $module:ident),* }) => {
        pub mod $name {
            wit_bindgen::generate!({
                path: "wit",
                world: $world,
                with: { $($interface: crate::bindings::step::ferrule::plugin::$module),* },
                additional_derives: [Eq, PartialEq],
                pub_export_macro: true,
            });
        }
    };
}

/// Declares every world. The version of the contract is in the arguments only.
macro_rules! worlds {
    ($types:literal, $log:literal, $config:literal, $inventory:literal, $reservation:literal) => {
        world!(validator, "ferrule:plugin/validator", {
            $types: types, $log: log, $config: config, $inventory: inventory
        });
        world!(allocator, "ferrule:plugin/allocator", {
            $types: types, $log: log, $config: config, $inventory: inventory,
            $reservation: reservation
        });
        world!(decomposer, "ferrule:plugin/decomposer", {
            $types: types, $log: log, $config: config
        });
        world!(rater, "ferrule:plugin/rater", { $types: types, $log: log, $config: config });
        world!(undoable, "ferrule:plugin/undoable", { $types: types });
        world!(probeable, "ferrule:plugin/probeable", { $types: types });
        world!(resumable, "ferrule:plugin/resumable", { $types: types });
        world!(observable, "ferrule:plugin/observable", { $types: types });
        world!(usage_rater, "ferrule:plugin/usage-rater", { $types: types });
        world!(described, "ferrule:plugin/described", { $types: types });
    };
}

worlds!(
    "ferrule:plugin/types@0.2.0",
    "ferrule:plugin/log@0.2.0",
    "ferrule:plugin/config@0.2.0",
    "ferrule:plugin/inventory@0.2.0",
    "ferrule:plugin/reservation@0.2.0"
);
