//! How long events are kept.

use crate::time::Timestamp;

/// What is kept of the events that nobody waits for, and how many at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// So many are kept.
    pub count: u64,
    /// They are kept for so long.
    pub age_ms: u64,
    /// So many are kept at the most, whoever still waits for one.
    pub count_max: u64,
}

/// Where the events stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The number of the next event there will be.
    pub end: u64,
    /// The number of the first that a subscriber still waits for; `end` where nobody does.
    pub needed: u64,
}

impl Keep {
    /// Whether an event can be removed.
    pub fn is_over(&self, sequence: u64, time: Timestamp, range: Range, now: Timestamp) -> bool {
        let later = range.end.saturating_sub(sequence + 1);
        if later >= self.count_max {
            return true;
        }
        sequence < range.needed && (later >= self.count || now.ms_since(time) > self.age_ms)
    }
}
