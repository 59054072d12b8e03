//! Submits orders: reads their instances, plans, submits, and starts again if an instance has changed
//! meanwhile. No lock is taken: the engine locks the prior work of an order in the commit that submits
//! it.

use engine::{NotSubmitted, Submitted};
use model::FailureCode;
use model::journal::Activation;
use model::{Event, Failure, Fulfilment, FulfilmentId, Kind};
use serde_json::Value;
use std::sync::Arc;

use super::{Orders, Requested, SubmitError};
use crate::access::Reader;
use crate::traces;

/// Max times that an order is planned while others change its instances.
const PLANS_MAX: usize = 16;

impl Orders {
    pub(super) async fn submit_or_find(
        &self,
        reader: &Reader,
        kind: Kind,
        document: Value,
        activation: Option<Arc<Activation>>,
        submission: Option<String>,
    ) -> Result<Submitted, SubmitError> {
        let key = submission.as_deref();
        let submitted = self.submit_new(reader, kind, document, activation, key).await;
        // A repeated request may fail because of the effects of the first one.
        match submitted {
            Ok(submitted) => Ok(submitted),
            Err(error) => match self.submitted_before(submission.as_deref()).await? {
                Some(first) => Ok(Submitted::Before(first)),
                None => Err(error),
            },
        }
    }

    async fn submit_new(
        &self,
        reader: &Reader,
        kind: Kind,
        document: Value,
        activation: Option<Arc<Activation>>,
        submission: Option<&str>,
    ) -> Result<Submitted, SubmitError> {
        let document = Arc::new(document);
        let id = FulfilmentId::new(uuid::Uuid::now_v7().simple().to_string());
        let requested = Requested::read(&kind, &document, self.engine().now())?;
        let requested = Arc::new(requested.under(id.clone()).seen_by(reader));
        let is_of_quote = !requested.quotes().is_empty();
        let mut looks = is_of_quote || requested.changes_instances();
        for _ in 0..PLANS_MAX {
            if let Some(first) = self.submitted_before(submission).await? {
                return Ok(Submitted::Before(first));
            }
            let seen = if looks { Some(self.engine().look().await?) } else { None };
            if is_of_quote {
                self.check_ordered_once(&requested).await?;
            }
            let after = self.awaited(&requested).await?;
            let event = self.plan_event(&requested).await?;
            let event = after_others(after, event);
            // Planning may have taken long. The engine knows the last keys only.
            if let Some(first) = self.submitted_before(submission).await? {
                return Ok(Submitted::Before(first));
            }
            if let (Event::Planned { plan }, false) = (&event, looks)
                && plan.locks().next().is_some()
            {
                // It changes prior work after all: the engine is asked for its state first.
                looks = true;
                continue;
            }
            let event = match &activation {
                Some(_) => activating(event).map_err(SubmitError::Refused)?,
                None => event,
            };
            let now = self.engine().now();
            let mut fulfilment =
                Fulfilment::new(id.clone(), kind.clone(), Arc::clone(&document), now);
            fulfilment.activated_by(activation.clone());
            let key = submission.map(str::to_owned);
            let (trace, engine) = (traces::current(), self.engine());
            match engine.submit_traced(fulfilment, vec![event], (key, seen), trace).await {
                Ok(submitted) => return Ok(submitted),
                Err(NotSubmitted::Stale) => {}
                Err(NotSubmitted::Ordered(first)) => {
                    let quotes = requested.quotes();
                    let quote = quotes.first().copied().unwrap_or_default();
                    return Err(self.ordered_before(reader, quote, &first).await?);
                }
                Err(NotSubmitted::Ask(error)) => return Err(error.into()),
            }
        }
        Err(SubmitError::Contended(PLANS_MAX))
    }

    /// The fulfilment that was submitted under a client's key.
    async fn submitted_before(
        &self,
        key: Option<&str>,
    ) -> Result<Option<FulfilmentId>, SubmitError> {
        let Some(key) = key else {
            return Ok(None);
        };
        let key = engine::keys::submission(key);
        let found = self.documents.read(move |session| session.get(&key)).await?;
        Ok(found.map(|id| FulfilmentId::new(String::from_utf8_lossy(&id))))
    }
}

/// An order that waits for others is planned when these have completed: they may create its instances.
/// Any other error of it is reported now.
fn after_others(orders: Vec<FulfilmentId>, event: Event) -> Event {
    let is_wrong = matches!(
        &event,
        Event::Rejected { failure } if !failure.code.is_of_instance()
    );
    if orders.is_empty() || is_wrong { event } else { Event::Awaiting { orders, queued: false } }
}

/// The event of a request that activates an instance directly; why the instance cannot be, if the
/// client can ask for something else.
fn activating(event: Event) -> Result<Event, Failure> {
    if let Event::Rejected { failure } = event {
        return Err(failure);
    }
    let Event::Held { failure } = event else { return Ok(event) };
    let codes = [FailureCode::DecompNoRule, FailureCode::InstanceForeign, FailureCode::PackLeftOut];
    if codes.contains(&failure.code) { Err(failure) } else { Ok(Event::Held { failure }) }
}
