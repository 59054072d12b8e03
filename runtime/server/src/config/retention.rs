//! `[retention]` of `ferrule.toml`: retention of ended orders, runs and logs.

use serde::{Deserialize, Deserializer};

use super::number::within;

/// Retention of ended work. Open work stays, and so does the journal of an order while an
/// instance that it made or changed is in use; order documents stay in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Retention {
    /// Days that the journals of orders are kept after their end.
    #[serde(deserialize_with = "orders")]
    pub orders_days: u64,
    /// Days that runs are kept after their end.
    #[serde(deserialize_with = "runs")]
    pub runs_days: u64,
    /// Days that the logs and figures of attempts are kept after the end.
    #[serde(deserialize_with = "logs")]
    pub logs_days: u64,
    /// Days that the HTTP exchanges of attempts are kept after the end; no longer than their logs.
    #[serde(deserialize_with = "exchanges")]
    pub exchanges_days: u64,
    /// Days that an `Idempotency-Key` of a submission is known.
    #[serde(deserialize_with = "submissions")]
    pub submissions_days: u64,
    /// Minutes that a callback is kept before its task waits for it.
    #[serde(deserialize_with = "callbacks")]
    pub callbacks_minutes: u64,
    /// Days that entries of the audit are kept; for ever if `None`.
    #[serde(deserialize_with = "audit")]
    pub audit_days: Option<u64>,
}

/// The longest retention, in days.
const DAYS_MAX: u64 = 36_500;

/// The longest retention of callbacks, in minutes: a week.
const MINUTES_MAX: u64 = 7 * 24 * 60;

impl Default for Retention {
    fn default() -> Self {
        Self {
            orders_days: 90,
            runs_days: 30,
            logs_days: 14,
            exchanges_days: 3,
            submissions_days: 7,
            callbacks_minutes: 60,
            audit_days: None,
        }
    }
}

impl Retention {
    /// Fails if two settings contradict each other.
    pub fn check(&self) -> Result<(), String> {
        let shortest = self.orders_days.min(self.runs_days);
        if self.submissions_days <= shortest {
            return Ok(());
        }
        Err(format!(
            "`[retention] submissions-days` is {}, but what a key made is kept for {shortest} days \
             only: set it to at most {shortest}, or raise orders-days and runs-days",
            self.submissions_days
        ))
    }
}

fn orders<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[retention] orders-days", DAYS_MAX)
}

fn runs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[retention] runs-days", DAYS_MAX)
}

fn logs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[retention] logs-days", DAYS_MAX)
}

fn exchanges<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[retention] exchanges-days", DAYS_MAX)
}

fn submissions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[retention] submissions-days", DAYS_MAX)
}

fn audit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    within(deserializer, "[retention] audit-days", DAYS_MAX).map(Some)
}

fn callbacks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(deserializer, "[retention] callbacks-minutes", MINUTES_MAX)
}
