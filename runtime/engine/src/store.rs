//! What the engine asks of durable storage: facts are kept, read and listed. A store knows keys
//! and bytes, and no rule of ours.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

pub mod memory;

pub use memory::Memory;

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

    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The facts of a range of keys, in the order of the keys' bytes.
    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error>;

    /// Takes ownership: the epoch that was durably raised by one. It has its place in the order
    /// like a batch; after it, batches of any other epoch are refused with [`Error::Fenced`].
    fn claim(&self) -> Result<Epoch, Error>;
}

/// A key and its value.
pub type Fact = (Vec<u8>, Vec<u8>);

/// Counts owners of a store; the last one is the only one that may write. A store that nobody
/// claimed yet is owned by epoch 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// What is written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose batch it is.
    pub epoch: Epoch,
    /// The writes; where a key occurs twice the last one counts.
    pub writes: Vec<Write>,
}

impl Batch {
    /// Whether a store may carry this out while it has that owner: what every store asks first.
    pub fn check(&self, owner: Epoch) -> Result<(), Error> {
        if self.epoch != owner {
            return Err(Error::Fenced { owner, batch: self.epoch });
        }
        match self.writes.iter().map(|(key, _)| key.len()).max() {
            Some(bytes) if bytes > KEY_BYTES_MAX => Err(Error::KeyTooLong { bytes }),
            _ => Ok(()),
        }
    }
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
