//! The delivery of events: subscribers get the events that concern them, in order, at least once.
//! Each has one delivery worker, which follows the outbox of the store at its own pace and keeps its
//! progress; its decisions are made in `tmf::subscription`.

mod allow;
mod client;
pub(crate) mod dead_letters;
mod outbox;
mod retention;
mod seen;
mod settings;
mod subscriber;
mod worker;

use engine::documents::{Audience, Change, Expected, Put};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use engine::clock::Clock;
use engine::store::{Scan, Write, pages};
use engine::{Engine, keys};
use serde::Deserialize as _;
use serde_json::Value;
use tmf::subscription::{Progress, Source, Subscription, SubscriptionError};
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub use allow::{Allowed, Forbidden, Guard};
pub use dead_letters::{DeadLetter, Retried};
pub(crate) use retention::TOPIC_EVENT;
pub use settings::Settings;
pub use subscriber::Subscriber;

use crate::access::{Identity, Owner, Permission};
use crate::documents::{Documents, Session};
use client::Client;
use outbox::Outbox;

/// The resource of stored subscriptions.
const RESOURCE: &str = "subscription";

/// The attribute of a stored subscription with its owner.
const OWNER: &str = "owner";

/// Max subscriptions: each costs a task and a connection.
const SUBSCRIPTIONS_MAX: usize = 1_000;

/// Max subscriptions of one identity, so that it leaves room for others.
const SUBSCRIPTIONS_OF_ONE_MAX: usize = 100;

/// Facts read from the store at once.
const FACTS_AT_ONCE: usize = 256;

/// The delivery of events. Cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    documents: Documents,
    clock: Arc<dyn Clock>,
    settings: Settings,
    client: Client,
    outbox: Outbox,
    subscribers: RwLock<BTreeMap<String, Arc<Subscriber>>>,
    /// Locked while a subscription is created, so that none is created twice.
    taking: tokio::sync::Mutex<()>,
    /// Notified when there is a subscriber without a worker.
    arrived: Notify,
}

/// Why a subscription was refused.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// It is malformed.
    #[error(transparent)]
    Subscription(#[from] SubscriptionError),
    /// Its callback must not be called.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is the same subscription already.
    #[error("the subscription `{id}` has the same callback and query")]
    Known {
        /// The existing one.
        id: String,
    },
    /// There are too many.
    #[error("there are {SUBSCRIPTIONS_MAX} subscriptions already, which is all there can be")]
    TooMany,
    /// The client has too many.
    #[error(
        "you have {SUBSCRIPTIONS_OF_ONE_MAX} subscriptions already: delete those that are not needed"
    )]
    TooManyOfOne,
    #[error("the store failed")]
    Store(#[from] engine::documents::Error),
}

