//! Exports a plugin: joins its traits to the generated ones.

use std::marker::PhantomData;

use serde::Serialize;
use serde_json::Value;

use crate::bindings::allocator::exports::ferrule::plugin::allocation;
use crate::bindings::decomposer::exports::ferrule::plugin::decomposition;
use crate::bindings::observable::exports::ferrule::plugin::observation;
use crate::bindings::probeable::exports::ferrule::plugin::probe;
use crate::bindings::rater::exports::ferrule::plugin::rating;
use crate::bindings::resumable::exports::ferrule::plugin::callbacks;
use crate::bindings::step::exports::ferrule::plugin::work;
use crate::bindings::step::ferrule::plugin::types as wire;
use crate::bindings::undoable::exports::ferrule::plugin::undo;
use crate::bindings::usage_rater::exports::ferrule::plugin::usage_rating;
use crate::bindings::validator::exports::ferrule::plugin::validation;
use crate::{
    Allocator, Callbacks, Context, Decomposer, Failure, Finding, Observe, Outcome, Probe, Rater,
    Step, Undo, UsageRater, Validator, rater, usage,
};

/// Implements the generated traits for a plugin that implements ours.
#[doc(hidden)]
pub struct Glue<P>(PhantomData<P>);

impl<P: Validator> validation::Guest for Glue<P> {
    fn validate(task: wire::Task) -> Result<wire::Done, Failure> {
        let context = Context::new(task);
        let input = context.input()?;
        P::validate(&context, input).and_then(|output| done(&output))
    }
}

impl<P: Allocator> allocation::Guest for Glue<P> {
    fn allocate(task: wire::Task) -> Result<wire::Done, Failure> {
        let context = Context::new(task);
        let input = context.input()?;
        P::allocate(&context, input).and_then(|output| done(&output))
    }
}

impl<P: Decomposer> decomposition::Guest for Glue<P> {
    fn decompose(
        request: decomposition::Request,
    ) -> Result<Vec<decomposition::Production>, Failure> {
        P::decompose(&request)
    }
}

impl<P: Step> work::Guest for Glue<P> {
    fn run(task: wire::Task) -> Result<wire::Outcome, Failure> {
        let context = Context::new(task);
        let input = context.input()?;
        P::run(&context, input).and_then(outcome)
    }
}

impl<P: Undo> undo::Guest for Glue<P> {
    fn undo(task: wire::Task, outputs: Option<String>) -> Result<wire::Outcome, Failure> {
        let context = Context::new(task);
        let input = context.input()?;
        let output = outputs.map(|outputs| {
            serde_json::from_str(&outputs).map_err(|cause| {
                let name = context.name();
                let message = format!("the outputs of task `{name}` cannot be used: {cause}");
                Failure::operator("BAD_OUTPUTS", message)
            })
        });
        P::undo(&context, input, output.transpose()?).and_then(undone)
    }

    fn resume(task: wire::Task, answer: String) -> Result<wire::Outcome, Failure> {
        let context = Context::new(task);
        let (input, answer) = (context.input()?, read(&context, &answer)?);
        P::resume_undo(&context, input, &answer).and_then(undone)
    }
}

impl<P: Probe> probe::Guest for Glue<P> {
    fn probe(task: wire::Task) -> Result<wire::Finding, Failure> {
        let context = Context::new(task);
        let input = context.input()?;
        Ok(match P::probe(&context, input)? {
            Finding::Applied(output) => wire::Finding::Applied(done(&output)?),
            Finding::NotApplied => wire::Finding::NotApplied,
            Finding::Waiting(callback) => wire::Finding::Waiting(callback),
        })
    }
}

impl<P: Callbacks> callbacks::Guest for Glue<P> {
    fn resume(task: wire::Task, answer: String) -> Result<wire::Outcome, Failure> {
        let context = Context::new(task);
        let (input, answer) = (context.input()?, read(&context, &answer)?);
        P::resume(&context, input, &answer).and_then(outcome)
    }
}

impl<P: Observe> observation::Guest for Glue<P> {
    fn observe(task: wire::Task) -> Result<observation::Observed, Failure> {
        let context = Context::new(task);
        let input = context.input()?;
        P::observe(&context, input).map(crate::Observation::write)
    }
}

impl<P: Rater> rating::Guest for Glue<P> {
    fn rate(request: rating::Request) -> Result<Vec<rating::Charge>, Failure> {
        let charges = P::rate(&rater::Request::read(request)?)?;
        Ok(charges.into_iter().map(rater::Charge::write).collect())
    }
}

impl<P: UsageRater> usage_rating::Guest for Glue<P> {
    fn rate(request: usage_rating::Request) -> Result<usage_rating::Charge, Failure> {
        P::rate_usage(&usage::Usage::read(request)?).map(usage::UsageCharge::write)
    }
}

fn done(output: &impl Serialize) -> Result<wire::Done, Failure> {
    let outputs = serde_json::to_string(output).map_err(|cause| {
        Failure::operator("BAD_OUTPUTS", format!("the outputs cannot be written: {cause}"))
    })?;
    Ok(wire::Done { outputs, attributes: Vec::new() })
}

fn outcome<T: Serialize>(outcome: Outcome<T>) -> Result<wire::Outcome, Failure> {
    match outcome {
        Outcome::Done(output) => done(&output).map(wire::Outcome::Done),
        Outcome::Waiting(callback) => Ok(wire::Outcome::Waiting(callback)),
    }
}

