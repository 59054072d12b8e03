//! How events are sent and kept, from `[events]` of `ferrule.toml`.

use std::time::Duration;

use tmf::subscription::{Keep, Patience};

use super::Guard;

/// What workers and the retention task go by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What hrefs begin with.
    pub base: String,
    /// Which addresses may be called.
    pub guard: Guard,
    /// How much is put up with.
    pub patience: Patience,
    /// Retention of delivered events.
    pub keep: Keep,
    /// Delivery timeout.
    pub answer_wait: Duration,
}

impl Settings {
    /// The usual ones of a server that hrefs lead to.
    pub fn new(base: &str, guard: Guard) -> Self {
        Self {
            base: base.trim_end_matches('/').into(),
            guard,
            patience: Patience {
                attempts_max: 10,
                pause_ms_min: 500,
                pause_ms_max: 60_000,
                silence_ms_max: 3_600_000,
                dead_max: 10_000,
            },
            keep: Keep { count: 100_000, age_ms: 7 * 24 * 3_600_000, count_max: 1_000_000 },
            answer_wait: Duration::from_secs(10),
        }
    }
}
