//! Documents that no fulfilment owns, and that open ones may be about.

use tmf::time::Timestamp;

use super::{After, Answer, Core, Release, Step, Unless};
use crate::documents::Put;
use crate::keys;

impl<R> Core<R> {
    /// Writes documents, and releases a value that nothing uses, unless an open fulfilment is about
    /// them. A submission that claims the same
    /// and whose client looked before this is stale from now on.
    pub(super) fn write_unless(
        &mut self,
        now: Timestamp,
        unless: &Unless,
        (release, documents): (Option<Release>, Vec<Put>),
        reply: R,
    ) -> Step<R> {
        let Unless { open, claimed } = unless;
        let mut open = open.iter();
        let open = open.find(|id| self.open.contains_key(id) || self.set_aside.contains_key(id));
        if let Some(holder) = open.or_else(|| self.claims.holder(claimed)) {
            return Step::answer(reply, Answer::Claimed(holder.clone()));
        }
        let mut step = Step::default();
        if let Some(Release { pool, index, holder }) = release {
            if !self.pools.release(&pool, index, holder.as_deref().unwrap_or_default()) {
                return Step::answer(reply, Answer::Stale);
            }
            step.commit.writes.push((keys::hold(&pool, index), None));
        }
        self.claims.outdate(claimed);
        step.commit.at = now;
        step.commit.documents = documents;
        step.commit.then.push(After::Written(reply));
        step
    }
}
