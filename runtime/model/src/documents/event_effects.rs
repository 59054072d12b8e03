//! The effects of an accepted event outside its fulfilment: pool values, resources, callbacks. They
//! are a function of the state before and the event, and an event that is refused has none.

use super::Document;
use crate::fulfilment::{ApplyError, Fulfilment};
use crate::id::TaskId;
use crate::journal::{End, Event};
use crate::outcome::Reservation;
use crate::plan::Work;
use crate::task::TaskState;
use tmf::time::Timestamp;

/// The effects of an accepted event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventEffects {
    /// The pool values that are reserved from now on, each with its holder.
    pub reserved: Vec<(Reservation, String)>,
    /// The pool values that are released, each with its holder.
    pub released: Vec<(Reservation, String)>,
    /// The resources that are terminated, as their documents show it.
    pub terminated: Vec<Document>,
    /// The names under which a task waits no more.
    pub no_longer_awaited: Vec<String>,
    /// The names under which a task waits from now on.
    pub awaited: Vec<String>,
}

impl Fulfilment {
    /// Applies an event, and answers with its effects. On an error nothing has changed, and nothing
    /// follows.
    pub fn accept(&mut self, at: Timestamp, event: &Event) -> Result<EventEffects, ApplyError> {
        let effects = self.effects_of(event);
        self.apply(at, event)?;
        Ok(effects)
    }

    /// The effects that an event has if it is accepted in this state.
    fn effects_of(&self, event: &Event) -> EventEffects {
        if let Event::Ended { end } = event {
            return EventEffects { released: self.released_at(*end), ..EventEffects::default() };
        }
        let task = event.task().filter(|task| task.index() < self.tasks().len());
        let Some(task) = task else { return EventEffects::default() };
        let reserved =
            if let Event::Succeeded { reservations, .. } = event { &reservations[..] } else { &[] };
        let awaited = event.wait().map(|wait| self.callback_names(task, &wait.keys));
        EventEffects {
            reserved: self.with_holder(task, reserved),
            released: self.with_holder(task, self.released_by(task, event)),
            terminated: self.terminated_by(task, event),
            no_longer_awaited: self.awaited_by(task),
            awaited: awaited.unwrap_or_default(),
        }
    }

    /// The pool values of a task, each with its holder.
    fn with_holder<'a>(
        &self,
        task: TaskId,
        reservations: impl IntoIterator<Item = &'a Reservation>,
    ) -> Vec<(Reservation, String)> {
        let holder = self.holder(task);
        reservations.into_iter().map(|one| (one.clone(), holder.clone())).collect()
    }

    /// The names under which a task waits for an answer now.
    pub fn awaited_by(&self, task: TaskId) -> Vec<String> {
        let state = &self.tasks()[task.index()];
        if let TaskState::Waiting { wait, .. } | TaskState::UndoWaiting { wait, .. } = state {
            return self.callback_names(task, &wait.keys);
        }
        Vec::new()
    }

    fn callback_names(&self, task: TaskId, keys: &[String]) -> Vec<String> {
        keys.iter().map(|key| self.callback_name(task, key)).collect()
    }

    /// The pool values of a task that is undone, and of prior work that is undone. The values of a task
    /// that an operator gave up stay reserved, unless they released them.
    fn released_by(&self, task: TaskId, event: &Event) -> Vec<&Reservation> {
        if self.stays_reserved(task) {
            return Vec::new();
        }
        let is_turned = self.is_turned(task);
        let is_released = matches!(event, Event::GivenUp { released: true, .. });
        let is_by_hand = matches!(event, Event::CompletedByHand { .. });
        let is_undone = matches!(event, Event::Undone { .. }) || (is_turned && is_by_hand);
        let is_done = matches!(event, Event::Succeeded { .. }) || (is_by_hand && !is_turned);
        match self.work(task) {
            Work::Undo(made) if is_done || (is_released && !is_turned) => {
                made.reservations.iter().collect()
            }
            Work::Do | Work::Modify(_) if is_undone || is_released => {
                let kept = self.work(task).before().map(|made| made.reservations.as_slice());
                let own = self.tasks()[task.index()].reservations().iter();
                // The values that the prior work had reserved stay reserved.
                let is_kept = |one: &&Reservation| kept.is_some_and(|kept| kept.contains(*one));
                own.filter(|one| !is_kept(one)).collect()
            }
            Work::Do | Work::Modify(_) | Work::Undo(_) => Vec::new(),
        }
    }

    /// The resources that are terminated when a task is undone.
    fn terminated_by(&self, task: TaskId, event: &Event) -> Vec<Document> {
        let ends = matches!(event, Event::Undone { .. } | Event::CompletedByHand { .. });
        if ends && self.is_turned(task) { self.ending(task) } else { Vec::new() }
    }

    /// The pool values that prior work had reserved and the work that modified it did not. They are
    /// released when the order is complete: until then it may be rolled back.
    fn released_at(&self, end: End) -> Vec<(Reservation, String)> {
        if !matches!(end, End::Completed | End::Partial) {
            return Vec::new();
        }
        let mut released = Vec::new();
        for (index, task) in self.plan().tasks.iter().enumerate() {
            let Work::Modify(made) = &task.work else { continue };
            // A line that was rolled back keeps the values that it had.
            if task.item.is_some_and(|item| self.has_failed(item)) {
                continue;
            }
            let now = self.tasks()[index].reservations();
            let gone = made.reservations.iter().filter(|reservation| !now.contains(reservation));
            released.extend(self.with_holder(TaskId::at(index), gone));
        }
        released
    }
}
