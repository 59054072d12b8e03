//! What follows from quotes: an order of an accepted one, and the next version of one that was
//! approved or rejected.

use axum::http::StatusCode;
use engine::Submitted;
use serde_json::Value;

use super::find;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::resources::path;
use crate::http::{Door, answer, href};
use crate::systems::cpq::{QuoteFailure, order_quote, version_quote};

/// Orders a quote. Asked again, it answers with the same order.
pub(super) async fn order(door: &Door, call: &Call, id: &str) -> Answer {
    let fulfilment = match order_quote(&door.app, id).await? {
        Submitted::New(fulfilment) => fulfilment,
        Submitted::Before(first) => find(door, first.as_str()).await?,
    };
    if door.app.document("productOrder", fulfilment.id().as_str())?.is_none() {
        let message = format!("its productOrder `{}` was removed", fulfilment.id());
        return Err(Problem::conflict(message).about("id"));
    }
    Ok(located(call, "productOrder", fulfilment.root_order().unwrap_or_default()))
}

/// Makes the next version of a quote.
pub(super) async fn version(door: &Door, call: &Call, id: &str) -> Answer {
    let next = version_quote(&door.app, id).await?;
    Ok(located(call, "quote", next))
}

fn located(call: &Call, key: &str, mut body: Value) -> axum::response::Response {
    href::absolute(&mut body, &call.base);
    let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
    let location = format!("{}{}/{id}", call.base, path(key));
    answer::located(StatusCode::CREATED, &location, &body)
}

impl From<QuoteFailure> for Problem {
    fn from(failure: QuoteFailure) -> Self {
        match failure {
            QuoteFailure::Unknown(_) => Self::not_found(failure.to_string()).about("id"),
            QuoteFailure::Refused(refusal) => refusal.into(),
            QuoteFailure::Order(error) => error.into(),
            QuoteFailure::Store(error) => error.into(),
        }
    }
}
