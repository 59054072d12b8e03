//! Contract 0.1, which is frozen: bindings of its worlds, and the functions of a component in terms
//! of the newest contract.

use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::types::Json;
use super::{
    Called, Charge, Part, absent, decomposition, description, observation, rating, types,
    usage_rating,
};
use crate::role::Role;

use self::bindings::activator::exports::ferrule::plugin::activation;
use self::bindings::step::ferrule::plugin::types as old;
use self::translate::{charge, failure, finding, observed, outcome, task, undone};

pub(crate) use self::bindings::step::ferrule::plugin::{config, inventory, log, reservation};
pub(crate) use self::translate::old_failure;

mod charges;
mod translate;

/// What wasmtime makes of `wit/0.1`: one module per world. The types and the imports of all worlds
/// are those of `step`, whose imports are a superset of the others'.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    reason = "generated code"
)]
mod bindings {
    pub(crate) mod step {
        wasmtime::component::bindgen!({
            path: "../../wit/0.1",
            world: "ferrule:plugin/step",
            exports: { default: async },
        });
    }

    /// Declares the bindings of a world whose imports are in [`step`].
    macro_rules! world {
        ($name:ident, $path:literal) => {
            pub(crate) mod $name {
                wasmtime::component::bindgen!({
                    path: "../../wit/0.1",
                    world: $path,
                    exports: { default: async },
                    with: { "ferrule:plugin": super::step::ferrule::plugin },
                });
            }
        };
    }

    world!(validator, "ferrule:plugin/validator");
    world!(decomposer, "ferrule:plugin/decomposer");
    world!(allocator, "ferrule:plugin/allocator");
    world!(activator, "ferrule:plugin/activator");
    world!(rater, "ferrule:plugin/rater");
}

/// The attribute of a task that is undone, or whose modification is rolled back.
const UNDO: &str = "undo";
/// The attribute of a task whose probe compares the element with the work.
const READ_BACK: &str = "read-back";

/// Where the functions of a component are.
pub(super) enum Functions {
    Validator(bindings::validator::ValidatorIndices),
    Decomposer(bindings::decomposer::DecomposerIndices),
    Allocator(bindings::allocator::AllocatorIndices),
    Activator(bindings::activator::ActivatorIndices),
    Rater(bindings::rater::RaterIndices),
    Step(bindings::step::StepIndices),
}

/// The functions of an instance.
pub(crate) enum Instance {
    Validator(bindings::validator::Validator),
    Decomposer(bindings::decomposer::Decomposer),
    Allocator(bindings::allocator::Allocator),
    Activator(bindings::activator::Activator),
    Rater(bindings::rater::Rater),
    Step(bindings::step::Step),
}

/// The parts that are optional now and were the role's then.
pub(super) fn parts(role: Role) -> &'static [Part] {
    match role {
        Role::Activator => &[Part::Undo, Part::Probe, Part::Callbacks, Part::Observation],
        Role::Step => &[Part::Callbacks],
        Role::Rater => &[Part::UsageRating],
        Role::Validator | Role::Decomposer | Role::Allocator => &[],
    }
}

impl Functions {
    pub(super) fn find<T>(role: Role, pre: &InstancePre<T>) -> wasmtime::Result<Self> {
        Ok(match role {
            Role::Validator => Self::Validator(bindings::validator::ValidatorIndices::new(pre)?),
            Role::Decomposer => {
                Self::Decomposer(bindings::decomposer::DecomposerIndices::new(pre)?)
            }
            Role::Allocator => Self::Allocator(bindings::allocator::AllocatorIndices::new(pre)?),
            Role::Activator => Self::Activator(bindings::activator::ActivatorIndices::new(pre)?),
            Role::Rater => Self::Rater(bindings::rater::RaterIndices::new(pre)?),
            Role::Step => Self::Step(bindings::step::StepIndices::new(pre)?),
        })
    }

    pub(super) fn load<T>(
        &self,
        store: &mut Store<T>,
        instance: &wasmtime::component::Instance,
    ) -> wasmtime::Result<Instance> {
        Ok(match self {
            Self::Validator(indices) => Instance::Validator(indices.load(store, instance)?),
            Self::Decomposer(indices) => Instance::Decomposer(indices.load(store, instance)?),
            Self::Allocator(indices) => Instance::Allocator(indices.load(store, instance)?),
            Self::Activator(indices) => Instance::Activator(indices.load(store, instance)?),
            Self::Rater(indices) => Instance::Rater(indices.load(store, instance)?),
            Self::Step(indices) => Instance::Step(indices.load(store, instance)?),
        })
    }
}

impl Instance {
    fn activation(&self) -> wasmtime::Result<&activation::Guest> {
        match self {
            Self::Activator(activator) => Ok(activator.ferrule_plugin_activation()),
            Self::Validator(_)
            | Self::Decomposer(_)
            | Self::Allocator(_)
            | Self::Rater(_)
            | Self::Step(_) => Err(absent("activation")),
        }
    }

    pub(super) async fn validate<T: Send>(
        &self,
        store: &mut Store<T>,
        asked: types::Task,
    ) -> Called<types::Done> {
        let Self::Validator(validator) = self else { return Err(absent("validation")) };
        let validation = validator.ferrule_plugin_validation();
        let answer = validation.call_validate(store, &task(asked, None)).await?;
        Ok(answer.map(translate::done).map_err(failure))
    }

