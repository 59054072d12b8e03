//! The door to the engine: a cheap-clone handle, and behind it the one loop that owns the plans.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::fulfilment::PatchError;
use model::journal::{CancelRequest, Refusal};
use model::{Event, Fulfilment, FulfilmentId, Record, Timestamp};
use serde_json::{Map, Value};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::clock::Clock;
use crate::core::{
    After, Answer, Core, Durability, Input, Published, Received, RecoverError, Step,
    read_fulfilment,
};
use crate::pools::Pools;
use crate::store::{Appended, Batch, Epoch, Put, Store, Unreadable, Write};
use crate::worker::{Call, Worker};

/// So many inputs may wait for the loop.
const INPUTS_MAX: usize = 16_384;

/// So many records may wait for a slow watcher before it misses some.
const PUBLISHED_MAX: usize = 8_192;

/// So many inputs are taken before commits are looked at again.
const INPUTS_AT_ONCE: usize = 256;

type Reply = oneshot::Sender<Answer>;

/// The engine. Clones share the same loop.
#[derive(Clone)]
pub struct Engine {
    inputs: mpsc::Sender<Input<Reply>>,
    published: broadcast::Sender<Published>,
    store: Arc<dyn Store>,
    epoch: Epoch,
    clock: Arc<dyn Clock>,
    pools: Pools,
    counters: Arc<Counters>,
}

/// What the engine counts, for metrics. All but the first grow for ever.
#[derive(Debug, Default)]
pub struct Counters {
    /// Open fulfilments.
    pub open: AtomicU64,
    /// Fulfilments that were submitted.
    pub submitted: AtomicU64,
    /// Fulfilments that ended.
    pub ended: AtomicU64,
    /// Calls to plugins.
    pub calls: AtomicU64,
    /// Commits.
    pub commits: AtomicU64,
    /// Documents that were met and could not be read.
    pub unreadable: Unreadable,
}

/// What the engine works with.
pub struct Parts {
    /// Where facts are kept.
    pub store: Arc<dyn Store>,
    /// Who runs plugins.
    pub worker: Arc<dyn Worker>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The pools, defined.
    pub pools: Pools,
    /// Whether pure tasks share commits.
    pub durability: Durability,
}

/// The engine has stopped: its store failed, or it was shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped")]
pub struct Stopped;

/// Why a fulfilment cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The engine has stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The store has something unreadable.
    #[error("the journal cannot be read")]
    Journal(#[source] RecoverError),
}

/// Why an order is not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// There is none.
    #[error("there is no order `{0}`")]
    Unknown(FulfilmentId),
    /// It goes on, or has ended.
    #[error(transparent)]
    Refused(Refusal),
    /// Nobody can tell.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why an order's attributes are not changed.
#[derive(Debug, thiserror::Error)]
pub enum AmendError {
    /// There is none.
    #[error("there is no order `{0}`")]
    Unknown(FulfilmentId),
    /// They may not be changed.
    #[error(transparent)]
    Refused(PatchError),
    /// Nobody can tell.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What became of a submission.
#[derive(Clone, Debug)]
pub enum Submitted {
    /// It is on disk.
    New(Arc<Fulfilment>),
    /// The client's key was used before, for this fulfilment.
    Before(FulfilmentId),
}

/// The engine's loop, to be run until it ends.
pub struct Loop {
    core: Core<Reply>,
    parts: Parts,
    inputs: mpsc::Receiver<Input<Reply>>,
    sender: mpsc::WeakSender<Input<Reply>>,
    published: broadcast::Sender<Published>,
    counters: Arc<Counters>,
    /// Commits on their way to the disk, oldest first, with what to do then.
    commits: VecDeque<(Option<Appended>, Vec<After<Reply>>)>,
}

impl Engine {
    /// Begins from what the store holds. The loop must be run for anything to happen.
    pub fn begin(parts: Parts) -> Result<(Self, Loop), RecoverError> {
        let (core, steps) = Core::recover(
            &*parts.store,
            Arc::clone(&parts.worker),
            parts.pools.clone(),
            parts.durability,
            parts.clock.now(),
        )?;
        let (sender, inputs) = mpsc::channel(INPUTS_MAX);
        let (published, _) = broadcast::channel(PUBLISHED_MAX);
        let counters = Arc::new(Counters::default());
        let engine = Self {
            inputs: sender,
            published: published.clone(),
            store: Arc::clone(&parts.store),
            epoch: core.epoch(),
            clock: Arc::clone(&parts.clock),
            pools: parts.pools.clone(),
            counters: Arc::clone(&counters),
        };
        let sender = engine.inputs.downgrade();
        let commits = VecDeque::new();
        let mut engine_loop = Loop { core, parts, inputs, sender, published, counters, commits };
        for step in steps {
            engine_loop.begin_step(step);
        }
        Ok((engine, engine_loop))
    }

