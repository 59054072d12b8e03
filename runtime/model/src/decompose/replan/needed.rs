//! Instances that stay keep the needs of the plans that made them, across lines, parts of bundles and
//! orders. A needed instance is in the plan, so that its outputs can be read.

use super::super::Blocked;
use super::super::draft::Builder;
use super::super::existing::{PriorItem, installed};
use crate::id::{InstanceId, ItemId};
use crate::plan::{Action, Level};

impl<'a> Builder<'a> {
    /// Adds what the items that stay needed when they were made. An item that is decomposed anew
    /// keeps a need unless the order has another instance of that specification for it.
    pub(in crate::decompose) fn keep_needs(&mut self) -> Result<(), Blocked> {
        let mut open: Vec<ItemId> = self.origins.keys().copied().collect();
        while let Some(id) = open.pop() {
            if self.built.items[id.index()].action == Action::Delete {
                continue;
            }
            let known = self.origins[&id];
            for need in known.needs() {
                let Some(need) = installed(&need, self.answers) else { continue };
                if self.is_replaced(id, &need) {
                    self.dropped.entry(need.id).or_default().insert(known.id);
                    continue;
                }
                let is_new = !self.by_instance.contains_key(need.id);
                let own = self.stays(need)?;
                let needs = &mut self.built.items[id.index()].needs;
                if own != id && !needs.contains(&own) {
                    needs.push(own);
                }
                if is_new {
                    self.keep_needed(own, id, need)?;
                    open.extend((own.index()..self.built.items.len()).map(ItemId::at));
                }
            }
        }
        Ok(())
    }

    /// Keeps a needed instance with all its parts, so that its outputs can be read.
    fn keep_needed(&mut self, own: ItemId, by: ItemId, need: PriorItem<'a>) -> Result<(), Blocked> {
        let mut root = own;
        if need.item().level == Level::Product {
            self.is_line_within(own, own);
            let line = self.built.roots[by.index()].first().map(|line| line.index());
            let date = line.and_then(|line| self.built.items[line].not_before);
            self.built.items[own.index()].not_before = date;
        } else {
            root = self.built.roots[by.index()].first().copied().unwrap_or(by);
            self.built.serve_lines_of(own, by);
        }
        self.keep_parts(own, root, need)
    }

    /// Whether an item does not need an instance any more: it ceases, or the item was decomposed
    /// anew and another of the specification stands for it.
    fn is_replaced(&self, id: ItemId, need: &PriorItem<'a>) -> bool {
        let own = self.by_instance.get(need.id);
        let ends = own.is_some_and(|own| self.built.items[own.index()].action == Action::Delete);
        if ends {
            return true;
        }
        if self.redone.contains(&id) && self.is_given_up(id, own.copied(), need) {
            return true;
        }
        let spec = &need.item().spec;
        let mut needs = self.built.items[id.index()].needs.iter();
        let other =
            needs.any(|other| Some(other) != own && self.built.items[other.index()].spec == *spec);
        let is_there = own.is_some_and(|own| self.built.items[id.index()].needs.contains(own));
        self.redone.contains(&id) && other && !is_there
    }

    /// Whether the line of an item has given up an instance that others keep.
    fn is_given_up(&self, id: ItemId, own: Option<ItemId>, need: &PriorItem<'a>) -> bool {
        let roots = &self.built.roots[id.index()];
        let is_of = |item: &ItemId| !self.built.roots[item.index()].is_disjoint(roots);
        let by = self.dropped.get(need.id).into_iter().flatten();
        let mut by = by.filter_map(|user| self.by_instance.get(*user));
        by.any(is_of) && !own.as_ref().is_some_and(is_of)
    }

    /// The instance that an item is, where the plan is about one that exists.
    pub(in crate::decompose) fn instance_of(&self, id: ItemId) -> Option<&'a InstanceId> {
        self.origins.get(&id).map(|known| known.id)
    }
}
