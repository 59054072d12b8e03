//! Reads the secrets at the start and again at intervals. One that cannot be read keeps its last value.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::causes::chain;
use futures_util::future::join_all;
use host::Host;
use host::secret::Secret;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Source, Sources};

/// The part of a lease after which a value is read again, in percent.
const LEASE_PERCENT: u64 = 66;

/// How soon a secret that cannot be read is tried again, in seconds, if its interval is longer.
const AGAIN_S: u32 = 10;

/// The sources of all secrets, which follow the settings.
pub(crate) type Followed = watch::Receiver<Arc<Sources>>;

/// What is known of each secret.
#[derive(Default)]
pub(crate) struct Renewal(BTreeMap<String, Known>);

struct Known {
    source: Source,
    due: Instant,
    /// Why it could not be read the last time, which is logged once.
    failure: Option<String>,
}

impl Renewal {
    /// Reads all secrets, and returns the values that there are.
    pub(crate) async fn begin(sources: &Sources) -> (Self, BTreeMap<String, Secret>) {
        let mut renewal = Self::default();
        renewal.follow(sources);
        let values = renewal.read().await;
        (renewal, values)
    }

    /// Reads secrets when they are due, until the settings have others.
    pub(crate) async fn run(
        mut self,
        mut sources: Followed,
        host: Host,
        stopped: impl Future<Output = ()>,
    ) {
        tokio::pin!(stopped);
        loop {
            let due = self.0.values().map(|known| known.due).min();
            let due = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
            tokio::select! {
                () = &mut stopped => return,
                () = tokio::time::sleep_until(due) => {}
                changed = sources.changed() => {
                    // No settings are followed any more.
                    if changed.is_err() {
                        return stopped.await;
                    }
                    let sources = Arc::clone(&sources.borrow_and_update());
                    for name in self.follow(&sources) {
                        host.withdraw(&name);
                        tracing::info!(secret = name, "a secret is not used any more");
                    }
                }
            }
            for (name, value) in self.read().await {
                if host.renew(&name, value) {
                    tracing::info!(secret = name, "a secret was renewed");
                }
            }
        }
    }

    /// Takes other sources into use, and returns the secrets that have none any more.
    pub(super) fn follow(&mut self, sources: &Sources) -> Vec<String> {
        let now = Instant::now();
        for (name, source) in sources {
            if self.0.get(name).is_none_or(|known| known.source != *source) {
                let known = Known { source: source.to_owned(), due: now, failure: None };
                self.0.insert(name.to_owned(), known);
            }
        }
        let gone: Vec<_> = self
            .0
            .keys()
            .filter(|name| !sources.contains_key(*name))
            .map(String::to_owned)
            .collect();
        self.0.retain(|name, _| sources.contains_key(name));
        gone
    }

    /// Makes all of them due.
    #[cfg(test)]
    pub(super) fn make_due(&mut self) {
        self.0.values_mut().for_each(|known| known.due = Instant::now());
    }

    /// Reads what is due.
    pub(super) async fn read(&mut self) -> BTreeMap<String, Secret> {
        let now = Instant::now();
        let due = self.0.iter_mut().filter(|(_, known)| known.due <= now);
        let read = due.map(async |(name, known)| {
            let value = known.read(name).await?;
            Some((name.to_owned(), value))
        });
        join_all(read).await.into_iter().flatten().collect()
    }
}

impl Known {
    async fn read(&mut self, name: &str) -> Option<Secret> {
        let read = self.source.read().await;
        let renew_s = self.source.renew_s;
        let (value, wait_s, failure) = match read {
            Ok(reading) => {
                let lease_s =
                    reading.lease_s.map(|lease_s| u64::from(lease_s) * LEASE_PERCENT / 100);
                let wait_s = lease_s.unwrap_or_else(|| renew_s.into());
                (Some(reading.value), wait_s, None)
            }
            Err(error) => (None, renew_s.min(AGAIN_S).into(), Some(chain(&error))),
        };
        self.due = Instant::now() + Duration::from_secs(wait_s.max(1));
        if let Some(error) = failure.as_ref().filter(|_| failure != self.failure) {
            tracing::error!(
                secret = name,
                error,
                "a secret cannot be read: it keeps its last value"
            );
        }
        self.failure = failure;
        value
    }
}
