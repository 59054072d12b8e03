//! CPQ: qualifications are answered when they are created, quotes are priced when they are created and
//! changed, and accepted ones are ordered.

use std::collections::BTreeMap;
use std::sync::Arc;

use commerce::cpq::{
    Facts, QuoteError, Unanswered, create, next_version, order_of, patched, qualify_offerings,
    qualify_services, query_offerings, query_services,
};
use engine::Submitted;
use engine::documents::{Change, Expected, Put};
use futures_util::future::BoxFuture;
use model::decompose::{Answers, Decision};
use model::order::{OrderError, OrderErrorKind};
use model::{Kind, PoolId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tmf::QuoteState;
use tmf::document::quote::{Quote, QuoteRelationship};
use tmf::document::write;
use tmf::resource::Resource;
use tmf::time::Timestamp;

use super::{Draft, Policy, Refusal, stored};
use crate::access::{Reader, Verb};
use crate::documents::{Documents, Session};
use crate::orders::{For, Orders, SubmitError};
use crate::rulebooks::Rulebooks;
use crate::settings::BillingSettings;

type Ask<T> = fn(T, Facts<'_>) -> Result<T, Unanswered>;

/// The resources of qualifications.
const QUALIFICATIONS: [&str; 4] = [
    "productOfferingQualification",
    "checkServiceQualification",
    "queryProductOfferingQualification",
    "queryServiceQualification",
];

/// The policy of quotes and qualifications.
pub(crate) struct Cpq {
    pub(crate) orders: Arc<Orders>,
    pub(crate) rulebooks: Rulebooks,
    pub(crate) settings: Arc<BillingSettings>,
}

impl Policy for Cpq {
    fn governs(&self, resource: &Resource) -> bool {
        resource.key == "quote" || QUALIFICATIONS.contains(&resource.key)
    }

    fn check(&self, _: &Session, draft: &mut Draft) -> Result<(), Refusal> {
        if draft.resource.key != "quote" || draft.after.is_none() {
            return Ok(());
        }
        let after: Quote = draft.read()?;
        let (rulebook, policy) = (self.rulebooks.current(), &self.settings.policy);
        let priced = match &draft.before {
            None => create(after, &rulebook, policy, draft.at),
            Some(before) => patched(stored("quote", before)?, after, &rulebook, policy, draft.at),
        };
        draft.after = Some(write(&priced.map_err(refusal)?));
        Ok(())
    }

    fn prepare<'a>(
        &'a self,
        _: &'a Documents,
        mut draft: Draft,
    ) -> BoxFuture<'a, Result<Draft, Refusal>> {
        Box::pin(async move {
            if draft.before.is_some() || draft.after.is_none() {
                return Ok(draft);
            }
            draft.after = Some(match draft.resource.key {
                "productOfferingQualification" => {
                    write(&self.answer(&draft, qualify_offerings).await?)
                }
                "checkServiceQualification" => write(&self.answer(&draft, qualify_services).await?),
                "queryProductOfferingQualification" => {
                    write(&self.answer(&draft, query_offerings).await?)
                }
                "queryServiceQualification" => write(&self.answer(&draft, query_services).await?),
                _ => return Ok(draft),
            });
            Ok(draft)
        })
    }
}

impl Cpq {
    /// Answers a qualification, asking decomposer plugins as orders would.
    async fn answer<T>(&self, draft: &Draft, ask: Ask<T>) -> Result<T, Refusal>
    where
        T: Clone + DeserializeOwned + Serialize + Send + Sync,
    {
        let request: T = draft.read()?;
        let (rulebook, pools) = (self.rulebooks.current(), self.orders.engine().pools());
        let free: BTreeMap<PoolId, u64> = rulebook
            .pools()
            .map(|pool| {
                let held = u64::try_from(pools.held(&pool.id)).unwrap_or(u64::MAX);
                (pool.id.clone(), pool.len().saturating_sub(held))
            })
            .collect();
        let decide = |answers: &Answers| {
            let facts = Facts { rulebook: &rulebook, free: &free, answers, now: draft.at };
            match ask(request.clone(), facts) {
                Ok(answer) => Ok(Ok(answer)),
                Err(Unanswered::Request(error)) => Ok(Err(error)),
                Err(Unanswered::Blocked(blocked)) => Err(blocked),
            }
        };
        let decision = Decision::new(Answers::new(), decide);
        let decided = self.orders.decided(decision, (&write(&request), For::default()), 0).await;
        let decided = decided.map_err(|error| Refusal::Submit(Box::new(error)))?;
        decided.map_err(Refusal::Failed)?.map_err(unreadable)
    }

