//! Plans orders that have no plan yet: they wait for other orders, or could not be planned before.

use std::sync::Arc;

use engine::NotSubmitted;
use model::{
    End, Event, Failure, FailureClass, FailureCode, Fulfilment, FulfilmentId, Kind, Phase,
};

use super::{App, Requested, SubmitError};

/// Max times an order is planned again while others change what it is about.
const PLANS_MAX: usize = 16;

/// The code of an order that is held since one that it waits for did not complete.
pub(crate) const NOT_COMPLETED: FailureCode = FailureCode::OrderNotCompleted;

/// Who wants an order planned again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Something has changed that it may have been held for.
    ByItself,
    /// A person: it does not wait any more for orders that did not complete.
    ByPerson,
}

/// What a retry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retried {
    /// This many tasks are tried again.
    Tasks(usize),
    /// It was planned again.
    Planned,
}

impl App {
    /// Has what failed of an open fulfilment tried again: its tasks, or its planning. `None` if it
    /// is not open.
    pub(crate) async fn retry(&self, id: &FulfilmentId) -> Result<Option<Retried>, SubmitError> {
        if let Some(fulfilment) = self.engine.get(id).await?
            && fulfilment.is_unplanned()
        {
            self.plan_again(id, Wanted::ByPerson).await?;
            return Ok(Some(Retried::Planned));
        }
        Ok(self.engine.retry(id.clone()).await?.map(Retried::Tasks))
    }

    /// Plans a fulfilment that has no plan, unless it still waits for others.
    pub(crate) async fn plan_again(
        &self,
        id: &FulfilmentId,
        wanted: Wanted,
    ) -> Result<(), SubmitError> {
        for _ in 0..PLANS_MAX {
            let seen = self.engine.look().await?;
            let Some(fulfilment) = self.engine.get(id).await?.filter(|open| open.is_unplanned())
            else {
                return Ok(());
            };
            let Some(event) = self.event_of(&fulfilment, wanted).await? else {
                return Ok(());
            };
            match self.engine.replan(id, event, seen).await {
                Ok(_) => return Ok(()),
                Err(NotSubmitted::Stale | NotSubmitted::Ordered(_)) => {}
                Err(NotSubmitted::Ask(error)) => return Err(error.into()),
            }
        }
        Err(SubmitError::Contended(PLANS_MAX))
    }

    /// What comes of a fulfilment that has no plan; `None` if it stays as it is.
    async fn event_of(
        &self,
        fulfilment: &Fulfilment,
        wanted: Wanted,
    ) -> Result<Option<Event>, SubmitError> {
        let is_given_up = match fulfilment.phase() {
            Phase::Held(failure) => failure.code == NOT_COMPLETED,
            Phase::Submitted | Phase::Running | Phase::RollingBack(_) | Phase::Ended(..) => false,
        };
        if is_given_up && wanted == Wanted::ByItself {
            return Ok(None);
        }
        for order in fulfilment.after().iter().filter(|_| !is_given_up) {
            match self.standing(order).await? {
                Standing::Completed => {}
                Standing::Open => return Ok(None),
                Standing::Unknown | Standing::Other(_) if wanted == Wanted::ByPerson => {}
                Standing::Unknown => return Ok(Some(not_completed(order, "not known any more"))),
                Standing::Other(state) => return Ok(Some(not_completed(order, state))),
            }
        }
        match self.planned_as_taken(fulfilment).await {
            Ok(event) => Ok(Some(event)),
            // What it is about has gone or changed since it was taken.
            Err(error @ (SubmitError::Order(_) | SubmitError::Reference { .. })) => {
                let failure = Failure::new(
                    FailureClass::Reject,
                    FailureCode::InstanceUnknown,
                    error.to_string(),
                );
                Ok(Some(Event::Rejected { failure }))
            }
            Err(SubmitError::Plan(failure)) => Ok(Some(Event::Held { failure })),
            Err(error) => Err(error),
        }
    }

    /// What would become of it by now, as if it were taken when it was.
    async fn planned_as_taken(&self, fulfilment: &Fulfilment) -> Result<Event, SubmitError> {
        let document = fulfilment.document();
        let requested = Requested::read(fulfilment.kind(), document)?;
        self.plan_at(requested, document, fulfilment.submitted_at()).await
    }

    /// The open orders that an order waits for. One that is unknown, or will never complete, is
    /// refused.
    pub(crate) async fn awaited(
        &self,
        requested: &Requested<'_>,
    ) -> Result<Vec<FulfilmentId>, SubmitError> {
        let mut open = Vec::new();
        for after in requested.after() {
            let order = FulfilmentId::new(&after.order);
            let message = match self.standing(&order).await? {
                Standing::Completed => continue,
                Standing::Open => {
                    open.push(order);
                    continue;
                }
                Standing::Unknown => format!("there is no order `{order}`"),
                Standing::Other(state) => format!(
                    "the order `{order}` is {state}, so it will never complete: name one that is \
                     open or completed"
                ),
            };
            return Err(SubmitError::Reference { path: after.path.clone(), message });
        }
        Ok(open)
    }

    async fn standing(&self, order: &FulfilmentId) -> Result<Standing, SubmitError> {
        let set_aside = self.engine.quarantine().map_err(SubmitError::of_store)?;
        if let Some((_, aside)) = set_aside.iter().find(|(id, _)| id == order) {
            let is_over = aside.as_ref().is_some_and(|aside| aside.given_up.is_some());
            return Ok(if is_over { Standing::Other("given up") } else { Standing::Open });
        }
        let found = self.engine.get(order).await?;
        let is_order = |found: &Arc<Fulfilment>| !matches!(found.kind(), Kind::Run { .. });
        let Some(found) = found.filter(is_order) else {
            return Ok(Standing::Unknown);
        };
        Ok(match found.phase() {
            Phase::Ended(End::Completed, _) => Standing::Completed,
            Phase::Ended(..) => Standing::Other(found.order_state().as_str()),
            Phase::Submitted | Phase::Held(_) | Phase::Running | Phase::RollingBack(_) => {
                Standing::Open
            }
        })
    }
}

/// How an order stands that another waits for.
enum Standing {
    Completed,
    Open,
    Unknown,
    /// It has ended in another state.
    Other(&'static str),
}

fn not_completed(order: &FulfilmentId, state: &str) -> Event {
    let message = format!(
        "this order waits for order `{order}`, which is {state}: retry to go on without it, or \
         cancel this one"
    );
    Event::Held { failure: Failure::new(FailureClass::Operator, NOT_COMPLETED, message) }
}
