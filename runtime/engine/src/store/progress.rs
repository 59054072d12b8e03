//! The progress of a store's writes on their way to the disk, so that no answer rests on a write that a
//! power loss would undo.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::sync::watch;

use super::Error;

/// Counts the commits that readers may see and those that are durable. One writer counts, anyone
/// may ask.
#[derive(Debug, Default)]
pub struct Progress {
    /// Commits that readers may see; raised before the first of a commit's writes shows.
    visible: AtomicU64,
    /// Commits that are durable. The same number as in `reached`, read without its lock.
    durable: AtomicU64,
    reached: watch::Sender<Reached>,
}

/// How far the disk is.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    durable: u64,
    /// A commit failed. What readers see may never become durable.
    has_failed: bool,
}

/// Resolves when everything that readers could see when it was made is durable, or with
/// [`Error::Unsettled`] if the store failed to make it so.
#[must_use = "it does nothing unless it is awaited"]
pub struct Settled(Option<Waiting>);

/// The wait for a commit that is under way.
type Waiting = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl Progress {
    /// Notes that the writes of a commit are about to show.
    pub fn begin(&self) {
        self.visible.fetch_add(1, Ordering::SeqCst);
    }

    /// Notes that all commits that have begun are durable.
    pub fn finish(&self) {
        let durable = self.visible.load(Ordering::SeqCst);
        self.durable.store(durable, Ordering::SeqCst);
        self.reached.send_modify(|reached| reached.durable = durable);
    }

    /// Notes that the commit that has begun failed: what it showed is never settled.
    pub fn fail(&self) {
        self.reached.send_modify(|reached| reached.has_failed = true);
    }

    /// How many commits are durable.
    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::SeqCst)
    }

    /// Whether a commit is under way, or has failed.
    pub fn is_under_way(&self) -> bool {
        self.durable.load(Ordering::SeqCst) != self.visible.load(Ordering::SeqCst)
    }

    /// Waits for what readers can see now. At rest this is two loads and no wait.
    pub fn settled(&self) -> Settled {
        let visible = self.visible.load(Ordering::SeqCst);
        if self.durable.load(Ordering::SeqCst) >= visible {
            return Settled::now();
        }
        let mut reached = self.reached.subscribe();
        Settled(Some(Box::pin(async move {
            let enough = |reached: &Reached| reached.durable >= visible || reached.has_failed;
            match reached.wait_for(enough).await {
                Ok(reached) if reached.durable >= visible => Ok(()),
                Ok(_) => Err(Error::Unsettled),
                Err(_) => Err(Error::Closed),
            }
        })))
    }
}

impl Settled {
    /// What was read may be old: it is never settled.
    pub fn never() -> Self {
        Self(Some(Box::pin(std::future::ready(Err(Error::Unsettled)))))
    }

    /// Nothing is under way.
    pub fn now() -> Self {
        Self(None)
    }
}

impl Future for Settled {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            None => Poll::Ready(Ok(())),
            Some(waiting) => waiting.as_mut().poll(context),
        }
    }
}

impl std::fmt::Debug for Settled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Settled").field("waits", &self.0.is_some()).finish()
    }
}
