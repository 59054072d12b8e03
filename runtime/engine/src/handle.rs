//! The engine for its users: a cheap-clone handle, and behind it the one loop that owns the plans.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other answer than its own is a bug of ours"
)]

mod errors;
mod indexes;
mod quarantine;
mod run;
mod submit;
mod write;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use model::fulfilment::NotGivenUp;
use model::journal::{CancelRequest, Refusal};
use model::{Fulfilment, FulfilmentId, PluginId};
use tmf::time::Timestamp;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};

pub use errors::{
    AmendError, AskError, CancelError, DecideError, QuarantineError, ReadError, Stopped,
};
pub use run::Loop;
pub use submit::{NotSubmitted, Submitted};
pub use write::NotWritten;

use crate::address::{Addresses, SECRET_BYTES};
use crate::audit::{self, Audited};
use crate::clock::Clock;
use crate::core::{
    Amendment, Answer, Asked, Callback, Core, Denied, Durability, Input, Published, Received,
    RecoverError, Setup, Wish, read_fulfilment,
};
use crate::documents::{self, Put, Unreadable, Written};
use crate::limits::{Limits, Shares};
use crate::pools::Pools;
use crate::store::{Epoch, Store, Write};
use crate::worker::Worker;

/// Max inputs that wait for the loop.
const INPUTS_MAX: usize = 16_384;

/// Max records that wait for a slow watcher before it misses some.
const PUBLISHED_MAX: usize = 8_192;

type Reply = oneshot::Sender<Answer>;

/// The engine. Clones share the same loop.
#[derive(Clone)]
pub struct Engine {
    inputs: mpsc::Sender<Asked<Reply>>,
    published: broadcast::Sender<Published>,
    store: Arc<dyn Store>,
    epoch: Epoch,
    clock: Arc<dyn Clock>,
    pools: Pools,
    limits: Limits,
    addresses: Addresses,
    counters: Arc<Counters>,
}

/// Counters for metrics.
#[derive(Debug, Default)]
pub struct Counters {
    /// Open fulfilments.
    pub open: AtomicU64,
    /// Those of them that have left memory.
    pub asleep: AtomicU64,
    /// The bytes of the journals of the others.
    pub open_bytes: AtomicU64,
    /// Fulfilments that are set aside.
    pub set_aside: AtomicU64,
    /// Unreadable facts, besides journals.
    pub unreadable_facts: AtomicU64,
    /// Callbacks that are kept until their task waits for them.
    pub callbacks_kept: AtomicU64,
    /// The bytes of their bodies.
    pub callbacks_kept_bytes: AtomicU64,
    /// Submitted fulfilments.
    pub submitted: AtomicU64,
    /// Ended fulfilments.
    pub ended: AtomicU64,
    /// Calls to plugins.
    pub calls: AtomicU64,
    /// Commits.
    pub commits: AtomicU64,
    /// Unreadable documents.
    pub unreadable: Unreadable,
}

/// The parts of the engine.
pub struct Parts {
    /// Keeps the facts.
    pub store: Arc<dyn Store>,
    /// Runs the plugins.
    pub worker: Arc<dyn Worker>,
    pub clock: Arc<dyn Clock>,
    /// The pools, defined.
    pub pools: Pools,
    /// Whether pure tasks share commits.
    pub durability: Durability,
    /// The limits of open orders and callbacks.
    pub limits: Limits,
}

impl Engine {
    /// Begins from the store. The loop must be run for anything to happen.
    pub fn begin(parts: Parts) -> Result<(Self, Loop), RecoverError> {
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(|error| {
            let action = "draw random bytes";
            RecoverError::Store(crate::store::Error::Failed { action, source: Box::new(error) })
        })?;
        let Parts { store, worker, clock, pools, durability, limits } = parts;
        let setup = Setup {
            worker: Arc::clone(&worker),
            pools: pools.clone(),
            durability,
            limits,
            shares: Shares::default(),
            secret,
        };
        let (core, first, due) = Core::restore(&*store, setup, clock.now())?;
        let (sender, inputs) = mpsc::channel(INPUTS_MAX);
        let (published, _) = broadcast::channel(PUBLISHED_MAX);
        let counters = Arc::new(Counters::default());
        let engine = Self {
            inputs: sender,
            published: published.clone(),
            store: Arc::clone(&store),
            epoch: core.epoch(),
            clock: Arc::clone(&clock),
            pools,
            limits,
            addresses: core.addresses().clone(),
            counters: Arc::clone(&counters),
        };
        let sender = engine.inputs.downgrade();
        let commits = VecDeque::new();
        let due = Some(due);
        let mut engine_loop = Loop {
            core,
            due,
            store,
            worker,
            clock,
            inputs,
            sender,
            published,
            counters,
            is_finishing: false,
            readers: Arc::new(Semaphore::new(run::READERS)),
            commits,
        };
        engine_loop.begin_step(first);
        engine_loop.count();
        Ok((engine, engine_loop))
    }

