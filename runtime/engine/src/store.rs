//! What the engine needs of durable storage. A store knows keys and bytes, and none of our rules:
//! documents are a layer above it ([`crate::documents`]).

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::{oneshot, watch};

pub mod backup;
pub mod memory;
pub mod pieces;
mod progress;
pub mod view;

pub use backup::{BackedUp, Backup, BackupError};
pub use memory::Memory;
pub use progress::{Progress, Settled};
pub use view::{TenantNumber, View, tenants};

/// Max bytes of a key of a tenant. Names from outside (an id, an idempotency key) are limited where they are
/// received, so that the keys made of them are shorter than this.
pub const KEY_BYTES_MAX: usize = 384;

/// Max bytes of a key in a store: that of a tenant behind its number.
pub const STORED_KEY_BYTES_MAX: usize = KEY_BYTES_MAX + view::BEFORE_BYTES;

/// Keeps facts.
///
/// Batches take effect in the order in which `append` was called, each whole or not at all. `get` and
/// `scan` show all acknowledged batches. They may show a batch that is not acknowledged yet, but one
/// `scan` never shows a part of it. After [`Error::Failed`] the batch may or may not be durable, and
/// its owner must stop writing.
pub trait Store: Send + Sync + 'static {
    /// Takes a batch, which is durable when the answer comes: against a crash of the process and
    /// against power loss. Its place in the order is taken at once, before the answer is awaited.
    fn append(&self, batch: Batch) -> Appended;

    /// The value of a key, put together if it was written in [`pieces`].
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The facts of a range of keys, in the order of the keys' bytes, each value put together.
    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error>;

    /// Takes ownership: durably raises the epoch by one. It has its place in the order like a batch;
    /// later batches of any other epoch are refused with [`Error::Fenced`].
    fn claim(&self) -> Result<Epoch, Error>;

    /// Changes when a batch with a [`Transaction`] is durable, for readers of its consequences.
    fn changed(&self) -> watch::Receiver<u64>;

    /// Resolves when everything that `get` and `scan` could show at the time of this call is
    /// durable. An answer that rests on a read waits for this first, since a batch may show before
    /// it is durable. Resolves at once if no batch is on its way.
    fn settled(&self) -> Settled;

    /// How many times what was appended was synced to disk, for metrics. Batches that come together share a
    /// sync. A store in memory has none.
    fn syncs(&self) -> u64 {
        0
    }

    /// Takes the one place for a backup of the whole store, which others go on writing to.
    fn back_up(&self) -> Result<Box<dyn Backup>, BackupError> {
        Err(BackupError::Unsupported)
    }
}

/// A key and its value.
pub type Fact = (Vec<u8>, Vec<u8>);

/// Counts owners of a store; only the last one may write. A store that was never claimed is owned by
/// epoch 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// Writes that are carried out together.
#[derive(Debug)]
pub struct Batch {
    /// The epoch of its owner.
    pub epoch: Epoch,
    /// The writes; the last one of a key counts.
    pub writes: Vec<Write>,
    /// Writes that depend on earlier batches; they count over `writes`.
    pub transaction: Option<Transaction>,
}

/// Reads facts as all earlier batches left them. Values in [`pieces`] are not put together.
pub type Read<'a> = dyn Fn(&[u8]) -> Result<Option<Vec<u8>>, Error> + 'a;

/// A function from stored facts to writes. A store runs it once, at its batch's place in the order, so
/// no other write comes between its reads and its writes. If it returns an error, usually
/// [`Error::Refused`], nothing of the batch is written.
pub struct Transaction(Box<Run>);

