//! The notifications of orders (TMF630 events), in the order of the outbox.

use axum::http::header::LINK;
use axum::http::{HeaderValue, StatusCode};
use engine::keys;
use engine::store::Scan;
use serde_json::{Value, json};
use tmf::subscription::BEFORE;

use super::BASE;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::{ServerState, answer, href};

/// Max notifications in an answer.
const EVENTS_MAX: usize = 1_000;

/// Answers with the notifications after a number (`?after=`), and a link to the next ones.
pub(super) async fn get(server: &ServerState, call: &Call) -> Answer {
    let limit = call.query.number("limit")?.unwrap_or(EVENTS_MAX).clamp(1, EVENTS_MAX);
    let after = call.query.number("after")?.map(|after| keys::outbox(after as u64));
    let scan = Scan { after, ..Scan::prefix(keys::OUTBOX, limit) };
    let facts = server.documents.read(move |session| session.scan(&scan)).await?;
    let mut last = None;
    let mut events = Vec::with_capacity(facts.len());
    for (key, bytes) in facts {
        let number = String::from_utf8_lossy(key.get(keys::OUTBOX.len()..).unwrap_or_default());
        let number = u64::from_str_radix(&number, 16).ok();
        let event: Result<Value, _> = serde_json::from_slice(&bytes);
        let mut event = event.map_err(|error| Problem::ours(&error))?;
        href::absolute(&mut event, &call.base);
        let Some(fields) = event.as_object_mut() else {
            return Err(Problem::ours(&std::io::Error::other("a stored event is no object")));
        };
        fields.remove(BEFORE);
        fields.insert("sequence".into(), json!(number));
        last = number;
        events.push(event);
    }
    let is_full = events.len() == limit;
    let mut response = answer::json(StatusCode::OK, &Value::Array(events));
    if let (true, Some(last)) = (is_full, last) {
        let next = format!("<{}{BASE}/events?after={last}&limit={limit}>; rel=\"next\"", call.base);
        if let Ok(next) = HeaderValue::from_str(&next) {
            response.headers_mut().insert(LINK, next);
        }
    }
    Ok(response)
}
