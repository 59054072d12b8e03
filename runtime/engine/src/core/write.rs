//! Documents that no fulfilment owns, and that open ones may be about.

use model::Timestamp;

use super::{After, Answer, Core, Step, Unless};
use crate::store::Put;

impl<R> Core<R> {
    /// Writes documents unless an open fulfilment is about them. A submission that claims the same
    /// and whose client looked before this is stale from now on.
    pub(super) fn write_unless(
        &mut self,
        now: Timestamp,
        unless: &Unless,
        documents: Vec<Put>,
        reply: R,
    ) -> Step<R> {
        let Unless { open, claimed } = unless;
        let mut open = open.iter();
        let open = open.find(|id| self.open.contains_key(id) || self.set_aside.contains_key(id));
        if let Some(holder) = open.or_else(|| self.claims.holder(claimed)) {
            return Step::answer(reply, Answer::Claimed(holder.clone()));
        }
        self.claims.outdate(claimed);
        let mut step = Step::default();
        step.commit.at = now;
        step.commit.documents = documents;
        step.commit.then.push(After::Written(reply));
        step
    }
}
