//! The threads of a named tenant: its requests, its engine and what runs beside it wait for each other and not
//! for those of other tenants. The operating system shares the processors between them.

use std::future::Future;
use std::io;
use std::num::NonZero;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads that end when it is dropped, without a wait for what they run.
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    /// Starts as many as a share of the processors, at least one.
    pub(super) fn start(share_percent: u32) -> io::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = (processors * share_percent as usize).div_ceil(100).max(1);
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(threads).thread_name("tenant").enable_all();
        Ok(Self(Some(builder.build()?)))
    }

    /// Where tasks are spawned.
    pub(super) fn handle(&self) -> Option<&Handle> {
        self.0.as_ref().map(Runtime::handle)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Polls a future so that what it spawns runs on these threads; on those of the caller without any.
pub(super) async fn within<F: Future>(threads: Option<&Handle>, future: F) -> F::Output {
    match threads {
        Some(threads) => Within { threads, future: pin!(future) }.await,
        None => future.await,
    }
}

struct Within<'a, F> {
    threads: &'a Handle,
    future: Pin<&'a mut F>,
}

impl<F: Future> Future for Within<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _entered = self.threads.enter();
        self.future.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_spawned_task_runs_on_the_threads() {
        let threads = Threads::start(1).unwrap();
        let name = || std::thread::current().name().map(ToOwned::to_owned);
        let spawned = async { tokio::spawn(async move { name() }).await.unwrap() };
        assert_eq!(within(threads.handle(), spawned).await.as_deref(), Some("tenant"));
        let here = async { tokio::spawn(async move { name() }).await.unwrap() };
        assert_ne!(within(None, here).await.as_deref(), Some("tenant"));
    }
}
