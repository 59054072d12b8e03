//! A subscription and how far it has come: shared by its worker and by those who ask about it or
//! change it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::store::{Error, Write};
use engine::{Engine, keys};
use tmf::subscription::{Answer, Patience, Progress, Subscription, Then};
use tmf::time::Timestamp;
use tokio::sync::watch;

/// A subscription with its progress.
#[derive(Debug)]
pub struct Subscriber {
    /// Whom it is for, and what about.
    pub subscription: Subscription,
    state: Mutex<State>,
    /// Counts what people change: whatever a worker began before does not count.
    turn: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    progress: Progress,
    /// The next event as it is kept.
    kept: u64,
    has_courier: bool,
    is_writing: bool,
    is_stale: bool,
    has_ended: bool,
}

/// Where a worker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) next: u64,
    pub(super) turn: u64,
}

/// What a worker has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Send from here on.
    Send(Position),
    /// Wait until something is changed.
    Wait,
    /// There is no such subscription any more.
    End,
}

impl Subscriber {
    pub(super) fn new(subscription: Subscription, progress: Progress) -> Self {
        let state = State {
            kept: progress.next,
            progress,
            has_courier: false,
            is_writing: false,
            is_stale: false,
            has_ended: false,
        };
        Self { subscription, state: Mutex::new(state), turn: watch::Sender::new(0) }
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.state().progress.clone()
    }

    /// What is kept of its progress.
    pub(super) fn kept(&self) -> Write {
        self.state().write(&self.subscription.id)
    }

    /// Whether it has no worker yet; from now on it has.
    pub(super) fn takes_courier(&self) -> bool {
        !std::mem::replace(&mut self.state().has_courier, true)
    }

    /// Follows what people change.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.turn.subscribe()
    }

    /// What its worker has to do now.
    pub(super) fn task(&self) -> Task {
        let state = self.state();
        if state.has_ended {
            Task::End
        } else if state.progress.is_active() {
            Task::Send(Position { next: state.progress.next, turn: *self.turn.borrow() })
        } else {
            Task::Wait
        }
    }

    /// Notes that events before this one are settled without being sent; false if a client
    /// changed the subscription meanwhile.
    pub(super) fn skip(&self, turn: u64, next: u64) -> bool {
        let mut state = self.state();
        if *self.turn.borrow() != turn || state.has_ended {
            return false;
        }
        state.progress.skip_to(next);
        true
    }

    /// Notes that events before this one were removed.
    pub(super) fn lost_until(&self, turn: u64, first: u64) {
        let mut state = self.state();
        if *self.turn.borrow() == turn {
            state.progress.lost_until(first);
        }
    }

    /// Notes the result of an attempt; ignored if a client changed the subscription meanwhile.
    pub(super) fn answered(
        &self,
        turn: u64,
        answer: Answer,
        now: Timestamp,
        patience: &Patience,
    ) -> Option<Then> {
        let mut state = self.state();
        if *self.turn.borrow() != turn || state.has_ended {
            return None;
        }
        Some(state.progress.answered(answer, now, patience, &self.subscription.id))
    }

    /// How many events were settled that are not kept as such.
    pub(super) fn unkept(&self) -> u64 {
        let state = self.state();
        state.progress.next.abs_diff(state.kept)
    }

    /// Keeps the progress, some time soon. One write is on its way at one time: what comes
    /// meanwhile goes into the next.
    pub(super) fn keep(self: &Arc<Self>, engine: &Engine) {
        let mut state = self.state();
        if state.is_writing {
            state.is_stale = true;
            return;
        }
        let Some(mut appended) = state.append(&self.subscription.id, Vec::new(), engine) else {
            return;
        };
        state.is_writing = true;
        drop(state);
        let (subscriber, engine) = (Arc::clone(self), engine.clone());
        tokio::spawn(async move {
            loop {
                if let Err(error) = appended.await {
                    tracing::error!(%error, "how far events were delivered cannot be kept");
                }
                let mut state = subscriber.state();
                let again = std::mem::take(&mut state.is_stale);
                let next =
                    again.then(|| state.append(&subscriber.subscription.id, Vec::new(), &engine));
                match next.flatten() {
                    Some(next) => appended = next,
                    None => {
                        state.is_writing = false;
                        return;
                    }
                }
            }
        });
    }

    /// Keeps the progress with other facts, together or not at all.
    pub(super) async fn keep_with(&self, writes: Vec<Write>, engine: &Engine) -> Result<(), Error> {
        let appended = self.state().append(&self.subscription.id, writes, engine);
        match appended {
            Some(appended) => appended.await,
            None => Ok(()),
        }
    }

    /// Changes the progress at a client's request; the current attempt of its worker does not count.
    pub(super) async fn change(
        &self,
        engine: &Engine,
        change: impl FnOnce(&mut Progress),
    ) -> Result<(), Error> {
        self.note(engine, Vec::new(), |progress| {
            change(progress);
            self.turn.send_modify(|turn| *turn += 1);
        })
        .await
    }

    /// Changes what is known beside the delivery, with other facts.
    pub(super) async fn note(
        &self,
        engine: &Engine,
        writes: Vec<Write>,
        change: impl FnOnce(&mut Progress),
    ) -> Result<(), Error> {
        let appended = {
            let mut state = self.state();
            change(&mut state.progress);
            state.append(&self.subscription.id, writes, engine)
        };
        match appended {
            Some(appended) => appended.await,
            None => Ok(()),
        }
    }

    /// Has its worker end, and keeps nothing of it any more.
    pub(super) fn end(&self) {
        self.state().has_ended = true;
        self.turn.send_modify(|turn| *turn += 1);
    }

    /// Keeps the progress where that was not done, as the server stops.
    pub(super) async fn close(&self, engine: &Engine) {
        if self.unkept() == 0 {
            return;
        }
        if let Err(error) = self.keep_with(Vec::new(), engine).await {
            tracing::warn!(%error, "how far events were delivered cannot be kept");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Writes the current progress, in its place among the writes; not if the
    /// subscription was removed.
    fn append(
        &mut self,
        id: &str,
        mut writes: Vec<Write>,
        engine: &Engine,
    ) -> Option<engine::store::Appended> {
        if self.has_ended {
            return None;
        }
        writes.push(self.write(id));
        self.kept = self.progress.next;
        Some(engine.append(writes, Vec::new()))
    }

    fn write(&self, id: &str) -> Write {
        let progress = serde_json::to_vec(&self.progress).expect("progress is plain data");
        (keys::progress(id), Some(progress))
    }
}
