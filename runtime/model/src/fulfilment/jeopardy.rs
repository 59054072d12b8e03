//! Whether an order will be complete by the requested time, from the expected durations of its steps.
//! Decided only if a pack states durations.

use super::{Fulfilment, Phase};
use crate::id::TaskId;
use crate::journal::{RiskLevel, SlaRisk};
use crate::task::TaskState;
use tmf::time::Timestamp;

impl Fulfilment {
    /// What is to be noted now of its being late; each thing once for each time that is wanted.
    pub(super) fn sla_risk_due(&self, now: Timestamp) -> Option<SlaRisk> {
        let (at_risk, wanted) = self.times()?;
        if now < at_risk.min(wanted) {
            return None;
        }
        let level = if wanted <= now { RiskLevel::Missed } else { RiskLevel::AtRisk };
        let is_known =
            self.sla_risks.iter().any(|known| known.wanted == wanted && known.level == level);
        (!is_known).then_some(SlaRisk { level, at: now, wanted })
    }

    /// The times at which something may be to be noted, past ones too.
    pub(super) fn alert_times(&self) -> impl Iterator<Item = Timestamp> + use<> {
        self.times().into_iter().flat_map(|(at_risk, wanted)| [at_risk, wanted])
    }

    /// The time from which on there is too little time for what is left, and the time that is
    /// wanted.
    fn times(&self) -> Option<(Timestamp, Timestamp)> {
        if self.ready.left_ms.is_empty() || self.phase != Phase::Running {
            return None;
        }
        const WANTED: &str = "requestedCompletionDate";
        let wanted = self.changed.get(WANTED).or_else(|| self.document.get(WANTED));
        let wanted = Timestamp::parse(wanted?.as_str()?)?;
        // An order that must not be complete before a date is not late because of it.
        if self.plan.completes.is_some_and(|date| date >= wanted) {
            return None;
        }
        let active = self.ready.active.iter().filter(|task| !self.is_turned(**task));
        let left = active.map(|task| self.left_ms(*task)).max()?;
        let at_risk = wanted.0.saturating_sub(i64::try_from(left).unwrap_or(i64::MAX));
        Some((Timestamp(at_risk), wanted))
    }

    /// How long a task and what comes after it take at the least. One that has begun may be done
    /// the next moment.
    fn left_ms(&self, task: TaskId) -> u64 {
        let whole = self.ready.left_ms[task.index()];
        match &self.tasks[task.index()] {
            TaskState::Running { .. }
            | TaskState::Waiting { .. }
            | TaskState::CalledBack { .. } => {
                whole - self.plan.step(task).expected_ms.unwrap_or_default()
            }
            TaskState::Pending
            | TaskState::Retrying { .. }
            | TaskState::Done(_)
            | TaskState::Failed { .. }
            | TaskState::Undoing { .. }
            | TaskState::UndoWaiting { .. }
            | TaskState::UndoCalledBack { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => whole,
        }
    }
}

#[cfg(test)]
mod tests;
