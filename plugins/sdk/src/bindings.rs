//! What `wit-bindgen` makes of the contract in `wit/`: one module per world. The types and the
//! imports that worlds share are generated once, in `step`, which has them all; the other worlds
//! refer to them there. Plugins see none of this, only the export macros reach in.
#![expect(clippy::mem_forget, reason = "generated code hands memory over to the host")]

pub mod step {
    wit_bindgen::generate!({
        path: "../../wit/0.1",
        world: "ferrule:plugin/step",
        generate_all,
        additional_derives: [Eq, PartialEq],
        pub_export_macro: true,
        default_bindings_module: "ferrule_plugin::bindings::step",
    });
}

pub mod activator {
    wit_bindgen::generate!({
        path: "../../wit/0.1",
        world: "ferrule:plugin/activator",
        with: {
            "ferrule:plugin/types@0.1.2": crate::bindings::step::ferrule::plugin::types,
            "ferrule:plugin/log@0.1.2": crate::bindings::step::ferrule::plugin::log,
            "ferrule:plugin/config@0.1.2": crate::bindings::step::ferrule::plugin::config,
            "ferrule:plugin/inventory@0.1.2": crate::bindings::step::ferrule::plugin::inventory,
        },
        additional_derives: [Eq, PartialEq],
        pub_export_macro: true,
        default_bindings_module: "ferrule_plugin::bindings::activator",
    });
}

pub mod allocator {
    wit_bindgen::generate!({
        path: "../../wit/0.1",
        world: "ferrule:plugin/allocator",
        with: {
            "ferrule:plugin/types@0.1.2": crate::bindings::step::ferrule::plugin::types,
            "ferrule:plugin/log@0.1.2": crate::bindings::step::ferrule::plugin::log,
            "ferrule:plugin/config@0.1.2": crate::bindings::step::ferrule::plugin::config,
            "ferrule:plugin/inventory@0.1.2": crate::bindings::step::ferrule::plugin::inventory,
            "ferrule:plugin/reservation@0.1.2": crate::bindings::step::ferrule::plugin::reservation,
        },
        additional_derives: [Eq, PartialEq],
        pub_export_macro: true,
        default_bindings_module: "ferrule_plugin::bindings::allocator",
    });
}

pub mod validator {
    wit_bindgen::generate!({
        path: "../../wit/0.1",
        world: "ferrule:plugin/validator",
        with: {
            "ferrule:plugin/types@0.1.2": crate::bindings::step::ferrule::plugin::types,
            "ferrule:plugin/log@0.1.2": crate::bindings::step::ferrule::plugin::log,
            "ferrule:plugin/config@0.1.2": crate::bindings::step::ferrule::plugin::config,
            "ferrule:plugin/inventory@0.1.2": crate::bindings::step::ferrule::plugin::inventory,
        },
        additional_derives: [Eq, PartialEq],
        pub_export_macro: true,
        default_bindings_module: "ferrule_plugin::bindings::validator",
    });
}

pub mod decomposer {
    wit_bindgen::generate!({
        path: "../../wit/0.1",
        world: "ferrule:plugin/decomposer",
        with: {
            "ferrule:plugin/types@0.1.2": crate::bindings::step::ferrule::plugin::types,
            "ferrule:plugin/log@0.1.2": crate::bindings::step::ferrule::plugin::log,
            "ferrule:plugin/config@0.1.2": crate::bindings::step::ferrule::plugin::config,
        },
        additional_derives: [Eq, PartialEq],
        pub_export_macro: true,
        default_bindings_module: "ferrule_plugin::bindings::decomposer",
    });
}

pub mod rater {
    wit_bindgen::generate!({
        path: "../../wit/0.1",
        world: "ferrule:plugin/rater",
        with: {
            "ferrule:plugin/types@0.1.2": crate::bindings::step::ferrule::plugin::types,
            "ferrule:plugin/log@0.1.2": crate::bindings::step::ferrule::plugin::log,
            "ferrule:plugin/config@0.1.2": crate::bindings::step::ferrule::plugin::config,
        },
        additional_derives: [Eq, PartialEq],
        pub_export_macro: true,
        default_bindings_module: "ferrule_plugin::bindings::rater",
    });
}