    /// The pools and their reservations.
    pub fn pools(&self) -> &Pools {
        &self.pools
    }

    /// Delivers an element's answer. When this returns it is on disk, or no task waits for it.
    pub async fn callback(&self, callback: Callback) -> Result<Received, AskError> {
        match self.ask(|reply| Input::Callback { callback, reply }).await? {
            Answer::Callback(received) => Ok(received),
            other => Err(unexpected(&other)),
        }
    }

    /// Retries the failed tasks; returns their number, `None` if the fulfilment is not open.
    pub async fn retry(&self, id: FulfilmentId) -> Result<Option<usize>, AskError> {
        match self.ask(|reply| Input::Retry { fulfilment: id, reply }).await? {
            Answer::Retried(count) => Ok(count),
            other => Err(unexpected(&other)),
        }
    }

    /// Cancels an order, or returns the reason why it does not. When this returns the decision and the
    /// document of the request are on disk; the rollback starts then.
    pub async fn cancel(
        &self,
        id: &FulfilmentId,
        request: CancelRequest,
    ) -> Result<Arc<Fulfilment>, CancelError> {
        let input = |fulfilment, reply| Input::Cancel { fulfilment, request, reply };
        match self.ask_about(id, input).await.map_err(ReadError::Ask)? {
            Answer::Fulfilment(Some(open)) => Ok(open),
            Answer::NotCancelled(refusal) => Err(CancelError::Refused(refusal)),
            _ => {
                let ended = self.ended_or(id, CancelError::Unknown).await?;
                let state = ended.order_state().to_string();
                Err(CancelError::Refused(Refusal::Final { state }))
            }
        }
    }

    /// Follows an operator's decision about work that does not continue by itself, or returns the reason
    /// why it does not. When this returns it is on disk.
    pub async fn decide(
        &self,
        id: &FulfilmentId,
        wish: Wish,
    ) -> Result<Arc<Fulfilment>, DecideError> {
        let input = |fulfilment, reply| Input::Decide { fulfilment, wish, reply };
        match self.ask_about(id, input).await.map_err(ReadError::Ask)? {
            Answer::Fulfilment(Some(open)) => Ok(open),
            Answer::NotDecided(denied) => Err(DecideError::Refused(denied)),
            _ => {
                let ended = self.ended_or(id, DecideError::Unknown).await?;
                let state = ended.phase().name();
                Err(DecideError::Refused(NotGivenUp::Ended { state }))
            }
        }
    }

    /// Changes attributes of an order, open or ended, that no decision depends on. When this returns
    /// the change is on disk.
    pub async fn amend_document(
        &self,
        id: &FulfilmentId,
        amendment: &Amendment,
    ) -> Result<Arc<Fulfilment>, AmendError> {
        let mut ended = None;
        loop {
            let amendment = amendment.clone();
            let input = |fulfilment, reply| Input::Patch { fulfilment, ended, amendment, reply };
            match self.ask_about(id, input).await.map_err(ReadError::Ask)? {
                Answer::Fulfilment(Some(changed)) => return Ok(changed),
                Answer::NotPatched(error) => return Err(AmendError::Refused(error)),
                Answer::Changed(_) => return Err(AmendError::Changed),
                // It is not open: its end is on disk by now, since this answer came after it.
                _ => ended = Some(Box::new(self.ended_or(id, AmendError::Unknown).await?)),
            }
        }
    }

    /// A fulfilment, open or ended; `None` if there is none.
    pub async fn get(&self, id: &FulfilmentId) -> Result<Option<Arc<Fulfilment>>, ReadError> {
        let input = |fulfilment, reply| Input::Get { fulfilment, reply };
        let answer = self.ask_about(id, input).await?;
        self.open_or_ended(id, answer).await
    }

    /// The open fulfilment that locks any of some prior work, which is named by its keys.
    pub async fn lock_holder(&self, keys: Vec<String>) -> Result<Option<FulfilmentId>, AskError> {
        match self.ask(|reply| Input::LockHolder { keys, reply }).await {
            Ok(Answer::Fulfilment(open)) => Ok(open.map(|open| open.id().clone())),
            // A fulfilment that is set aside keeps its locks.
            Err(AskError::Denied(Denied::SetAside { fulfilment, .. })) => Ok(Some(fulfilment)),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        }
    }

    /// Waits until a fulfilment has ended; `None` if there is none.
    pub async fn ended(&self, id: &FulfilmentId) -> Result<Option<Arc<Fulfilment>>, ReadError> {
        let input = |fulfilment, reply| Input::AwaitEnd { fulfilment, reply };
        let answer = self.ask_about(id, input).await?;
        self.open_or_ended(id, answer).await
    }

    /// Deletes a key of a plugin's scratch space, or all of them; returns how many there were. When this
    /// returns that is on disk.
    pub async fn erase(&self, plugin: PluginId, key: Option<String>) -> Result<usize, AskError> {
        match self.ask(|reply| Input::Erase { plugin, key, reply }).await? {
            Answer::Erased(count) => Ok(count),
            other => Err(unexpected(&other)),
        }
    }

