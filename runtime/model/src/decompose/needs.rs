//! Which items must be delivered before which: what the catalog and the rules say of
//! specifications, said of items.

use std::collections::{BTreeMap, BTreeSet};

use super::items::Items;
use crate::id::{ItemId, SpecId};
use crate::plan::Action;
use crate::rulebook::Rulebook;

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
    by_line: BTreeMap<(&'a SpecId, ItemId), BTreeSet<ItemId>>,
    by_bundle: BTreeMap<(&'a SpecId, ItemId), BTreeSet<ItemId>>,
}

impl<'a> Near<'a> {
    fn new(built: &'a Items) -> Self {
        let mut near = Self { built, by_line: BTreeMap::new(), by_bundle: BTreeMap::new() };
        let there = |item: &crate::plan::Item| item.action != Action::Delete;
        for (index, item) in built.items.iter().enumerate().filter(|(_, item)| there(item)) {
            let id = ItemId::at(index);
            for root in &built.roots[index] {
                near.by_line.entry((&item.spec, *root)).or_default().insert(id);
                let bundle = built.bundles[root.index()];
                near.by_bundle.entry((&item.spec, bundle)).or_default().insert(id);
            }
        }
        near
    }

    /// The items of a specification for the same lines as this one, else those of the same bundles.
    fn nearest(&self, item: ItemId, spec: &SpecId) -> BTreeSet<ItemId> {
        let roots = &self.built.roots[item.index()];
        let lines = roots.iter().filter_map(|root| self.by_line.get(&(spec, *root)));
        let mut found: BTreeSet<ItemId> = lines.flatten().copied().collect();
        found.remove(&item);
        if !found.is_empty() {
            return found;
        }
        let bundles: BTreeSet<ItemId> =
            roots.iter().map(|root| self.built.bundles[root.index()]).collect();
        let bundles = bundles.iter().filter_map(|bundle| self.by_bundle.get(&(spec, *bundle)));
        let mut found: BTreeSet<ItemId> = bundles.flatten().copied().collect();
        found.remove(&item);
        found
    }
}
