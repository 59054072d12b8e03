//! How the items of a fulfilment ended: what inventories, charges and records of instances ask.

use super::{Fulfilment, Phase};
use crate::id::ItemId;
use crate::journal::End;

impl Fulfilment {
    /// Whether it has ended with what the item asks for done: what was to be added is there, what
    /// was to change has changed, what was to be deleted is gone. `false` while it is open, and for
    /// an item that was rolled back.
    pub fn is_delivered(&self, item: ItemId) -> bool {
        match &self.phase {
            Phase::Ended(End::Completed, _) => item.index() < self.plan.items.len(),
            Phase::Ended(End::Failed | End::Rejected | End::Cancelled, _)
            | Phase::Submitted
            | Phase::Held(_)
            | Phase::Running
            | Phase::Unwinding(_) => false,
        }
    }
}
