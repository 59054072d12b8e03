//! Whether the client may cancel an order.

use super::{Fulfilment, Phase};
use crate::codes::FailureCode;
use crate::id::TaskId;
use crate::journal::{CancelRequest, Event, Refusal};
use crate::outcome::{Failure, FailureClass};

impl Fulfilment {
    /// Assesses a request to cancel: what follows from it, and why it is refused where it is.
    /// Nothing follows for what has ended.
    pub fn cancel(&self, request: CancelRequest) -> (Vec<Event>, Result<(), Refusal>) {
        match self.may_be_cancelled() {
            Ok(()) => (vec![Event::Cancelling { request }], Ok(())),
            Err(refusal @ Refusal::Final { .. }) => (Vec::new(), Err(refusal)),
            Err(refusal) => {
                let event = Event::CancelRefused { request, refusal: refusal.clone() };
                (vec![event], Err(refusal))
            }
        }
    }

    /// Whether it could be cancelled now.
    pub fn may_be_cancelled(&self) -> Result<(), Refusal> {
        match &self.phase {
            Phase::Submitted | Phase::Held(_) => Ok(()),
            Phase::Running => match self.past_return() {
                Some(task) => Err(Refusal::PastReturn { task: self.plan.task_name(task) }),
                None => Ok(()),
            },
            Phase::RollingBack(cause) => Err(match &self.cancelled_by {
                Some(request) => Refusal::Cancelling { request: request.id.clone() },
                None => Refusal::RollingBack { code: cause.code.clone() },
            }),
            Phase::Ended(..) => Err(Refusal::Final { state: self.phase.name().into() }),
        }
    }

    /// A point of no return that was begun. Even if it failed it may have had an effect, and a
    /// cancellation does not go on without knowing.
    fn past_return(&self) -> Option<TaskId> {
        self.passed().next()
    }

    /// The tasks past which nothing is undone, and which were begun.
    pub(super) fn passed(&self) -> impl Iterator<Item = TaskId> + '_ {
        let tasks = (0..self.tasks.len()).map(TaskId::at);
        tasks.filter(|task| {
            let may_be_done = !self.tasks[task.index()].is_clear() && !self.is_turned(*task);
            let stays = self.turned.stays.contains(task);
            self.plan.is_point_of_no_return(*task) && may_be_done && !stays
        })
    }
}

/// The failure that a cancelled order is rolled back with.
pub(super) fn cause(request: &CancelRequest) -> Failure {
    let message = request.reason.as_deref().unwrap_or("the order was cancelled");
    Failure::new(FailureClass::Reject, FailureCode::Cancelled, message)
}
