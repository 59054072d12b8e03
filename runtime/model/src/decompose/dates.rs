//! When the work for an item may begin: no sooner than the lines that it is for.

use super::items::Items;
use crate::id::{ItemId, PluginId};
use crate::plan::{Action, Plan};
use crate::time::Timestamp;

impl Items {
    /// The time before which nothing with an effect is done for an item. What serves several lines
    /// is there for the first of them, and until the last of them ends.
    pub(super) fn begins(&self, id: ItemId) -> Option<Timestamp> {
        let item = &self.items[id.index()];
        let roots = self.roots[id.index()].iter().map(|root| self.items[root.index()].not_before);
        let own = match item.action {
            Action::Delete => roots.max(),
            Action::Add | Action::Modify | Action::NoChange => roots.min(),
        };
        own.flatten().max(item.not_before)
    }

    /// The time before which a step of the whole order is not done by a plugin: a check that
    /// reaches nothing is made at once, so that what is wrong is known while there is time.
    pub(super) fn begins_with(&self, plugin: &PluginId) -> Option<Timestamp> {
        self.begins.filter(|_| !self.pure.contains(plugin))
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
