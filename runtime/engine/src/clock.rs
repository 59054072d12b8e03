//! What time it is: the one place of the engine where time comes from, so that the simulator can
//! give it another.

use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tmf::time::Timestamp;
use tokio::time::Instant;

/// Tells the time and wakes at a time.
pub trait Clock: Send + Sync + 'static {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// Ends at that time; never where there is none.
    fn sleep_until(&self, time: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The clock of this machine, which never goes back while the process runs.
///
/// It says what the machine's clock said at the start, plus the time that has passed since on a
/// clock that cannot be set. Where the machine's clock is ahead of that (it was set forward, or the
/// machine slept), it follows. Where that is behind, it does not: waits and timeouts take as long
/// as they should, and times are ahead of the machine's until those are equal or the process is
/// started again. What a start does about times that lie ahead is [`model::Fulfilment::follow_clock`].
#[derive(Debug)]
pub struct System {
    began: Instant,
    /// What the machine's clock said when this one began, plus what it was set forward by since.
    base_ms: AtomicI64,
}

impl Default for System {
    fn default() -> Self {
        Self { began: Instant::now(), base_ms: AtomicI64::new(machine_ms()) }
    }
}

impl System {
    /// The time, where the machine's clock says that, and so much has passed.
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
