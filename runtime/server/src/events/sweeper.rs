//! Removes events that nobody waits for any more.

use engine::keys;
use engine::store::documents::{Change, Expected};
use engine::store::{Error, Put, Scan, Write};
use tmf::subscription::retention::Range;
use tmf::subscription::{About, Told};

use super::{Events, FACTS_AT_ONCE, outbox};

/// So often it is looked whether events can be removed.
const SWEEP_EVERY_MS: u64 = 30_000;

/// The resource under which the events of topics are kept.
pub(crate) const TOPIC_EVENT: &str = "topicEvent";

/// Looks from time to time, for as long as the store works.
pub(super) async fn sweep(events: Events) {
    loop {
        let at = events.0.clock.now().plus_ms(SWEEP_EVERY_MS);
        events.0.clock.sleep_until(Some(at)).await;
        if let Err(error) = events.sweep().await {
            tracing::error!(%error, "events that are over cannot be removed");
            return;
        }
    }
}

impl Events {
    /// Removes the events that are over; says how many.
    pub(crate) async fn sweep(&self) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let (writes, documents) = self.over()?;
            if writes.is_empty() {
                return Ok(removed);
            }
            removed += writes.len() as u64;
            self.0.engine.append(writes, documents).await?;
        }
    }

    /// The oldest events that are over, some at once, as what removes them.
    fn over(&self) -> Result<(Vec<Write>, Vec<Put>), Error> {
        let store = self.0.engine.store();
        let end = outbox::end(&**store)?;
        let waited_for = self.all().into_iter().map(|subscriber| subscriber.progress().next);
        let range = Range { end, needed: waited_for.min().unwrap_or(end) };
        let now = self.0.clock.now();
        let (mut writes, mut documents) = (Vec::new(), Vec::new());
        for (key, bytes) in store.scan(&Scan::prefix(keys::OUTBOX, FACTS_AT_ONCE))? {
            let Some(sequence) = outbox::sequence(&key) else { continue };
            let told = Told::read(sequence, &bytes);
            let time = told.as_ref().map_or(now, |told| told.time);
            if !self.0.settings.keep.is_over(sequence, time, range, now) {
                break;
            }
            if let Some(Told { about: About::Topic { topic }, .. }) = &told {
                let id = told.as_ref().map(Told::id).unwrap_or_default();
                let id = format!("{topic}/{id}");
                documents.push(Put::new(TOPIC_EVENT, id, Change::Forget, Expected::Anything));
            }
            writes.push((key, None));
        }
        Ok((writes, documents))
    }
}
