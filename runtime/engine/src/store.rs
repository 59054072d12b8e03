//! What the engine asks of durable storage: facts are kept, read and listed. A store knows keys
//! and bytes, and no rule of ours.

use std::pin::Pin;
use std::task::{Context, Poll};

use tmf::time::Timestamp;
use tokio::sync::{oneshot, watch};

pub mod documents;
pub mod installation;
pub mod memory;
pub mod pieces;
mod progress;
pub mod search;
mod unreadable;
pub mod verify;

pub use documents::{Document, Put};
pub use memory::Memory;
pub use progress::{Progress, Settled};
pub use unreadable::Unreadable;

/// The longest key that a store takes. What others name (an id, an idempotency key) has to be
/// limited where it comes in, so that its key stays below this.
pub const KEY_BYTES_MAX: usize = 384;

/// Keeps facts.
///
/// Batches take effect in the order in which `append` was called, each whole or not at all. What
/// `get` and `scan` show is at least what was acknowledged; a batch that is still on its way may
/// show or not, but never a part of it in one `scan`. A batch that was answered with
/// [`Error::Failed`] may or may not be durable, and its owner must not write any more.
pub trait Store: Send + Sync + 'static {
    /// Takes a batch, to be durable when the answer comes: against a crash of the process and
    /// against power loss. The place in the order is taken at once, before the answer is awaited.
    fn append(&self, batch: Batch) -> Appended;

    /// The value of a key, all of it where it was written in [`pieces`].
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The facts of a range of keys, in the order of the keys' bytes, with all of each value.
    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error>;

    /// Takes ownership: the epoch that was durably raised by one. It has its place in the order
    /// like a batch; after it, batches of any other epoch are refused with [`Error::Fenced`].
    fn claim(&self) -> Result<Epoch, Error>;

    /// Changes whenever a batch with documents is durable, for those who wait for events.
    fn changed(&self) -> watch::Receiver<u64>;

    /// Resolves when everything that `get` and `scan` could show at the time of this call is
    /// durable. An answer that rests on a look at the store waits for this first, since a batch may
    /// show before it is durable. Nothing is waited for while nothing is on its way.
    fn settled(&self) -> Settled;
}

/// A key and its value.
pub type Fact = (Vec<u8>, Vec<u8>);

/// Counts owners of a store; the last one is the only one that may write. A store that nobody
/// claimed yet is owned by epoch 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// What is written together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Whose batch it is.
    pub epoch: Epoch,
    /// When it is written.
    pub at: Timestamp,
    /// The writes; where a key occurs twice the last one counts.
    pub writes: Vec<Write>,
    /// The documents that change, in order; what follows from that is worked out by the store
    /// ([`documents::expand`]).
    pub documents: Vec<Put>,
}

impl Batch {
    /// Facts, without documents.
    pub fn of(epoch: Epoch, writes: Vec<Write>) -> Self {
        Self { epoch, at: Timestamp::default(), writes, documents: Vec::new() }
    }

    /// Whether a store may carry this out while it has that owner: what every store asks first.
    pub fn check(&self, owner: Epoch) -> Result<(), Error> {
        if self.epoch != owner {
            return Err(Error::Fenced { owner, batch: self.epoch });
        }
        check_keys(&self.writes)
    }
}

/// Whether all keys are short enough: what every store asks of writes, expanded ones too.
pub fn check_keys(writes: &[Write]) -> Result<(), Error> {
    match writes.iter().map(|(key, _)| key.len()).max() {
        Some(bytes) if bytes > KEY_BYTES_MAX => Err(Error::KeyTooLong { bytes }),
        _ => Ok(()),
    }
}

/// A key as people are told of it, with `|` between its parts.
fn named(key: &[u8]) -> String {
    String::from_utf8_lossy(key).replace('\0', "|")
}

/// A key and its new value; `None` removes the key.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// A range of keys to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Only keys that begin with this.
    pub prefix: Vec<u8>,
    /// Only keys after this one (in the direction of the scan); the whole prefix where `None`.
    pub after: Option<Vec<u8>>,
    /// At the most so many.
    pub limit: usize,
    /// Which way to go.
    pub direction: Direction,
}

impl Scan {
    /// Everything under a prefix, in order, at the most `limit` facts.
    pub fn prefix(prefix: impl Into<Vec<u8>>, limit: usize) -> Self {
        Self { prefix: prefix.into(), after: None, limit, direction: Direction::Forward }
    }
}

/// The direction of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key up.
    Forward,
    /// From the largest key down.
    Backward,
}

/// Resolves when a batch is durable, or is refused.
#[derive(Debug)]
pub struct Appended(oneshot::Receiver<Result<(), Error>>);

impl Appended {
    /// An answer to come, and the end to give it with.
    pub fn pending() -> (oneshot::Sender<Result<(), Error>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }
}

impl Future for Appended {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(Error::Closed)))
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another owner has taken over; this one must stop.
    #[error("the store is owned by epoch {} now, this is {}", .owner.0, .batch.0)]
    Fenced {
        /// Who owns the store.
        owner: Epoch,
        /// Whose batch was refused.
        batch: Epoch,
    },
    /// A key of the batch is too long, and nothing of the batch was written: a bug of ours.
    #[error("a key has {bytes} bytes, at the most {KEY_BYTES_MAX} are taken")]
    KeyTooLong {
        /// The length of the key.
        bytes: usize,
    },
    /// A document is not as its change expects; nothing of the batch was written.
    #[error("the {resource} `{id}` is not as it was expected")]
    Conflict {
        /// The key of its resource.
        resource: String,
        /// Its id.
        id: String,
        /// The revision that it has; nothing where it is not there.
        found: Option<u64>,
    },
    /// What was read is on its way to the disk and may never get there: the store failed.
    #[error("the store failed, so what was read may be lost")]
    Unsettled,
    /// A document is kept and cannot be read.
    #[error("the document `{key}` cannot be read")]
    Unreadable {
        /// Its key, with `|` between parts.
        key: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store was closed before it answered.
    #[error("the store is closed")]
    Closed,
    /// The disk, or what lies on it, failed.
    #[error("the store failed to {action}")]
    Failed {
        /// What it was doing.
        action: &'static str,
        /// What went wrong below.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What is kept under a key is not what was written there.
#[derive(Debug, thiserror::Error)]
#[error("what is kept is damaged")]
struct Damaged;

impl Error {
    fn damaged(action: &'static str) -> Self {
        Self::Failed { action, source: Box::new(Damaged) }
    }

    /// What an action that failed comes to.
    pub fn failed<E: std::error::Error + Send + Sync + 'static>(
        action: &'static str,
    ) -> impl Fn(E) -> Self {
        move |source| Self::Failed { action, source: Box::new(source) }
    }
}
