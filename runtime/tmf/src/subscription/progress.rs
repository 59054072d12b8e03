//! How far a subscriber has come, and what follows from each of its answers.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What is known about the delivery to one subscriber.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The number of the first event that is not settled: delivered, dead, or not for it.
    pub next: u64,
    /// Whether events are sent.
    pub standing: Standing,
    /// How often the next event was sent in vain.
    pub attempts: u32,
    /// Since when no event was taken, where one was refused since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Why the last attempt failed, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<LastError>,
    /// Number of delivered events.
    pub delivered: u64,
    /// Number of dead letters.
    pub dead: u64,
    /// Number of events removed before they could be sent.
    pub missed: u64,
}

/// Why the last attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub message: String,
}

/// Whether events are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// They are.
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
    /// Nothing was taken for too long.
    Silent,
    /// It has too many dead letters.
    Full,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The event was taken.
    Taken,
    /// It will never be delivered, by the subscriber's answer.
    Never(String),
    /// It was not; it may be later.
    NotNow(String),
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The event is settled; the next one follows.
    Next,
    /// The event is put with the dead letters; the next one follows.
    Bury,
    /// The event is sent again at this time.
    Again(Timestamp),
    /// The event waits until an operator resumes the subscription.
    Wait,
}

/// How much is put up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// So often one event is sent.
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

    /// Events up to here were not for it, and nothing is left of the event before.
    pub fn skip_to(&mut self, next: u64) {
        self.next = next;
        self.attempts = 0;
    }

    /// The first event that still is there: what lies between was removed.
    pub fn lost_until(&mut self, first: u64) {
        if first > self.next {
            self.missed += first - self.next;
            self.skip_to(first);
        }
    }

    /// What follows from an answer to the next event. `seed` spreads the pauses of those who fail
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

    /// Sends again, as if nothing had failed.
    pub fn resume(&mut self) {
        self.standing = Standing::Active;
        self.attempts = 0;
        self.failing_since = None;
    }

    /// Sends events again, or leaves some out: the next one is this.
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
