//! Dead letters: events that a subscriber refused. They are kept until they are delivered after
//! all, are removed, or the subscription is.

use engine::documents::Error;
use engine::keys;
use engine::store::{Scan, Store, Write, pages};
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tmf::erasure::Extent;
use tmf::subscription::message::Message;
use tmf::subscription::{Answer, OutboxEvent};
use tmf::time::Timestamp;

use super::seen::is_seen;
use super::subscriber::Subscriber;
use super::{Events, FACTS_AT_ONCE};

/// A refused event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The number of the event.
    pub sequence: u64,
    /// When it became a dead letter.
    pub since: Timestamp,
    /// The reason.
    pub reason: String,
    /// The type of the event.
    pub event_type: String,
    pub body: Value,
}

/// The result of another attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Retried {
    /// It was delivered, and is no dead letter any more.
    Taken,
    /// It was refused, for this reason.
    Refused(String),
    /// There is no such dead letter.
    Unknown,
}

impl DeadLetter {
    pub(super) fn new(sequence: u64, since: Timestamp, reason: String, message: Message) -> Self {
        let Message { event_type, body } = message;
        Self { sequence, since, reason, event_type, body }
    }

    /// Erases what is about a person in the document that it shows, if there is an extent for its id; returns whether
    /// there was something.
    pub(crate) fn erase<F: Fn(&str) -> bool>(
        &mut self,
        extent: impl Fn(&str) -> Option<Extent<F>>,
    ) -> bool {
        let shown = self.body.get_mut("event").and_then(Value::as_object_mut);
        let mut changed = 0;
        for body in shown.into_iter().flat_map(|shown| shown.values_mut()) {
            let extent = body.get("id").and_then(Value::as_str).and_then(&extent);
            changed += extent.map_or(0, |extent| extent.erase(body));
        }
        changed > 0
    }

    /// Reads the value of a key; `None` if it is no dead letter.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a dead letter is plain data")
    }

    pub(super) fn write(&self, subscription: &str) -> Write {
        (keys::dead_letter(subscription, self.sequence), Some(self.to_bytes()))
    }
}

impl Events {
    /// The dead letters of a subscription after a number, the oldest first.
    pub async fn dead_letters(
        &self,
        subscription: &str,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Error> {
        let after = after.map(|after| keys::dead_letter(subscription, after));
        let scan = Scan { after, ..Scan::prefix(keys::dead_letters(subscription), limit) };
        let facts = self.0.documents.read(move |session| session.scan(&scan)).await?;
        Ok(facts.iter().filter_map(|(_, bytes)| read(bytes)).collect())
    }

    /// Sends a dead letter once more.
    pub async fn retry(&self, subscriber: &Subscriber, sequence: u64) -> Result<Retried, Error> {
        let id = &subscriber.subscription.id;
        let key = keys::dead_letter(id, sequence);
        let kept = self.0.documents.read(move |session| session.get(&key)).await?;
        let Some(mut letter) = kept.and_then(|kept| read(&kept)) else {
            return Ok(Retried::Unknown);
        };
        if !self.may_send(subscriber, sequence).await? {
            let reason = "its owner may not read what it is about".to_owned();
            return Ok(Retried::Refused(reason));
        }
        let url = subscriber.subscription.callback.url_of(&letter.event_type);
        match self.0.client.post(&url, Bytes::from(letter.body.to_string())).await {
            Answer::Taken => {
                self.forget(subscriber, sequence).await?;
                Ok(Retried::Taken)
            }
            Answer::Never(reason) | Answer::NotNow(reason) => {
                letter.reason.clone_from(&reason);
                let write = letter.write(id);
                subscriber.note(self.engine(), vec![write], |_| {}).await?;
                Ok(Retried::Refused(reason))
            }
        }
    }

    /// Whether the owner of a subscription may read now what an event is about. One that is not in the
    /// outbox any more is for those from whom nothing is hidden.
    async fn may_send(&self, subscriber: &Subscriber, sequence: u64) -> Result<bool, Error> {
        let reader = subscriber.reader(&self.0.settings.owners);
        if reader.is_all() {
            return Ok(true);
        }
        let key = keys::outbox(sequence);
        let kept = self.0.documents.read(move |session| session.get(&key)).await?;
        match kept.and_then(|kept| OutboxEvent::read(sequence, &kept)) {
            Some(event) => is_seen(self, &reader, &event).await,
            None => Ok(false),
        }
    }

    /// Removes a dead letter; returns whether there was one.
    pub async fn forget(&self, subscriber: &Subscriber, sequence: u64) -> Result<bool, Error> {
        let id = &subscriber.subscription.id;
        if !self.has_dead_letter(id, sequence).await? {
            return Ok(false);
        }
        let fewer = |progress: &mut tmf::subscription::Progress| {
            progress.dead = progress.dead.saturating_sub(1);
        };
        let remove = (keys::dead_letter(id, sequence), None);
        subscriber.note(self.engine(), vec![remove], fewer).await?;
        Ok(true)
    }

    pub(super) async fn has_dead_letter(
        &self,
        subscription: &str,
        sequence: u64,
    ) -> Result<bool, Error> {
        let key = keys::dead_letter(subscription, sequence);
        Ok(self.0.documents.read(move |session| session.get(&key)).await?.is_some())
    }
}

/// The writes that remove every dead letter of a subscription.
pub(super) fn keys_of(store: &dyn Store, subscription: &str) -> Result<Vec<Write>, Error> {
    let mut writes: Vec<Write> = Vec::new();
    for page in pages(store, Scan::prefix(keys::dead_letters(subscription), FACTS_AT_ONCE)) {
        writes.extend(page?.into_iter().map(|(key, _)| (key, None)));
    }
    Ok(writes)
}

fn read(bytes: &[u8]) -> Option<DeadLetter> {
    let letter = serde_json::from_slice(bytes);
    letter.inspect_err(|error| tracing::error!(%error, "a dead letter is unreadable")).ok()
}
