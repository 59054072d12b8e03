//! Decomposition: an order and the packs give a plan, or a refusal that explains itself. The same
//! order and the same packs give the same plan, byte for byte.

mod checks;
mod items;
mod needs;
mod tasks;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use self::checks::{Checked, CheckedLine, Mistake, check};
use crate::id::{PluginId, SpecId};
use crate::order::Order;
use crate::outcome::{Failure, FailureClass};
use crate::plan::Plan;
use crate::rulebook::Rulebook;

/// Why there is no plan (yet).
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// The order cannot be decomposed: [`FailureClass::Reject`] where the order is wrong,
    /// [`FailureClass::Person`] where a rule is missing or wrong.
    Failure(Failure),
    /// A decomposer plugin must be asked; decompose again with its answer.
    Ask(Question),
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
    pub action: &'static str,
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

/// What decomposer plugins have answered so far, by the keys of the questions.
pub type Answers = BTreeMap<String, Vec<Production>>;

/// Decomposes an order. `document` is the order as it came; rules can read it.
pub fn decompose(
    order: &Order,
    document: &Value,
    rulebook: &Rulebook,
    answers: &Answers,
) -> Result<Plan, Stop> {
    let lines = checks::lines(order, rulebook.catalog()).map_err(Stop::Failure)?;
    let items = items::items(order, &lines, document, rulebook, answers)?;
    tasks::plan(items, document, rulebook).map_err(Stop::Failure)
}

/// The plan of a run of one workflow with any input.
pub fn plan_run(workflow: &str, input: &Value, rulebook: &Rulebook) -> Result<Plan, Failure> {
    tasks::plan_run(workflow, input, rulebook)
}

/// A mistake of a rule, or a rule that is missing: a person must act.
fn rule_failure(code: &str, message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Person, code, message)
}

#[cfg(test)]
pub(crate) mod tests;
