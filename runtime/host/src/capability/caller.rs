//! The plugin that calls a capability.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{Failure, FailureClass, FulfilmentId, TaskId};

use super::calls::Calls;
use super::log::Log;
use super::record::Recorder;
use crate::grants::{self, GrantKey, Grants};
use crate::used::Ledger;

/// The plugin that is called, and the task that it is called for.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) plugin: Arc<str>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) fulfilment: FulfilmentId,
    pub(crate) task: TaskId,
    pub(crate) log: Log,
    pub(crate) calls: Arc<Calls>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) recorder: Recorder,
    /// When a request that was not sent may be, in milliseconds; 0 if all were.
    pub(crate) retry_after_ms: AtomicU64,
}

impl Caller {
    /// Adds a line of the host's to its log.
    pub(crate) fn note(&self, text: &str) {
        self.log.write("host", text);
    }

    /// Counts what is denied, and logs why.
    pub(crate) fn deny(&self, key: GrantKey, text: &str) {
        self.ledger.denied(key);
        self.note(text);
    }

    /// Notes that a request was not sent, and when it may be.
    pub(crate) fn retry_after(&self, after: Duration) {
        let ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1);
        self.retry_after_ms.store(ms, Ordering::Relaxed);
    }

    /// Completes a failure to be retried with the time after which that is of use, if it has none.
    pub(crate) fn complete(&self, failure: &mut Failure) {
        let ms = self.retry_after_ms.load(Ordering::Relaxed);
        if ms > 0 && failure.class == FailureClass::Retry {
            failure.retry_after_ms.get_or_insert(ms);
        }
    }

    /// The lines of `ferrule.toml` that grant it one HTTP rule more.
    pub(crate) fn http_lines(&self, more: &str) -> String {
        let granted: Vec<_> = self.grants.http.iter().map(ToString::to_string).collect();
        grants::lines(&self.plugin, "http", &granted, more)
    }
}
