//! Which items must be delivered before which: what the catalog and the rules say of
//! specifications, said of items.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Items;
use crate::id::{ItemId, SpecId};
use crate::order::{Extent, Order, Reliance};
use crate::plan::Action;
use crate::rulebook::Rulebook;

/// Items below one that several lines share serve all of these lines. The first items are the lines
/// themselves; a bundle is not a part of its products.
pub(super) fn spread_lines(built: &mut Items, lines: usize) {
    let mut waits = vec![0_usize; built.items.len()];
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); built.items.len()];
    for (index, item) in built.items.iter().enumerate().skip(lines) {
        for parent in &item.parents {
            below[parent.index()].push(index);
            waits[index] += 1;
        }
    }
    let mut open: Vec<usize> = (0..built.items.len()).filter(|index| waits[*index] == 0).collect();
    while let Some(parent) = open.pop() {
        for &child in &below[parent] {
            built.serve_lines_of(ItemId::at(child), ItemId::at(parent));
            waits[child] -= 1;
            if waits[child] == 0 {
                open.push(child);
            }
        }
    }
}

/// Turns "must be delivered before" between specifications into needs between items.
pub(super) fn relate(built: &mut Items, rulebook: &Rulebook) {
    let near = Near::new(built);
    let needs: Vec<Vec<ItemId>> =
        (0..built.items.len()).map(|index| needs(ItemId::at(index), &near, rulebook)).collect();
    for (item, needs) in built.items.iter_mut().zip(needs) {
        // What ceases does so in an order of its own.
        if item.action != Action::Delete {
            item.needs = needs;
        }
    }
}

/// Turns the relations between the lines of an order into needs between their items. Of lines that
/// both cease the one that relies on the other does so first; any other line has been done by then.
/// Where the catalog tells which service of a line needs which of the other, that is the relation.
pub(super) fn relate_lines(built: &mut Items, order: &Order) {
    if order.lines.iter().all(|line| line.relies_on.is_empty()) {
        return;
    }
    let mut of_line: Vec<Vec<ItemId>> = vec![Vec::new(); order.lines.len()];
    for (index, roots) in built.roots.iter().enumerate() {
        for root in roots.iter().filter(|root| root.index() < order.lines.len()) {
            of_line[root.index()].push(ItemId::at(index));
        }
    }
    for (index, line) in order.lines.iter().enumerate() {
        for Reliance { on, extent } in line.relies_on.iter().copied() {
            let ceases = |index: usize| order.lines[index].action == Action::Delete;
            let (first, then) = match (ceases(index), ceases(on)) {
                (true, true) => (index, on),
                (false, false) => (on, index),
                (true, false) | (false, true) => continue,
            };
            let needs = of_line[then].iter().flat_map(|id| &built.items[id.index()].needs);
            let mut needs = needs.filter(|need| need.index() >= order.lines.len());
            let first = ItemId::at(first);
            let is_told = extent == Extent::Uses
                && needs.any(|need| built.roots[need.index()].contains(&first));
            if !is_told {
                built.items[then].needs.push(first);
            }
        }
    }
    for item in built.items.iter_mut().take(order.lines.len()) {
        item.needs.sort_unstable();
        item.needs.dedup();
    }
}

fn needs(item: ItemId, near: &Near<'_>, rulebook: &Rulebook) -> Vec<ItemId> {
    let spec = &near.built.items[item.index()].spec;
    let known = rulebook.catalog().specs.get(spec).map_or(&[][..], |spec| &spec.depends_on);
    let added = rulebook.delivery(spec).map_or(&[][..], |(_, delivery)| &delivery.needs);
    let needs: BTreeSet<ItemId> =
        known.iter().chain(added).flat_map(|before| near.nearest(item, before)).collect();
    needs.into_iter().collect()
}

/// Where the items of each specification are, so that those near an item are found without a look
/// at all of them.
struct Near<'a> {
    built: &'a Items,
    /// By one of several instances of a specification: it, and what it is made of.
    by_instance: BTreeMap<(&'a SpecId, ItemId), BTreeSet<ItemId>>,
    by_line: BTreeMap<(&'a SpecId, ItemId), BTreeSet<ItemId>>,
    by_bundle: BTreeMap<(&'a SpecId, ItemId), BTreeSet<ItemId>>,
}

impl<'a> Near<'a> {
    fn new(built: &'a Items) -> Self {
        let by_instance = BTreeMap::new();
        let (by_line, by_bundle) = (BTreeMap::new(), BTreeMap::new());
        let mut near = Self { built, by_instance, by_line, by_bundle };
        let there = |item: &crate::plan::Item| item.action != Action::Delete;
        for (index, item) in built.items.iter().enumerate().filter(|(_, item)| there(item)) {
            let id = ItemId::at(index);
            for instance in outwards(built, id) {
                near.by_instance.entry((&item.spec, instance)).or_default().insert(id);
            }
            for root in &built.roots[index] {
                near.by_line.entry((&item.spec, *root)).or_default().insert(id);
                let bundle = built.bundles[root.index()];
                near.by_bundle.entry((&item.spec, bundle)).or_default().insert(id);
            }
        }
        near
    }

    /// The items of a specification that belong to the same one of several instances, else to the
    /// same lines as this one, else to the same bundles.
    fn nearest(&self, item: ItemId, spec: &SpecId) -> BTreeSet<ItemId> {
        let others = |found: Option<&BTreeSet<ItemId>>| -> BTreeSet<ItemId> {
            found.into_iter().flatten().filter(|found| **found != item).copied().collect()
        };
        let mut instances = outwards(self.built, item);
        let within = instances.find_map(|instance| {
            let found = others(self.by_instance.get(&(spec, instance)));
            (!found.is_empty()).then_some(found)
        });
        if let Some(found) = within {
            return found;
        }
        let roots = &self.built.roots[item.index()];
        let lines = roots.iter().flat_map(|root| others(self.by_line.get(&(spec, *root))));
        let found: BTreeSet<ItemId> = lines.collect();
        if !found.is_empty() {
            return found;
        }
        let bundles: BTreeSet<ItemId> =
            roots.iter().map(|root| self.built.bundles[root.index()]).collect();
        let bundles =
            bundles.iter().flat_map(|bundle| others(self.by_bundle.get(&(spec, *bundle))));
        bundles.collect()
    }
}

/// Those of several instances of a specification that an item is, or stands below, from the inside
/// out.
fn outwards(built: &Items, item: ItemId) -> impl Iterator<Item = ItemId> + '_ {
    let above = |instance: &ItemId| {
        let parent = built.items[instance.index()].parents.first()?;
        built.within.get(parent).copied()
    };
    std::iter::successors(built.within.get(&item).copied(), above)
}
