//! Writes of documents that no fulfilment owns, and that open ones may use.

use tmf::time::Timestamp;

use super::{After, Answer, Core, Release, Step, Unless};
use crate::documents::Put;
use crate::keys;

impl<R> Core<R> {
    /// Writes documents, and releases an unused pool value, unless an open fulfilment uses them. A
    /// submission with the same locks whose client read the instances before is stale from now on.
    pub(super) fn write_unless(
        &mut self,
        now: Timestamp,
        Unless { open, locked }: Unless,
        (release, documents): (Option<Release>, Vec<Put>),
        reply: R,
    ) -> Step<R> {
        let mut open = open.iter();
        let open = open.find(|id| self.is_open(id) || self.set_aside.contains_key(id));
        if let Some(holder) = open.or_else(|| self.locks.holder(&locked)) {
            return Step::answer(reply, Answer::Locked(holder.clone()));
        }
        let mut step = Step::default();
        if let Some(Release { pool, index, holder }) = release {
            if !self.pools.release(&pool, index, holder.as_deref().unwrap_or_default()) {
                return Step::answer(reply, Answer::Stale);
            }
            step.commit.writes.push((keys::reservation(&pool, index), None));
        }
        self.locks.outdate(locked);
        step.commit.at = now;
        step.commit.audited = self.audited(now);
        step.commit.documents = documents;
        step.commit.then.push(After::Written(reply));
        step
    }
}
