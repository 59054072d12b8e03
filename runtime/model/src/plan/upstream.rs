//! Which items of a plan are upstream of one: what it needs, directly or through others.

use std::collections::BTreeSet;

use super::Item;
use crate::id::ItemId;

/// The items that are upstream of one, with all that they are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upstream {
    /// Those that it, or what it is a part of, needs.
    pub near: BTreeSet<ItemId>,
    /// Others, that the lines it is for rely on.
    pub far: BTreeSet<ItemId>,
}

impl Upstream {
    /// What is upstream of an item. `children` tells what an item is made of, `is_line` which items
    /// are lines of the order.
    pub(crate) fn of<Children: IntoIterator<Item = ItemId>>(
        items: &[Item],
        item: ItemId,
        children: impl Fn(ItemId) -> Children,
        is_line: impl Fn(ItemId) -> bool,
    ) -> Self {
        let above = closure(vec![item], |id| items[id.index()].parents.iter().copied());
        let (lines, parts): (Vec<ItemId>, Vec<ItemId>) = above.iter().partition(|id| is_line(**id));
        // Of what an item is part of it is the work for that alone.
        let needed = |of: &[ItemId]| {
            let needs = of.iter().flat_map(|id| items[id.index()].needs.iter().copied());
            closure(needs.collect(), |id| {
                let parts = (!above.contains(&id)).then(|| children(id));
                items[id.index()].needs.iter().copied().chain(parts.into_iter().flatten())
            })
        };
        let near = needed(&parts);
        let mut far = needed(&lines);
        far.retain(|id| !near.contains(id));
        Self { near, far }
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = ItemId> + '_ {
        self.near.iter().chain(&self.far).copied()
    }
}

/// All that is reached from some nodes, and they themselves.
pub(crate) fn closure<T: Copy + Ord, Next: IntoIterator<Item = T>>(
    mut open: Vec<T>,
    next: impl Fn(T) -> Next,
) -> BTreeSet<T> {
    let mut seen = BTreeSet::new();
    while let Some(node) = open.pop() {
        if seen.insert(node) {
            open.extend(next(node));
        }
    }
    seen
}
