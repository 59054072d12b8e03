//! The progress of a subscriber, and the effects of its answers.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The state of the delivery to one subscriber.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The number of the first event that is neither delivered, nor dead, nor skipped.
    pub next: u64,
    /// Whether events are sent.
    pub standing: Standing,
    /// Failed attempts at the next event.
    pub attempts: u32,
    /// Since when no event was accepted, if one was refused since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// The reason and time of the last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<LastError>,
    /// Number of delivered events.
    pub delivered: u64,
    /// Number of dead letters.
    pub dead: u64,
    /// Number of events removed before they could be sent.
    pub missed: u64,
}

/// The last failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    pub at: Timestamp,
    pub message: String,
}

/// Whether events are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    #[default]
    Active,
    /// Events wait until an operator resumes it.
    Paused(Pause),
}

/// Why a subscription is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pause {
    /// A client asked for it.
    Asked,
    /// No event was accepted for too long.
    Silent,
    /// It has too many dead letters.
    Full,
}

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The event was accepted.
    Taken,
    /// It will never be delivered, by the subscriber's answer.
    Never(String),
    /// It was not accepted; it may be later.
    NotNow(String),
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The event is done; the next one follows.
    Next,
    /// The event becomes a dead letter; the next one follows.
    Bury,
    /// The event is sent again at this time.
    Again(Timestamp),
    /// The event waits until an operator resumes the subscription.
    Wait,
}

/// Limits of the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Max attempts at one event.
    pub attempts_max: u32,
    /// The first pause between two attempts, at most; each is twice the one before.
    pub pause_ms_min: u64,
    /// Max pause.
    pub pause_ms_max: u64,
    /// Time without a delivery after which the subscription is paused.
    pub silence_ms_max: u64,
    /// Number of dead letters at which it is paused.
    pub dead_max: u64,
}

impl Progress {
    /// Begins with an event.
    pub fn from(next: u64) -> Self {
        Self { next, ..Self::default() }
    }

    /// Whether events are sent.
    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    /// Events up to here do not concern it, and the failures of the last one are forgotten.
    pub fn skip_to(&mut self, next: u64) {
        self.next = next;
        self.attempts = 0;
    }

    /// The first event that still exists: those before were removed.
    pub fn lost_until(&mut self, first: u64) {
        if first > self.next {
            self.missed += first - self.next;
            self.skip_to(first);
        }
    }

    /// Handles an answer to the next event. `seed` spreads the pauses of subscribers that fail
    /// together.
    pub fn answered(
        &mut self,
        answer: Answer,
        now: Timestamp,
        patience: &Patience,
        seed: &str,
    ) -> Then {
        let (message, is_last) = match answer {
            Answer::Taken => {
                self.skip_to(self.next + 1);
                self.delivered += 1;
                self.failing_since = None;
                return Then::Next;
            }
            Answer::Never(message) => (message, true),
            Answer::NotNow(message) => (message, self.attempts + 1 >= patience.attempts_max),
        };
        self.attempts += 1;
        self.error = Some(LastError { at: now, message });
        let since = *self.failing_since.get_or_insert(now);
        if now.ms_since(since) >= patience.silence_ms_max {
            self.standing = Standing::Paused(Pause::Silent);
            return Then::Wait;
        }
        if !is_last {
            return Then::Again(now.plus_ms(patience.pause_ms(self.attempts, self.next, seed)));
        }
        if self.dead >= patience.dead_max {
            self.standing = Standing::Paused(Pause::Full);
            return Then::Wait;
        }
        self.skip_to(self.next + 1);
        self.dead += 1;
        Then::Bury
    }

    /// Pauses at a client's request.
    pub fn pause(&mut self) {
        self.standing = Standing::Paused(Pause::Asked);
    }

    /// Resumes, as if nothing had failed.
    pub fn resume(&mut self) {
        self.standing = Standing::Active;
        self.attempts = 0;
        self.failing_since = None;
    }

    /// Continues with this event, sending events again or skipping some.
    pub fn replay(&mut self, next: u64) {
        self.skip_to(next);
    }
}

impl Patience {
    /// The pause after this many attempts: twice as long each time up to the limit, half of it
    /// random. The randomness is derived from the subscription and event, so it is reproducible.
    pub fn pause_ms(&self, attempts: u32, sequence: u64, seed: &str) -> u64 {
        let doublings = attempts.saturating_sub(1).min(32);
        let pause = self.pause_ms_min.saturating_mul(1 << doublings).min(self.pause_ms_max);
        let mut hasher = DefaultHasher::new();
        (seed, sequence, attempts).hash(&mut hasher);
        pause / 2 + hasher.finish() % (pause / 2 + 1)
    }
}