    /// Writes documents that no fulfilment owns, together or not at all. When this returns they
    /// are on disk.
    pub async fn write(&self, documents: Vec<Put>) -> Result<(), documents::Error> {
        self.append(Vec::new(), documents).await
    }

    /// Writes facts and documents that no fulfilment owns, together or not at all. Their place in
    /// the order is taken at once; they are on disk when the answer comes.
    pub fn append(&self, writes: Vec<Write>, documents: Vec<Put>) -> Written {
        let now = self.clock.now();
        let audited = audit::current().map(|act| Audited::done(act, now));
        let batch = documents::audited_batch(self.epoch, now, (writes, documents), audited);
        self.store.append(batch).into()
    }

    /// Writes facts and documents like [`Engine::append`], with this entry of the audit.
    pub fn append_as(&self, writes: Vec<Write>, documents: Vec<Put>, audited: Audited) -> Written {
        let at = audited.at;
        let batch = documents::audited_batch(self.epoch, at, (writes, documents), Some(audited));
        self.store.append(batch).into()
    }

    /// Adds an entry to the audit about what changes no fact, such as a refusal. It is on disk when the
    /// answer comes.
    pub fn audit(&self, audited: Audited) -> Written {
        self.store.append(audit::beside(self.epoch, audited)).into()
    }

    /// The time of the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The records of all fulfilments from now on. A watcher that is too slow gets the number of records
    /// that it missed, and reads them from the store.
    pub fn watch(&self) -> broadcast::Receiver<Published> {
        self.published.subscribe()
    }

    /// The limits of open orders and callbacks.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The addresses at which elements answer tasks.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Removes all or a part of the data of an ended fulfilment, with some documents. When this returns
    /// that is on disk.
    pub async fn remove(
        &self,
        fulfilment: FulfilmentId,
        writes: Vec<Write>,
        documents: Vec<Put>,
    ) -> Result<(), AskError> {
        let input = |reply| Input::Remove { fulfilment, writes, documents, reply };
        self.ask(input).await.map(drop)
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    async fn open_or_ended(
        &self,
        id: &FulfilmentId,
        answer: Answer,
    ) -> Result<Option<Arc<Fulfilment>>, ReadError> {
        match answer {
            Answer::Fulfilment(Some(open)) => Ok(Some(open)),
            _ => {
                let ended = self.read_ended(id).await?;
                Ok(ended.map(Arc::new))
            }
        }
    }

    /// Reads a fulfilment that is not open; the error for an unknown one if there is none.
    async fn ended_or<E: From<ReadError>>(
        &self,
        id: &FulfilmentId,
        unknown: fn(FulfilmentId) -> E,
    ) -> Result<Fulfilment, E> {
        self.read_ended(id).await?.ok_or_else(|| unknown(id.clone()))
    }

    /// Reads a fulfilment that is not open.
    async fn read_ended(&self, id: &FulfilmentId) -> Result<Option<Fulfilment>, ReadError> {
        let read = self.read(id, read_fulfilment, RecoverError::Store);
        read.await.map_err(ReadError::Journal)
    }

    /// Reads the store about a fulfilment, on a thread that may wait for the disk.
    async fn read<T: Send + 'static, E: Send + 'static>(
        &self,
        id: &FulfilmentId,
        read: fn(&dyn Store, &FulfilmentId) -> Result<T, E>,
        failed: impl FnOnce(crate::store::Error) -> E,
    ) -> Result<T, E> {
        let (store, id) = (Arc::clone(&self.store), id.clone());
        let done = tokio::task::spawn_blocking(move || read(&*store, &id)).await;
        let ended = crate::store::Error::failed("finish a read of the store");
        done.map_err(|error| failed(ended(error)))?
    }

    async fn ask_about(
        &self,
        id: &FulfilmentId,
        input: impl FnOnce(FulfilmentId, Reply) -> Input<Reply>,
    ) -> Result<Answer, AskError> {
        let id = id.clone();
        self.ask(|reply| input(id, reply)).await
    }

    async fn ask(&self, input: impl FnOnce(Reply) -> Input<Reply>) -> Result<Answer, AskError> {
        let (reply, answer) = oneshot::channel();
        let asked = Asked { input: input(reply), act: audit::current() };
        self.inputs.send(asked).await.map_err(|_| Stopped)?;
        match answer.await.map_err(|_| Stopped)? {
            Answer::Denied(denied) => Err(AskError::Denied(denied)),
            answer => Ok(answer),
        }
    }
}

/// An answer to something else than what was asked: a bug of ours.
fn unexpected(answer: &Answer) -> AskError {
    tracing::error!(?answer, "the engine answered something else");
    AskError::Stopped(Stopped)
}

#[cfg(test)]
mod tests;
