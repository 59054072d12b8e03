//! A subscription and its progress: shared by its worker and by requests that read or
//! change it.

use engine::documents::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::store::Write;
use engine::{Engine, keys};
use tmf::subscription::{Answer, Patience, Progress, Subscription, Then};
use tmf::time::Timestamp;
use tokio::sync::watch;

use crate::access::{Identity, Owners, Reader};

/// A subscription with its progress.
#[derive(Debug)]
pub struct Subscriber {
    /// The subscription.
    pub subscription: Subscription,
    /// Who made it: it gets what this one may read now. `None` if access was off.
    owner: Option<Arc<Identity>>,
    state: Mutex<State>,
    /// Counts changes by clients: attempts that a worker began before the last one are ignored.
    turn: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    progress: Progress,
    /// The next event, as written to disk.
    kept: u64,
    has_courier: bool,
    is_writing: bool,
    is_stale: bool,
    has_ended: bool,
}

/// The position of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) next: u64,
    pub(super) turn: u64,
}

/// The task of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Send from here on.
    Send(Position),
    /// Wait for a change.
    Wait,
    /// The subscription was removed.
    End,
}

impl Subscriber {
    pub(super) fn new(
        subscription: Subscription,
        owner: Option<Arc<Identity>>,
        progress: Progress,
    ) -> Self {
        let state = State {
            kept: progress.next,
            progress,
            has_courier: false,
            is_writing: false,
            is_stale: false,
            has_ended: false,
        };
        Self { subscription, owner, state: Mutex::new(state), turn: watch::Sender::new(0) }
    }

    /// Whether an identity made it.
    pub fn is_of(&self, identity: &Identity) -> bool {
        let owner = self.owner.as_deref().and_then(Identity::namespace);
        owner.is_some() && owner == identity.namespace()
    }

    /// Whether the same identity made another one.
    pub(super) fn has_same_owner(&self, owner: Option<&Identity>) -> bool {
        self.owner.as_deref().and_then(Identity::namespace) == owner.and_then(Identity::namespace)
    }

    /// What its owner may read now.
    pub(super) fn reader(&self, owners: &Owners) -> Reader {
        self.owner.as_ref().map_or(Reader::All, |owner| owners.reader(owner))
    }

    /// Its progress.
    pub fn progress(&self) -> Progress {
        self.state().progress.clone()
    }

    /// The stored progress.
    pub(super) fn kept(&self) -> Write {
        self.state().write(&self.subscription.id)
    }

    /// Returns true once, to the caller that starts the worker.
    pub(super) fn claim_worker(&self) -> bool {
        !std::mem::replace(&mut self.state().has_courier, true)
    }

    /// Follows changes by clients.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.turn.subscribe()
    }

    /// The current task of its worker.
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

    /// The number of events done since the progress was written.
    pub(super) fn unkept(&self) -> u64 {
        let state = self.state();
        state.progress.next.abs_diff(state.kept)
    }

    /// Writes the progress soon. One write is under way at a time: later changes
    /// go into the next.
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

    /// Writes the progress with other facts, atomically.
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

    /// Changes counters beside the delivery, with other facts.
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

    /// Stops its worker, and writes its progress no more.
    pub(super) fn end(&self) {
        self.state().has_ended = true;
        self.turn.send_modify(|turn| *turn += 1);
    }

    /// Writes unwritten progress when the server stops.
    pub(super) async fn close(&self, engine: &Engine) {
        if self.unkept() == 0 {
            return;
        }
        if let Err(error) = self.keep_with(Vec::new(), engine).await {
            tracing::warn!(%error, "how far events were delivered cannot be kept");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
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
    ) -> Option<engine::documents::Written> {
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
