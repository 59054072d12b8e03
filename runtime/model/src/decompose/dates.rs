//! When the work for an item may begin: no sooner than the lines that it is for.

use serde_json::Value;

use super::draft::Items;
use super::schedule::Builder;
use crate::id::{ItemId, PluginId};
use crate::order::Order;
use crate::plan::{Action, Level, Plan};
use tmf::time::Timestamp;

/// The date that a line of an order names for its instance.
fn own_date(order: &Order, index: usize) -> Option<Timestamp> {
    let dates = order.lines.get(index)?.dates;
    dates.start.or(dates.end)
}

impl Items {
    /// The time before which nothing with an effect is done for an item. An item that serves several
    /// lines begins with the first of them and ends with the last.
    pub(super) fn begins(&self, id: ItemId) -> Option<Timestamp> {
        let item = &self.items[id.index()];
        let roots = self.roots[id.index()].iter().map(|root| self.items[root.index()].not_before);
        let own = match item.action {
            Action::Delete => roots.max(),
            Action::Add | Action::Modify | Action::NoChange => roots.min(),
        };
        own.flatten().max(item.not_before)
    }

    /// A part of a bundle that names no date begins and ends with the bundle.
    pub(super) fn date_parts(&mut self, order: &Order) {
        for index in 0..self.items.len() {
            if self.items[index].level == Level::Product && own_date(order, index).is_none() {
                let of_bundle = self.date_of_bundle(order, index);
                let item = &mut self.items[index];
                item.not_before = item.not_before.max(of_bundle);
            }
        }
    }

    /// The date of the nearest bundle around a product that names one.
    fn date_of_bundle(&self, order: &Order, index: usize) -> Option<Timestamp> {
        let outer = |index: &usize| {
            let mut parents = self.items[*index].parents.iter().map(|parent| parent.index());
            parents.find(|parent| self.items[*parent].level == Level::Product)
        };
        let mut bundles = std::iter::successors(outer(&index), outer);
        bundles.find_map(|bundle| own_date(order, bundle))
    }

    /// Notes in a plan when its order begins, and when it is complete at the earliest.
    pub(super) fn date(&self, plan: &mut Plan) {
        let mut lines = Vec::new();
        for (index, roots) in self.roots.iter().enumerate() {
            if roots.contains(&ItemId::at(index)) {
                lines.push(self.items[index].not_before);
            }
        }
        plan.begins = lines.iter().copied().min().flatten().max(self.begins);
        plan.completes = lines.into_iter().max().flatten().max(self.begins);
    }
}

impl Builder<'_> {
    /// The time before which a step of the whole order is not done by a plugin: a check that
    /// reaches nothing is made at once, so that what is wrong is known while there is time.
    pub(super) fn begins_with(&self, plugin: &PluginId, items: &Items) -> Option<Timestamp> {
        items.begins.filter(|_| !self.pure.contains(plugin))
    }
}

/// Reads the value of a `not-before`: a time, or `null`.
pub(super) fn time(value: &Value) -> Result<Option<Timestamp>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let Some(text) = value.as_str() else {
        return Err(format!("is a time as text, not {value}"));
    };
    let time = Timestamp::parse(text);
    time.map(Some).ok_or_else(|| format!("is a time such as `2026-03-12T02:00:00Z`, not `{text}`"))
}
