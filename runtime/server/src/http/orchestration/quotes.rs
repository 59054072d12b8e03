//! Requests about quotes: an order of an accepted one, and the next version of an
//! approved or rejected one.

use axum::http::StatusCode;
use engine::Submitted;
use serde_json::Value;

use crate::access::Verb;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::resources::path;
use crate::http::rights::{must_cover, readable, sees_root};
use crate::http::{ServerState, answer, href};
use crate::policies::cpq::QuoteFailure;

/// Orders a quote. A repeated request answers with the same order.
pub(super) async fn order(server: &ServerState, call: &Call, id: &str) -> Answer {
    readable(server, call, "quote", id).await?.ok_or_else(|| missing(id))?;
    let reader = &call.admitted.reader;
    let fulfilment = match server.policies.cpq.order_quote(&server.documents, id, reader).await? {
        Submitted::New(fulfilment) => fulfilment,
        Submitted::Before(first) => {
            let first = server.engine.get(&first).await?;
            // The client may have the quote in view, and not the order that another made of it.
            let first = first.filter(|first| sees_root(&call.admitted, first));
            first.ok_or_else(|| Problem::conflict("it is ordered already").about("id"))?
        }
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
    let quote = readable(server, call, "quote", id).await?.ok_or_else(|| missing(id))?;
    must_cover(&call.admitted.reader.scope("quote", Verb::Create), &quote.body)?;
    let (documents, now) = (&server.documents, server.engine.now());
    let next = server.policies.cpq.version_quote(documents, id, now).await?;
    Ok(located(call, "quote", tmf::document::write(&next)))
}

fn missing(id: &str) -> Problem {
    QuoteFailure::Unknown(id.into()).into()
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
            QuoteFailure::NotPermitted => Self::not_permitted(),
            QuoteFailure::Order(error) => error.into(),
            QuoteFailure::Store(error) => error.into(),
        }
    }
}
