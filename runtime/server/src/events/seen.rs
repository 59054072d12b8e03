//! Whether those who subscribed may read what an event is about.

use engine::documents::Error;
use serde_json::Value;
use tmf::subscription::{About, OutboxEvent};

use super::Events;
use crate::access::{Permission, Reader, Verb};

/// The key of topics.
const TOPIC: &str = "topic";

/// Whether a reader may read what an event is about. The document of now decides, and of one that was
/// created also what it was then. Of the removal of a document, what it was before decides. Other events
/// of one that is gone do not tell what it was, so only those see them from whom none is hidden.
pub(super) async fn is_seen(
    events: &Events,
    reader: &Reader,
    event: &OutboxEvent,
) -> Result<bool, Error> {
    if reader.is_all() {
        return Ok(true);
    }
    let (key, id) = match &event.about {
        About::Documents { key, id } => (key, id),
        About::Topic { topic } => {
            let found = document(events, TOPIC, topic).await?;
            let may_read = reader.may(&Permission::standard(688, "topic/event", Verb::Read));
            let posted = Value::Object(event.record.clone());
            return Ok(
                found.is_some_and(|topic| reader.sees(TOPIC, &topic)) && may_read.covers(&posted)
            );
        }
    };
    let scope = reader.scope(key, Verb::Read);
    if scope.is_all() || scope.is_nothing() {
        return Ok(scope.is_all());
    }
    if event.event_type().ends_with("DeleteEvent") {
        return Ok(event.before().is_some_and(|before| scope.covers(before)));
    }
    let is_whole = event.event_type().ends_with("CreateEvent");
    let then = || event.body().is_some_and(|body| scope.covers(body));
    Ok(match document(events, key, id).await? {
        Some(now) => scope.covers(&now) && (!is_whole || then()),
        None => is_whole && then(),
    })
}

/// The document that an event is about; `None` if it is gone, or cannot be read.
pub(super) async fn document(
    events: &Events,
    resource: &str,
    id: &str,
) -> Result<Option<Value>, Error> {
    let (resource, id) = (resource.to_owned(), id.to_owned());
    let read = events.0.documents.read(move |session| session.readable(&resource, &id));
    Ok(read.await?.map(|document| document.body))
}
