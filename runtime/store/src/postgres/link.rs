//! Connections to the database, from threads that wait for their answers. While the database is away or restarts, it is
//! asked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::session::{Ask, Session};
use super::trouble::Trouble;

/// Connections for readers.
const READERS: usize = 8;

/// One answer may take this long; then its connection is given up.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Trouble that may pass is borne this long.
pub(super) const OUTAGE_MAX: Duration = Duration::from_secs(30);

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// Where a database is and how it is reached.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) address: Address,
    tls: Option<MakeRustlsConnect>,
}

/// The connections of one open store, and the thread that they are served by.
pub(super) struct Link {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    way: Way,
    readers: Vec<Arc<Slot>>,
    next: AtomicUsize,
    writer: Arc<Slot>,
}

/// A connection that one caller has at a time, made when it is first needed.
pub(super) type Slot = Mutex<Option<Session>>;

impl Way {
    pub(super) fn new(address: Address, tls: Option<rustls::ClientConfig>) -> Self {
        let tls = tls.filter(|_| address.has_tls()).map(MakeRustlsConnect::new);
        Self { address, tls }
    }

    /// A connection that is set up, once the schema is there.
    pub(super) async fn session(&self) -> Result<Session, Trouble> {
        let client = self.client().await?;
        Session::new(client, &self.address.schema).await
    }

    /// A connection; its traffic is a task of its own.
    pub(super) async fn client(&self) -> Result<tokio_postgres::Client, Trouble> {
        let config = &self.address.config;
        match &self.tls {
            None if self.address.has_tls() => Err(Trouble::NoTls),
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }
}

impl Link {
    pub(super) fn new(way: Way) -> std::io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("store link").enable_all().build()?;
        let readers = (0..READERS).map(|_| Arc::default()).collect();
        Ok(Self {
            runtime: Some(runtime),
            way,
            readers,
            next: AtomicUsize::new(0),
            writer: Arc::default(),
        })
    }

    /// Runs something on the thread of the connections, and waits for it on the spot: callers are threads of
    /// every kind, workers of a runtime among them.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = mpsc::channel();
        self.spawn(async move { drop(answer.send(task.await)) })?;
        answered.recv().ok()
    }

    /// Runs something on the thread of the connections.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Option<AbortHandle> {
        Some(self.runtime.as_ref()?.spawn(task).abort_handle())
    }

    /// Asks over a connection of readers: one that is free, else each in turn.
    pub(super) fn read<A: Ask>(&self, ask: A) -> Result<A::Answer, Trouble> {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % READERS;
        let free = self.readers.iter().find(|slot| slot.try_lock().is_ok());
        self.ask(free.unwrap_or(&self.readers[next]), ask)
    }

    /// Asks over the connection of the writer.
    pub(super) fn write<A: Ask>(&self, ask: A) -> Result<A::Answer, Trouble> {
        self.ask(&self.writer, ask)
    }

    fn ask<A: Ask>(&self, slot: &Arc<Slot>, ask: A) -> Result<A::Answer, Trouble> {
        let (slot, way) = (Arc::clone(slot), self.way.clone());
        let asked = self.wait(async move { answered(&way, &slot, &ask, OUTAGE_MAX).await });
        asked.unwrap_or(Err(Trouble::Ended))
    }
}

/// The answer to what is asked, which may be asked again after trouble.
pub(super) async fn answered<A: Ask>(
    way: &Way,
    slot: &Slot,
    ask: &A,
    outage_max: Duration,
) -> Result<A::Answer, Trouble> {
    let until = Instant::now() + outage_max;
    let mut is_told = false;
    loop {
        let trouble = match once(way, slot, ask).await {
            Ok(answer) => {
                if is_told {
                    tracing::info!(database = %way.address, "the database answers again");
                }
                return Ok(answer);
            }
            Err(trouble) => trouble,
        };
        if !trouble.may_pass() || Instant::now() >= until {
            return Err(trouble);
        }
        if !is_told {
            let error: &dyn std::error::Error = &trouble;
            tracing::warn!(database = %way.address, error, "the database does not answer; it is asked again");
            is_told = true;
        }
        sleep(PAUSE).await;
    }
}

async fn once<A: Ask>(way: &Way, slot: &Slot, ask: &A) -> Result<A::Answer, Trouble> {
    let mut slot = timeout(ANSWER_TIMEOUT, slot.lock()).await.map_err(|_| Trouble::Slow)?;
    // It is put back after an answer: one that failed may be in the middle of a transaction.
    let mut session = match slot.take().filter(Session::is_open) {
        Some(session) => session,
        None => timeout(ANSWER_TIMEOUT, way.session()).await.map_err(|_| Trouble::Slow)??,
    };
    let answer =
        timeout(ANSWER_TIMEOUT, ask.of(&mut session)).await.map_err(|_| Trouble::Slow)??;
    *slot = Some(session);
    Ok(answer)
}

impl Drop for Link {
    fn drop(&mut self) {
        // It may be dropped by a worker of another runtime, which must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