fn undone(outcome: Outcome<()>) -> Result<wire::Outcome, Failure> {
    Ok(match outcome {
        Outcome::Done(()) => {
            wire::Outcome::Done(wire::Done { outputs: "{}".into(), attributes: Vec::new() })
        }
        Outcome::Waiting(callback) => wire::Outcome::Waiting(callback),
    })
}

fn read(context: &Context, answer: &str) -> Result<Value, Failure> {
    serde_json::from_str(answer).map_err(|cause| {
        let name = context.name();
        let message = format!("the callback of task `{name}` is no JSON: {cause}");
        Failure::operator("BAD_CALLBACK", message)
    })
}

/// Exports a type as the plugin of this component, and embeds `plugin.toml` and `schema.json`.
///
/// The role is a world of the contract: `Validator`, `Decomposer`, `Allocator`, `Rater`, `Step`, or
/// `Activator`, a step with [`Undo`] and [`Probe`]. After `with` come the optional parts that the
/// type implements beside it: `Undo`, `Probe`, `Callbacks`, `Observe`, and of a rater `UsageRater`.
///
/// ```ignore
/// ferrule_plugin::export!(Olt as Activator with Callbacks, Observe);
/// ```
#[macro_export]
macro_rules! export {
    ($plugin:ident as Step $(with $($part:ident),+)?) => {
        $crate::__export!($plugin, Work $($($part)+)?);
        $crate::__describe!($plugin, Step);
    };
    ($plugin:ident as Activator $(with $($part:ident),+)?) => {
        $crate::__export!($plugin, Work Undo Probe $($($part)+)?);
        $crate::__describe!($plugin, Step);
    };
    ($plugin:ident as Validator) => {
        $crate::__export!($plugin, Validation);
        $crate::__describe!($plugin, Validator);
    };
    ($plugin:ident as Allocator) => {
        $crate::__export!($plugin, Allocation);
        $crate::__describe!($plugin, Allocator);
    };
    ($plugin:ident as Decomposer) => {
        $crate::__export!($plugin, Decomposition);
    };
    ($plugin:ident as Rater $(with $part:ident)?) => {
        $crate::__export!($plugin, Rating $($part)?);
    };
}

/// Exports the parts of a plugin, and embeds its manifest.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($plugin:ident, $($part:ident)+) => {
        // Uses the plugin where nothing is exported, as in its tests.
        const _: ::core::marker::PhantomData<$crate::export::Glue<$plugin>> =
            ::core::marker::PhantomData;
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::export::Glue<$plugin>;
            $($crate::__part!($part, Exported);)+

            #[unsafe(link_section = "ferrule:plugin-manifest")]
            #[used]
            static MANIFEST: [u8; include_bytes!(
                concat!(env!("CARGO_MANIFEST_DIR"), "/plugin.toml")
            )
            .len()] = *include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/plugin.toml"));
        };
    };
}

/// Exports one interface.
#[doc(hidden)]
#[macro_export]
macro_rules! __part {
    (Work, $exported:ident) => {
        $crate::bindings::step::export!($exported with_types_in $crate::bindings::step);
    };
    (Undo, $exported:ident) => {
        $crate::bindings::undoable::export!($exported with_types_in $crate::bindings::undoable);
    };
    (Probe, $exported:ident) => {
        $crate::bindings::probeable::export!($exported with_types_in $crate::bindings::probeable);
    };
    (Callbacks, $exported:ident) => {
        $crate::bindings::resumable::export!($exported with_types_in $crate::bindings::resumable);
    };
    (Observe, $exported:ident) => {
        $crate::bindings::observable::export!($exported with_types_in $crate::bindings::observable);
    };
    (Validation, $exported:ident) => {
        $crate::bindings::validator::export!($exported with_types_in $crate::bindings::validator);
    };
    (Allocation, $exported:ident) => {
        $crate::bindings::allocator::export!($exported with_types_in $crate::bindings::allocator);
    };
    (Decomposition, $exported:ident) => {
        $crate::bindings::decomposer::export!($exported with_types_in $crate::bindings::decomposer);
    };
    (Rating, $exported:ident) => {
        $crate::bindings::rater::export!($exported with_types_in $crate::bindings::rater);
    };
    (UsageRater, $exported:ident) => {
        $crate::bindings::usage_rater::export!(
            $exported with_types_in $crate::bindings::usage_rater
        );
    };
    (Description, $exported:ident) => {
        $crate::bindings::described::export!($exported with_types_in $crate::bindings::described);
    };
}

/// Exports `schema.json` as the description of a plugin, and tests that it is that of its types.
#[doc(hidden)]
#[macro_export]
macro_rules! __describe {
    ($plugin:ident, $role:ident) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Described;

            impl $crate::schema::Description for Described {
                fn describe() -> $crate::schema::Schemas {
                    $crate::schema::describe(include_str!(concat!(
                        env!("CARGO_MANIFEST_DIR"),
                        "/schema.json"
                    )))
                }
            }

            $crate::__part!(Description, Described);
        };
        #[cfg(test)]
        mod schema_json {
            #[test]
            fn the_file_has_the_schemas_of_the_types() {
                type Plugin = super::$plugin;
                let schemas = $crate::schema::of(
                    $crate::schema::root::<<Plugin as $crate::$role>::Input>(),
                    $crate::schema::root::<<Plugin as $crate::$role>::Output>(),
                    <Plugin as $crate::$role>::settings(),
                );
                $crate::schema::check(env!("CARGO_MANIFEST_DIR"), &schemas);
            }
        }
    };
}
