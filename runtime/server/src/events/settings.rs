//! How events are sent and kept, from `[events]` of `ferrule.toml`.

use std::sync::Arc;
use std::time::Duration;

use tmf::subscription::{Keep, Patience};

use super::Guard;
use crate::access::{Owners, Permission};

/// Settings of the workers and of retention.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The beginning of hrefs.
    pub base: String,
    /// The addresses that may be called.
    pub guard: Arc<Guard>,
    /// Limits of failures.
    pub patience: Patience,
    /// Retention of delivered events.
    pub keep: Keep,
    pub answer_wait: Duration,
    /// What those who subscribe may do now.
    pub owners: Owners,
    /// The permissions that there are.
    pub known: Vec<Permission>,
}

impl Settings {
    /// The same with what those who subscribe may do.
    #[must_use]
    pub(crate) fn with_owners(self, owners: Owners, known: Vec<Permission>) -> Self {
        Self { owners, known, ..self }
    }

    /// The defaults of a server with a base URL.
    pub fn new(base: &str, guard: Guard) -> Self {
        Self {
            base: base.trim_end_matches('/').into(),
            guard: Arc::new(guard),
            patience: Patience {
                attempts_max: 10,
                pause_ms_min: 500,
                pause_ms_max: 60_000,
                silence_ms_max: 3_600_000,
                dead_max: 10_000,
            },
            keep: Keep { count: 100_000, age_ms: 7 * 24 * 3_600_000, count_max: 1_000_000 },
            answer_wait: Duration::from_secs(10),
            owners: Owners::default(),
            known: Vec::new(),
        }
    }
}