    pub(super) async fn allocate<T: Send>(
        &self,
        store: &mut Store<T>,
        asked: types::Task,
    ) -> Called<types::Done> {
        let Self::Allocator(allocator) = self else { return Err(absent("allocation")) };
        let allocation = allocator.ferrule_plugin_allocation();
        let answer = allocation.call_allocate(store, &task(asked, None)).await?;
        Ok(answer.map(translate::done).map_err(failure))
    }

    pub(super) async fn decompose<T: Send>(
        &self,
        store: &mut Store<T>,
        request: decomposition::Request,
    ) -> Called<Vec<decomposition::Production>> {
        let Self::Decomposer(decomposer) = self else { return Err(absent("decomposition")) };
        let request = translate::request(request);
        let decomposition = decomposer.ferrule_plugin_decomposition();
        let answer = decomposition.call_decompose(store, &request).await?;
        Ok(answer
            .map(|productions| productions.into_iter().map(translate::production).collect())
            .map_err(failure))
    }

    pub(super) async fn run<T: Send>(
        &self,
        store: &mut Store<T>,
        asked: types::Task,
    ) -> Called<types::Outcome> {
        let asked = task(asked, None);
        let answer = match self {
            Self::Step(step) => step.ferrule_plugin_work().call_run(store, &asked).await?,
            Self::Activator(_)
            | Self::Validator(_)
            | Self::Decomposer(_)
            | Self::Allocator(_)
            | Self::Rater(_) => self.activation()?.call_activate(store, &asked).await?,
        };
        Ok(answer.map(outcome).map_err(failure))
    }

    pub(super) async fn revert<T: Send>(
        &self,
        store: &mut Store<T>,
        asked: types::Task,
    ) -> Called<types::Outcome> {
        let asked = task(asked, Some(UNDO));
        let answer = self.activation()?.call_activate(store, &asked).await?;
        Ok(answer.map(outcome).map_err(failure))
    }

    pub(super) async fn undo<T: Send>(
        &self,
        store: &mut Store<T>,
        asked: types::Task,
        outputs: Option<&Json>,
    ) -> Called<types::Outcome> {
        let asked = task(asked, Some(UNDO));
        let none = "{}".into();
        let outputs = outputs.unwrap_or(&none);
        let answer = self.activation()?.call_undo(store, &asked, outputs).await?;
        Ok(answer.map_err(failure).and_then(undone))
    }

    pub(super) async fn resume_undo<T: Send>(
        &self,
        store: &mut Store<T>,
        asked: types::Task,
        answer: &Json,
    ) -> Called<types::Outcome> {
        let asked = task(asked, Some(UNDO));
        let answer = self.activation()?.call_resume(store, &asked, answer).await?;
        Ok(answer.map(outcome).map_err(failure))
    }

    pub(super) async fn resume<T: Send>(
        &self,
        store: &mut Store<T>,
        asked: types::Task,
        answer: &Json,
    ) -> Called<types::Outcome> {
        let asked = task(asked, None);
        let answer = match self {
            Self::Step(step) => {
                step.ferrule_plugin_work().call_resume(store, &asked, answer).await?
            }
            Self::Activator(_)
            | Self::Validator(_)
            | Self::Decomposer(_)
            | Self::Allocator(_)
            | Self::Rater(_) => self.activation()?.call_resume(store, &asked, answer).await?,
        };
        Ok(answer.map(outcome).map_err(failure))
    }

    pub(super) async fn probe<T: Send>(
        &self,
        store: &mut Store<T>,
        asked: types::Task,
    ) -> Called<types::Finding> {
        let answer = self.activation()?.call_probe(store, &task(asked, None)).await?;
        Ok(answer.map(finding).map_err(failure))
    }

    pub(super) async fn observe<T: Send>(
        &self,
        store: &mut Store<T>,
        asked: types::Task,
    ) -> Called<observation::Observed> {
        let asked = task(asked, Some(READ_BACK));
        let answer = self.activation()?.call_probe(store, &asked).await?;
        Ok(answer.map_err(failure).and_then(observed))
    }

    pub(super) async fn rate<T: Send>(
        &self,
        store: &mut Store<T>,
        request: &rating::Request,
    ) -> Called<Vec<Charge>> {
        let Self::Rater(rater) = self else { return Err(absent("rating")) };
        let request = charges::request(request);
        let answer = rater.ferrule_plugin_rating().call_rate(store, &request).await?;
        Ok(answer.map(|charges| charges.into_iter().map(charge).collect()).map_err(failure))
    }

    pub(super) async fn rate_usage<T: Send>(
        &self,
        store: &mut Store<T>,
        request: &rating::Request,
        usage: usage_rating::Request,
    ) -> Called<Charge> {
        let Self::Rater(rater) = self else { return Err(absent("rating")) };
        let request = charges::usage_request(request, usage);
        let answer = rater.ferrule_plugin_rating().call_rate(store, &request).await?;
        Ok(answer.map_err(failure).and_then(charges::only))
    }

    #[expect(clippy::unused_async, reason = "the functions of all versions are called alike")]
    pub(super) async fn describe<T: Send>(
        &self,
        _store: &mut Store<T>,
    ) -> Called<description::Schemas> {
        Err(absent("description"))
    }
}