    /// Orders an accepted quote for a client that may see it and may create its order, once: a repeated
    /// request gets the same order.
    pub(crate) async fn order_quote(
        &self,
        documents: &Documents,
        id: &str,
        reader: &Reader,
    ) -> Result<Submitted, QuoteFailure> {
        let quote = documents.document("quote", id).await?;
        let quote = quote.ok_or_else(|| QuoteFailure::Unknown(id.into()))?;
        let order = write(&order_of(&stored("quote", &quote)?).map_err(refusal)?);
        if !reader.scope("productOrder", Verb::Create).covers(&order) {
            return Err(QuoteFailure::NotPermitted);
        }
        let submission = Some(format!("quote/{id}"));
        Ok(self.orders.submit(reader, Kind::ProductOrder, order, submission).await?)
    }

    /// Creates the next version of a quote; an approved one is withdrawn with it.
    pub(crate) async fn version_quote(
        &self,
        documents: &Documents,
        id: &str,
        now: Timestamp,
    ) -> Result<Quote, QuoteFailure> {
        let found = documents.document("quote", id).await?;
        let found = found.ok_or_else(|| QuoteFailure::Unknown(id.into()))?;
        let mut quote: Quote = stored("quote", &found)?;
        let next = next_version(&quote, &self.rulebooks.current(), &self.settings.policy, now);
        let mut next = next.map_err(refusal)?;
        let new = uuid::Uuid::now_v7().simple().to_string();
        next.href = Some(format!("{}/{new}", tmf::table::path("quote")));
        next.id = Some(new.clone());
        quote.quote_relationship = vec![QuoteRelationship::to(&next, "supersededBy")];
        if quote.state == Some(QuoteState::Approved) {
            quote.state = Some(QuoteState::Cancelled);
        }
        let expected = Expected::Revision(found.revision);
        let old = Put::new("quote", id, Change::Set(write(&quote)), expected);
        documents.write(vec![Put::create("quote", new, write(&next)), old]).await?;
        Ok(next)
    }
}

/// Why a quote is not ordered, or not versioned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuoteFailure {
    #[error("there is no quote `{0}`")]
    Unknown(String),
    /// The client may not create its order.
    #[error("no role of the client allows its order")]
    NotPermitted,
    /// Its document is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The order was not submitted.
    #[error(transparent)]
    Order(#[from] SubmitError),
    #[error("the store cannot be read")]
    Store(#[from] engine::documents::Error),
}

fn refusal(error: QuoteError) -> Refusal {
    let message = error.to_string();
    match error {
        QuoteError::Items(error) => unreadable(error),
        QuoteError::Price { .. } => {
            Refusal::Malformed { path: "quoteItem.quoteItemPrice".into(), message }
        }
        QuoteError::Configuration(_) | QuoteError::Fixed(_) => {
            Refusal::unprocessable("quoteItem", message)
        }
        QuoteError::Approval(_) => Refusal::unprocessable("authorization", message),
        QuoteError::Expired(_) => Refusal::unprocessable("validFor", message),
        QuoteError::State | QuoteError::Transition { .. } | QuoteError::NotAccepted(_) => {
            Refusal::unprocessable("state", message)
        }
    }
}

fn unreadable(error: OrderError) -> Refusal {
    let OrderError { kind, path, message } = error;
    match kind {
        OrderErrorKind::Malformed => Refusal::Malformed { path, message },
        OrderErrorKind::Inconsistent => Refusal::Unprocessable { path, message },
    }
}
