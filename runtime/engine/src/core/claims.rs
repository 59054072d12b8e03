//! Who changes what: no two open fulfilments change the same earlier work.

use std::sync::Arc;

use model::{Event, Failure, FailureClass, FulfilmentId, Plan};

use super::Core;

impl<R> Core<R> {
    /// The events of a submission, unless it would change what another is changing.
    pub(super) fn claimed(&mut self, id: &FulfilmentId, events: Vec<Event>) -> Vec<Event> {
        let Some(Event::Planned { plan }) = events.last() else {
            return events;
        };
        if let Some(other) = plan.claims().find_map(|key| self.claims.get(key)) {
            let message =
                format!("order `{other}` is changing the same: order this when that has ended");
            let failure = Failure::new(FailureClass::Reject, "INSTANCE_BUSY", message);
            return vec![Event::Rejected { failure }];
        }
        let plan = Arc::clone(plan);
        self.claim(id, &plan);
        events
    }

    /// The open fulfilment that changes one of some pieces of earlier work; nothing where none does.
    pub(super) fn claimant(&self, keys: &[String]) -> Option<FulfilmentId> {
        keys.iter().find_map(|key| self.claims.get(key)).cloned()
    }

    pub(super) fn claim(&mut self, id: &FulfilmentId, plan: &Plan) {
        for key in plan.claims() {
            self.claims.insert(key.into(), id.clone());
        }
    }

    /// What an ended fulfilment changed can be changed by others.
    pub(super) fn unclaim(&mut self, id: &FulfilmentId, plan: &Plan) {
        for key in plan.claims() {
            if self.claims.get(key) == Some(id) {
                self.claims.remove(key);
            }
        }
    }
}
