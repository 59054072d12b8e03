//! Where things stand in a plan: derived once when it is planned, so that asking costs what is found
//! and not what there is.

use std::collections::BTreeMap;

use super::Fulfilment;
use crate::id::{ItemId, TaskId};
use crate::plan::Plan;

/// The tasks and children of each item, and the items of each line. The plan of a fulfilment never
/// changes once it is there, so neither does this.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Index {
    children: Lists<ItemId>,
    needed_by: Lists<ItemId>,
    tasks: Lists<TaskId>,
    /// The tasks of the whole order, for no item.
    of_order: Vec<TaskId>,
    /// The items of each line of an order, in order: the lines of different orders may share an id.
    lines: BTreeMap<String, Vec<ItemId>>,
}

/// A list for each item, all in one piece of memory: most are short.
#[derive(Clone, Debug, PartialEq)]
struct Lists<T> {
    /// Where the list of each item begins; one more, where the last ends.
    begins: Vec<u32>,
    entries: Vec<T>,
}

impl Index {
    /// Derives it from a plan that is sound.
    pub(super) fn derive(plan: &Plan) -> Self {
        let items = || (0..).map(ItemId::at).zip(&plan.items);
        let tasks = || (0..).map(TaskId::at).zip(&plan.tasks);
        let all = plan.items.len();
        let children =
            items().flat_map(|(id, item)| item.parents.iter().map(move |parent| (*parent, id)));
        let needs = items().flat_map(|(id, item)| item.needs.iter().map(move |need| (*need, id)));
        let of_items = tasks().filter_map(|(id, task)| Some((task.item?, id)));
        let of_order = tasks().filter(|(_, task)| task.item.is_none()).map(|(id, _)| id);
        let mut lines: BTreeMap<String, Vec<ItemId>> = BTreeMap::new();
        for (id, item) in items() {
            match lines.get_mut(&item.line) {
                Some(known) => known.push(id),
                None => {
                    lines.insert(item.line.clone(), vec![id]);
                }
            }
        }
        Self {
            children: Lists::group(all, children),
            needed_by: Lists::group(all, needs.filter(|(need, _)| need.index() < all)),
            tasks: Lists::group(all, of_items),
            of_order: of_order.collect(),
            lines,
        }
    }

    /// The items that were decomposed from this one, in order.
    pub(super) fn children(&self, item: ItemId) -> &[ItemId] {
        self.children.of(item)
    }

    /// The items that need this one delivered first, in order.
    pub(super) fn needed_by(&self, item: ItemId) -> &[ItemId] {
        self.needed_by.of(item)
    }

    /// The tasks of an item, or of the whole order, in order.
    pub(super) fn tasks(&self, item: Option<ItemId>) -> &[TaskId] {
        item.map_or(&self.of_order, |item| self.tasks.of(item))
    }

    /// The items that are lines of this id, in order.
    pub(super) fn of_line(&self, line: &str) -> &[ItemId] {
        self.lines.get(line).map_or(&[], Vec::as_slice)
    }
}

impl Fulfilment {
    /// The tasks of an item, in order; as many as there are is what it costs.
    pub fn tasks_of(&self, item: ItemId) -> impl Iterator<Item = TaskId> + '_ {
        self.index.tasks(Some(item)).iter().copied()
    }

    /// The items that were decomposed from one, in order; as many as there are is what it costs.
    pub fn children_of(&self, item: ItemId) -> impl Iterator<Item = ItemId> + '_ {
        self.index.children(item).iter().copied()
    }

    /// The items that need one delivered first, in order; as many as there are is what it costs.
    pub(crate) fn needed_by(&self, item: ItemId) -> impl Iterator<Item = ItemId> + '_ {
        self.index.needed_by(item).iter().copied()
    }

    /// The item of a line of the order that came in.
    pub(crate) fn line(&self, line: &str) -> Option<ItemId> {
        let mut items = self.index.of_line(line).iter().copied();
        items.find(|item| self.is_line(&self.plan.items[item.index()]))
    }
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { begins: Vec::new(), entries: Vec::new() }
    }
}

impl<T: Copy> Lists<T> {
    /// Groups entries by their item. Those of one item stay in order.
    fn group(items: usize, entries: impl Iterator<Item = (ItemId, T)>) -> Self {
        let mut begins = vec![0_u32; items + 1];
        let mut entries: Vec<(ItemId, T)> = entries.collect();
        entries.sort_by_key(|(item, _)| *item);
        for (item, _) in &entries {
            begins[item.index() + 1] += 1;
        }
        for item in 0..items {
            begins[item + 1] += begins[item];
        }
        Self { begins, entries: entries.into_iter().map(|(_, entry)| entry).collect() }
    }

    fn of(&self, item: ItemId) -> &[T] {
        let bounds = self.begins.get(item.index()).zip(self.begins.get(item.index() + 1));
        bounds.map_or(&[], |(begin, end)| &self.entries[*begin as usize..*end as usize])
    }
}
