//! The threads that guests run on, apart from those of the engine and of HTTP.
//!
//! Every call begins on a *prompt* thread, of ordinary priority. One that has had [`crate::limits::PROMPT`] of
//! processor time goes on on a *background* thread, of the lowest priority that the system has, and
//! so do the calls of a plugin that has lately used up its credit ([`lane`]). There are queues for
//! each plugin in both classes, and threads take tenants in turn, and the plugins of each in turn. So what is short and what is new
//! gets a core at once, whatever else runs, and long work has what is left, shared fairly.
//!
//! An instruction of WebAssembly that fills hundreds of MiB cannot be interrupted. A prompt thread
//! that is stuck in one is made a background thread where it stands, and another takes its place.
//!
//! A background thread can lose its core while it holds a lock of this process. Those that want the
//! lock then wait and leave it a core; what remains is other load on all cores, which [`relief`]
//! bounds for the calls that wait in the queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use async_task::{Builder, FallibleTask, Runnable};
use tokio::runtime::Handle;

use crate::limits::Meter;

use self::lane::Lane;
use self::priority::Thread;
use self::queue::{Queue, Waited};
use self::relief::Relief;
use self::ticker::{Crew, End, Ticker};

pub(crate) mod lane;
mod priority;
mod queue;
mod relief;
mod ticker;

/// The threads, and what waits for them. They end when it is dropped.
pub(crate) struct Executor {
    shared: Arc<Shared>,
    ticker: Ticker,
}

/// What all threads share.
struct Shared {
    prompt: Queue<Runnable<Turn>>,
    background: Queue<Runnable<Turn>>,
    crew: Crew,
    relief: Relief,
    /// How many calls wait for a thread or have one.
    pending: AtomicUsize,
    began: Instant,
}

/// What the threads must know of a call.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    /// The plugin, for which there is one queue.
    pub(crate) lane: Arc<Lane>,
    /// What the call has used so far.
    pub(crate) meter: Arc<Meter>,
}

impl Executor {
    /// Starts threads for this many cores. `tick` is called at the end of each epoch in which a
    /// guest ran.
    pub(crate) fn new(cores: usize, tick: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        // One more than cores, of which a plugin may have all but one.
        let prompt = cores + 1;
        let shared = Arc::new(Shared {
            prompt: Queue::new(prompt - 1),
            background: Queue::new(usize::MAX),
            crew: Crew::new(cores),
            relief: Relief::default(),
            pending: AtomicUsize::new(0),
            began: Instant::now(),
        });
        let ticker = ticker::start(Arc::clone(&shared), tick)?;
        for _ in 0..prompt {
            start_prompt(&shared)?;
        }
        for _ in 0..cores {
            start_background(&shared)?;
        }
        Ok(Self { shared, ticker })
    }

    /// Leaves a thread to others whatever one tenant runs.
    pub(crate) fn share(&self) {
        self.shared.prompt.share();
    }

    /// Runs a future on the threads, within the runtime of the caller. `None` if it panicked or the
    /// executor was dropped; if the task is dropped, the future is dropped before its next turn.
    pub(crate) fn spawn<F>(&self, turn: Turn, future: F) -> FallibleTask<F::Output, Turn>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (shared, ticker) = (Arc::clone(&self.shared), self.ticker.clone());
        let schedule = move |runnable: Runnable<Turn>| {
            shared.schedule(runnable);
            ticker.wake();
        };
        let within = Within { runtime: Handle::current(), future: Box::pin(future) };
        let (runnable, task) = Builder::new().metadata(turn).spawn(|_| within, schedule);
        runnable.schedule();
        task.fallible()
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // The last host may go with a call, on one of these threads: they are not waited for.
        self.shared.prompt.close();
        self.shared.background.close();
        self.ticker.stop();
    }
}

impl Shared {
    fn schedule(&self, runnable: Runnable<Turn>) {
        let turn = runnable.metadata();
        let number = turn.lane.number;
        self.pending.fetch_add(1, Ordering::SeqCst);
        if !turn.meter.is_long() && !turn.lane.is_overdrawn(Instant::now()) {
            self.prompt.push(number, runnable);
        } else if self.background.push(number, runnable) == Waited::First {
            self.relief.served(self.now_ns());
        }
    }

    /// Lends a prompt thread to a call if the background threads are starved.
    fn relieve(&self) {
        let now_ns = self.now_ns();
        if !self.relief.is_due(now_ns, || self.crew.background_ran_ns()) {
            return;
        }
        if let Some(runnable) = self.background.try_pop() {
            let number = runnable.metadata().lane.number;
            self.background.done(number);
            self.prompt.push(number, runnable);
        }
        self.relief.served(now_ns);
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn serve_prompt(&self, thread: &Thread) {
        while let Some(runnable) = self.prompt.wait() {
            let Turn { lane, meter } = runnable.metadata().clone();
            let before = meter.spent();
            let watched = self.crew.begin(thread, self.now_ns());
            self.run(runnable);
            lane.charge(Instant::now(), meter.spent().saturating_sub(before));
            self.prompt.done(lane.number);
            if watched.end() == End::Stuck {
                // Another thread has taken this one's place.
                self.crew.join_background(thread);
                return self.serve_background(thread);
            }
        }
    }

    fn serve_background(&self, thread: &Thread) {
        thread.lower();
        while !self.crew.leave_background(thread)
            && let Some(runnable) = self.background.wait()
        {
            let number = runnable.metadata().lane.number;
            self.relief.served(self.now_ns());
            self.run(runnable);
            self.background.done(number);
        }
    }

    /// Gives a call its turn. A panic ends the call and not the thread: its hook has reported it,
    /// and the task that waits for the call learns that there is no answer.
    fn run(&self, runnable: Runnable<Turn>) {
        let _panicked = catch_unwind(AssertUnwindSafe(|| runnable.run()));
        self.pending.fetch_sub(1, Ordering::SeqCst);
    }
}

fn start_prompt(shared: &Arc<Shared>) -> std::io::Result<()> {
    let shared = Arc::clone(shared);
    let serve = move || shared.serve_prompt(&Thread::current());
    std::thread::Builder::new().name("guest-prompt".into()).spawn(serve).map(drop)
}

fn start_background(shared: &Arc<Shared>) -> std::io::Result<()> {
    let shared = Arc::clone(shared);
    let serve = move || {
        let thread = Thread::current();
        shared.crew.join_background(&thread);
        shared.serve_background(&thread);
    };
    std::thread::Builder::new().name("guest-background".into()).spawn(serve).map(drop)
}

/// A future within a runtime, whose timers and connections it uses.
struct Within<F> {
    runtime: Handle,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { runtime, future } = self.get_mut();
        let _entered = runtime.enter();
        future.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests;
