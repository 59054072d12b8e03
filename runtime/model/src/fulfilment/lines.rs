//! The lines of the order as what fails and is rolled back together.
//!
//! A line is an item that came in: a product, or what a service or resource order names. A bundle
//! is one line with its parts, but for parts that the catalog calls optional: those are lines that
//! rely on the bundle. A line fails with a task that serves it. With it fail the lines that rely on
//! it: those whose items need what it alone made. Work that several lines share is rolled back when
//! all of them have failed. Tasks of the whole order serve no line: if one of them fails, all fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::derived::Derived;
use crate::id::{ItemId, TaskId};
use crate::plan::{Action, Plan, Work};

/// Which line each item serves, and what relies on what: follows from the plan alone.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The lines that each item serves.
    of_item: Vec<Vec<ItemId>>,
    /// The items of each line.
    items: BTreeMap<ItemId, Vec<ItemId>>,
    /// The lines that are optional parts of a line.
    parts: BTreeMap<ItemId, Vec<ItemId>>,
    /// The items that need an item.
    needed_by: Vec<Vec<ItemId>>,
    /// The tasks of each item.
    tasks: Vec<Vec<TaskId>>,
    /// The lines that ask for something.
    live: BTreeSet<ItemId>,
}

impl Derived<Lines> {
    pub(super) fn of(&self, plan: &Plan) -> Arc<Lines> {
        self.get(|| Lines::derive(plan))
    }
}

impl Lines {
    fn derive(plan: &Plan) -> Self {
        let mut children: Vec<Vec<ItemId>> = vec![Vec::new(); plan.items.len()];
        for (index, item) in plan.items.iter().enumerate() {
            for parent in &item.parents {
                children[parent.index()].push(ItemId::at(index));
            }
        }
        let mut lines = Self { of_item: vec![Vec::new(); plan.items.len()], ..Self::default() };
        let is_line =
            |id: &ItemId| plan.items[id.index()].parents.is_empty() || plan.optional.contains(id);
        for line in (0..plan.items.len()).map(ItemId::at).filter(is_line) {
            let mut open = vec![line];
            while let Some(item) = open.pop() {
                if lines.of_item[item.index()].last() == Some(&line) {
                    continue;
                }
                lines.of_item[item.index()].push(line);
                lines.items.entry(line).or_default().push(item);
                if plan.items[item.index()].action != Action::NoChange {
                    lines.live.insert(line);
                }
                let below = children[item.index()].iter().copied();
                let (parts, own) = below.partition(|child| plan.optional.contains(child));
                let parts: Vec<ItemId> = parts;
                let own: Vec<ItemId> = own;
                if !parts.is_empty() {
                    lines.parts.entry(line).or_default().extend(parts);
                }
                open.extend(own);
            }
        }
        lines.needed_by.resize(plan.items.len(), Vec::new());
        lines.tasks.resize(plan.items.len(), Vec::new());
        for (index, item) in plan.items.iter().enumerate() {
            // Items that stay as they are or cease do not need new ones.
            if matches!(item.action, Action::Add | Action::Modify) {
                for need in &item.needs {
                    lines.needed_by[need.index()].push(ItemId::at(index));
                }
            }
        }
        for (index, task) in plan.tasks.iter().enumerate() {
            if let Some(item) = task.item {
                lines.tasks[item.index()].push(TaskId::at(index));
            }
        }
        lines
    }

    /// The lines that an item serves.
    pub(super) fn of(&self, item: ItemId) -> &[ItemId] {
        self.of_item.get(item.index()).map_or(&[], Vec::as_slice)
    }

    /// Whether an item is a line.
    pub(super) fn is_line(&self, item: ItemId) -> bool {
        self.items.contains_key(&item)
    }

    /// Whether no line is left that asks for something.
    pub(super) fn are_all(&self, failed: &BTreeSet<ItemId>) -> bool {
        self.live.is_subset(failed)
    }

    /// Whether all lines that an item serves are among these.
    pub(super) fn serves_only(&self, item: ItemId, lines: &BTreeSet<ItemId>) -> bool {
        self.of(item).iter().all(|line| lines.contains(line))
    }

    /// The lines that have failed once some more do: with them those that rely on what is rolled
    /// back.
    pub(super) fn closure(
        &self,
        plan: &Plan,
        dependents: &[Vec<TaskId>],
        failed: BTreeSet<ItemId>,
        more: impl IntoIterator<Item = ItemId>,
    ) -> BTreeSet<ItemId> {
        let mut all = failed;
        let mut open: Vec<ItemId> = more.into_iter().filter(|line| all.insert(*line)).collect();
        while let Some(line) = open.pop() {
            let mut rely: Vec<ItemId> =
                self.parts.get(&line).into_iter().flatten().copied().collect();
            for item in self.items.get(&line).into_iter().flatten() {
                if self.serves_only(*item, &all) {
                    rely.extend(self.relying(plan, dependents, *item));
                }
            }
            open.extend(rely.into_iter().filter(|line| all.insert(*line)));
        }
        all
    }

    /// The lines that rely on what is done for an item.
    fn relying<'a>(
        &'a self,
        plan: &'a Plan,
        dependents: &'a [Vec<TaskId>],
        item: ItemId,
    ) -> impl Iterator<Item = ItemId> + 'a {
        let items = self.needed_by[item.index()].iter().copied();
        let tasks = self.tasks[item.index()].iter().flat_map(move |task| {
            let after = dependents[task.index()].iter();
            after.filter(move |next| relies(plan, **next, *task))
        });
        let of_tasks = tasks.filter_map(|task| plan.task(*task).item);
        items.chain(of_tasks).flat_map(|item| self.of(item).iter().copied())
    }

    /// The tasks that serve these lines alone.
    pub(super) fn tasks_of(
        &self,
        lines: &BTreeSet<ItemId>,
        failed: &BTreeSet<ItemId>,
    ) -> BTreeSet<TaskId> {
        let items = lines.iter().flat_map(|line| self.items.get(line).into_iter().flatten());
        let items = items.filter(|item| self.serves_only(**item, failed));
        items.flat_map(|item| self.tasks[item.index()].iter().copied()).collect()
    }
}

/// Whether a task needs what another did, and not only that it has ended: what ceases does so after
/// all that is new, and what is done for the whole order after all of its lines.
pub(super) fn relies(plan: &Plan, task: TaskId, need: TaskId) -> bool {
    let undoes = |task: TaskId| matches!(plan.task(task).work, Work::Undo(_));
    plan.task(task).item.is_some() && (!undoes(task) || undoes(need))
}
