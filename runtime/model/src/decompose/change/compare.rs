//! Whether the input of a step would be another by now than the one that it was done with.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::decompose::draft::{Items, Reads};
use crate::decompose::schedule::Builder;
use crate::expr::{Scope, expressions_of};
use crate::id::ItemId;
use crate::plan::{Action, Level, PLACES, PriorWork, Step, Upstream, root_of};

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
    pub(super) fn compare(
        &mut self,
        id: ItemId,
        step: &Step,
        made: &PriorWork,
        items: &Items,
    ) -> Input {
        let Value::Object(fields) = &step.input else { return Input::Same };
        if expressions_of(&step.input).is_empty() {
            return if *fields == made.input { Input::Same } else { Input::Another };
        }
        let is_same = |input: &Value| {
            let input = input.as_object();
            input.is_some_and(|input| *input == made.input || input == made.as_change())
        };
        self.compare_filled(id, (step, made), &step.input, is_same, items)
    }

    /// Compares the input of a step, or a field of it, once its expressions are evaluated.
    fn compare_filled(
        &mut self,
        id: ItemId,
        (step, made): (&Step, &PriorWork),
        template: &Value,
        is_same: impl Fn(&Value) -> bool,
        items: &Items,
    ) -> Input {
        let sources = expressions_of(template);
        if sources.is_empty() {
            return if is_same(template) { Input::Same } else { Input::Another };
        }
        let mentions = |name: &str| sources.iter().any(|source| source.contains(name));
        let reads_elsewhere = items.compared.get(&id) == Some(&Reads::Elsewhere);
        if (reads_elsewhere && mentions("product.")) || mentions("fulfilment.date") {
            return Input::Same;
        }
        let is_unsure = sources.iter().any(|source| self.is_unsure(id, source, items));
        let mut scope = self.scope_of(id, step, made, &sources, items);
        let item = &items.items[id.index()];
        // The action shows in some inputs: `add` when it was made, `modify` when it was changed.
        for action in [Action::Add, Action::Modify, item.action] {
            scope = scope.with("item", &item.view_under(action));
            match self.expressions.fill(template, &scope) {
                Ok(input) if is_same(&input) => {
                    return if is_unsure { Input::Unsure } else { Input::Same };
                }
                Ok(_) => {}
                // An attribute that only the earlier order had is not changed by this one.
                Err(_) if mentions("order.") || mentions("input.") => return Input::Same,
                Err(_) => {}
            }
        }
        Input::Another
    }

    /// Compares what the input of a step is about with what it was about.
    pub(super) fn place(
        &mut self,
        id: ItemId,
        step: &Step,
        made: &PriorWork,
        items: &Items,
    ) -> Input {
        let mut found = Input::Same;
        for name in PLACES {
            let (Some(now), Some(then)) = (step.input.get(name), made.input.get(name)) else {
                continue;
            };
            let sources = expressions_of(now);
            let is_unsure = sources.iter().any(|source| self.is_unsure(id, source, items));
            match self.compare_filled(id, (step, made), now, |input| input == then, items) {
                Input::Same => return Input::Same,
                _ if is_unsure => found = Input::Unsure,
                Input::Another if found == Input::Same => found = Input::Another,
                Input::Another | Input::Unsure => {}
            }
        }
        found
    }

    /// The variables that the expressions could read when the step was done, with the values that have
    /// changed since. Only those that are named are prepared: that costs more than to evaluate.
    fn scope_of(
        &self,
        id: ItemId,
        step: &Step,
        made: &PriorWork,
        sources: &[&str],
        items: &Items,
    ) -> Scope {
        let mentions = |name: &str| sources.iter().any(|source| source.contains(name));
        let item = &items.items[id.index()];
        let root = root_of(&items.items, id);
        let mut scope =
            self.variables.clone().with("product", &items.items[root.index()].product_view());
        if mentions("steps") {
            scope = scope.with("steps", &Value::Object(self.outputs_of_steps(id, step)));
        }
        if mentions("upstream") {
            let upstream = self.upstream(id, items);
            let mut outputs = Map::new();
            self.outputs_by_spec(&upstream.far, items, &mut outputs);
            self.outputs_by_spec(&upstream.near, items, &mut outputs);
            scope = scope.with("upstream", &Value::Object(outputs));
        }
        let name = format!("{}.{}", item.name, step.step);
        let maker = item.origin.as_ref().map(|origin| &origin.fulfilment);
        scope
            .with("task", &json!({ "key": made.key, "name": name }))
            .with("fulfilment", &json!({ "id": maker }))
    }

    /// The outputs that stand of the steps of an item's workflow.
    fn outputs_of_steps(&self, id: ItemId, step: &Step) -> Map<String, Value> {
        let earlier = self.earlier_work.get(&id).into_iter().flatten();
        let own = earlier.filter(|(other, _)| other.workflow == step.workflow);
        own.map(|(other, made)| (other.step.clone(), Value::Object(made.outputs.clone()))).collect()
    }

    /// What is upstream of an item, as it will be when its steps are due.
    fn upstream(&self, id: ItemId, items: &Items) -> Upstream {
        let children = |id: ItemId| self.below[id.index()].iter().copied();
        Upstream::of(&items.items, id, children, |id| {
            let item = &items.items[id.index()];
            !item.stays() && (item.level == Level::Product || item.parents.is_empty())
        })
    }

    /// The outputs that stand for some items, by specification.
    fn outputs_by_spec(
        &self,
        of: &BTreeSet<ItemId>,
        items: &Items,
        outputs: &mut Map<String, Value>,
    ) {
        for id in of {
            let spec = items.items[id.index()].spec.as_str();
            for (_, made) in self.earlier_work.get(id).into_iter().flatten() {
                let entry = outputs.entry(spec).or_insert_with(|| json!({}));
                if let Value::Object(fields) = entry {
                    fields.extend(made.outputs.clone());
                }
            }
        }
    }

    /// Whether an expression may read what is another by then.
    fn is_unsure(&self, id: ItemId, source: &str, items: &Items) -> bool {
        if source.contains("steps") {
            let mut own = self.unsure.get(&id).into_iter().flatten();
            if own.any(|(step, outputs)| source.contains(*step) && outputs.are_in(source)) {
                return true;
            }
        }
        if !source.contains("upstream") {
            return false;
        }
        // A specification that is worked out may be any.
        let is_dynamic = !source.contains("upstream[\"") && !source.contains(" in upstream");
        self.upstream(id, items).all().any(|need| {
            let item = &items.items[need.index()];
            if !is_dynamic && !source.contains(item.spec.as_str()) {
                return false;
            }
            let mut theirs = self.unsure.get(&need).into_iter().flatten();
            item.action == Action::Add || theirs.any(|(_, outputs)| outputs.are_in(source))
        })
    }
}
