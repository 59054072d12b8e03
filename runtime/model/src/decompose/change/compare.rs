//! Whether the input of a step would be another by now than the one that it was done with.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Builder;
use crate::decompose::items::{Items, Reads};
use crate::decompose::mirror::root_of;
use crate::expr::{Scope, expressions_of};
use crate::id::ItemId;
use crate::plan::{Action, Item, Made, PLACES, Step};

/// How an input compares with the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    Same,
    Another,
    /// It follows from work that is done again.
    Unsure,
}

/// The outputs of a step that may be others than those that stand.
#[derive(Clone, Debug)]
pub(in crate::decompose) enum Outputs {
    /// Whatever it yields.
    Any,
    /// These: what the step yielded, and what it is to yield.
    Named(BTreeSet<String>),
}

impl Outputs {
    /// Those of a step that is done again.
    pub(super) fn of(step: &Step, made: &Made) -> Self {
        let to_be = step.input.get("outputs").and_then(Value::as_object);
        // Some steps yield their input.
        let input = step.input.as_object();
        let names = [to_be, input, Some(&made.outputs)].into_iter().flatten();
        Self::Named(names.flat_map(|fields| fields.keys().cloned()).collect())
    }

    /// Whether an expression may read one of them.
    fn are_in(&self, source: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(names) => names.iter().any(|name| source.contains(name.as_str())),
        }
    }
}

impl Builder<'_> {
    /// Compares the input of a step with the one that it was done with.
    pub(super) fn compare(&mut self, id: ItemId, step: &Step, made: &Made, items: &Items) -> Input {
        let Value::Object(fields) = &step.input else { return Input::Same };
        let sources = expressions_of(&step.input);
        if sources.is_empty() {
            return if *fields == made.input { Input::Same } else { Input::Another };
        }
        let mentions = |name: &str| sources.iter().any(|source| source.contains(name));
        let reads_elsewhere = items.compared.get(&id) == Some(&Reads::Elsewhere);
        if (reads_elsewhere && mentions("product.")) || mentions("fulfilment.date") {
            return Input::Same;
        }
        let is_unsure = sources.iter().any(|source| self.is_unsure(id, source, items));
        let scope = self.scope_of(id, step, made, items);
        // The action shows in some inputs: `add` when it was made, `modify` when it was changed.
        for action in [Action::Add, Action::Modify, items.items[id.index()].action] {
            let item = Item { action, ..items.items[id.index()].clone() };
            let scope = scope.clone().with("item", &item.view());
            match self.expressions.fill(&step.input, &scope) {
                Ok(Value::Object(input)) if input == made.input || input == *made.as_change() => {
                    return if is_unsure { Input::Unsure } else { Input::Same };
                }
                Ok(_) => {}
                // What an earlier order had and this one has not is not changed by it.
                Err(_) if mentions("order.") || mentions("input.") => return Input::Same,
                Err(_) => {}
            }
        }
        Input::Another
    }

    /// Compares what the input of a step is about with what it was about.
    pub(super) fn place(&mut self, id: ItemId, step: &Step, made: &Made, items: &Items) -> Input {
        let mut found = Input::Same;
        for name in PLACES {
            let (Some(now), Some(then)) = (step.input.get(name), made.input.get(name)) else {
                continue;
            };
            let step = Step { input: json!({ name: now }), ..step.clone() };
            let input = Map::from_iter([(name.to_string(), then.clone())]);
            let made = Made { input, change: None, ..made.clone() };
            let sources = expressions_of(now);
            let is_unsure = sources.iter().any(|source| self.is_unsure(id, source, items));
            match self.compare(id, &step, &made, items) {
                Input::Same => return Input::Same,
                _ if is_unsure => found = Input::Unsure,
                Input::Another if found == Input::Same => found = Input::Another,
                Input::Another | Input::Unsure => {}
            }
        }
        found
    }

    /// What the step could read when it was done, with what is another by now.
    fn scope_of(&self, id: ItemId, step: &Step, made: &Made, items: &Items) -> Scope {
        let item = &items.items[id.index()];
        let root = root_of(&items.items, id);
        let mut steps = Map::new();
        for (other, made) in self.yielded.get(&id).into_iter().flatten() {
            if other.workflow == step.workflow {
                steps.insert(other.step.clone(), Value::Object(made.outputs.clone()));
            }
        }
        let name = format!("{}.{}", item.name, step.step);
        let maker = item.origin.as_ref().map(|origin| &origin.fulfilment);
        self.variables
            .clone()
            .with("product", &items.items[root.index()].product_view())
            .with("steps", &Value::Object(steps))
            .with("upstream", &self.upstream(id, items))
            .with("task", &json!({ "key": made.key, "name": name }))
            .with("fulfilment", &json!({ "id": maker }))
    }

    /// The outputs that stand of what an item needs, directly or through others.
    fn upstream(&self, id: ItemId, items: &Items) -> Value {
        let mut upstream: Map<String, Value> = Map::new();
        for need in needed(id, items) {
            let spec = items.items[need.index()].spec.to_string();
            for (_, made) in self.yielded.get(&need).into_iter().flatten() {
                let entry = upstream.entry(spec.clone()).or_insert_with(|| json!({}));
                if let Value::Object(fields) = entry {
                    fields.extend(made.outputs.clone());
                }
            }
        }
        Value::Object(upstream)
    }

    /// Whether an expression may read what is another by then.
    fn is_unsure(&self, id: ItemId, source: &str, items: &Items) -> bool {
        if source.contains("steps") {
            let mut own = self.unsure.get(&id).into_iter().flatten();
            if own.any(|(step, outputs)| source.contains(step.as_str()) && outputs.are_in(source)) {
                return true;
            }
        }
        if !source.contains("upstream") {
            return false;
        }
        // A specification that is worked out may be any.
        let is_dynamic = !source.contains("upstream[\"") && !source.contains(" in upstream");
        needed(id, items).iter().any(|need| {
            let item = &items.items[need.index()];
            if !is_dynamic && !source.contains(item.spec.as_str()) {
                return false;
            }
            let mut theirs = self.unsure.get(need).into_iter().flatten();
            item.action == Action::Add || theirs.any(|(_, outputs)| outputs.are_in(source))
        })
    }
}

/// What an item needs, directly or through others.
fn needed(id: ItemId, items: &Items) -> BTreeSet<ItemId> {
    let mut seen = BTreeSet::new();
    let mut open = items.items[id.index()].needs.clone();
    while let Some(next) = open.pop() {
        if seen.insert(next) {
            open.extend(&items.items[next.index()].needs);
        }
    }
    seen
}
