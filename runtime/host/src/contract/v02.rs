//! Contract 0.2: bindings of each of its worlds, and the functions of a component.

use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::{Called, Charge, ChargeKind, absent, malformed};

use self::types::{Attribute, Json, Task};

pub(crate) use self::bindings::decomposer::exports::ferrule::plugin::decomposition;
pub(crate) use self::bindings::described::exports::ferrule::plugin::description;
pub(crate) use self::bindings::observable::exports::ferrule::plugin::observation;
pub(crate) use self::bindings::rater::exports::ferrule::plugin::rating;
pub(crate) use self::bindings::step::ferrule::plugin::{
    config, http, inventory, log, reservation, scratch, secrets, types,
};
pub(crate) use self::bindings::usage_rater::exports::ferrule::plugin::usage_rating;

/// What wasmtime makes of `wit`: one module per world. The types and the imports of all worlds are
/// those of `step`, whose imports are a superset of the others'.
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
            path: "../../wit",
            world: "ferrule:plugin/step",
            imports: { "ferrule:plugin/http.send": async },
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
                    with: { "ferrule:plugin": super::step::ferrule::plugin },
                });
            }
        };
    }

    world!(validator, "ferrule:plugin/validator");
    world!(decomposer, "ferrule:plugin/decomposer");
    world!(allocator, "ferrule:plugin/allocator");
    world!(rater, "ferrule:plugin/rater");
    world!(undoable, "ferrule:plugin/undoable");
    world!(probeable, "ferrule:plugin/probeable");
    world!(resumable, "ferrule:plugin/resumable");
    world!(observable, "ferrule:plugin/observable");
    world!(usage_rater, "ferrule:plugin/usage-rater");
    world!(described, "ferrule:plugin/described");
}

/// Declares the worlds of one interface each: how a function is found in a component, and called in
/// an instance.
macro_rules! interfaces {
    ($($name:literal $field:ident: $module:ident, $indices:ident, $world:ident;)*) => {
        /// Where the functions of a component are.
        #[derive(Default)]
        pub(super) struct Functions {
            $($field: Option<bindings::$module::$indices>,)*
        }

        /// The functions of an instance.
        pub(crate) struct Instance {
            $($field: Option<bindings::$module::$world>,)*
        }

        impl Functions {
            /// Finds the interfaces with these names.
            pub(super) fn find<T>(names: &[&str], pre: &InstancePre<T>) -> wasmtime::Result<Self> {
                let mut found = Self::default();
                for name in names {
                    match *name {
                        $($name => {
                            found.$field = Some(bindings::$module::$indices::new(pre)?);
                        })*
                        unknown => return Err(absent(unknown)),
                    }
                }
                Ok(found)
            }

            pub(super) fn load<T>(
                &self,
                store: &mut Store<T>,
                instance: &wasmtime::component::Instance,
            ) -> wasmtime::Result<Instance> {
                Ok(Instance {
                    $($field: match &self.$field {
                        Some(indices) => Some(indices.load(&mut *store, instance)?),
                        None => None,
                    },)*
                })
            }
        }
    };
}

interfaces! {
    "validation" validation: validator, ValidatorIndices, Validator;
    "decomposition" decomposition: decomposer, DecomposerIndices, Decomposer;
    "allocation" allocation: allocator, AllocatorIndices, Allocator;
    "work" work: step, StepIndices, Step;
    "rating" rating: rater, RaterIndices, Rater;
    "undo" undo: undoable, UndoableIndices, Undoable;
    "probe" probe: probeable, ProbeableIndices, Probeable;
    "callbacks" callbacks: resumable, ResumableIndices, Resumable;
    "observation" observation: observable, ObservableIndices, Observable;
    "usage-rating" usage_rating: usage_rater, UsageRaterIndices, UsageRater;
    "description" description: described, DescribedIndices, Described;
}

/// The exported interface, or the error of a call that cannot be.
fn exported<'a, I>(interface: Option<&'a I>, name: &str) -> wasmtime::Result<&'a I> {
    interface.ok_or_else(|| absent(name))
}

impl Instance {
    pub(super) async fn validate<T: Send>(
        &self,
        store: &mut Store<T>,
        task: Task,
    ) -> Called<types::Done> {
        let validator = exported(self.validation.as_ref(), "validation")?;
        validator.ferrule_plugin_validation().call_validate(store, &task).await
    }

    pub(super) async fn allocate<T: Send>(
        &self,
        store: &mut Store<T>,
        task: Task,
    ) -> Called<types::Done> {
        let allocator = exported(self.allocation.as_ref(), "allocation")?;
        allocator.ferrule_plugin_allocation().call_allocate(store, &task).await
    }

    pub(super) async fn decompose<T: Send>(
        &self,
        store: &mut Store<T>,
        request: decomposition::Request,
    ) -> Called<Vec<decomposition::Production>> {
        let decomposer = exported(self.decomposition.as_ref(), "decomposition")?;
        decomposer.ferrule_plugin_decomposition().call_decompose(store, &request).await
    }

