//! `[events]` of `ferrule.toml`: how subscribers are told of events.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use tmf::subscription::Keep;

use super::number::within;
use crate::events::{Allowed, Guard, Settings};

/// The delivery of events.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Events {
    /// Internal addresses, networks and hosts that may be called.
    pub allow: Vec<Allowed>,
    /// Attempts at an event before it is a dead letter.
    #[serde(deserialize_with = "attempts")]
    pub attempts: u32,
    /// Time without a delivery after which a subscription is paused, in minutes.
    #[serde(deserialize_with = "pause")]
    pub pause_after_minutes: u64,
    /// Delivery timeout, in milliseconds.
    #[serde(deserialize_with = "answer_wait")]
    pub answer_wait_ms: u64,
    /// Delivered events to retain.
    pub keep: u64,
    /// Max age of delivered events, in hours.
    pub keep_hours: u64,
    /// Hard limit on retained events, delivered or not.
    #[serde(deserialize_with = "keep_max")]
    pub keep_max: u64,
}

/// The max of each number.
const ATTEMPTS_MAX: u32 = 1_000;
const MINUTES_MAX: u64 = 365 * 24 * 60;
const ANSWER_WAIT_MS_MAX: u64 = 10 * 60_000;
const EVENTS_MAX: u64 = 1_000_000_000;

impl Default for Events {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            attempts: 10,
            pause_after_minutes: 60,
            answer_wait_ms: 10_000,
            keep: 100_000,
            keep_hours: 7 * 24,
            keep_max: 1_000_000,
        }
    }
}

/// How a server is reached.
#[derive(Clone, Copy, Debug)]
pub enum Reached<'a> {
    /// By its public URL.
    Publicly(&'a str),
    /// By its address.
    Directly(&'a str),
}

impl Events {
    /// Refuses a retention that another one ends.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.keep > self.keep_max {
            true => Err(format!(
                "`[events] keep` is {}, and `keep-max` lets {} be kept at all: raise `keep-max`, or lower `keep`",
                self.keep, self.keep_max
            )),
            false => Ok(()),
        }
    }

    /// The settings of delivery workers, for a server with an address that is reached by a URL.
    pub fn settings(&self, url: Reached<'_>, own: SocketAddr) -> Settings {
        const HOUR_MS: u64 = 3_600_000;
        let guard = Guard::new(self.allow.clone(), own);
        let mut settings = match url {
            Reached::Publicly(url) => Settings::new(url, guard.public()),
            Reached::Directly(url) => Settings::new(url, guard),
        };
        settings.patience.attempts_max = self.attempts;
        settings.patience.silence_ms_max = self.pause_after_minutes.saturating_mul(60_000);
        settings.answer_wait = Duration::from_millis(self.answer_wait_ms);
        let age_ms = self.keep_hours.saturating_mul(HOUR_MS);
        settings.keep = Keep { count: self.keep, age_ms, count_max: self.keep_max };
        settings
    }
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    within(deserializer, "[events] attempts", ATTEMPTS_MAX)
}

fn pause<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[events] pause-after-minutes", MINUTES_MAX)
}

fn answer_wait<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[events] answer-wait-ms", ANSWER_WAIT_MS_MAX)
}

fn keep_max<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[events] keep-max", EVENTS_MAX)
}
