//! The tasks that deliver items: each item's workflow, in an order that respects what needs what,
//! with the workflows that run around a product order before, between and after.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::dates::time;
use super::draft::Items;
use super::rule_failure;
use super::schedule::Builder;
use super::sequence::{Flow, Sequence, below};
use crate::codes::FailureCode;
use crate::expr::{Expr, Expressions, Scope};
use crate::id::{ItemId, PluginId, SpecId, TaskId};
use crate::outcome::{Failure, FailureClass};
use crate::pack::Pack;
use crate::plan::{Action, Item, Level, Plan, Step, Task, root_of};
use crate::rule::Hooks;
use crate::rulebook::Rulebook;
use crate::workflow::{Workflow, WorkflowStep};
use tmf::time::Timestamp;

/// Max times that the tasks of a plan wait for another.
const WAITS_MAX: usize = 1_000_000;

/// Makes the plan of an order's items. Items cease when all else is done: until then the order can
/// be rolled back, from then on it cannot.
pub(super) fn plan(
    mut items: Items,
    variables: Scope,
    rulebook: &Rulebook,
    pure: &BTreeSet<PluginId>,
) -> Result<Plan, Failure> {
    let mut builder = Builder::new(rulebook, variables, pure);
    builder.below = below(&items.items);
    builder.prior_work = std::mem::take(&mut items.prior_work);
    if !items.compared.is_empty() {
        builder.earlier_work.clone_from(&builder.prior_work);
    }
    let (to_check, to_tell) = builder.hooks(&items);
    let mut before = Vec::new();
    for workflow in to_check.iter().filter_map(|hooks| hooks.before.as_deref()) {
        before = builder.workflow(workflow, None, &before, None, &items)?;
    }
    let sequence = Sequence::new(&items.items, Rc::clone(&builder.below))?;
    let mut flow = Flow::new(&sequence, &before);
    for id in sequence.order().iter().copied() {
        let item = &items.items[id.index()];
        let needs = flow.needs(id, &builder.plan.tasks);
        if item.action == Action::Delete {
            continue;
        }
        let first = builder.plan.tasks.len();
        if let Some(workflow) = builder.workflow_of(item, id, &items)? {
            let ends = builder.workflow(workflow, Some(id), &needs, item.not_before, &items)?;
            flow.did(id, first..builder.plan.tasks.len(), &ends);
        }
        builder.check_size()?;
    }
    builder.products(&items, &before, &mut flow)?;
    builder.cease(&items);
    builder.mark_changed(&mut items);
    let mut ends = builder.ends();
    for workflow in to_tell.iter().filter_map(|hooks| hooks.after.as_deref()) {
        ends = builder.workflow(workflow, None, &ends, None, &items)?;
    }
    builder.keep(&mut items);
    items.date(&mut builder.plan);
    builder.plan.items = items.items;
    Ok(builder.plan)
}

/// Makes the plan of a run of one workflow.
pub(super) fn plan_run(
    workflow: &str,
    variables: Scope,
    rulebook: &Rulebook,
) -> Result<Plan, Failure> {
    let pure = BTreeSet::new();
    let mut builder = Builder::new(rulebook, variables, &pure);
    builder.workflow(workflow, None, &[], None, &Items::default())?;
    Ok(builder.plan)
}

impl<'a> Builder<'a> {
    fn new(rulebook: &'a Rulebook, variables: Scope, pure: &'a BTreeSet<PluginId>) -> Self {
        Self {
            rulebook,
            pure,
            variables,
            below: below(&[]),
            plan: Plan::default(),
            counted: (0, 0),
            steps: BTreeMap::new(),
            compiled: BTreeMap::new(),
            prior_work: BTreeMap::new(),
            kept: BTreeSet::new(),
            unsure: BTreeMap::new(),
            moving: BTreeMap::new(),
            earlier_work: BTreeMap::new(),
            expressions: Expressions::default(),
        }
    }

    /// The hooks of the packs that products of an order are from, each pack's once: of those that are
    /// new or changed, and of those that are new.
    fn hooks(&self, items: &Items) -> (Vec<&'a Hooks>, Vec<&'a Hooks>) {
        let (mut checked, mut told) = (Vec::new(), Vec::new());
        for (index, item) in items.items.iter().enumerate() {
            let is_new = item.action == Action::Add && item.origin.is_none();
            let is_changed =
                item.action == Action::Modify && !items.unchanged.contains(&ItemId::at(index));
            if item.level == Level::Product && (is_new || is_changed) {
                checked.push(item);
                told.extend(is_new.then_some(item));
            }
        }
        (self.hooks_of(&checked), self.hooks_of(&told))
    }

