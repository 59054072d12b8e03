//! The clock: the only source of time in the engine, so that the simulator can replace it.

use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tmf::time::Timestamp;
use tokio::time::Instant;

/// Tells the time and wakes at a time.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;

    /// Ends at that time; never if it is `None`.
    fn sleep_until(&self, time: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The clock of this machine, which never goes back while the process runs.
///
/// It starts at the time of the machine's clock and adds the time that passes on a monotonic clock. If
/// the machine's clock is ahead (it was set forward, or the machine slept), it catches up. If the
/// machine's clock is behind, it does not go back: waits and timeouts keep their length, and its times
/// stay ahead until the machine's clock reaches them or the process restarts.
/// [`model::Fulfilment::follow_clock`] corrects times in the future at a start.
#[derive(Debug)]
pub struct System {
    began: Instant,
    /// The machine's clock when this one began, plus all jumps forward since.
    base_ms: AtomicI64,
}

impl Default for System {
    fn default() -> Self {
        Self { began: Instant::now(), base_ms: AtomicI64::new(machine_ms()) }
    }
}

impl System {
    /// The time at which the machine's clock shows `machine_ms`, and `passed` has gone by since the start.
    fn at(&self, machine_ms: i64, passed: Duration) -> Timestamp {
        let passed = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
        let ahead = machine_ms.saturating_sub(passed);
        let base_ms = self.base_ms.fetch_max(ahead, Ordering::Relaxed).max(ahead);
        Timestamp(base_ms.saturating_add(passed))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
fn machine_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let ms = since.map_or(0, |since| since.as_millis());
    i64::try_from(ms).unwrap_or(i64::MAX)
}

impl Clock for System {
    fn now(&self) -> Timestamp {
        self.at(machine_ms(), self.began.elapsed())
    }

    fn sleep_until(&self, time: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let now = self.now();
        Box::pin(async move {
            match time {
                Some(time) => {
                    // One more, since a timer may fire within the millisecond before its time.
                    let ms = time.ms_since(now) + 1;
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                }
                None => std::future::pending().await,
            }
        })
    }
}

#[cfg(test)]
mod tests;
