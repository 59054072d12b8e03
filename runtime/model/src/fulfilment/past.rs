//! The calls that a journal tells the outcome of, with what their plugins were given. A request is a
//! function of the fulfilment alone, so it need not be kept: it is made again, of the state that the
//! call was made in.

use super::{ApplyError, Context, Due, Fulfilment, Request};
use crate::expr::Expressions;
use crate::id::{FulfilmentId, TaskId};
use crate::journal::{Event, Record};
use crate::operation::Effects;
use tmf::time::Timestamp;

/// A call whose outcome is in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// The number of its attempt.
    pub attempt: u32,
    /// The request. The first call of an attempt that was recorded as started appears as
    /// `recover`: the journal does not tell it from a call after a crash.
    pub request: Request,
}

impl Fulfilment {
    /// The calls for a task that a journal tells the outcome of, in order.
    pub fn past_calls(
        id: FulfilmentId,
        records: &[Record],
        task: TaskId,
    ) -> Result<Vec<Past>, ApplyError> {
        let (mut expressions, mut calls) = (Expressions::default(), Vec::new());
        Self::fold_with(id, records, |before, event| {
            if event.task() == Some(task) && is_outcome(event) {
                calls.extend(before.call_before(task, &mut expressions));
            }
        })?;
        Ok(calls)
    }

    /// The call for a task whose outcome comes next.
    fn call_before(&self, task: TaskId, expressions: &mut Expressions) -> Option<Past> {
        // Whatever it waits for has come by then, and its plugin was there.
        let now = Timestamp(i64::MAX);
        let mut context = Context { now, effects: &|_| Some(Effects::External), expressions };
        match self.due_for(task, &mut context)? {
            Due::Call { attempt, operation, .. } => {
                let request = self.request(task, operation, expressions).ok()?;
                Some(Past { attempt, request })
            }
            Due::Conclude { .. } | Due::Expire { .. } | Due::Alert(_) | Due::End(_) => None,
        }
    }
}

/// Whether an event is the outcome of a call.
fn is_outcome(event: &Event) -> bool {
    match event {
        Event::Succeeded { .. }
        | Event::Failed { .. }
        | Event::Retrying { .. }
        | Event::Waiting { .. }
        | Event::Undone { .. }
        | Event::UndoWaiting { .. }
        | Event::UndoRetrying { .. }
        | Event::UndoFailed { .. } => true,
        Event::Submitted { .. }
        | Event::Awaiting { .. }
        | Event::Planned { .. }
        | Event::Held { .. }
        | Event::Rejected { .. }
        | Event::Started { .. }
        | Event::CalledBack { .. }
        | Event::Retried { .. }
        | Event::CompletedByHand { .. }
        | Event::GivenUp { .. }
        | Event::RollingBack { .. }
        | Event::RollingBackLines { .. }
        | Event::Cancelling { .. }
        | Event::CancelRefused { .. }
        | Event::Patched { .. }
        | Event::Alerted { .. }
        | Event::Moved { .. }
        | Event::Ended { .. } => false,
    }
}