impl Events {
    /// Starts with the stored subscriptions. Nothing is sent before [`run`].
    ///
    /// [`run`]: Self::run
    pub fn open(
        documents: Documents,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<Self, engine::documents::Error> {
        let client = Client::new(Arc::clone(&settings.guard), settings.answer_wait);
        let engine = documents.engine();
        let outbox = Outbox::open(&**engine.store())?;
        let subscribers = RwLock::new(read_all(engine, &settings.known)?);
        let arrived = Notify::new();
        let taking = tokio::sync::Mutex::new(());
        let inner =
            Inner { documents, clock, settings, client, outbox, subscribers, taking, arrived };
        Ok(Self(Arc::new(inner)))
    }

    /// Sends events until `stopped` ends.
    pub async fn run(self, stopped: impl Future<Output = ()>) {
        let mut workers = JoinSet::new();
        let mut stopped = std::pin::pin!(stopped);
        workers.spawn(outbox::follow(self.clone()));
        workers.spawn(retention::remove_expired(self.clone()));
        loop {
            for subscriber in self.all() {
                if subscriber.claim_worker() {
                    workers.spawn(worker::deliver(self.clone(), subscriber));
                }
            }
            tokio::select! {
                () = &mut stopped => break,
                () = self.0.arrived.notified() => {}
                Some(ended) = workers.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a worker of events ended unexpectedly");
                    }
                }
            }
        }
        workers.shutdown().await;
        for subscriber in self.all() {
            subscriber.close(self.engine()).await;
        }
    }

    /// Creates a subscription, which gets the events from now on that its owner may read.
    pub async fn subscribe(
        &self,
        source: Source,
        input: &Value,
        maker: Option<&Arc<Identity>>,
    ) -> Result<Arc<Subscriber>, SubscribeError> {
        let (engine, settings) = (self.engine(), &self.0.settings);
        let id = uuid::Uuid::now_v7().simple().to_string();
        let maker = maker.and_then(|maker| Some((Arc::clone(maker), Owner::of(maker)?)));
        let (maker, owner) = maker.unzip();
        let subscription = Subscription::parse(&id, source, engine.now(), input)?;
        settings.guard.check(&subscription.callback).await?;
        let _taking = self.0.taking.lock().await;
        let same = |known: &Arc<Subscriber>| {
            known.has_same_owner(maker.as_deref()) && known.subscription.is_same(&subscription)
        };
        if let Some(known) = self.all().into_iter().find(same) {
            return Err(SubscribeError::Known { id: known.subscription.id.clone() });
        }
        let own = self.all().into_iter().filter(|known| known.has_same_owner(maker.as_deref()));
        if maker.is_some() && own.count() >= SUBSCRIPTIONS_OF_ONE_MAX {
            return Err(SubscribeError::TooManyOfOne);
        }
        if self.subscribers().len() >= SUBSCRIPTIONS_MAX {
            return Err(SubscribeError::TooMany);
        }
        let progress = Progress::from(self.end().await?);
        let mut kept = subscription.kept();
        if let Some(owner) = &owner {
            kept[OWNER] = serde_json::to_value(owner).unwrap_or_default();
        }
        let document = Put::create(RESOURCE, &id, kept);
        let subscriber = Arc::new(Subscriber::new(subscription, maker, progress));
        engine.append(vec![subscriber.kept()], vec![document]).await?;
        self.subscribers_mut().insert(id, Arc::clone(&subscriber));
        self.0.arrived.notify_one();
        Ok(subscriber)
    }

    /// Removes a subscription, with its dead letters; returns whether there was one.
    pub async fn unsubscribe(&self, id: &str) -> Result<bool, engine::documents::Error> {
        let Some(subscriber) = self.subscribers_mut().remove(id) else {
            return Ok(false);
        };
        subscriber.end();
        let documents = &self.0.documents;
        let own = id.to_owned();
        let letters = move |session: &Session| dead_letters::keys_of(session.store(), &own);
        let mut writes: Vec<Write> = documents.read(letters).await?;
        writes.push((keys::progress(id), None));
        let remove = Put::new(RESOURCE, id, Change::Remove, Expected::Anything);
        self.engine().append(writes, vec![remove]).await?;
        Ok(true)
    }

    /// Removes every subscription of a topic that was removed.
    pub async fn unsubscribe_all(&self, topic: &str) -> Result<(), engine::documents::Error> {
        for subscriber in self.of(&Source::Topic { id: topic.into() }) {
            self.unsubscribe(&subscriber.subscription.id).await?;
        }
        Ok(())
    }

    pub fn get(&self, id: &str) -> Option<Arc<Subscriber>> {
        self.subscribers().get(id).cloned()
    }

    /// Every subscription, the oldest first.
    pub fn all(&self) -> Vec<Arc<Subscriber>> {
        self.subscribers().values().cloned().collect()
    }

    /// The subscriptions to a source, the oldest first.
    pub fn of(&self, source: &Source) -> Vec<Arc<Subscriber>> {
        let mut subscribers = self.all();
        subscribers.retain(|subscriber| subscriber.subscription.source == *source);
        subscribers
    }

    /// Publishes events of a topic, each once by its id.
    pub(crate) async fn publish(
        &self,
        topic: &str,
        id: &str,
        event: Value,
    ) -> Result<(), engine::documents::Error> {
        let mut put = Put::create(TOPIC_EVENT, format!("{topic}/{id}"), event);
        put.audience = Audience::Event;
        self.engine().write(vec![put]).await
    }

    /// The number of the next event.
    pub async fn end(&self) -> Result<u64, engine::documents::Error> {
        self.0.documents.read(|session| outbox::end(session.store())).await
    }

    /// Pauses a subscription.
    pub async fn pause(&self, subscriber: &Subscriber) -> Result<(), engine::documents::Error> {
        subscriber.change(self.engine(), Progress::pause).await
    }

    /// Resumes a subscription.
    pub async fn resume(&self, subscriber: &Subscriber) -> Result<(), engine::documents::Error> {
        subscriber.change(self.engine(), Progress::resume).await
    }

    /// Sends everything from an event on again.
    pub async fn replay(
        &self,
        subscriber: &Subscriber,
        next: u64,
    ) -> Result<(), engine::documents::Error> {
        subscriber.change(self.engine(), |progress| progress.replay(next)).await
    }

    fn engine(&self) -> &Engine {
        self.0.documents.engine()
    }

    fn subscribers(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<Subscriber>>> {
        // No code panics while it holds the lock.
        self.0.subscribers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn subscribers_mut(
        &self,
    ) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Arc<Subscriber>>> {
        self.0.subscribers.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stored subscriptions, with their progress.
fn read_all(
    engine: &Engine,
    known: &[Permission],
) -> Result<BTreeMap<String, Arc<Subscriber>>, engine::documents::Error> {
    let store = engine.store();
    let mut subscribers = BTreeMap::new();
    for page in pages(&**store, Scan::prefix(keys::documents(RESOURCE), FACTS_AT_ONCE)) {
        for (key, bytes) in &page? {
            let Some(document) = engine.counters().unreadable.pass_over(key, bytes) else {
                continue;
            };
            let subscription = match Subscription::read(&document.body) {
                Ok(subscription) => subscription,
                Err(error) => {
                    tracing::error!(%error, body = %document.body, "a subscription is unreadable");
                    continue;
                }
            };
            let owner = match document.body.get(OWNER).map(Owner::deserialize).transpose() {
                Ok(owner) => owner.map(|owner| owner.identity(known)),
                Err(error) => {
                    // Without its owner it would get too much.
                    let id = &subscription.id;
                    tracing::error!(%error, id, "the owner of a subscription is unreadable");
                    continue;
                }
            };
            let progress = store.get(&keys::progress(&subscription.id))?;
            let progress = progress.and_then(|kept| serde_json::from_slice(&kept).ok());
            let subscriber = Subscriber::new(subscription, owner, progress.unwrap_or_default());
            subscribers.insert(subscriber.subscription.id.clone(), Arc::new(subscriber));
        }
    }
    Ok(subscribers)
}

#[cfg(test)]
mod tests;
