//! CPQ: qualifications are answered when they are created, quotes are priced when they are created and
//! changed, and accepted ones are ordered.

use engine::documents::{Change, Expected, Put};
use std::collections::BTreeMap;
use std::sync::Arc;

use commerce::cpq::{
    Facts, QuoteError, QuoteState, Unanswered, create, next_version, order_of, patched,
    qualify_offerings, qualify_services, query_offerings, query_services,
};
use engine::Submitted;
use engine::pools::Pools;
use futures_util::future::BoxFuture;
use model::decompose::{Answers, Decision};
use model::order::{OrderError, OrderErrorKind};
use model::{Kind, PoolId};
use serde_json::{Value, json};
use tmf::resource::Resource;
use tmf::time::Timestamp;

use super::{Draft, Policy, Refusal};
use crate::documents::{Documents, Session};
use crate::orders::{Orders, SubmitError};
use crate::rulebooks::Rulebooks;
use crate::settings::BillingSettings;

type Ask = fn(&Value, Facts<'_>) -> Result<Value, Unanswered>;

/// How each qualification is answered.
const QUALIFICATIONS: [(&str, Ask); 4] = [
    ("productOfferingQualification", qualify_offerings),
    ("checkServiceQualification", qualify_services),
    ("queryProductOfferingQualification", query_offerings),
    ("queryServiceQualification", query_services),
];

/// The policy of quotes and qualifications. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cpq {
    pub(crate) documents: Documents,
    pub(crate) orders: Orders,
    pub(crate) rulebooks: Rulebooks,
    pub(crate) pools: Pools,
    pub(crate) settings: Arc<BillingSettings>,
}

impl Policy for Cpq {
    fn governs(&self, resource: &Resource) -> bool {
        resource.key == "quote" || ask_of(resource).is_some()
    }

    fn check(&self, _: &Session, draft: &mut Draft) -> Result<(), Refusal> {
        let Some(after) = draft.after.as_ref().filter(|_| draft.resource.key == "quote") else {
            return Ok(());
        };
        let (rulebook, policy) = (self.rulebooks.current(), &self.settings.policy);
        let priced = match &draft.before {
            None => create(after, &rulebook, policy, draft.at),
            Some(before) => patched(&before.body, after, &rulebook, policy, draft.at),
        };
        draft.after = Some(priced.map_err(refusal)?);
        Ok(())
    }

    fn prepare(&self, mut draft: Draft) -> BoxFuture<'_, Result<Draft, Refusal>> {
        Box::pin(async move {
            if let (Some(ask), None, Some(request)) =
                (ask_of(draft.resource), &draft.before, &draft.after)
            {
                draft.after = Some(self.answer(request, ask, draft.at).await?);
            }
            Ok(draft)
        })
    }
}

fn ask_of(resource: &Resource) -> Option<Ask> {
    QUALIFICATIONS.iter().find(|(key, _)| *key == resource.key).map(|(_, ask)| *ask)
}

impl Cpq {
    /// Answers a qualification, asking decomposer plugins as orders would.
    async fn answer(&self, request: &Value, ask: Ask, now: Timestamp) -> Result<Value, Refusal> {
        let rulebook = self.rulebooks.current();
        let free: BTreeMap<PoolId, u64> = rulebook
            .pools()
            .map(|pool| {
                let held = u64::try_from(self.pools.held(&pool.id)).unwrap_or(u64::MAX);
                (pool.id.clone(), pool.len().saturating_sub(held))
            })
            .collect();
        let decide = |answers: &Answers| {
            let facts = Facts { rulebook: &rulebook, free: &free, answers, now };
            match ask(request, facts) {
                Ok(answer) => Ok(Ok(answer)),
                Err(Unanswered::Request(error)) => Ok(Err(error)),
                Err(Unanswered::Blocked(blocked)) => Err(blocked),
            }
        };
        let decision = Decision::new(Answers::new(), decide);
        let decided = self.orders.decided(decision, request, 0).await;
        let decided = decided.map_err(|error| Refusal::Submit(Box::new(error)))?;
        decided.map_err(Refusal::Failed)?.map_err(|error| unreadable(&error))
    }

    /// Orders an accepted quote, once: a repeated request gets the same order.
    pub(crate) async fn order_quote(&self, id: &str) -> Result<Submitted, QuoteFailure> {
        let quote = self.documents.document("quote", id).await?;
        let quote = quote.ok_or_else(|| QuoteFailure::Unknown(id.into()))?;
        let order = order_of(&quote.body).map_err(refusal)?;
        let submission = Some(format!("quote/{id}"));
        Ok(self.orders.submit(Kind::ProductOrder, order, submission).await?)
    }

    /// Creates the next version of a quote; an approved one is withdrawn with it.
    pub(crate) async fn version_quote(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Value, QuoteFailure> {
        let found = self.documents.document("quote", id).await?;
        let found = found.ok_or_else(|| QuoteFailure::Unknown(id.into()))?;
        let next = next_version(&found.body, &self.rulebooks.current(), &self.settings.policy, now);
        let mut next = next.map_err(refusal)?;
        let new = uuid::Uuid::now_v7().simple().to_string();
        let href = format!("{}/{new}", tmf::table::path("quote"));
        next["id"] = json!(new);
        next["href"] = json!(href);
        let link = json!([{
            "relationshipType": "supersededBy", "id": new, "href": href, "version": next.get("version"),
            "@referredType": "Quote",
        }]);
        let mut before = json!({ "quoteRelationship": link });
        if QuoteState::of(&found.body).is_ok_and(|state| state == QuoteState::Approved) {
            before = json!({ "quoteRelationship": link, "state": QuoteState::Cancelled.as_str() });
        }
        let old = Put::new("quote", id, Change::Merge(before), Expected::Revision(found.revision));
        self.documents.write(vec![Put::create("quote", new, next.clone()), old]).await?;
        Ok(next)
    }
}

/// Why a quote is not ordered, or not versioned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuoteFailure {
    #[error("there is no quote `{0}`")]
    Unknown(String),
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
        QuoteError::Items(error) => unreadable(&error),
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

fn unreadable(error: &OrderError) -> Refusal {
    let (path, message) = (error.path.clone(), error.message.clone());
    match error.kind {
        OrderErrorKind::Malformed => Refusal::Malformed { path, message },
        OrderErrorKind::Inconsistent => Refusal::Unprocessable { path, message },
    }
}
