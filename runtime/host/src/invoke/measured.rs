//! What a call took and did, for its attempt.

use std::time::Duration;

use engine::telemetry::{Exchanges, Figures, Telemetry};
use model::{Failure, Outcome};

use super::Guest;
use crate::capability::record::Of;

/// The name of the log's interface in the counts of calls of the host.
const LOG: &str = "log";

impl Guest {
    /// Counts a call that is for no task.
    pub(super) fn count(&self, operation: &str, failure: Option<&Failure>) {
        if self.is_repeated() {
            return;
        }
        let figures = self.figures(operation);
        self.shared.counters.asked(&self.plugin.name, &figures, failure);
    }

    /// What the call took and did so far.
    pub(super) fn telemetry(&self, operation: &str, outcome: &Outcome) -> Telemetry {
        let figures = self.figures(operation);
        let is_kept = match self.shared.keep.of {
            Of::All => true,
            Of::Failed => matches!(outcome, Outcome::Failed(_)),
            Of::None => false,
        };
        let exchanges = match is_kept {
            true => self.caller.recorder.finish(&self.plugin.mask),
            false => Exchanges::default(),
        };
        Telemetry { figures, exchanges, sent: self.caller.recorder.sent() }
    }

    fn figures(&self, operation: &str) -> Figures {
        let caller = &self.caller;
        let mut host_calls = caller.calls.all();
        let logged = caller.log.calls();
        if logged > 0 {
            caller.ledger.logged(logged);
            host_calls.insert(LOG.into(), logged);
        }
        Figures {
            operation: operation.into(),
            took_us: micros(caller.recorder.elapsed()),
            cpu_us: micros(self.meter.spent()),
            memory_kib: u32::try_from(self.meter.memory_bytes() >> 10).unwrap_or(u32::MAX),
            host_calls,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
