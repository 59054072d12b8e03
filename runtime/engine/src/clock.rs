//! What time it is: the one place of the engine where time comes from, so that the simulator can
//! give it another.

use std::pin::Pin;

use model::Timestamp;

/// Tells the time and wakes at a time.
pub trait Clock: Send + Sync + 'static {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// Ends at that time; never where there is none.
    fn sleep_until(&self, time: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let ms = since.map_or(0, |since| since.as_millis());
        Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
    }

    fn sleep_until(&self, time: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let now = self.now();
        Box::pin(async move {
            match time {
                Some(time) => {
                    // One more, since a timer may fire within the millisecond before its time.
                    let ms = time.ms_since(now) + 1;
                    tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                }
                None => std::future::pending().await,
            }
        })
    }
}
