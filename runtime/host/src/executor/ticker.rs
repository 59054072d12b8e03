//! Counts epochs while guests run, and looks after prompt threads that are stuck.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::priority::Thread;
use super::{Shared, start_prompt};
use crate::limits::EPOCH;

/// A prompt thread that has one call for longer is looked at, and is stuck if it has it for as long
/// again: epochs should have ended its turn.
const STUCK: Duration = Duration::from_millis(5);

/// After this many epochs in which nothing ran the ticker sleeps.
const QUIET_EPOCHS: u32 = 20;

/// Wakes the ticker; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Ticker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handle: JoinHandle<()>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_asleep: AtomicBool,
    is_stopped: AtomicBool,
}

/// Who works on what.
#[derive(Debug)]
pub(super) struct Crew {
    /// How many background threads there are, which ones, and how many there are to be.
    background: AtomicUsize,
    background_threads: Mutex<Vec<Thread>>,
    background_max: usize,
    turns: Mutex<Turns>,
}

/// The turns that prompt threads give now.
#[derive(Debug, Default)]
struct Turns {
    last: u64,
    began: BTreeMap<u64, Began>,
}

/// A turn, and when it began.
#[derive(Clone, Copy, Debug)]
struct Began {
    thread: Thread,
    at_ns: u64,
    /// When it was looked at first, and how long the thread had waited for a core by then.
    looked: Option<(u64, u64)>,
}

/// A turn on a prompt thread.
pub(super) struct Watched<'a> {
    crew: &'a Crew,
    turn: u64,
}

/// How a turn on a prompt thread ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// In time.
    InTime,
    /// So late that another thread took the place of this one.
    Stuck,
}

impl Crew {
    pub(super) fn new(background: usize) -> Self {
        Self {
            background: AtomicUsize::new(0),
            background_threads: Mutex::default(),
            background_max: background,
            turns: Mutex::default(),
        }
    }

    /// Notes that a prompt thread begins with a call.
    pub(super) fn begin(&self, thread: &Thread, now_ns: u64) -> Watched<'_> {
        let mut turns = self.turns();
        turns.last += 1;
        let turn = turns.last;
        turns.began.insert(turn, Began { thread: *thread, at_ns: now_ns, looked: None });
        Watched { crew: self, turn }
    }

    /// Counts one more background thread.
    pub(super) fn join_background(&self, thread: &Thread) {
        self.background_threads().push(*thread);
        self.background.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a background thread is one too many and may end; then it is no longer counted.
    pub(super) fn leave_background(&self, thread: &Thread) -> bool {
        let fewer = |count| (count > self.background_max).then(|| count - 1);
        let leaves =
            self.background.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok();
        if leaves {
            self.background_threads().retain(|one| one != thread);
        }
        leaves
    }

    /// How long the background threads have had a core, all together.
    pub(super) fn background_ran_ns(&self) -> u64 {
        self.background_threads().iter().map(Thread::ran_ns).sum()
    }

    fn background_threads(&self) -> MutexGuard<'_, Vec<Thread>> {
        self.background_threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out the turns in which prompt threads are stuck.
    fn stuck(&self, now_ns: u64) -> Vec<(u64, Began)> {
        let mut stuck = Vec::new();
        self.turns().began.retain(|turn, began| {
            let is_stuck = began.is_stuck(now_ns);
            if is_stuck {
                stuck.push((*turn, *began));
            }
            !is_stuck
        });
        stuck
    }

    /// Lets a thread that is stuck remain a prompt one.
    fn keep(&self, turn: u64, began: Began) {
        self.turns().began.insert(turn, began);
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        // Every change leaves the turns consistent, so a poisoned lock is still good.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Began {
    /// Whether the call keeps its thread, at work or blocked. One that waits for a core, because the
    /// machine is busy with others, does not.
    fn is_stuck(&mut self, now_ns: u64) -> bool {
        let is_long = |ns: u64| u128::from(ns) > STUCK.as_nanos();
        if !is_long(now_ns.saturating_sub(self.at_ns)) {
            return false;
        }
        let waited = self.thread.waited_ns();
        let (looked_ns, waited_before) = *self.looked.get_or_insert((now_ns, waited));
        let kept = now_ns.saturating_sub(looked_ns);
        is_long(kept.saturating_sub(waited.saturating_sub(waited_before)))
    }
}

impl Watched<'_> {
    /// Ends the turn.
    pub(super) fn end(self) -> End {
        match self.crew.turns().began.remove(&self.turn) {
            Some(_) => End::InTime,
            None => End::Stuck,
        }
    }
}

/// Starts the ticker.
pub(super) fn start(
    shared: Arc<Shared>,
    tick: impl Fn() + Send + 'static,
) -> std::io::Result<Ticker> {
    let state = Arc::new(State::default());
    let seen = Arc::clone(&state);
    let handle = std::thread::Builder::new()
        .name("guest-epoch".into())
        .spawn(move || count(&shared, &seen, &tick))?;
    Ok(Ticker(Arc::new(Inner { handle, state })))
}

impl Ticker {
    /// Makes sure that epochs are counted, because a call is about to run.
    pub(super) fn wake(&self) {
        if self.0.state.is_asleep.load(Ordering::SeqCst) {
            self.0.handle.thread().unpark();
        }
    }

    /// Ends the ticker.
    pub(super) fn stop(&self) {
        self.0.state.is_stopped.store(true, Ordering::SeqCst);
        self.0.handle.thread().unpark();
    }
}

fn count(shared: &Arc<Shared>, state: &State, tick: &dyn Fn()) {
    let mut quiet = 0;
    while !state.is_stopped.load(Ordering::SeqCst) {
        if quiet == QUIET_EPOCHS {
            sleep(shared, state);
            quiet = 0;
        }
        std::thread::sleep(EPOCH);
        quiet = if is_quiet(shared) { quiet + 1 } else { 0 };
        tick();
        replace_stuck(shared);
        shared.relieve();
    }
}

/// Sleeps until a call is about to run.
fn sleep(shared: &Shared, state: &State) {
    state.is_asleep.store(true, Ordering::SeqCst);
    // A thread that queues a call sees that this one is asleep, or this one sees the call.
    if is_quiet(shared) && !state.is_stopped.load(Ordering::SeqCst) {
        std::thread::park();
    }
    state.is_asleep.store(false, Ordering::SeqCst);
}

fn is_quiet(shared: &Shared) -> bool {
    shared.pending.load(Ordering::SeqCst) == 0
}

fn replace_stuck(shared: &Arc<Shared>) {
    for (turn, began) in shared.crew.stuck(shared.now_ns()) {
        if let Err(error) = start_prompt(shared) {
            tracing::error!(%error, "no thread in place of one that a guest is stuck on");
            shared.crew.keep(turn, began);
            return;
        }
        began.thread.hold_back();
    }
}