    /// Who holds what of the pools.
    pub fn pools(&self) -> &Pools {
        &self.pools
    }

    /// Submits an order or a run. When this returns it is on disk.
    pub async fn submit(
        &self,
        fulfilment: Fulfilment,
        events: Vec<Event>,
        submission: Option<String>,
    ) -> Result<Submitted, Stopped> {
        let fulfilment = Box::new(fulfilment);
        let submit = |reply| Input::Submit { fulfilment, events, submission, reply };
        match self.ask(submit).await? {
            Answer::Fulfilment(Some(fulfilment)) => {
                self.counters.submitted.fetch_add(1, Ordering::Relaxed);
                Ok(Submitted::New(fulfilment))
            }
            Answer::Submitted(id) => Ok(Submitted::Before(id)),
            Answer::Fulfilment(None)
            | Answer::Callback(_)
            | Answer::Reopened(_)
            | Answer::NotCancelled(_)
            | Answer::NotPatched(_)
            | Answer::Stale => Err(Stopped),
        }
    }

    /// Delivers an element's answer. When this returns it is on disk, or nobody waits for it.
    pub async fn callback(&self, key: String, payload: Value) -> Result<Received, Stopped> {
        match self.ask(|reply| Input::Callback { key, payload, reply }).await? {
            Answer::Callback(received) => Ok(received),
            Answer::Fulfilment(_)
            | Answer::Submitted(_)
            | Answer::Reopened(_)
            | Answer::NotCancelled(_)
            | Answer::NotPatched(_)
            | Answer::Stale => Err(Stopped),
        }
    }

    /// Has what failed tried again; says how many tasks that were, nothing where the fulfilment is
    /// not open.
    pub async fn reopen(&self, id: FulfilmentId) -> Result<Option<usize>, Stopped> {
        match self.ask(|reply| Input::Reopen { fulfilment: id, reply }).await? {
            Answer::Reopened(count) => Ok(count),
            Answer::Fulfilment(_)
            | Answer::Submitted(_)
            | Answer::Callback(_)
            | Answer::NotCancelled(_)
            | Answer::NotPatched(_)
            | Answer::Stale => Err(Stopped),
        }
    }

    /// Has an order taken back, or says why it is not. When this returns the answer is on disk,
    /// and so is the document of the request; what was done is taken back from then on.
    pub async fn cancel(
        &self,
        id: &FulfilmentId,
        request: CancelRequest,
    ) -> Result<Arc<Fulfilment>, CancelError> {
        let fulfilment = id.clone();
        let answer = self.ask(|reply| Input::Cancel { fulfilment, request, reply }).await;
        match answer.map_err(ReadError::Stopped)? {
            Answer::Fulfilment(Some(open)) => Ok(open),
            Answer::NotCancelled(refusal) => Err(CancelError::Refused(refusal)),
            Answer::Fulfilment(None)
            | Answer::Submitted(_)
            | Answer::Callback(_)
            | Answer::Reopened(_)
            | Answer::NotPatched(_)
            | Answer::Stale => {
                let ended = read_fulfilment(&*self.store, id).map_err(ReadError::Journal)?;
                let ended = ended.ok_or_else(|| CancelError::Unknown(id.clone()))?;
                let state = ended.order_state().into();
                Err(CancelError::Refused(Refusal::Final { state }))
            }
        }
    }

