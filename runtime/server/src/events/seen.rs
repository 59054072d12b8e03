//! Whether those who subscribed may read what an event is about.

use engine::documents::{Document, Error};
use engine::keys;
use engine::store::{Direction, Scan, pages};
use serde_json::Value;
use tmf::subscription::{About, OutboxEvent};
use tmf::table::of_key;
use tmf::time::Timestamp;

use super::{Events, FACTS_AT_ONCE};
use crate::access::{Permission, Reader, Verb};
use crate::documents::Session;

/// The key of topics.
const TOPIC: &str = "topic";

/// Whether a reader may read what an event is about. The document of now decides, and what it was then: as it was
/// created, or by its earlier versions if they are kept. Of the removal of a document, what it was before
/// decides. Other events of one that is gone do not tell what it was, so only those see them from whom none is hidden.
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
    let (key, id, at) = (key.clone(), id.clone(), event.time);
    let read = events.0.documents.read(move |session| {
        let Some(now) = session.readable(&key, &id)? else { return Ok::<_, Error>(None) };
        let earlier = earlier(session, (&key, &id), &now, at)?;
        Ok(Some((now.body, earlier)))
    });
    Ok(match read.await? {
        Some((now, earlier)) => {
            let was_covered = earlier.iter().all(|earlier| match earlier {
                Some(version) => scope.covers(&version.body),
                None => false,
            });
            scope.covers(&now) && was_covered && (!is_whole || then())
        }
        None => is_whole && then(),
    })
}

/// The versions of a document from the changes of a moment, if it is another one now and earlier versions are kept of
/// it; `None` if they are not known.
fn earlier(
    session: &Session,
    (key, id): (&str, &str),
    now: &Document,
    at: Timestamp,
) -> Result<Vec<Option<Document>>, Error> {
    let has_history = of_key(key).is_some_and(|(_, resource)| resource.history);
    if !has_history || now.since == at {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let scan = Scan::prefix(keys::versions(key, id), FACTS_AT_ONCE);
    let scan = Scan { direction: Direction::Backward, ..scan };
    'all: for page in pages(session.store(), scan) {
        for (key, bytes) in page? {
            let version = Document::read_at(&key, &bytes)?;
            if version.since < at {
                break 'all;
            }
            if version.since == at {
                found.push(Some(version));
            }
        }
    }
    if found.is_empty() {
        found.push(None);
    }
    Ok(found)
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
