//! The number of removed facts.

use std::sync::atomic::AtomicU64;

/// What retention removed since the start.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    /// Runs, with everything that is kept of them.
    pub(crate) runs: AtomicU64,
    /// Journals of orders.
    pub(crate) orders: AtomicU64,
    /// Logs of attempts.
    pub(crate) logs: AtomicU64,
    pub(crate) exchanges: AtomicU64,
    /// Keys of submissions.
    pub(crate) submissions: AtomicU64,
    /// Entries of the audit.
    pub(crate) audit: AtomicU64,
}
