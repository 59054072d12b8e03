//! CPQ: qualifications are answered when they are asked, quotes are priced when they are made and
//! changed, and accepted ones are ordered.

use std::collections::{BTreeMap, BTreeSet};

use engine::Submitted;
use engine::store::documents::{Change, Expected};
use engine::store::{Document, Put};
use model::cpq::{
    Facts, QuoteError, QuoteState, Unanswered, create, next_version, order_of, patched,
    qualify_offerings, qualify_services, query_offerings, query_services, unbacked,
};
use model::decompose::Answers;
use model::order::{OrderError, OrderErrorKind};
use model::{Kind, PoolId};
use serde_json::{Value, json};

use super::{Draft, Refusal};
use crate::app::{App, QUESTIONS_MAX, SubmitError};

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
    let mut answers = Answers::new();
    for _ in 0..QUESTIONS_MAX {
        let facts = Facts { rulebook: &rulebook, free: &free, answers: &answers, now: app.now() };
        match ask(request, facts) {
            Ok(answer) => return Ok(answer),
            Err(Unanswered::Request(error)) => return Err(unreadable(&error)),
            Err(Unanswered::Recall(recall)) => {
                let instance = app.instance(&recall).await;
                let instance =
                    instance.map_err(|error| Refusal::unprocessable("$", error.to_string()))?;
                answers.recall(recall, instance);
            }
            Err(Unanswered::Ask(question)) => match app.ask(&question, request).await {
                Ok(answer) => {
                    answers.insert(question.key, answer);
                }
                Err(failure) => return Err(Refusal::unprocessable("$", failure.message)),
            },
        }
    }
    let message = format!("decomposer plugins were asked more than {QUESTIONS_MAX} times");
    Err(Refusal::unprocessable("$", message))
}

/// The quotes that an order names, itself or in its items.
pub(crate) fn quotes_of(order: &Value) -> BTreeSet<&str> {
    let mut quotes = BTreeSet::new();
    let named = order.get("quote").and_then(Value::as_array).into_iter().flatten();
    quotes.extend(named.filter_map(|quote| quote.get("id")?.as_str()));
    let mut open = vec![order];
    while let Some(holder) = open.pop() {
        let items = holder.get("productOrderItem").and_then(Value::as_array);
        for item in items.into_iter().flatten() {
            quotes.extend(item.get("quoteItem").and_then(|item| item.get("quoteId")?.as_str()));
            open.push(item);
        }
    }
    quotes
}

/// A quote is ordered once: its prices were agreed for what it says. What came to nothing does not
/// count.
pub(crate) fn check_ordered_once(app: &App, quotes: &BTreeSet<&str>) -> Result<(), SubmitError> {
    for quote in quotes {
        for path in ["quote.id", "productOrderItem.quoteItem.quoteId"] {
            let orders = app.documents_by("productOrder", path, quote, ORDERS_MAX);
            let stands = |order: &Document| {
                let state = order.body.get("state").and_then(Value::as_str).unwrap_or_default();
                !["rejected", "cancelled", "failed"].contains(&state)
            };
            if let Some(order) = orders.map_err(SubmitError::Store)?.iter().find(|one| stands(one))
            {
                let id = order.body.get("id").and_then(Value::as_str).unwrap_or_default();
                let message = format!("`{quote}` is ordered already: see the productOrder `{id}`");
                return Err(SubmitError::Reference { path: "quote".into(), message });
            }
        }
    }
    Ok(())
}

/// So many orders of one quote are looked at: all but one came to nothing.
const ORDERS_MAX: usize = 1_000;

/// Holds what an order says of its quotes against them: quoted prices hold, so an order says them
/// as they were quoted.
pub(crate) fn check_quotes(app: &App, order: &Value) -> Result<(), SubmitError> {
    let quotes = quotes_of(order);
    let wrong = |message: String| SubmitError::Reference { path: "quote".into(), message };
    if quotes.len() > 1 {
        return Err(wrong("an order is of one quote at the most".into()));
    }
    for id in quotes {
        let quote = app.document("quote", id).map_err(SubmitError::Store)?;
        let quote = quote.ok_or_else(|| wrong(format!("there is no quote `{id}`")))?;
        let unbacked = unbacked(order, &quote.body);
        if !unbacked.is_empty() {
            return Err(wrong(unbacked.join("; ")));
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
    Store(#[from] engine::store::Error),
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
    let href = format!("{}/{new}", model::resource::path("quote"));
    if let Some(fields) = next.as_object_mut() {
        fields.insert("id".into(), json!(new));
        fields.insert("href".into(), json!(href));
    }
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
