//! Finds that the background threads are starved of cores.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// If no background thread has taken a call for this long while one waits, they are looked at.
const SILENT: Duration = Duration::from_millis(50);
/// They are starved if all together they had a core for less than one of these parts of that time.
/// The machine is busy with others then, and long calls must come to their end too.
///
/// Threads that had more are at work on an instruction that cannot be interrupted. A prompt thread
/// would only be stuck in the next one.
const PARTS: u64 = 10;

/// When the background threads were seen at work last. Times are in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Relief {
    /// When one took a call last, or a call began to wait, or they were found at work.
    served_ns: AtomicU64,
    /// How long they had had a core when they were looked at last.
    ran_ns: AtomicU64,
}

impl Relief {
    /// A background thread has taken a call, or does not have to.
    pub(super) fn served(&self, now_ns: u64) {
        self.served_ns.store(now_ns, Ordering::Relaxed);
    }

    /// Whether a prompt thread should take a call. `ran_ns` asks how long the background threads
    /// have had a core since they began.
    pub(super) fn is_due(&self, now_ns: u64, ran_ns: impl FnOnce() -> u64) -> bool {
        let silent_ns = now_ns.saturating_sub(self.served_ns.load(Ordering::Relaxed));
        if u128::from(silent_ns) < SILENT.as_nanos() {
            return false;
        }
        let ran_ns = ran_ns();
        let ran_before_ns = self.ran_ns.swap(ran_ns, Ordering::Relaxed);
        let is_at_work = ran_ns.saturating_sub(ran_before_ns) > silent_ns / PARTS;
        if is_at_work {
            self.served(now_ns);
        }
        !is_at_work
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn threads_that_are_at_work_are_not_starved() {
        let relief = Relief::default();
        // It is looked at once in each 50 ms.
        let looks = (1..=1_000)
            .filter(|ms| {
                let mut is_looked_at = false;
                let is_due = relief.is_due(ms * MS, || {
                    is_looked_at = true;
                    ms * MS / 2
                });
                assert!(!is_due, "{ms}");
                is_looked_at
            })
            .count();
        assert_eq!(looks, 20);
    }

    #[test]
    fn threads_without_a_core_are_starved() {
        let relief = Relief::default();
        assert!(!relief.is_due(49 * MS, || 0));
        assert!(relief.is_due(50 * MS, || 0));
        assert!(relief.is_due(51 * MS, || MS));
        relief.served(51 * MS);
        assert!(!relief.is_due(100 * MS, || MS));
        assert!(relief.is_due(101 * MS, || 3 * MS));
        assert!(!relief.is_due(102 * MS, || 30 * MS));
    }
}
