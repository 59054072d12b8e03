//! The tasks of an open fulfilment that an input may have made due, so that an input costs what it
//! changes, however large the plan is. It is derived: a look at all tasks gives the same result.

use std::collections::{BTreeMap, BTreeSet};

use model::{Context, Direction, Due, Event, Fulfilment, TaskId};
use tmf::time::Timestamp;

/// The tasks that may be due, and the times at which more become due.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// The tasks to check, in order, and those of the next round.
    round: BTreeSet<TaskId>,
    next: BTreeSet<TaskId>,
    /// Whether to check for actions that belong to no task.
    whole: bool,
    timers: BTreeSet<(Timestamp, TaskId)>,
    times: BTreeMap<TaskId, Timestamp>,
    /// Turns in a row without coming to rest.
    pub(super) turns: usize,
}

impl Agenda {
    /// All tasks, for a fulfilment that begins or starts to roll back.
    pub(super) fn all(fulfilment: &Fulfilment, now: Timestamp) -> Self {
        let mut agenda = Self { whole: true, ..Self::default() };
        for task in fulfilment.active() {
            agenda.look_at(fulfilment, task, now);
        }
        agenda
    }

    /// Follows an event that was applied.
    pub(super) fn follow(&mut self, fulfilment: &Fulfilment, event: &Event, now: Timestamp) {
        let Some(task) = event.task() else {
            *self = Self { turns: self.turns, ..Self::all(fulfilment, now) };
            return;
        };
        self.whole = true;
        self.look_at(fulfilment, task, now);
        for opened in fulfilment.opened_by(task) {
            self.look_at(fulfilment, opened, now);
        }
    }

    /// Adds the tasks that have become due by time alone.
    pub(super) fn pass(&mut self, now: Timestamp) {
        self.whole = true;
        while let Some((time, task)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(time, task));
            self.times.remove(&task);
            self.next.insert(task);
        }
    }

    /// The next work that is due; `None` if it has come to rest, or has as many calls under way as
    /// `calls_max`.
    pub(super) fn next_due(
        &mut self,
        fulfilment: &Fulfilment,
        under_way: &BTreeMap<TaskId, Direction>,
        calls_max: usize,
        context: &mut Context<'_>,
    ) -> Option<Due> {
        if std::mem::take(&mut self.whole)
            && let Some(due) = fulfilment.due_for_whole(context.now)
        {
            return Some(due);
        }
        loop {
            if self.round.is_empty() {
                self.round = std::mem::take(&mut self.next);
            }
            // The rest is checked when a call has ended.
            if under_way.len() >= calls_max {
                return None;
            }
            let task = self.round.pop_first()?;
            if under_way.contains_key(&task) {
                continue;
            }
            if let Some(due) = fulfilment.due_for(task, context) {
                return Some(due);
            }
        }
    }

    /// Checks a task once more, since its call has ended.
    pub(super) fn ended(&mut self, task: TaskId) {
        self.next.insert(task);
    }

    /// The next time at which a task becomes due by time alone.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.timers.first().map(|(time, _)| *time)
    }

    fn look_at(&mut self, fulfilment: &Fulfilment, task: TaskId, now: Timestamp) {
        self.next.insert(task);
        if let Some(time) = self.times.remove(&task) {
            self.timers.remove(&(time, task));
        }
        if let Some(time) = fulfilment.wake_for(task, now) {
            self.times.insert(task, time);
            self.timers.insert((time, task));
        }
    }
}
