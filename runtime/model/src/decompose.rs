//! Decomposition: an order and the packs give a plan, or a refusal that explains itself. The same
//! order and the same packs give the same plan, byte for byte.

mod change;
pub mod charges;
mod checks;
mod closed;
mod dates;
mod existing;
mod items;
mod mirror;
mod needs;
mod optional;
mod parts;
mod prices;
mod produced;
mod sequence;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

pub use self::checks::{Checked, CheckedLine, Mistake, check};
use crate::catalog::Catalog;
use crate::fulfilment::Fulfilment;
use crate::id::{FulfilmentId, InstanceId, PluginId, SpecId};
use crate::installed::Installed;
use crate::order::Order;
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Level, Plan};
use crate::rulebook::Rulebook;

/// Why there is no plan (yet).
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// The order cannot be decomposed: [`FailureClass::Reject`] where the order is wrong,
    /// [`FailureClass::Operator`] where a rule is missing or wrong.
    Failure(Failure),
    /// A decomposer plugin must be asked; decompose again with its answer.
    Ask(Question),
    /// Existing instances must be known; decompose again with them.
    Recall(Vec<Recall>),
}

/// What must be known: an instance of an inventory, or the instance that serves a customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recall {
    /// The resource, such as `product`; [`SERVING`](crate::installed::SERVING) for what serves a
    /// customer.
    pub resource: String,
    /// Its id.
    pub id: String,
}

/// An existing instance as it is known.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its name.
    pub id: InstanceId,
    /// Its document; null where only its record is there.
    pub document: Value,
    /// Its record, where an order of ours made it.
    pub installed: Option<Installed>,
    /// The fulfilment that the record names.
    pub owner: Option<Arc<Fulfilment>>,
    /// The fulfilment that made what it is a part of, where it has no record of its own.
    pub part_of: Option<FulfilmentId>,
    /// The open fulfilment that changes it.
    pub open: Option<FulfilmentId>,
}

impl Instance {
    /// An instance of which only the document is known.
    pub fn of(id: InstanceId, document: Value) -> Self {
        Self { id, document, installed: None, owner: None, part_of: None, open: None }
    }
}

/// What a decomposer plugin is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Tells the question apart from others about the same order.
    pub key: String,
    /// The plugin.
    pub plugin: PluginId,
    /// The specification of the item to decompose.
    pub spec: SpecId,
    /// What is wanted of it.
    pub action: Action,
    /// Its characteristics.
    pub characteristics: Map<String, Value>,
}

/// One thing that a decomposer plugin says an item becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Production {
    /// Its specification.
    pub spec: SpecId,
    /// Its characteristics.
    pub characteristics: Map<String, Value>,
}

/// What was asked for so far.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// What decomposer plugins said, by the keys of the questions.
    productions: BTreeMap<String, Vec<Production>>,
    /// Existing instances; nothing where there is none of that id.
    instances: BTreeMap<Recall, Option<Instance>>,
    /// Plugins that cannot reach outside: a check by one of them does not wait for the date on which
    /// the order begins.
    pure: BTreeSet<PluginId>,
}

impl Answers {
    /// No answers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with the plugins that cannot reach outside.
    #[must_use]
    pub fn with_pure(self, pure: BTreeSet<PluginId>) -> Self {
        Self { pure, ..self }
    }

    /// Takes what a decomposer plugin said to the question of this key.
    pub fn insert(&mut self, key: String, answer: Vec<Production>) {
        self.productions.insert(key, answer);
    }

    /// Takes an instance, or that there is none.
    pub fn recall(&mut self, recall: Recall, instance: Option<Instance>) {
        self.instances.insert(recall, instance);
    }
}

/// Decomposes an order. `document` is the order as it came; rules can read it.
pub fn decompose(
    order: &Order,
    document: &Value,
    rulebook: &Rulebook,
    answers: &Answers,
) -> Result<Plan, Stop> {
    if let Some(passed) = order.passed() {
        return Err(Stop::Failure(passed));
    }
    let missing = existing::gather(order, answers);
    if !missing.is_empty() {
        return Err(Stop::Recall(missing));
    }
    let existing = existing::find(order, answers)?;
    let order = &existing::complete(order, &existing);
    closed::lines(order, rulebook)?;
    let lines = checks::lines(order, rulebook.catalog()).map_err(Stop::Failure)?;
    let items = items::items(order, &lines, &existing, document, rulebook, answers)?;
    closed::items(&items.items, rulebook)?;
    let mut plan = tasks::plan(items, document, rulebook).map_err(Stop::Failure)?;
    plan.optional = optional::parts(order, rulebook.catalog());
    plan.titles = titles(&plan, rulebook.catalog());
    plan.zone = rulebook.zone();
    Ok(plan)
}

/// What catalogs call the offerings and the resources of a plan.
fn titles(plan: &Plan, catalog: &Catalog) -> BTreeMap<SpecId, String> {
    let ids = plan.items.iter().flat_map(|item| item.offering.iter().chain(&item.resources));
    let own = plan.items.iter().filter(|item| item.level == Level::Resource).map(|item| &item.spec);
    let mut titles = BTreeMap::new();
    for id in ids.chain(own) {
        let offering = catalog.offerings.get(id).map(|offering| &offering.name);
        let spec = catalog.specs.get(id).map(|spec| &spec.name);
        if let Some(name) = offering.or(spec)
            && !titles.contains_key(id)
        {
            titles.insert(id.clone(), name.clone());
        }
    }
    titles
}

/// The plan of a run of one workflow with any input.
pub fn plan_run(workflow: &str, input: &Value, rulebook: &Rulebook) -> Result<Plan, Failure> {
    match rulebook.closed_workflow(workflow) {
        Some(failure) => Err(failure),
        None => tasks::plan_run(workflow, input, rulebook),
    }
}

/// An order that asks for what cannot be.
fn rejected(code: &str, message: String) -> Stop {
    Stop::Failure(Failure::new(FailureClass::Reject, code, message))
}

/// A mistake of a rule, or a rule that is missing: a person must act.
fn rule_failure(code: &str, message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Operator, code, message)
}

#[cfg(test)]
pub(crate) mod tests;
