//! Decomposition: an order and the packs give a plan, or a refusal that explains itself. The same
//! order and the same packs give the same plan, byte for byte.

mod change;
pub mod charges;
mod checks;
mod closed;
mod dates;
mod draft;
mod driver;
mod existing;
mod items;
mod needs;
mod optional;
mod parts;
mod prices;
mod produced;
mod replan;
mod schedule;
mod sequence;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub use self::checks::{Checked, CheckedLine, Mistake, check};
pub use self::driver::{Answer, Decision, INSTANCES_MAX, QUESTIONS_MAX, Step};
use crate::catalog::Catalog;
use crate::codes::FailureCode;
use crate::expr::Scope;
use crate::fulfilment::Fulfilment;
use crate::id::{FulfilmentId, InstanceId, PluginId, SpecId};
use crate::installed::Installed;
use crate::order::Order;
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Level, Plan};
use crate::rulebook::Rulebook;
use tmf::document::Characteristics;

/// Why there is no plan yet, or none at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Blocked {
    /// The order cannot be decomposed: [`FailureClass::Reject`] if the order is wrong,
    /// [`FailureClass::Operator`] if a rule is missing or wrong.
    Failure(Failure),
    /// Decomposer plugins must be asked. All questions of one depth come together.
    Questions(Vec<Question>),
    /// Existing instances must be known. All of one depth come together.
    Lookups(Vec<InstanceLookup>),
}

/// An instance of an inventory that must be known, or the instance that serves a customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceLookup {
    /// The resource, such as `product`; [`SERVING`](crate::installed::SERVING) for the instance that
    /// serves a customer.
    pub resource: String,
    /// Its id.
    pub id: String,
}

impl InstanceLookup {
    /// The look-up of an instance by its name.
    fn of(id: &InstanceId) -> Self {
        Self { resource: id.resource().into(), id: id.id().into() }
    }
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
    /// The open order that changes it.
    pub open: Option<Changing>,
}

/// The open order that changes an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changing {
    /// This one.
    Order(FulfilmentId),
    /// One that the client may not read.
    Hidden,
}

impl fmt::Display for Changing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => write!(formatter, "order `{id}`"),
            Self::Hidden => formatter.write_str("another order"),
        }
    }
}

impl Instance {
    /// An instance of which only the document is known.
    pub fn of(id: InstanceId, document: Value) -> Self {
        Self { id, document, installed: None, owner: None, part_of: None, open: None }
    }
}

/// A question to a decomposer plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Tells the question apart from others about the same order.
    pub key: String,
    /// The plugin.
    pub plugin: PluginId,
    /// The specification of the item to decompose.
    pub spec: SpecId,
    /// The action on it.
    pub action: Action,
    /// Its characteristics.
    pub characteristics: Characteristics,
}

/// One instance that a decomposer plugin makes of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Production {
    /// Its specification.
    pub spec: SpecId,
    /// Its characteristics.
    pub characteristics: Characteristics,
}

/// The answers that are known so far.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// The productions of decomposer plugins, by the keys of the questions. The name of an item, and so
    /// the key, may change with the answers about earlier items: an answer counts for its question.
    productions: BTreeMap<String, (Question, Vec<Production>)>,
    /// Existing instances; `None` if there is none of that id.
    instances: BTreeMap<InstanceLookup, Option<Instance>>,
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

    /// Takes the answer of a decomposer plugin to a question.
    pub fn insert(&mut self, question: Question, answer: Vec<Production>) {
        self.productions.insert(question.key.clone(), (question, answer));
    }

    /// The answer to a question, if it was asked.
    fn to(&self, question: &Question) -> Option<&[Production]> {
        let (asked, answer) = self.productions.get(&question.key)?;
        (asked == question).then_some(answer)
    }

    /// Takes an instance, or that there is none.
    pub fn found(&mut self, lookup: InstanceLookup, instance: Option<Instance>) {
        self.instances.insert(lookup, instance);
    }
}

/// Decomposes an order. `document` is the order as it came; rules can read it.
pub fn decompose(
    order: &Order,
    document: &Value,
    rulebook: &Rulebook,
    answers: &Answers,
) -> Result<Plan, Blocked> {
    if let Some(passed) = order.passed() {
        return Err(Blocked::Failure(passed));
    }
    let missing = existing::gather(order, answers);
    if !missing.is_empty() {
        return Err(Blocked::Lookups(missing));
    }
    let existing = existing::find(order, answers)?;
    let order = &existing::complete(order, &existing);
    closed::lines(order, rulebook)?;
    let lines = checks::lines(order, rulebook.catalog()).map_err(Blocked::Failure)?;
    // The order is prepared for expressions once: it may be large.
    let variables = Scope::default().with("order", document);
    let items = items::items(order, lines, &existing, &variables, rulebook, answers)?;
    closed::items(&items.items, rulebook)?;
    let variables = variables.with("input", document);
    let pure = &answers.pure;
    let mut plan = tasks::plan(items, variables, rulebook, pure).map_err(Blocked::Failure)?;
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
        None => {
            let variables = Scope::default().with("order", input).with("input", input);
            tasks::plan_run(workflow, variables, rulebook)
        }
    }
}

/// An order that asks for what cannot be.
fn rejected(code: FailureCode, message: String) -> Blocked {
    Blocked::Failure(Failure::new(FailureClass::Reject, code, message))
}

/// A mistake of a rule, or a rule that is missing: a person must act.
fn rule_failure(code: FailureCode, message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Operator, code, message)
}

#[cfg(test)]
pub(crate) mod tests;
