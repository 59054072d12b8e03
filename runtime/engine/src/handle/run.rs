//! The one loop that owns the plans: it takes inputs, writes their consequences, and then acts on them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use model::{Event, FulfilmentId, Record};
use tokio::sync::{Semaphore, broadcast, mpsc};

use super::{Counters, Reply};
use crate::clock::Clock;
use crate::core::{
    After, Answer, Asked, Core, Due, Input, Published, Recalled, RecoverError, Step, read_sized,
};
use crate::documents::Error;
use crate::keys;
use crate::store::{self, Appended, Store};
use crate::worker::{Call, Worker};

/// Inputs that are taken before commits are checked again.
const INPUTS_AT_ONCE: usize = 256;

/// Max commits on their way to the disk; no input is taken while there are more.
const COMMITS_MAX: usize = 8_192;

/// How often a fulfilment is read once more after the store failed to.
const REREADS_MAX: u32 = 5;

/// Max fulfilments that are read again at one time.
pub(super) const READERS: usize = 8;

/// The pause before a callback or a journal is read again, while the store is away.
const RECALL_PAUSE: Duration = Duration::from_secs(1);

/// The engine's loop, to be run until it ends.
pub struct Loop {
    pub(super) core: Core<Reply>,
    /// What was open when it began; carried on when it runs.
    pub(super) due: Option<Due<Reply>>,
    pub(super) store: Arc<dyn Store>,
    pub(super) worker: Arc<dyn Worker>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) inputs: mpsc::Receiver<Asked<Reply>>,
    pub(super) sender: mpsc::WeakSender<Asked<Reply>>,
    pub(super) published: broadcast::Sender<Published>,
    /// Whether the actions after a commit are being carried out.
    pub(super) is_finishing: bool,
    pub(super) counters: Arc<Counters>,
    /// The turns of those that read a fulfilment again.
    pub(super) readers: Arc<Semaphore>,
    /// Commits on their way to the disk, oldest first, with the actions after them.
    pub(super) commits: VecDeque<(Option<Appended>, Vec<After<Reply>>)>,
}

impl Loop {
    /// Whether a fulfilment that is to be carried on uses a version of a plugin that is not there. Its steps would
    /// fail.
    pub fn lacks_a_plugin(&self) -> bool {
        let mut versions = self.due.iter().flat_map(Due::versions);
        versions.any(|digest| self.worker.effects(digest).is_none())
    }

    /// Runs until every handle is gone and all begun work is on disk, or the store fails.
    pub async fn run(mut self) -> Result<(), Error> {
        if let Some(due) = self.due.take() {
            for step in self.core.carry_on(self.clock.now(), due) {
                self.begin_step(step);
            }
            self.count();
        }
        let mut inputs = Vec::with_capacity(INPUTS_AT_ONCE);
        loop {
            let now = self.clock.now();
            for step in self.core.wake(now) {
                self.begin_step(step);
            }
            self.count();
            let wake_at = self.core.wake_at();
            let clock = Arc::clone(&self.clock);
            tokio::select! {
                biased;
                durable = next_commit(&mut self.commits) => self.finish(durable?),
                count = self.inputs.recv_many(&mut inputs, INPUTS_AT_ONCE),
                    if self.commits.len() < COMMITS_MAX =>
                {
                    if count == 0 {
                        return self.drain().await;
                    }
                    let now = self.clock.now();
                    for asked in inputs.drain(..) {
                        let step = self.core.handle(now, asked);
                        self.begin_step(step);
                    }
                }
                () = clock.sleep_until(wake_at) => {}
            }
        }
    }

    pub(super) fn count(&self) {
        let (kept, kept_bytes) = self.core.callbacks_kept();
        let set_aside = self.core.set_aside().count() as u64;
        for (counter, now) in [
            (&self.counters.open, self.core.open() as u64),
            (&self.counters.asleep, self.core.asleep() as u64),
            (&self.counters.open_bytes, self.core.open_bytes()),
            (&self.counters.set_aside, set_aside),
            (&self.counters.unreadable_facts, self.core.unreadable()),
            (&self.counters.callbacks_kept, kept),
            (&self.counters.callbacks_kept_bytes, kept_bytes),
        ] {
            counter.store(now, Ordering::Relaxed);
        }
    }

    /// Completes the commits on their way; nothing new is begun.
    async fn drain(mut self) -> Result<(), Error> {
        while let Some((commit, then)) = self.commits.pop_front() {
            if let Some(commit) = commit {
                outcome(commit.await, then)?;
            }
        }
        Ok(())
    }

    pub(super) fn begin_step(&mut self, step: Step<Reply>) {
        for call in step.now {
            self.call(call);
        }
        if step.commit.is_empty() {
            return;
        }
        let (batch, then) = step.commit.split(self.core.epoch());
        let appended = batch.map(|batch| {
            self.counters.commits.fetch_add(1, Ordering::Relaxed);
            self.store.append(batch)
        });
        // Consequences of actions that are being carried out come after them.
        if appended.is_none() && self.commits.is_empty() && !self.is_finishing {
            self.finish(then);
        } else {
            self.commits.push_back((appended, then));
        }
    }

    fn finish(&mut self, then: Vec<After<Reply>>) {
        self.is_finishing = true;
        self.carry_out(then);
        self.is_finishing = false;
    }

