//! Delivers events to one subscriber, in order. A slow or absent subscriber does not delay the
//! others.

use engine::documents::Error;
use std::sync::Arc;

use hyper::body::Bytes;
use tmf::subscription::message::Message;
use tmf::subscription::{About, OutboxEvent, Progress, Then};

use super::dead_letters::DeadLetter;
use super::seen::{document, is_seen};
use super::subscriber::{Position, Subscriber, Task};
use super::{Events, Inner};

/// Events that do not concern a subscriber after which its progress is written.
const UNKEPT_MAX: u64 = 1_024;

/// How a page continues after an event.
enum After {
    GoOn,
    /// Read the task again.
    LookAgain,
}

/// Delivers until the subscription is removed, or the store fails.
pub(super) async fn deliver(events: Events, subscriber: Arc<Subscriber>) {
    let worker = DeliveryWorker { events, subscriber };
    if let Err(error) = worker.run().await {
        let subscription = &worker.subscriber.subscription.id;
        tracing::error!(%error, subscription, "nothing is delivered any more: the store failed");
    }
}

struct DeliveryWorker {
    events: Events,
    subscriber: Arc<Subscriber>,
}

impl DeliveryWorker {
    async fn run(&self) -> Result<(), Error> {
        let mut end = self.events.0.outbox.watch();
        let mut turns = self.subscriber.watch();
        loop {
            turns.mark_unchanged();
            match self.subscriber.task() {
                Task::End => return Ok(()),
                // An error means that no handle is left to change anything.
                Task::Wait => drop(turns.changed().await),
                Task::Send(position) => {
                    if self.send_from(position).await? {
                        continue;
                    }
                    tokio::select! {
                        _ = turns.changed() => {}
                        _ = end.wait_for(|end| *end > position.next) => {}
                    }
                }
            }
        }
    }

    /// Sends a page of events; false if there is none.
    async fn send_from(&self, position: Position) -> Result<bool, Error> {
        let Inner { documents, outbox, .. } = &*self.events.0;
        let page = outbox.from(documents, position.next).await?;
        if let Some((first, _)) = page.first() {
            self.subscriber.lost_until(position.turn, *first);
        }
        for (sequence, event) in &page {
            let message = match event {
                Some(event) => self.message(event).await?,
                None => None,
            };
            // The document of an event may be a later revision than that of the event.
            documents.settled().await?;
            let after = match message {
                Some(message) => self.send(position.turn, *sequence, message).await?,
                None => self.skip(position.turn, *sequence),
            };
            match after {
                After::GoOn => {}
                After::LookAgain => return Ok(true),
            }
        }
        Ok(!page.is_empty())
    }

    fn skip(&self, turn: u64, sequence: u64) -> After {
        if !self.subscriber.skip(turn, sequence + 1) {
            return After::LookAgain;
        }
        if self.subscriber.unkept() >= UNKEPT_MAX {
            self.subscriber.keep(self.events.engine());
        }
        After::GoOn
    }

    async fn message(&self, event: &OutboxEvent) -> Result<Option<Message>, Error> {
        message(&self.events, &self.subscriber, event).await
    }

    /// Sends an event until it is done, or the task changes.
    async fn send(&self, turn: u64, sequence: u64, message: Message) -> Result<After, Error> {
        let Inner { clock, settings, client, .. } = &*self.events.0;
        let engine = self.events.engine();
        let url = self.subscriber.subscription.callback.url_of(&message.event_type);
        let body = Bytes::from(message.body.to_string());
        let mut turns = self.subscriber.watch();
        loop {
            let answer = client.post(&url, body.clone()).await;
            let now = clock.now();
            let Some(then) = self.subscriber.answered(turn, answer, now, &settings.patience) else {
                return Ok(After::LookAgain);
            };
            match then {
                Then::Next => {
                    self.subscriber.keep(engine);
                    return Ok(After::GoOn);
                }
                Then::Bury => {
                    self.bury(sequence, message).await?;
                    return Ok(After::GoOn);
                }
                Then::Wait => {
                    let subscription = &self.subscriber.subscription.id;
                    tracing::warn!(subscription, "a subscription is paused: nothing is taken");
                    self.subscriber.keep(engine);
                    return Ok(After::LookAgain);
                }
                Then::Again(at) => {
                    self.subscriber.keep(engine);
                    tokio::select! {
                        () = clock.sleep_until(Some(at)) => {}
                        _ = turns.wait_for(|now| *now != turn) => return Ok(After::LookAgain),
                    }
                }
            }
        }
    }

    async fn bury(&self, sequence: u64, message: Message) -> Result<(), Error> {
        let progress = self.subscriber.progress();
        let reason = progress.error.map(|error| error.message).unwrap_or_default();
        let letter = DeadLetter::new(sequence, self.events.0.clock.now(), reason, message);
        let id = &self.subscriber.subscription.id;
        // If events are replayed, one may become a dead letter twice.
        let is_known = self.events.has_dead_letter(id, sequence).await?;
        let counted = |progress: &mut Progress| progress.dead -= u64::from(is_known);
        self.subscriber.note(self.events.engine(), vec![letter.write(id)], counted).await
    }
}

/// The message for a subscriber about an event; `None` if the event does not concern it, or is about
/// what its owner may not read now.
pub(super) async fn message(
    events: &Events,
    subscriber: &Subscriber,
    event: &OutboxEvent,
) -> Result<Option<Message>, Error> {
    let subscription = &subscriber.subscription;
    let reader = subscriber.reader(&events.0.settings.owners);
    if !subscription.concerns(event) || !is_seen(events, &reader, event).await? {
        return Ok(None);
    }
    let document = match (&event.about, subscription.needs_document()) {
        (About::Documents { key, id }, true) => document(events, key, id).await?,
        (About::Documents { .. } | About::Topic { .. }, _) => None,
    };
    Ok(subscription.message(event, document.as_ref(), &events.0.settings.base))
}