    /// Changes attributes of an order, open or ended, that nothing is decided by. `resource` is
    /// what the order is, such as `productOrder`. When this returns it is on disk.
    pub async fn amend_document(
        &self,
        id: &FulfilmentId,
        resource: &str,
        patch: &Map<String, Value>,
    ) -> Result<Arc<Fulfilment>, AmendError> {
        let mut ended = None;
        loop {
            let input = |reply| Input::Patch {
                fulfilment: id.clone(),
                ended,
                resource: resource.into(),
                patch: patch.clone(),
                reply,
            };
            match self.ask(input).await.map_err(ReadError::Stopped)? {
                Answer::Fulfilment(Some(changed)) => return Ok(changed),
                Answer::NotPatched(error) => return Err(AmendError::Refused(error)),
                // It is not open: whatever it became is on disk by now, since this answer came
                // after it.
                Answer::Fulfilment(None)
                | Answer::Stale
                | Answer::Submitted(_)
                | Answer::Callback(_)
                | Answer::Reopened(_)
                | Answer::NotCancelled(_) => {
                    let read = read_fulfilment(&*self.store, id).map_err(ReadError::Journal)?;
                    let read = read.ok_or_else(|| AmendError::Unknown(id.clone()))?;
                    ended = Some(Box::new(read));
                }
            }
        }
    }

    /// A fulfilment, open or ended; nothing where there is none.
    pub async fn get(&self, id: &FulfilmentId) -> Result<Option<Arc<Fulfilment>>, ReadError> {
        let fulfilment = id.clone();
        let answer = self.ask(|reply| Input::Get { fulfilment, reply }).await?;
        self.open_or_ended(id, answer)
    }

    /// The open fulfilment that changes any of some earlier work, which is known by its keys.
    pub async fn claimant(&self, keys: Vec<String>) -> Result<Option<FulfilmentId>, Stopped> {
        let Answer::Fulfilment(open) = self.ask(|reply| Input::Claimant { keys, reply }).await?
        else {
            return Err(Stopped);
        };
        Ok(open.map(|open| open.id.clone()))
    }

    /// Waits until a fulfilment has ended; nothing where there is none.
    pub async fn ended(&self, id: &FulfilmentId) -> Result<Option<Arc<Fulfilment>>, ReadError> {
        let fulfilment = id.clone();
        let answer = self.ask(|reply| Input::AwaitEnd { fulfilment, reply }).await?;
        self.open_or_ended(id, answer)
    }

    /// Writes documents that no fulfilment owns, together or not at all. When this returns they
    /// are on disk.
    pub async fn write(&self, documents: Vec<Put>) -> Result<(), crate::store::Error> {
        self.append(Vec::new(), documents).await
    }

    /// Writes facts and documents that no fulfilment owns, together or not at all. Their place in
    /// the order is taken at once; they are on disk when the answer comes.
    pub fn append(&self, writes: Vec<Write>, documents: Vec<Put>) -> Appended {
        let at = self.clock.now();
        self.store.append(Batch { epoch: self.epoch, at, writes, documents })
    }

    /// What time it is, as the engine has it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The records of all fulfilments from now on. A watcher that is too slow is told how many it
    /// missed, and reads them from the store.
    pub fn watch(&self) -> broadcast::Receiver<Published> {
        self.published.subscribe()
    }

    /// What the engine counts.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Where the facts are.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    fn open_or_ended(
        &self,
        id: &FulfilmentId,
        answer: Answer,
    ) -> Result<Option<Arc<Fulfilment>>, ReadError> {
        match answer {
            Answer::Fulfilment(Some(open)) => Ok(Some(open)),
            Answer::Fulfilment(None)
            | Answer::Submitted(_)
            | Answer::Callback(_)
            | Answer::Reopened(_)
            | Answer::NotCancelled(_)
            | Answer::NotPatched(_)
            | Answer::Stale => {
                let ended = read_fulfilment(&*self.store, id).map_err(ReadError::Journal)?;
                Ok(ended.map(Arc::new))
            }
        }
    }

