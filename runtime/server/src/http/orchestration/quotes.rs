//! Requests about quotes: an order of an accepted one, and the next version of an
//! approved or rejected one.

use axum::http::StatusCode;
use engine::Submitted;
use serde_json::Value;

use super::find;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::resources::path;
use crate::http::{ServerState, answer, href};
use crate::policies::cpq::QuoteFailure;

/// Orders a quote. A repeated request answers with the same order.
pub(super) async fn order(server: &ServerState, call: &Call, id: &str) -> Answer {
    let fulfilment = match server.policies.cpq.order_quote(&server.documents, id).await? {
        Submitted::New(fulfilment) => fulfilment,
        Submitted::Before(first) => find(server, first.as_str()).await?,
    };
    if server.documents.document("productOrder", fulfilment.id().as_str()).await?.is_none() {
        let message = format!("its productOrder `{}` was removed", fulfilment.id());
        return Err(Problem::conflict(message).about("id"));
    }
    Ok(located(
        call,
        "productOrder",
        fulfilment.root_order().map(|order| order.body).unwrap_or_default(),
    ))
}

/// Creates the next version of a quote.
pub(super) async fn version(server: &ServerState, call: &Call, id: &str) -> Answer {
    let (documents, now) = (&server.documents, server.engine.now());
    let next = server.policies.cpq.version_quote(documents, id, now).await?;
    Ok(located(call, "quote", tmf::document::write(&next)))
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
