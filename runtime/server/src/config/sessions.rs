//! `[access.sessions]` of `ferrule.toml`: how long people stay logged in.

use serde::Deserialize;

use crate::access::session::Life;

/// Max minutes of a session: a week.
const MINUTES_MAX: u32 = 7 * 24 * 60;

/// How long sessions of people go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SessionSettings {
    /// Minutes from the login to the end.
    pub minutes: u32,
    /// Minutes from the last use to the end.
    pub idle_minutes: u32,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { minutes: 480, idle_minutes: 30 }
    }
}

impl SessionSettings {
    /// Refuses what cannot work.
    pub(super) fn check(self) -> Result<(), String> {
        if !(1..=MINUTES_MAX).contains(&self.minutes) {
            return Err(format!("`[access.sessions] minutes` is a number from 1 to {MINUTES_MAX}"));
        }
        if !(1..=self.minutes).contains(&self.idle_minutes) {
            return Err("`[access.sessions] idle-minutes` is a number from 1 to `minutes`".into());
        }
        Ok(())
    }

    /// The same for the table of sessions.
    pub fn life(self) -> Life {
        let ms = |minutes: u32| u64::from(minutes) * 60_000;
        Life { whole_ms: ms(self.minutes), idle_ms: ms(self.idle_minutes) }
    }
}