type Run = dyn FnOnce(&Read<'_>) -> Result<Vec<Write>, Error> + Send;

impl Transaction {
    pub fn new(run: impl FnOnce(&Read<'_>) -> Result<Vec<Write>, Error> + Send + 'static) -> Self {
        Self(Box::new(run))
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Transaction")
    }
}

impl Batch {
    /// A batch without a transaction.
    pub fn of(epoch: Epoch, writes: Vec<Write>) -> Self {
        Self { epoch, writes, transaction: None }
    }

    /// All writes of the batch in a store with this owner, or why it is refused. `read` shows the facts
    /// as all earlier batches leave them.
    pub fn resolve(self, owner: Epoch, read: &Read<'_>) -> Result<Vec<Write>, Error> {
        if self.epoch != owner {
            return Err(Error::Fenced { owner, batch: self.epoch });
        }
        let mut writes = self.writes;
        check_keys(&writes)?;
        if let Some(Transaction(run)) = self.transaction {
            let more = run(read)?;
            check_keys(&more)?;
            writes.extend(more);
        }
        Ok(writes)
    }
}

fn check_keys(writes: &[Write]) -> Result<(), Error> {
    match writes.iter().map(|(key, _)| key.len()).max() {
        Some(bytes) if bytes > STORED_KEY_BYTES_MAX => {
            Err(Error::KeyTooLong { bytes, max: STORED_KEY_BYTES_MAX })
        }
        _ => Ok(()),
    }
}

/// A key and its new value; `None` removes the key.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

/// A range of keys to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Only keys that begin with this.
    pub prefix: Vec<u8>,
    /// Only keys after this one (in the direction of the scan); the whole prefix if `None`.
    pub after: Option<Vec<u8>>,
    /// Max facts.
    pub limit: usize,
    pub direction: Direction,
}

impl Scan {
    /// Everything under a prefix, in order, at most `limit` facts.
    pub fn prefix(prefix: impl Into<Vec<u8>>, limit: usize) -> Self {
        Self { prefix: prefix.into(), after: None, limit, direction: Direction::Forward }
    }
}

/// All facts of a scan, as many at once as its limit.
pub fn pages(store: &dyn Store, mut scan: Scan) -> impl Iterator<Item = Result<Vec<Fact>, Error>> {
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let page = store.scan(&scan);
        let full = page.as_ref().ok().filter(|facts| facts.len() == scan.limit);
        scan.after = full.and_then(|facts| facts.last()).map(|(key, _)| key.clone());
        is_over = scan.after.is_none();
        Some(page)
    })
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
    /// A future answer, and the sender to give it with.
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
        /// The owner.
        owner: Epoch,
        /// The epoch of the refused batch.
        batch: Epoch,
    },
    /// A key of the batch is too long, and nothing of the batch was written: a bug of ours.
    #[error("a key has {bytes} bytes, at most {max} are allowed")]
    KeyTooLong {
        /// The length of the key.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The transaction of a batch refused it, and nothing of the batch was written.
    #[error(transparent)]
    Refused(Box<dyn std::error::Error + Send + Sync>),
    /// The store failed before a fact that was read was durable.
    #[error("the store failed, so the data that was read may be lost")]
    Unsettled,
    /// The store was closed before it answered.
    #[error("the store is closed")]
    Closed,
    /// The store cannot be read or written now, or is no longer ours. It concerns no fact by itself.
    #[error("the store cannot be used")]
    Away(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The disk failed, or its data is damaged.
    #[error("the store failed to {action}")]
    Failed {
        /// The action of the store.
        action: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Whether it tells of the store as a whole, and of no fact in it.
    pub fn is_of_whole_store(&self) -> bool {
        match self {
            Self::Closed | Self::Fenced { .. } | Self::Away(_) => true,
            Self::KeyTooLong { .. } | Self::Refused(_) | Self::Unsettled | Self::Failed { .. } => {
                false
            }
        }
    }

    /// The error of an action that failed.
    pub fn failed<E: std::error::Error + Send + Sync + 'static>(
        action: &'static str,
    ) -> impl Fn(E) -> Self {
        move |source| Self::Failed { action, source: Box::new(source) }
    }
}
