//! The order in which things cease: what was delivered last goes first. What is made of others has
//! ceased when all of them have, and none of them goes before what stood on the whole has ceased.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{ItemId, TaskId};
use crate::plan::{Action, Item, closure};

/// What ceases, and what must have ceased before it.
pub(super) struct Reverse<'a> {
    items: &'a [Item],
    below: BTreeMap<ItemId, Vec<ItemId>>,
}

impl<'a> Reverse<'a> {
    pub(super) fn new(items: &'a [Item]) -> Self {
        let mut reverse = Self { items, below: BTreeMap::new() };
        for id in reverse.ceasing() {
            let above: Vec<ItemId> = reverse.above(id).collect();
            for parent in above {
                reverse.below.entry(parent).or_default().push(id);
            }
        }
        reverse
    }

    fn ceasing(&self) -> Vec<ItemId> {
        let items = self.items.iter().enumerate();
        let ceasing = items.filter(|(_, item)| item.action == Action::Delete);
        ceasing.map(|(index, _)| ItemId::at(index)).collect()
    }

    fn ceases(&self, id: ItemId) -> bool {
        self.items[id.index()].action == Action::Delete
    }

    fn above(&self, id: ItemId) -> impl Iterator<Item = ItemId> + '_ {
        self.items[id.index()].parents.iter().copied().filter(|parent| self.ceases(*parent))
    }

    /// All that ceases, what must go first first.
    pub(super) fn order(&self) -> Vec<ItemId> {
        let ceasing = self.ceasing();
        let mut order = self.ordered(&ceasing, &BTreeSet::new());
        if order.len() < ceasing.len() {
            // What lines share that wait for each other ceases with the last of them.
            let placed: BTreeSet<ItemId> = order.iter().copied().collect();
            let stuck = ceasing.iter().copied().filter(|id| !placed.contains(id));
            let apart = stuck.filter(|id| self.above(*id).count() > 1).collect();
            order = self.ordered(&ceasing, &apart);
        }
        // Needs that run in a circle by now cannot be kept: nothing is left out for that.
        let placed: BTreeSet<ItemId> = order.iter().copied().collect();
        order.extend(ceasing.into_iter().filter(|id| !placed.contains(id)));
        order
    }

    /// The items that can be put in order. An item that is set apart may cease after some of the items
    /// that it is a part of.
    fn ordered(&self, ceasing: &[ItemId], apart: &BTreeSet<ItemId>) -> Vec<ItemId> {
        // Each item begins to cease after what it is part of does, and has ceased after its parts.
        let (begin, end) = (|id: ItemId| 2 * id.index(), |id: ItemId| 2 * id.index() + 1);
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); 2 * self.items.len()];
        let mut waits = vec![0_usize; 2 * self.items.len()];
        let mut follows = |first: usize, then: usize| {
            after[first].push(then);
            waits[then] += 1;
        };
        for id in ceasing.iter().copied() {
            follows(begin(id), end(id));
            for parent in self.above(id) {
                follows(begin(parent), begin(id));
                if !apart.contains(&id) {
                    follows(end(id), end(parent));
                }
            }
            for first in self.items[id.index()].needs.iter().filter(|first| self.ceases(**first)) {
                follows(end(*first), begin(id));
            }
        }
        let mut ready: BTreeSet<usize> =
            ceasing.iter().map(|id| begin(*id)).filter(|node| waits[*node] == 0).collect();
        let mut order = Vec::with_capacity(ceasing.len());
        while let Some(node) = ready.pop_first() {
            if node % 2 == 0 {
                order.push(ItemId::at(node / 2));
            }
            for next in &after[node] {
                waits[*next] -= 1;
                if waits[*next] == 0 {
                    ready.insert(*next);
                }
            }
        }
        order
    }

    /// The last tasks of what must have ceased before an item.
    pub(super) fn before(&self, id: ItemId, last: &BTreeMap<ItemId, TaskId>) -> Vec<TaskId> {
        let mut tasks = BTreeSet::new();
        for item in closure(vec![id], |id| self.above(id)) {
            let needs = self.items[item.index()].needs.iter().copied();
            let first = needs.filter(|first| self.ceases(*first)).collect();
            self.last_of(first, last, &mut tasks);
        }
        tasks.into_iter().collect()
    }

    /// The last tasks of items with all that they are made of; where there are none, those of what
    /// went before them.
    fn last_of(
        &self,
        items: Vec<ItemId>,
        last: &BTreeMap<ItemId, TaskId>,
        tasks: &mut BTreeSet<TaskId>,
    ) {
        let (mut open, mut seen) = (items, BTreeSet::new());
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let below = closure(vec![id], |id| self.below.get(&id).into_iter().flatten().copied());
            let own: Vec<TaskId> = below.iter().filter_map(|id| last.get(id)).copied().collect();
            if own.is_empty() {
                let needs = below.iter().flat_map(|id| &self.items[id.index()].needs);
                open.extend(needs.filter(|need| self.ceases(**need)));
            }
            tasks.extend(own);
        }
    }
}
