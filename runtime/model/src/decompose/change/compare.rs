//! Whether the input of a step would be another by now than the one that it was done with.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Builder;
use crate::decompose::items::{Items, Reads};
use crate::decompose::mirror::root_of;
use crate::expr::{Scope, expressions_of};
use crate::id::ItemId;
use crate::plan::{Action, Item, Made, Step};

/// How an input compares with the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    Same,
    Another,
    /// It follows from work that is done again.
    Unsure,
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
        let is_unsure = (mentions("steps.") && self.unsure.contains_key(&id))
            || (mentions("upstream") && self.needs_unsure(id, items));
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

    fn needs_unsure(&self, id: ItemId, items: &Items) -> bool {
        let is_new = |need: &ItemId| items.items[need.index()].action == Action::Add;
        needed(id, items).iter().any(|need| self.unsure.contains_key(need) || is_new(need))
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
