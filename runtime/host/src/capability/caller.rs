//! The plugin that calls a capability.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Failure, FailureClass, FulfilmentId, TaskId};

use super::calls::Calls;
use super::log::Log;
use super::record::Recorder;
use super::tape::Tape;
use crate::denial::{Denial, Denied, Help};
use crate::grants::{self, Grants};
use crate::used::Ledger;

/// Max settings of a call that are remembered as not set.
const MISSED_MAX: usize = 16;

/// Max bytes of the name of one.
const NAME_BYTES_MAX: usize = 256;

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
    /// Whether another version repeats the call, or it is the repeated one.
    pub(crate) tape: Tape,
    /// When a request that was not sent may be, in milliseconds; 0 if all were.
    pub(crate) retry_after_ms: AtomicU64,
    /// The settings that were asked for and are not set, with an example of each.
    pub(crate) missed: Mutex<BTreeMap<String, String>>,
}

impl Caller {
    /// The caller `acme`, with these grants.
    #[cfg(test)]
    pub(crate) fn of_test(grants: Grants) -> Self {
        use super::record::Keep;
        Self {
            plugin: "acme".into(),
            ledger: Arc::new(Ledger::new(&grants, None, &Arc::default())),
            grants: Arc::new(grants),
            fulfilment: FulfilmentId::new("F-1"),
            task: TaskId(1),
            log: Log::default(),
            calls: Arc::default(),
            retry_after_ms: AtomicU64::default(),
            missed: Mutex::default(),
            tape: Tape::Off,
            recorder: Recorder::new(Keep::default(), "acme".into(), Arc::default(), None),
        }
    }

    /// Adds a line of the host's to its log.
    pub(crate) fn note(&self, text: &str) {
        self.log.write("host", text);
    }

    /// Counts a call that is denied, and logs why with the help against it.
    pub(crate) fn deny(&self, denial: Denial, call: &str, why: &str, help: Help) {
        let text = self.denied(denial, call, why, help);
        self.note(&text);
    }

    /// Counts a call that is denied; returns the text for the log.
    pub(crate) fn denied(&self, denial: Denial, call: &str, why: &str, help: Help) -> String {
        self.ledger.denied(denial.key());
        Denied { plugin: &self.plugin, call, why, help }.to_string()
    }

    /// Remembers a setting that the plugin asked for and that is not set.
    pub(crate) fn miss(&self, name: String, example: String) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if missed.len() < MISSED_MAX && name.len() <= NAME_BYTES_MAX {
            missed.insert(name, example);
        }
    }

    /// Logs the settings that were not set: the call has failed, maybe for want of one.
    fn explain_missed(&self) {
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, example) in missed.iter() {
            let lines = grants::setting_lines(&self.plugin, name, example);
            let call = format!("setting `{name}`");
            self.deny(Denial::Setting, &call, "it is not set", Help::Lines(lines));
        }
    }

    /// Notes that a request was not sent, and when it may be.
    pub(crate) fn retry_after(&self, after: Duration) {
        let ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1);
        self.retry_after_ms.store(ms, Ordering::Relaxed);
    }

    /// Completes a failure: it is explained by settings that are not set, and one to be retried has the time
    /// after which that is of use.
    pub(crate) fn complete(&self, failure: &mut Failure) {
        self.explain_missed();
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