    async fn ask(&self, input: impl FnOnce(Reply) -> Input<Reply>) -> Result<Answer, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.inputs.send(input(reply)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

impl Loop {
    /// Runs until every handle is gone and what was begun is on disk, or the store fails.
    pub async fn run(mut self) -> Result<(), crate::store::Error> {
        let mut inputs = Vec::with_capacity(INPUTS_AT_ONCE);
        loop {
            let now = self.parts.clock.now();
            for step in self.core.wake(now) {
                self.begin_step(step);
            }
            self.counters.open.store(self.core.open() as u64, Ordering::Relaxed);
            let wake_at = self.core.wake_at();
            let clock = Arc::clone(&self.parts.clock);
            tokio::select! {
                biased;
                durable = next_commit(&mut self.commits) => self.finish(durable?),
                count = self.inputs.recv_many(&mut inputs, INPUTS_AT_ONCE) => {
                    if count == 0 {
                        return self.drain().await;
                    }
                    let now = self.parts.clock.now();
                    for input in inputs.drain(..) {
                        let step = self.core.handle(now, input);
                        self.begin_step(step);
                    }
                }
                () = clock.sleep_until(wake_at) => {}
            }
        }
    }

    /// Writes what is on its way; nothing new is begun.
    async fn drain(mut self) -> Result<(), crate::store::Error> {
        while let Some((commit, _)) = self.commits.pop_front() {
            if let Some(commit) = commit {
                commit.await?;
            }
        }
        Ok(())
    }

    fn begin_step(&mut self, step: Step<Reply>) {
        for call in step.now {
            self.call(call);
        }
        if step.commit.is_empty() {
            return;
        }
        let (batch, then) = step.commit.split(self.core.epoch());
        let appended = batch.map(|batch| {
            self.counters.commits.fetch_add(1, Ordering::Relaxed);
            self.parts.store.append(batch)
        });
        if appended.is_none() && self.commits.is_empty() {
            self.finish(then);
        } else {
            self.commits.push_back((appended, then));
        }
    }

    fn finish(&mut self, then: Vec<After<Reply>>) {
        for after in then {
            match after {
                After::Run(call) => self.call(call),
                After::Reply(reply, answer) => {
                    if reply.send(answer).is_err() {
                        tracing::debug!("whoever asked has gone away");
                    }
                }
                After::Publish(published) => {
                    if ends(&published.record) {
                        self.counters.ended.fetch_add(1, Ordering::Relaxed);
                    }
                    // An error says that nobody watches, which is as good.
                    self.published.send(published).ok();
                }
            }
        }
    }

    fn call(&self, call: Call) {
        self.counters.calls.fetch_add(1, Ordering::Relaxed);
        let (fulfilment, task) = (call.fulfilment.clone(), call.task);
        let attempt = call.attempt;
        let running = self.parts.worker.run(call);
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let report = running.await;
            let finished = Input::Finished { fulfilment, task, attempt, report };
            if let Some(sender) = sender.upgrade() {
                // An error says that the engine has stopped; the journal knows what was begun.
                sender.send(finished).await.ok();
            }
        });
    }
}

/// Whether a fulfilment ends with a record; what is changed of it later follows that.
fn ends(record: &Record) -> bool {
    let is_end = |event: &Event| matches!(event, Event::Ended { .. } | Event::Rejected { .. });
    record.events.iter().any(is_end)
}

/// Waits for the oldest commit; for ever where there is none.
async fn next_commit(
    commits: &mut VecDeque<(Option<Appended>, Vec<After<Reply>>)>,
) -> Result<Vec<After<Reply>>, crate::store::Error> {
    match commits.front_mut() {
        Some((Some(appended), _)) => appended.await?,
        Some((None, _)) => {}
        None => std::future::pending().await,
    }
    Ok(commits.pop_front().map(|(_, then)| then).unwrap_or_default())
}

#[cfg(test)]
mod tests;
