//! The documents of all resources: read, found by an attribute, and written.
//!
//! The store is read on threads that may wait for the disk, and nowhere else: [`Documents`] is the
//! door to them, and a [`Session`] is there for the work behind it.

mod facts;
mod ids;
mod session;
mod turn;

use engine::documents::{Document, Error, Put};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::{Engine, audit};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

pub(crate) use facts::Facts;
pub(crate) use ids::Ids;
pub use session::Session;
pub(crate) use turn::Turn;

/// Max jobs that read and write by turns at one time. Each has a thread until it ends.
const JOBS_MAX: usize = 64;

/// The documents, for asynchronous code. Cheap to clone.
#[derive(Clone)]
pub struct Documents(Arc<Inner>);

struct Inner {
    engine: Engine,
    /// The threads that read slices of long reads at one time: half of the processors, so that
    /// responses, the engine and deliveries keep the other half.
    slices: Arc<Semaphore>,
    jobs: Arc<Semaphore>,
    reads: AtomicU64,
}

impl Documents {
    /// The documents in the store of an engine.
    pub fn new(engine: Engine) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let slices = Arc::new(Semaphore::new((processors / 2).max(1)));
        let jobs = Arc::new(Semaphore::new(JOBS_MAX));
        Self(Arc::new(Inner { engine, slices, jobs, reads: AtomicU64::new(0) }))
    }

    /// The engine that writes them.
    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The number of reads under way, without those of jobs.
    pub(crate) fn reads(&self) -> u64 {
        self.0.reads.load(Ordering::Relaxed)
    }

    /// Reads, on a thread that may wait for the disk.
    pub async fn read<T, E>(
        &self,
        read: impl FnOnce(&Session) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let session = self.session();
        self.reading(move || read(&session)).await?
    }

    /// Reads a slice of a long read. First come, first served: a long read comes back for each of its
    /// slices, so that a short one waits for one slice of each.
    pub(crate) async fn slice<T, E>(
        &self,
        read: impl FnOnce(&Session) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let session = self.session();
        // The semaphore is never closed.
        let turn = Arc::clone(&self.0.slices).acquire_owned().await.ok();
        let slice = self.reading(move || {
            let read = read(&session);
            drop(turn);
            read
        });
        slice.await?
    }

    /// Drives a job that reads, decides and writes by turns, on a thread that may wait for the disk.
    pub(crate) async fn drive<T, E>(
        &self,
        job: impl AsyncFnOnce(Session) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let session = self.session();
        // The semaphore is never closed.
        let place = Arc::clone(&self.0.jobs).acquire_owned().await.ok();
        let runtime = Handle::current();
        let act = audit::current();
        let driven = blocking(move || {
            // The job writes for the act that asked for it.
            let done = runtime.block_on(audit::within(act, job(session)));
            drop(place);
            done
        });
        driven.await?
    }

    /// The document of a resource, as it was last written.
    pub async fn document(&self, resource: &str, id: &str) -> Result<Option<Document>, Error> {
        let (resource, id) = (resource.to_owned(), id.to_owned());
        self.read(move |session| session.document(&resource, &id)).await
    }

    /// Writes documents together or not at all; on disk when it returns. After a conflict a read
    /// shows what the batch conflicted with: that may have been on its way to the disk.
    pub async fn write(&self, documents: Vec<Put>) -> Result<(), Error> {
        let engine = &self.0.engine;
        let written = engine.write(documents).await;
        if matches!(written, Err(Error::Conflict { .. })) {
            engine.append(Vec::new(), Vec::new()).await?;
        }
        written
    }

    /// Waits until everything that the store shows now is durable.
    pub(crate) async fn settled(&self) -> Result<(), Error> {
        Ok(self.0.engine.store().settled().await?)
    }

    fn session(&self) -> Session {
        Session::new(self.clone())
    }

    /// Reads on a thread that may wait.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let reading = Reading::new(Arc::clone(&self.0));
        blocking(move || {
            let done = read();
            drop(reading);
            done
        })
        .await
    }
}

/// Runs work on a thread that may wait. It fails if the work panics, or the server ends.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(engine::store::Error::failed("finish a read of the store"))?)
}

/// Counts a read until it has ended.
struct Reading(Arc<Inner>);

impl Reading {
    fn new(inner: Arc<Inner>) -> Self {
        inner.reads.fetch_add(1, Ordering::Relaxed);
        Self(inner)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.reads.fetch_sub(1, Ordering::Relaxed);
    }
}
