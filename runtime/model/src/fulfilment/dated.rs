//! Orders that wait for the date on which they begin, or on which they end.

use super::{Fulfilment, Phase};
use crate::id::ItemId;
use tmf::time::Timestamp;

impl Fulfilment {
    /// Whether it may be complete: an order is not, before the last of its dates.
    pub(super) fn may_complete(&self, now: Timestamp) -> bool {
        self.plan.completes.is_none_or(|date| date <= now)
    }

    /// Whether nothing of it has begun, since its date is still to come.
    pub(crate) fn is_early(&self) -> bool {
        let is_open = matches!(self.phase, Phase::Running);
        is_open && self.plan.begins.is_some_and(|date| date > self.updated_at)
    }

    /// The same of a line.
    pub(crate) fn is_early_item(&self, item: ItemId) -> bool {
        let begins = self.plan.items.get(item.index()).and_then(|item| item.not_before);
        let is_open = matches!(self.phase, Phase::Running);
        self.is_early() || (is_open && begins.is_some_and(|date| date > self.updated_at))
    }

    /// The day on which its work begins: steps read it, and charges start on it.
    pub(super) fn begun_on(&self) -> String {
        let begins = self.plan.begins.map_or(self.submitted_at, |date| date.max(self.submitted_at));
        self.plan.zone.day_of(begins).to_string()
    }
}
