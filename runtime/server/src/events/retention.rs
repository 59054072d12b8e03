//! Removes expired events.

use engine::documents::{Change, Error, Expected, Put};
use engine::store::Write;
use tmf::subscription::retention::Range;
use tmf::subscription::{About, OutboxEvent};

use super::{Events, FACTS_AT_ONCE, outbox};

/// The interval of checks.
const CHECK_INTERVAL_MS: u64 = 30_000;

/// The resource of the events of topics.
pub(crate) const TOPIC_EVENT: &str = "topicEvent";

/// Removes expired events at intervals until the store fails.
pub(super) async fn remove_expired(events: Events) {
    loop {
        let at = events.0.clock.now().plus_ms(CHECK_INTERVAL_MS);
        events.0.clock.sleep_until(Some(at)).await;
        if let Err(error) = events.remove_expired().await {
            tracing::error!(%error, "events that are over cannot be removed");
            return;
        }
    }
}

impl Events {
    /// Removes expired events; returns their number.
    pub(crate) async fn remove_expired(&self) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let (writes, documents) = self.over().await?;
            let Some(last) = writes.last().and_then(|(key, _)| outbox::sequence(key)) else {
                return Ok(removed);
            };
            removed += writes.len() as u64;
            self.engine().append(writes, documents).await?;
            self.0.outbox.removed_to(last + 1);
        }
    }

    /// The oldest expired events, some at once, as the writes that remove them.
    async fn over(&self) -> Result<(Vec<Write>, Vec<Put>), Error> {
        // A store looks at each removed event once more until its files are merged.
        let oldest = outbox::scan_from(self.0.outbox.removed(), FACTS_AT_ONCE);
        let read = self.0.documents.read(move |session| {
            Ok::<_, Error>((outbox::end(session.store())?, session.scan(&oldest)?))
        });
        let (end, oldest) = read.await?;
        let waited_for = self.all().into_iter().map(|subscriber| subscriber.progress().next);
        let range = Range { end, needed: waited_for.min().unwrap_or(end) };
        let now = self.0.clock.now();
        let (mut writes, mut documents) = (Vec::new(), Vec::new());
        for (key, bytes) in oldest {
            let Some(sequence) = outbox::sequence(&key) else { continue };
            let event = OutboxEvent::read(sequence, &bytes);
            let time = event.as_ref().map_or(now, |event| event.time);
            if !self.0.settings.keep.is_over(sequence, time, range, now) {
                break;
            }
            if let Some(OutboxEvent { about: About::Topic { topic }, .. }) = &event {
                let id = event.as_ref().map(OutboxEvent::id).unwrap_or_default();
                let id = format!("{topic}/{id}");
                documents.push(Put::new(TOPIC_EVENT, id, Change::Forget, Expected::Anything));
            }
            writes.push((key, None));
        }
        Ok((writes, documents))
    }
}
