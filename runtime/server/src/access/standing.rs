//! Whether an identity is still what its credentials proved, for answers that go on for long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Access, Identity};

/// Max time between two looks at an identity, for clocks that are set.
const LOOK: Duration = Duration::from_secs(3_600);

/// Follows an identity until its credentials end: they expire, or are revoked.
pub struct Standing {
    access: Access,
    identity: Option<Arc<Identity>>,
    revocations: watch::Receiver<()>,
}

impl Standing {
    pub(super) fn new(
        access: Access,
        identity: Option<Arc<Identity>>,
        revocations: watch::Receiver<()>,
    ) -> Self {
        Self { access, identity, revocations }
    }

    /// Whether the credentials are still valid.
    pub fn holds(&self) -> bool {
        self.identity.as_ref().is_none_or(|identity| self.access.stands(identity))
    }

    /// Resolves when the credentials have ended; never if there are none.
    pub async fn ended(&mut self) {
        let Some(identity) = &self.identity else { return std::future::pending().await };
        loop {
            if !self.access.stands(identity) {
                return;
            }
            let now = self.access.now();
            let left = identity.until.map(|until| Duration::from_millis(until.ms_since(now)));
            tokio::select! {
                changed = self.revocations.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(left.unwrap_or(LOOK).min(LOOK)) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
