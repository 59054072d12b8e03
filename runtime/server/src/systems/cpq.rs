//! CPQ: qualifications are answered when they are asked, quotes are priced when they are made and
//! changed, and accepted ones are ordered.

use std::collections::{BTreeMap, BTreeSet};

use commerce::cpq::{
    Facts, QuoteError, QuoteState, Unanswered, create, next_version, order_of, patched,
    qualify_offerings, qualify_services, query_offerings, query_services, quote_path, unbacked,
};
use engine::Submitted;
use engine::documents::{Change, Document, Expected, Put};
use model::decompose::{Answers, Decision};
use model::order::{OrderError, OrderErrorKind};
use model::{FulfilmentId, Kind, PoolId};
use serde_json::{Value, json};

use super::{Draft, Refusal};
use crate::app::{App, SubmitError};

type Ask = fn(&Value, Facts<'_>) -> Result<Value, Unanswered>;

/// Answers a qualification, or prices a quote.
pub(super) async fn settle(app: &App, draft: &mut Draft) -> Result<(), Refusal> {
    let Some(after) = &draft.after else {
        return Ok(());
    };
    let settled = match (draft.resource.key, &draft.before) {
        ("productOfferingQualification", None) => answer(app, after, qualify_offerings).await?,
        ("checkServiceQualification", None) => answer(app, after, qualify_services).await?,
        ("queryProductOfferingQualification", None) => answer(app, after, query_offerings).await?,
        ("queryServiceQualification", None) => answer(app, after, query_services).await?,
        ("quote", before) => {
            let (rulebook, policy) = (app.rulebook(), &app.commerce.policy);
            let made = match before {
                None => create(after, &rulebook, policy, draft.at),
                Some(before) => patched(&before.body, after, &rulebook, policy, draft.at),
            };
            made.map_err(refusal)?
        }
        _ => return Ok(()),
    };
    draft.after = Some(settled);
    Ok(())
}

/// Answers a question, asking decomposer plugins as orders would.
async fn answer(app: &App, request: &Value, ask: Ask) -> Result<Value, Refusal> {
    let rulebook = app.rulebook();
    let free: BTreeMap<PoolId, u64> = rulebook
        .pools()
        .map(|pool| {
            let held = u64::try_from(app.engine.pools().held(&pool.id)).unwrap_or(u64::MAX);
            (pool.id.clone(), pool.len().saturating_sub(held))
        })
        .collect();
    let decide = |answers: &Answers| {
        let facts = Facts { rulebook: &rulebook, free: &free, answers, now: app.now() };
        match ask(request, facts) {
            Ok(answer) => Ok(Ok(answer)),
            Err(Unanswered::Request(error)) => Ok(Err(error)),
            Err(Unanswered::Blocked(blocked)) => Err(blocked),
        }
    };
    let decision = Decision::new(Answers::new(), decide);
    let decided = app.decided(decision, request, 0).await;
    let decided = decided.map_err(|error| Refusal::Submit(Box::new(error)))?;
    decided.map_err(Refusal::Failed)?.map_err(|error| unreadable(&error))
}

/// A quote is ordered once: its prices were agreed for what it says. What came to nothing does not
/// count. The commit that took an order of a quote says so; orders of earlier versions are found by
/// what they name.
pub(crate) async fn check_ordered_once(
    app: &App,
    quotes: &BTreeSet<&str>,
) -> Result<(), SubmitError> {
    for quote in quotes {
        let first = app.engine.store().get(&engine::keys::quote(quote));
        if let Some(first) = first.map_err(SubmitError::of_store)? {
            let first = FulfilmentId::new(String::from_utf8_lossy(&first));
            // Of what ended, the journal tells, also where the order's document was removed. One
            // whose journal was removed too may have come to something.
            let order = app.engine.get(&first).await?;
            if order.is_none_or(|order| stands(order.order_state().as_str())) {
                return Err(ordered_before(quote, &first));
            }
        }
        for path in ["quote.id", "productOrderItem.quoteItem.quoteId"] {
            let orders = app.documents_by("productOrder", path, quote, ORDERS_MAX);
            let state =
                |order: &Document| order.body.get("state").and_then(Value::as_str).map(stands);
            let orders = orders.map_err(SubmitError::Store)?;
            if let Some(order) = orders.iter().find(|order| state(order).unwrap_or(true)) {
                let id = order.body.get("id").and_then(Value::as_str).unwrap_or_default();
                return Err(ordered_before(quote, &FulfilmentId::new(id)));
            }
        }
    }
    Ok(())
}

/// Whether an order in a state came to something, or may yet.
fn stands(state: &str) -> bool {
    !["rejected", "cancelled", "failed"].contains(&state)
}

/// Why a quote is not ordered again.
pub(crate) fn ordered_before(quote: &str, order: &FulfilmentId) -> SubmitError {
    let message = format!("`{quote}` is ordered already: see the productOrder `{order}`");
    SubmitError::Reference { path: "quote".into(), message }
}

/// So many orders of one quote are looked at: all but one came to nothing.
const ORDERS_MAX: usize = 1_000;

/// Holds what an order says of its quotes against them: quoted prices hold, so an order says them
/// as they were quoted.
pub(crate) fn check_quotes(app: &App, order: &Value) -> Result<(), SubmitError> {
    let quotes = model::order::quotes_of(order);
    let wrong = |path: String, message: String| SubmitError::Reference { path, message };
    if let Some(second) = quotes.iter().nth(1) {
        let message = "an order is of one quote at the most";
        return Err(wrong(quote_path(order, second), message.into()));
    }
    for id in quotes {
        let quote = app.document("quote", id).map_err(SubmitError::Store)?;
        // The prices of a quote from elsewhere count as the order tells them.
        if quote.is_none() && commerce::cpq::is_from_elsewhere(order, id) {
            continue;
        }
        let Some(quote) = quote else {
            let message = format!(
                "there is no quote `{id}` here, and the order tells neither its prices \
                 (`itemPrice`) nor where it is (`href`)"
            );
            return Err(wrong(quote_path(order, id), message));
        };
        let unbacked = unbacked(order, &quote.body);
        if !unbacked.is_empty() {
            return Err(wrong("quote".into(), unbacked.join("; ")));
        }
    }
    Ok(())
}

/// Why a quote is not ordered, or not followed by a new version.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuoteFailure {
    /// There is none.
    #[error("there is no quote `{0}`")]
    Unknown(String),
    /// It is not as it must be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The order was not taken.
    #[error(transparent)]
    Order(#[from] SubmitError),
    /// The store failed.
    #[error("the store cannot be read")]
    Store(#[from] engine::documents::Error),
}

/// Orders an accepted quote, once: whoever asks again is told of the same order.
pub(crate) async fn order_quote(app: &App, id: &str) -> Result<Submitted, QuoteFailure> {
    let quote = app.document("quote", id)?;
    let quote = quote.ok_or_else(|| QuoteFailure::Unknown(id.into()))?;
    let order = order_of(&quote.body).map_err(refusal)?;
    let submission = Some(format!("quote/{id}"));
    Ok(app.submit(Kind::ProductOrder, order, submission).await?)
}

/// Makes the next version of a quote; one that was approved is withdrawn with it.
pub(crate) async fn version_quote(app: &App, id: &str) -> Result<Value, QuoteFailure> {
    let found = app.document("quote", id)?;
    let found = found.ok_or_else(|| QuoteFailure::Unknown(id.into()))?;
    let next = next_version(&found.body, &app.rulebook(), &app.commerce.policy, app.now());
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
    app.write(vec![Put::create("quote", new, next.clone()), old]).await?;
    Ok(next)
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
