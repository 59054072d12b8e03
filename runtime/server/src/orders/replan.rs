//! Plans orders without a plan: they wait for other orders, or could not be planned before.

use std::sync::Arc;

use engine::{NotSubmitted, SetAside};
use model::{
    End, Event, Failure, FailureClass, FailureCode, Fulfilment, FulfilmentId, Kind, Phase,
};

use super::{Orders, Requested, SubmitError};
use crate::access::Reader;
use crate::documents::Session;

/// Max times that an order is planned again while others change its instances.
const PLANS_MAX: usize = 16;

/// The code of an order that is held because an order that it waits for did not complete.
pub(crate) const NOT_COMPLETED: FailureCode = FailureCode::OrderNotCompleted;

/// Why an order is planned again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A change may have removed the reason why it is held.
    ByItself,
    /// An operator asked for it: the order no longer waits for orders that did not complete.
    ByOperator,
}

/// The result of a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retried {
    /// This many tasks are retried.
    Tasks(usize),
    /// It was planned again.
    Planned,
}

impl Orders {
    /// Retries the failed tasks of an open fulfilment, or its planning. `None` if it is not open.
    pub(crate) async fn retry(&self, id: FulfilmentId) -> Result<Option<Retried>, SubmitError> {
        if let Some(fulfilment) = self.engine().get(&id).await?
            && fulfilment.is_unplanned()
        {
            self.plan_again(&id, Wanted::ByOperator).await?;
            return Ok(Some(Retried::Planned));
        }
        Ok(self.engine().retry(id).await?.map(Retried::Tasks))
    }

    /// Plans a fulfilment that has no plan, unless it still waits for others.
    pub(crate) async fn plan_again(
        &self,
        id: &FulfilmentId,
        wanted: Wanted,
    ) -> Result<(), SubmitError> {
        for _ in 0..PLANS_MAX {
            let seen = self.engine().look().await?;
            let Some(fulfilment) = self.engine().get(id).await?.filter(|open| open.is_unplanned())
            else {
                return Ok(());
            };
            let Some(event) = self.event_of(&fulfilment, wanted).await? else {
                return Ok(());
            };
            match self.engine().replan(id, event, seen).await {
                Ok(_) => return Ok(()),
                Err(NotSubmitted::Stale | NotSubmitted::Ordered(_)) => {}
                Err(NotSubmitted::Ask(error)) => return Err(error.into()),
            }
        }
        Err(SubmitError::Contended(PLANS_MAX))
    }

    /// The next event of a fulfilment without a plan; `None` if it stays as it is.
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
            match self.prior_order(order).await? {
                PriorOrder::Completed => {}
                PriorOrder::Open => return Ok(None),
                PriorOrder::Unknown | PriorOrder::Other(_) if wanted == Wanted::ByOperator => {}
                PriorOrder::Unknown => return Ok(Some(not_completed(order, "not known any more"))),
                PriorOrder::Other(state) => return Ok(Some(not_completed(order, state))),
            }
        }
        match self.planned_as_taken(fulfilment).await {
            Ok(event) => Ok(Some(event)),
            // Its instances were removed or changed since it was submitted.
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

    /// Plans it as of the time of its submission.
    async fn planned_as_taken(&self, fulfilment: &Fulfilment) -> Result<Event, SubmitError> {
        let document = fulfilment.document();
        let at = fulfilment.submitted_at();
        let requested = Requested::read(fulfilment.kind(), document, at)?;
        let requested = requested.under(fulfilment.id().clone());
        self.plan_event(&Arc::new(requested)).await
    }

    /// The open orders that an order waits for. An unknown order, and one that will never complete,
    /// is refused.
    pub(crate) async fn awaited(
        &self,
        requested: &Requested,
    ) -> Result<Vec<FulfilmentId>, SubmitError> {
        let mut open = Vec::new();
        for after in requested.after() {
            let order = FulfilmentId::new(&after.order);
            let prior = match self.sees_order(&requested.reader, &order).await? {
                true => self.prior_order(&order).await?,
                false => PriorOrder::Unknown,
            };
            let message = match prior {
                PriorOrder::Completed => continue,
                PriorOrder::Open => {
                    open.push(order);
                    continue;
                }
                PriorOrder::Unknown => format!("there is no order `{order}`"),
                PriorOrder::Other(state) => format!(
                    "the order `{order}` is {state}, so it will never complete: name one that is \
                     open or completed"
                ),
            };
            return Err(SubmitError::Reference { path: after.path.clone(), message });
        }
        Ok(open)
    }

    /// Whether a reader may see an order that another one waits for.
    async fn sees_order(&self, reader: &Reader, id: &FulfilmentId) -> Result<bool, SubmitError> {
        if reader.is_all() {
            return Ok(true);
        }
        // One that is set aside cannot be read, and so cannot be shown to be the client's.
        let aside = self.quarantined(id).await?.is_some();
        let found = if aside { None } else { self.engine().get(id).await? };
        let root = found.and_then(|found| Some((found.root_resource()?, found.root_order()?)));
        Ok(root.is_some_and(|(key, order)| reader.sees(key, &order.body)))
    }

    async fn prior_order(&self, order: &FulfilmentId) -> Result<PriorOrder, SubmitError> {
        if let Some(aside) = self.quarantined(order).await? {
            let is_over = aside.is_some_and(|aside| aside.given_up.is_some());
            return Ok(if is_over { PriorOrder::Other("given up") } else { PriorOrder::Open });
        }
        let found = self.engine().get(order).await?;
        let is_order = |found: &Arc<Fulfilment>| !matches!(found.kind(), Kind::Run { .. });
        let Some(found) = found.filter(is_order) else {
            return Ok(PriorOrder::Unknown);
        };
        Ok(match found.phase() {
            Phase::Ended(End::Completed, _) => PriorOrder::Completed,
            Phase::Ended(..) => PriorOrder::Other(found.order_state().as_str()),
            Phase::Submitted | Phase::Held(_) | Phase::Running | Phase::RollingBack(_) => {
                PriorOrder::Open
            }
        })
    }

    /// Why a fulfilment is quarantined; `None` if it is not. The reason is missing if it cannot be read.
    pub(super) async fn quarantined(
        &self,
        id: &FulfilmentId,
    ) -> Result<Option<Option<SetAside>>, SubmitError> {
        let mut all = self.documents.read(Session::quarantine).await?.into_iter();
        Ok(all.find(|(other, _)| other == id).map(|(_, aside)| aside))
    }
}

/// The state of an order that another waits for.
enum PriorOrder {
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