    fn carry_out(&mut self, then: Vec<After<Reply>>) {
        for after in then {
            match after {
                After::Run(call) => self.call(call),
                After::Recall(name) => self.recall(name),
                After::Reread(id) => self.reread(id),
                After::Reply(reply, answer) => tell(reply, answer),
                After::Written(reply) => tell(reply, Answer::Done),
                After::GoOn(id) => {
                    let now = self.clock.now();
                    for step in self.core.go_on(now, &id) {
                        self.begin_step(step);
                    }
                }
                After::Publish(published) => {
                    if ends(&published.record) {
                        self.counters.ended.fetch_add(1, Ordering::Relaxed);
                    }
                    // It fails if there is no watcher, which is fine.
                    self.published.send(published).ok();
                }
            }
        }
    }

    /// Reads a callback that is kept, beside the loop.
    fn recall(&self, name: String) {
        let store = Arc::clone(&self.store);
        // If the engine has stopped, the callback is still kept.
        self.later(async move {
            loop {
                let (store, name) = (Arc::clone(&store), name.clone());
                match tokio::task::spawn_blocking(move || kept(&*store, name)).await.ok()? {
                    Ok(recalled) => return Some(Input::Recalled(recalled)),
                    // A body that cannot be read now is not lost.
                    Err(store::Error::Away(_)) => tokio::time::sleep(RECALL_PAUSE).await,
                    Err(_) => return None,
                }
            }
        });
    }

    /// Reads a fulfilment that has left memory, beside the loop.
    fn reread(&self, fulfilment: FulfilmentId) {
        let (store, readers) = (Arc::clone(&self.store), Arc::clone(&self.readers));
        let sender = self.sender.clone();
        self.later(async move {
            let _turn = readers.acquire_owned().await.ok()?;
            let mut failures = 0;
            loop {
                let (store, id) = (Arc::clone(&store), fulfilment.clone());
                let reading = tokio::task::spawn_blocking(move || read_sized(&*store, &id));
                let read = reading.await.unwrap_or_else(|panicked| Err(unread(panicked)));
                match &read {
                    Err(RecoverError::Store(store::Error::Away(_))) => {}
                    // A disk that fails once may answer the next time.
                    Err(RecoverError::Store(_)) if failures < REREADS_MAX => failures += 1,
                    _ => {
                        let missing =
                            RecoverError::Missing { fulfilment: fulfilment.clone(), number: 0 };
                        let read = read.and_then(|read| read.map(Box::new).ok_or(missing));
                        return Some(Input::Reread { fulfilment, read });
                    }
                }
                sender.upgrade()?;
                tokio::time::sleep(RECALL_PAUSE).await;
            }
        });
    }

    fn call(&self, call: Call) {
        self.counters.calls.fetch_add(1, Ordering::Relaxed);
        let (fulfilment, task) = (call.fulfilment.clone(), call.task);
        let attempt = call.attempt;
        let running = self.worker.run(call);
        // If the engine has stopped, the journal has the begun call.
        self.later(async move {
            let report = running.await;
            Some(Input::Finished { fulfilment, task, attempt, report })
        });
    }

    /// Takes an input when it is there; it is dropped if the engine has stopped.
    fn later(&self, input: impl Future<Output = Option<Input<Reply>>> + Send + 'static) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            if let (Some(input), Some(sender)) = (input.await, sender.upgrade()) {
                sender.send(input.into()).await.ok();
            }
        });
    }
}

/// A journal whose reading panicked.
fn unread(panicked: tokio::task::JoinError) -> RecoverError {
    let source = Box::new(panicked);
    RecoverError::Store(store::Error::Failed { action: "read a journal", source })
}

/// Reads a kept callback. One that is damaged has no payload.
fn kept(store: &dyn Store, name: String) -> Result<Recalled, store::Error> {
    let payload = match store.get(&keys::callback_body(&name)) {
        Ok(bytes) => bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
        Err(error) => {
            tracing::error!(name, error = &error as &dyn std::error::Error, "cannot be read");
            if error.is_of_whole_store() {
                return Err(error);
            }
            None
        }
    };
    Ok(Recalled { name, payload })
}

/// Whether a fulfilment ends with a record; patches may follow the end.
fn ends(record: &Record) -> bool {
    let is_end = |event: &Event| matches!(event, Event::Ended { .. } | Event::Rejected { .. });
    record.events.iter().any(is_end)
}

/// Waits for the oldest commit; for ever if there is none.
async fn next_commit(
    commits: &mut VecDeque<(Option<Appended>, Vec<After<Reply>>)>,
) -> Result<Vec<After<Reply>>, Error> {
    let result = match commits.front_mut() {
        Some((Some(appended), _)) => appended.await,
        Some((None, _)) => Ok(()),
        None => std::future::pending().await,
    };
    let (_, then) = commits.pop_front().unwrap_or_default();
    outcome(result, then)
}

/// The actions after a commit. If it was refused because a document is not as its asker expected, only
/// that asker is told; any other failure ends the engine.
fn outcome(
    result: Result<(), store::Error>,
    mut then: Vec<After<Reply>>,
) -> Result<Vec<After<Reply>>, Error> {
    match (result.map_err(Error::from), then.as_slice()) {
        (Err(Error::Conflict { .. }), [After::Written(_)]) => {
            let stale = |after| match after {
                After::Written(reply) => Some(After::Reply(reply, Answer::Stale)),
                After::Run(_)
                | After::Reply(..)
                | After::Recall(_)
                | After::Reread(_)
                | After::Publish(_)
                | After::GoOn(_) => None,
            };
            Ok(then.drain(..).filter_map(stale).collect())
        }
        (result, _) => result.map(|()| then),
    }
}

fn tell(reply: Reply, answer: Answer) {
    if reply.send(answer).is_err() {
        tracing::debug!("the asker has gone away");
    }
}
