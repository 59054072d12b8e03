//! A validator that loops while it is instantiated, before any of its functions is called. It has
//! no manifest: the tests give it one.

use bindings::exports::ferrule::plugin::validation;
use bindings::ferrule::plugin::types::{Done, Failure, Task};

#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::mem_forget,
    reason = "generated code"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package test:guests;
            world starter { export ferrule:plugin/validation@0.2.0; }
        ",
        world: "test:guests/starter",
        generate_all,
    });
    export!(Starter with_types_in self);
    use super::Starter;
}

struct Starter;

impl validation::Guest for Starter {
    fn validate(_task: Task) -> Result<Done, Failure> {
        Ok(Done { outputs: "{}".into(), attributes: vec![] })
    }
}

/// Runs with the constructors of the module, which is when it is instantiated.
#[cfg(target_arch = "wasm32")]
extern "C" fn start() {
    loop {
        std::hint::black_box(());
    }
}

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "this is how a module gets a constructor")]
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;
