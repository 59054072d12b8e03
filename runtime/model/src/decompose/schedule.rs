//! The tasks of a plan while they are put together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::sequence::Below;
use crate::expr::{Expr, Expressions, Scope};
use crate::id::{ItemId, PluginId};
use crate::plan::{Plan, PriorWork, Step};
use crate::rulebook::Rulebook;

/// The state of putting the tasks of a plan together.
pub(super) struct Builder<'a> {
    pub rulebook: &'a Rulebook,
    /// Plugins that cannot reach outside.
    pub pure: &'a BTreeSet<PluginId>,
    /// What conditions of any step can read. The order is in it, made ready once: it may be large.
    pub variables: Scope,
    /// The parts of each item.
    pub below: Below,
    pub plan: Plan,
    /// How many tasks were looked at, and how often these wait for another.
    pub counted: (usize, usize),
    /// The position of a step in the plan, by workflow and name.
    pub steps: BTreeMap<(&'a str, &'a str), u32>,
    /// The conditions that were compiled so far, by their text.
    pub compiled: BTreeMap<&'a str, Expr>,
    /// The prior work for existing items that is neither repeated nor undone so far.
    pub prior_work: BTreeMap<ItemId, Vec<(Step, PriorWork)>>,
    /// The steps of such items that stay as they are.
    pub kept: BTreeSet<(ItemId, &'a str)>,
    /// The steps whose outputs may be others than those that stand.
    pub unsure: BTreeMap<ItemId, BTreeMap<&'a str, Outputs>>,
    /// The work that is done again and may be about something else by then.
    pub moving: BTreeMap<ItemId, Vec<(Step, PriorWork)>>,
    /// The earlier work for existing items, by item and step.
    pub earlier_work: BTreeMap<ItemId, Vec<(Step, PriorWork)>>,
    pub expressions: Expressions,
}

/// The outputs of a step that may be others than those that stand.
#[derive(Clone, Debug)]
pub(super) enum Outputs {
    /// Any output.
    Any,
    /// These: the outputs that the step has, and those that it is to have.
    Named(BTreeSet<String>),
}

impl Outputs {
    /// Those of a step that is done again.
    pub(super) fn of(step: &Step, made: &PriorWork) -> Self {
        let to_be = step.input.get("outputs").and_then(Value::as_object);
        // Some steps yield their input.
        let input = step.input.as_object();
        let names = [to_be, input, Some(&made.outputs)].into_iter().flatten();
        Self::Named(names.flat_map(|fields| fields.keys().cloned()).collect())
    }

    /// Whether an expression may read one of them.
    pub(super) fn are_in(&self, source: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(names) => names.iter().any(|name| source.contains(name.as_str())),
        }
    }
}
