//! What plugins wrote into their scratch spaces, with the answers that it counts with.

use model::{Outcome, PluginId};
use tmf::time::Timestamp;

use super::{After, Answer, Core, Denied, Step};
use crate::scratch::Changes;
use crate::worker::Report;

impl<R> Core<R> {
    /// The writes of a call that may be committed with its answer. If they are refused, the attempt fails.
    pub(super) fn admitted(&self, report: &mut Report) -> Option<Changes> {
        let changes = report.scratch.take()?;
        match report.outcome {
            Outcome::Done(_) | Outcome::Waiting(_) => {}
            Outcome::Failed(_) => return None,
        }
        if let Err(refused) = self.scratch.check(&changes) {
            report.outcome = Outcome::Failed(refused.failure());
            return None;
        }
        Some(changes)
    }

    /// Adds the writes of a call to the commit of the event that applies its answer.
    pub(super) fn write_scratch(&self, step: &mut Step<R>) {
        if let Some((changes, at)) = step.scratch.take() {
            step.commit.writes.extend(self.scratch.commit(changes, at));
        }
    }

    /// Deletes what a plugin keeps.
    pub(super) fn erase(
        &mut self,
        now: Timestamp,
        plugin: &PluginId,
        key: Option<&str>,
        reply: R,
    ) -> Step<R> {
        let changes = self.scratch.deletion(plugin, key);
        if self.scratch.check(&changes).is_err() {
            let denied = Denied::BeingWritten(plugin.to_owned());
            return Step::answer(reply, Answer::Denied(denied));
        }
        let count = changes.writes.len();
        let mut step = Step::default();
        step.commit.writes = self.scratch.commit(changes, self.stamp);
        step.commit.audited = self.audited(now);
        step.commit.then.push(After::Reply(reply, Answer::Erased(count)));
        step
    }
}
