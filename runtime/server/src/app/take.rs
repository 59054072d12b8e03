//! Takes orders: looks at what they are about, plans, submits, and begins anew where what was looked
//! at has changed meanwhile. No lock is held: what an order locks is locked by the engine, in the
//! commit that takes the order.

use engine::{NotSubmitted, Submitted};
use model::FailureCode;
use model::journal::Activation;
use model::order::quotes_of;
use model::{Event, Failure, Fulfilment, FulfilmentId, Kind};
use serde_json::Value;
use std::sync::Arc;

use super::{App, Requested, SubmitError, existing};
use crate::systems::cpq;

/// Max times an order is planned while others change what it is about.
const PLANS_MAX: usize = 16;

impl App {
    pub(super) async fn take(
        &self,
        kind: Kind,
        document: Value,
        activation: Option<Activation>,
        submission: Option<String>,
    ) -> Result<Submitted, SubmitError> {
        let taken = self.take_new(kind, document, activation, submission.clone()).await;
        // A repeat may find what the first request has changed before it finds the first request.
        match taken {
            Ok(submitted) => Ok(submitted),
            Err(error) => match self.submitted_before(submission.as_deref())? {
                Some(first) => Ok(Submitted::Before(first)),
                None => Err(error),
            },
        }
    }

    async fn take_new(
        &self,
        kind: Kind,
        mut document: Value,
        activation: Option<Activation>,
        submission: Option<String>,
    ) -> Result<Submitted, SubmitError> {
        let activation = activation.map(Arc::new);
        let is_of_quote = kind == Kind::ProductOrder && !quotes_of(&document).is_empty();
        let mut looks = is_of_quote || existing::changes(&document);
        for _ in 0..PLANS_MAX {
            if let Some(first) = self.submitted_before(submission.as_deref())? {
                return Ok(Submitted::Before(first));
            }
            let seen = if looks { Some(self.engine.look().await?) } else { None };
            if is_of_quote {
                cpq::check_ordered_once(self, &quotes_of(&document)).await?;
            }
            let requested = Requested::read(&kind, &document)?;
            let after = self.awaited(&requested).await?;
            let event = self.plan_at(requested, &document, self.now()).await?;
            let event = after_others(after, event);
            // Planning may have taken long. The engine knows the last keys only.
            if let Some(first) = self.submitted_before(submission.as_deref())? {
                return Ok(Submitted::Before(first));
            }
            if let (Event::Planned { plan }, false) = (&event, looks)
                && plan.locks().next().is_some()
            {
                // It is about what is there after all: a look comes first.
                looks = true;
                continue;
            }
            if let (Some(_), Some(failure)) = (&activation, refusal(&event)) {
                return Err(SubmitError::Refused(failure.clone()));
            }
            let id = FulfilmentId::new(uuid::Uuid::now_v7().simple().to_string());
            let own = if looks { document.clone() } else { std::mem::take(&mut document) };
            let mut fulfilment = Fulfilment::new(id, kind.clone(), own, self.now());
            fulfilment.activated_by(activation.clone());
            let submitted =
                self.engine.submit(fulfilment, vec![event], submission.clone(), seen).await;
            match submitted {
                Ok(submitted) => return Ok(submitted),
                // Only what looked can be out of date, so the document is still there.
                Err(NotSubmitted::Stale) => {}
                Err(NotSubmitted::Ordered(first)) => {
                    let quotes = quotes_of(&document);
                    let quote = quotes.first().copied().unwrap_or_default();
                    return Err(cpq::ordered_before(quote, &first));
                }
                Err(NotSubmitted::Ask(error)) => return Err(error.into()),
            }
        }
        Err(SubmitError::Contended(PLANS_MAX))
    }

    fn submitted_before(&self, key: Option<&str>) -> Result<Option<FulfilmentId>, SubmitError> {
        let Some(key) = key else {
            return Ok(None);
        };
        let found = self.engine.store().get(&engine::keys::submission(key));
        let found = found.map_err(SubmitError::of_store)?;
        Ok(found.map(|id| FulfilmentId::new(String::from_utf8_lossy(&id))))
    }
}

/// An order that waits for others is planned when these have completed: what it is about may come of
/// them. What is wrong with it all the same is told now.
fn after_others(orders: Vec<FulfilmentId>, event: Event) -> Event {
    let is_wrong = matches!(
        &event,
        Event::Rejected { failure } if !failure.code.is_of_instance()
    );
    if orders.is_empty() || is_wrong { event } else { Event::Awaiting { orders, queued: false } }
}

/// Why what is asked for directly cannot be: the client can ask for something else.
fn refusal(event: &Event) -> Option<&Failure> {
    if let Event::Rejected { failure } = event {
        return Some(failure);
    }
    let Event::Held { failure } = event else { return None };
    let codes = [FailureCode::DecompNoRule, FailureCode::InstanceForeign, FailureCode::PackLeftOut];
    codes.contains(&failure.code).then_some(failure)
}