    fn hooks_of(&self, products: &[&Item]) -> Vec<&'a Hooks> {
        let ids = products.iter().flat_map(|item| item.offering.iter().chain([&item.spec]));
        let packs: BTreeMap<&str, &'a Pack> = ids
            .filter_map(|id: &SpecId| self.rulebook.pack_of(id))
            .map(|pack| (pack.name.as_str(), pack))
            .collect();
        packs.into_values().map(|pack| &pack.hooks).collect()
    }

    /// The workflow that delivers an item; an error if it needs work and no rule names a
    /// workflow.
    fn workflow_of(
        &self,
        item: &Item,
        id: ItemId,
        items: &Items,
    ) -> Result<Option<&'a str>, Failure> {
        let is_kept = item.action == Action::NoChange && !items.compared.contains_key(&id);
        let is_kept = is_kept || items.unchanged.contains(&id);
        if item.level == Level::Product || is_kept {
            return Ok(None);
        }
        if let Some((_, delivery)) = self.rulebook.delivery(&item.spec) {
            return Ok(delivery.workflow.as_deref());
        }
        let is_made_of_others = || {
            let spec = self.rulebook.catalog().specs.get(&item.spec);
            spec.is_some_and(|spec| !spec.relies_on.is_empty())
                || self.rulebook.rules_from(&item.spec).next().is_some()
        };
        // Rules may leave out all that it is made of.
        let is_composed = !self.below[id.index()].is_empty() || is_made_of_others();
        if is_composed || item.level == Level::CustomerService {
            return Ok(None);
        }
        let message = format!(
            "no rule states how `{}` is delivered: add it under `deliver:` in a pack's rules.yaml \
             and retry",
            item.spec
        );
        Err(rule_failure(FailureCode::DecompNoRule, message))
    }

    /// The tasks of each product once its services are delivered.
    fn products(
        &mut self,
        items: &Items,
        before: &[TaskId],
        flow: &mut Flow<'_>,
    ) -> Result<(), Failure> {
        let mut own: BTreeMap<ItemId, BTreeSet<TaskId>> = BTreeMap::new();
        for (index, roots) in items.roots.iter().enumerate() {
            let tasks = flow.ends(ItemId::at(index)).unwrap_or_default();
            let tasks: Vec<TaskId> =
                tasks.iter().filter(|t| !before.contains(t)).copied().collect();
            for root in roots {
                own.entry(*root).or_default().extend(&tasks);
            }
        }
        for (index, item) in items.items.iter().enumerate() {
            if item.level != Level::Product {
                continue;
            }
            let pack = item.offering.as_ref().and_then(|id| self.rulebook.pack_of(id));
            let Some(workflow) = pack.and_then(|pack| pack.hooks.each_product.as_deref()) else {
                continue;
            };
            let id = ItemId::at(index);
            let is_rated = matches!(item.action, Action::Add | Action::Modify);
            if item.prices.is_empty() || !is_rated || items.unchanged.contains(&id) {
                continue;
            }
            let tasks = own.remove(&id).filter(|tasks| !tasks.is_empty());
            let needs = match tasks {
                Some(tasks) => tasks.into_iter().collect(),
                None => flow.start(id, &self.plan.tasks).to_vec(),
            };
            self.workflow(workflow, Some(id), &needs, None, items)?;
        }
        Ok(())
    }

    /// Adds the tasks of a workflow and answers with its last ones.
    fn workflow(
        &mut self,
        name: &str,
        item: Option<ItemId>,
        first: &[TaskId],
        not_before: Option<Timestamp>,
        items: &Items,
    ) -> Result<Vec<TaskId>, Failure> {
        let Some((pack, workflow)) = self.rulebook.workflow(name) else {
            let message = format!("no pack has a workflow `{name}`");
            return Err(rule_failure(FailureCode::WorkflowUnknown, message));
        };
        self.plan.packs.insert(pack.name.clone(), pack.digest.clone());
        // To make the variables ready takes longer than all else, and most workflows ask nothing.
        let asks = |entry: &WorkflowStep| entry.when.is_some() || entry.not_before.is_some();
        let scope = if workflow.steps.iter().any(asks) {
            self.scope(item, items)
        } else {
            Scope::default()
        };
        // The last tasks of each step; those of what it needs where the step is left out.
        let mut ends: Vec<Vec<TaskId>> = Vec::new();
        for (index, entry) in workflow.steps.iter().enumerate() {
            let mut needs: Vec<TaskId> = match entry.needs.as_slice() {
                [] => first.to_vec(),
                some => some.iter().flat_map(|step| &ends[*step]).copied().collect(),
            };
            needs.sort_unstable();
            needs.dedup();
            if !self.is_taken(workflow, index, &scope)? {
                self.leave_out(item, &entry.step);
                ends.push(needs);
                continue;
            }
            let own = self.not_before(workflow, index, &scope)?;
            let Some(work) = self.work(item, &entry.step, items) else {
                ends.push(needs);
                continue;
            };
            let step = self.step(&entry.step);
            let begins = match item {
                Some(item) => items.begins(item),
                None => self.begins_with(&entry.step.plugin, items),
            };
            let not_before = own.max(not_before).max(begins);
            self.plan.tasks.push(Task { item, step, needs, not_before, work });
            ends.push(vec![TaskId::at(self.plan.tasks.len() - 1)]);
        }
        let needed: BTreeSet<usize> =
            workflow.steps.iter().flat_map(|step| &step.needs).copied().collect();
        let open = ends.into_iter().enumerate().filter(|(index, _)| !needed.contains(index));
        let last: BTreeSet<TaskId> = open.flat_map(|(_, tasks)| tasks).collect();
        Ok(last.into_iter().collect())
    }

    fn is_taken(
        &mut self,
        workflow: &'a Workflow,
        index: usize,
        scope: &Scope,
    ) -> Result<bool, Failure> {
        let entry = &workflow.steps[index];
        match entry.when.as_deref() {
            None => Ok(true),
            Some(source) => self.expr(workflow, index, source)?.is_true(scope).map_err(|error| {
                let step = &entry.step.step;
                let message = format!("workflow `{}`, step `{step}`: {error}", workflow.name);
                rule_failure(FailureCode::DecompRule, message)
            }),
        }
    }

    fn not_before(
        &mut self,
        workflow: &'a Workflow,
        index: usize,
        scope: &Scope,
    ) -> Result<Option<Timestamp>, Failure> {
        let entry = &workflow.steps[index];
        let Some(source) = entry.not_before.as_deref() else {
            return Ok(None);
        };
        let value = self.expr(workflow, index, source)?.evaluate(scope);
        value.map_err(|error| error.to_string()).and_then(|value| time(&value)).map_err(|message| {
            let step = &entry.step.step;
            let message =
                format!("workflow `{}`, step `{step}`: `not-before` {message}", workflow.name);
            rule_failure(FailureCode::DecompRule, message)
        })
    }

    fn expr(
        &mut self,
        workflow: &Workflow,
        index: usize,
        source: &'a str,
    ) -> Result<&Expr, Failure> {
        let new = match self.compiled.entry(source) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(new) => new,
        };
        let names = ["item", "product", "order", "input"];
        let expr = Expr::parse(source, &names).map_err(|error| {
            let step = &workflow.steps[index].step.step;
            let message = format!("workflow `{}`, step `{step}`: {error}", workflow.name);
            rule_failure(FailureCode::DecompRule, message)
        })?;
        Ok(new.insert(expr))
    }

    fn scope(&self, item: Option<ItemId>, items: &Items) -> Scope {
        let scope = self.variables.clone();
        let Some(id) = item else {
            return scope;
        };
        let root = root_of(&items.items, id);
        scope
            .with("item", &items.items[id.index()].view())
            .with("product", &items.items[root.index()].product_view())
    }

    fn step(&mut self, step: &'a Step) -> u32 {
        let key = (step.workflow.as_str(), step.step.as_str());
        if let Some(position) = self.steps.get(&key) {
            return *position;
        }
        let position = u32::try_from(self.plan.steps.len()).unwrap_or(u32::MAX);
        self.plan.steps.push(step.clone());
        self.steps.insert(key, position);
        position
    }

    /// Refuses a plan in which too many tasks wait for too many others.
    fn check_size(&mut self) -> Result<(), Failure> {
        let new = &self.plan.tasks[self.counted.0..];
        let waits = self.counted.1 + new.iter().map(|task| task.needs.len()).sum::<usize>();
        self.counted = (self.plan.tasks.len(), waits);
        if waits <= WAITS_MAX {
            return Ok(());
        }
        let message = format!(
            "its tasks wait for others more than {WAITS_MAX} times, the most that this version \
             plans: let large groups of items rely on one item, and not all of them on all others"
        );
        Err(Failure::new(FailureClass::Reject, FailureCode::TooLarge, message))
    }

    /// The tasks that nothing needs yet.
    pub(super) fn ends(&self) -> Vec<TaskId> {
        let needed: BTreeSet<TaskId> =
            self.plan.tasks.iter().flat_map(|task| &task.needs).copied().collect();
        let all = (0..self.plan.tasks.len()).map(TaskId::at);
        all.filter(|task| !needed.contains(task)).collect()
    }
}
