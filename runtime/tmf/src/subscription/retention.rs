//! Retention of events.

use crate::time::Timestamp;

/// Limits on the events that no subscriber waits for, and a limit on all events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Max delivered events that are kept.
    pub count: u64,
    /// Max age of delivered events.
    pub age_ms: u64,
    /// Max events that are kept, delivered or not.
    pub count_max: u64,
}

/// The range of the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The number of the next event.
    pub end: u64,
    /// The number of the first event that a subscriber still waits for; `end` if there is none.
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