    pub(super) async fn run<T: Send>(
        &self,
        store: &mut Store<T>,
        task: Task,
    ) -> Called<types::Outcome> {
        exported(self.work.as_ref(), "work")?.ferrule_plugin_work().call_run(store, &task).await
    }

    pub(super) async fn revert<T: Send>(
        &self,
        store: &mut Store<T>,
        task: Task,
    ) -> Called<types::Outcome> {
        self.run(store, task).await
    }

    pub(super) async fn undo<T: Send>(
        &self,
        store: &mut Store<T>,
        task: Task,
        outputs: Option<&Json>,
    ) -> Called<types::Outcome> {
        let undo = exported(self.undo.as_ref(), "undo")?.ferrule_plugin_undo();
        undo.call_undo(store, &task, outputs).await
    }

    pub(super) async fn resume_undo<T: Send>(
        &self,
        store: &mut Store<T>,
        task: Task,
        answer: &Json,
    ) -> Called<types::Outcome> {
        let undo = exported(self.undo.as_ref(), "undo")?.ferrule_plugin_undo();
        undo.call_resume(store, &task, answer).await
    }

    pub(super) async fn resume<T: Send>(
        &self,
        store: &mut Store<T>,
        task: Task,
        answer: &Json,
    ) -> Called<types::Outcome> {
        let callbacks = exported(self.callbacks.as_ref(), "callbacks")?.ferrule_plugin_callbacks();
        callbacks.call_resume(store, &task, answer).await
    }

    pub(super) async fn probe<T: Send>(
        &self,
        store: &mut Store<T>,
        task: Task,
    ) -> Called<types::Finding> {
        exported(self.probe.as_ref(), "probe")?
            .ferrule_plugin_probe()
            .call_probe(store, &task)
            .await
    }

    pub(super) async fn observe<T: Send>(
        &self,
        store: &mut Store<T>,
        task: Task,
    ) -> Called<observation::Observed> {
        let observation = exported(self.observation.as_ref(), "observation")?;
        observation.ferrule_plugin_observation().call_observe(store, &task).await
    }

    pub(super) async fn rate<T: Send>(
        &self,
        store: &mut Store<T>,
        request: &rating::Request,
    ) -> Called<Vec<Charge>> {
        let rater = exported(self.rating.as_ref(), "rating")?;
        let charges = rater.ferrule_plugin_rating().call_rate(store, request).await?;
        Ok(charges
            .and_then(|charges| charges.into_iter().map(|charge| line(charge, request)).collect()))
    }

    pub(super) async fn rate_usage<T: Send>(
        &self,
        store: &mut Store<T>,
        _request: &rating::Request,
        usage: usage_rating::Request,
    ) -> Called<Charge> {
        let rater =
            exported(self.usage_rating.as_ref(), "usage-rating")?.ferrule_plugin_usage_rating();
        Ok(rater.call_rate(store, &usage).await?.map(|charge| usage_line(charge, usage)))
    }

    pub(super) async fn describe<T: Send>(
        &self,
        store: &mut Store<T>,
    ) -> Called<description::Schemas> {
        let description = exported(self.description.as_ref(), "description")?;
        description.ferrule_plugin_description().call_describe(store).await.map(Ok)
    }
}

/// A charge as the outputs of a step have it; its price must be one of the request.
fn line(charge: rating::Charge, request: &rating::Request) -> Result<Charge, types::Failure> {
    let Some(price) = request.prices.iter().find(|price| price.id == charge.price) else {
        return Err(malformed(&format!("a charge for `{}`, which is no price", charge.price)));
    };
    let prorated = charge.prorated.map(|part| format!("{}/{}", part.days, part.of_days));
    let mut attributes = charge.attributes;
    attributes.extend(prorated.map(|value| attribute("prorated", value)));
    attributes.extend(charge.tax_rate.map(|value| attribute("tax-rate", value)));
    Ok(Charge {
        price: charge.price,
        name: price.name.clone(),
        kind: match price.period {
            Some(_) => ChargeKind::Recurring,
            None => ChargeKind::OneOff,
        },
        net: charge.net,
        tax: charge.tax,
        covers: charge.covers.map(|span| (span.first, span.last)),
        attributes,
    })
}

fn usage_line(charge: usage_rating::Charge, usage: usage_rating::Request) -> Charge {
    let mut attributes = charge.attributes;
    attributes.push(attribute("units", charge.units));
    attributes.push(attribute("free-units", charge.free_units));
    attributes.extend(charge.band.map(|band| attribute("band", band)));
    Charge {
        price: usage.price,
        name: usage.name,
        kind: ChargeKind::Usage,
        net: charge.net,
        tax: charge.tax,
        covers: None,
        attributes,
    }
}

fn attribute(name: &str, value: String) -> Attribute {
    Attribute { name: name.into(), value }
}
