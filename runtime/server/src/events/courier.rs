//! Brings events to one subscriber, one after the other. Whoever is slow or away holds up nobody
//! else.

use std::sync::Arc;

use engine::keys;
use engine::store::Error;
use hyper::body::Bytes;
use serde_json::Value;
use tmf::subscription::message::Message;
use tmf::subscription::{About, Progress, Subscription, Then, Told};

use super::letters::DeadLetter;
use super::subscriber::{Position, Subscriber, Task};
use super::{Events, Inner};

/// After so many events that are not for it, a subscriber's progress is kept.
const UNKEPT_MAX: u64 = 1_024;

/// What becomes of the events after one.
enum After {
    /// They follow.
    GoOn,
    /// Look again what there is to do.
    LookAgain,
}

/// Delivers until the subscription is no more, or the store fails.
pub(super) async fn deliver(events: Events, subscriber: Arc<Subscriber>) {
    let courier = Courier { events, subscriber };
    if let Err(error) = courier.run().await {
        let subscription = &courier.subscriber.subscription.id;
        tracing::error!(%error, subscription, "nothing is delivered any more: the store failed");
    }
}

struct Courier {
    events: Events,
    subscriber: Arc<Subscriber>,
}

impl Courier {
    async fn run(&self) -> Result<(), Error> {
        let mut end = self.events.0.outbox.watch();
        let mut turns = self.subscriber.watch();
        loop {
            turns.mark_unchanged();
            match self.subscriber.task() {
                Task::End => return Ok(()),
                // An error says that there is nobody left to change anything.
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

    /// Sends a page of events; false where there is none.
    async fn send_from(&self, position: Position) -> Result<bool, Error> {
        let page = self.events.0.outbox.from(position.next)?;
        if let Some((first, _)) = page.first() {
            self.subscriber.lost_until(position.turn, *first);
        }
        for (sequence, told) in &page {
            let message = told.as_deref().map(|told| self.message(told)).transpose()?.flatten();
            // The document that goes with an event may be a later one than that of the event.
            self.events.0.engine.store().settled().await?;
            let after = match message {
                Some(message) => self.send(position.turn, *sequence, &message).await?,
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
            self.subscriber.keep(&self.events.0.engine);
        }
        After::GoOn
    }

    fn message(&self, told: &Told) -> Result<Option<Message>, Error> {
        message(&self.events, &self.subscriber.subscription, told)
    }

    /// Sends an event until it is settled, or there is something else to do.
    async fn send(&self, turn: u64, sequence: u64, message: &Message) -> Result<After, Error> {
        let Inner { engine, clock, settings, client, .. } = &*self.events.0;
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

    async fn bury(&self, sequence: u64, message: &Message) -> Result<(), Error> {
        let progress = self.subscriber.progress();
        let reason = progress.error.map(|error| error.message).unwrap_or_default();
        let letter = DeadLetter::new(sequence, self.events.0.clock.now(), reason, message);
        let Inner { engine, .. } = &*self.events.0;
        let write = letter.write(&self.subscriber.subscription.id);
        // Where events are sent again, one may die twice.
        let is_known = engine.store().get(&write.0)?.is_some();
        let counted = |progress: &mut Progress| progress.dead -= u64::from(is_known);
        self.subscriber.note(engine, vec![write], counted).await
    }
}

/// What a subscription is sent of an event; nothing where it does not want to know.
pub(super) fn message(
    events: &Events,
    subscription: &Subscription,
    told: &Told,
) -> Result<Option<Message>, Error> {
    if !subscription.concerns(told) {
        return Ok(None);
    }
    let document = match (&told.about, subscription.needs_document()) {
        (About::Documents { key, id }, true) => document(events, key, id)?,
        (About::Documents { .. } | About::Topic { .. }, _) => None,
    };
    Ok(subscription.message(told, document.as_ref(), &events.0.settings.base))
}

fn document(events: &Events, resource: &str, id: &str) -> Result<Option<Value>, Error> {
    let key = keys::document(resource, id);
    let kept = events.0.engine.store().get(&key)?;
    let unreadable = &events.0.engine.counters().unreadable;
    Ok(kept.and_then(|kept| unreadable.pass_over(&key, &kept)).map(|document| document.body))
}
