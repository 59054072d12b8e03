//! The store in a folder: sled has the log of its commits.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use engine::store::{
    Appended, Backup, BackupError, Batch, Epoch, Error, Fact, Progress, Scan, Settled, Store,
};
use tokio::sync::watch;

use crate::acknowledged::Acknowledged;
use crate::backup::{Copier, Place};
use crate::closing::{Current, Notes};
use crate::database::OpenError;
use crate::failure::Failure;
use crate::folder;
use crate::keeper::{Keeper, Link};
use crate::layout::{KEYS, OWNER, TALLY};
use crate::logs::OpenLog;
use crate::open::{self, Opened, Options};
use crate::record::{self, Change};
use crate::seal::{Seal, SealError};
use crate::tree::{Tree, Writes};
use crate::writer::{Disk, Handle, Writer};

/// Facts in a directory, which is locked against other processes while it is open.
///
/// A batch is acknowledged after its record in the log was flushed *and* synced: sled's own flush does not
/// outlast a power loss. Batches that wait together are committed together. `append` makes its
/// caller wait, on the spot, while the queue is full; that is for one commit, or until files are written where
/// commits come faster than that.
///
/// When a commit fails, every batch in it gets the error, and so does everything that is appended
/// later: whether what failed is durable is unknown until the store is opened again. Reading goes on.
///
/// Dropping the store writes what was appended before and closes the directory.
pub struct Sled {
    // They are dropped in this order: nothing is noted any more, the writer finishes and closes its log, the keeper
    // ends, the lock is gone. A writer that waits for the keeper is let go first.
    _notes: Notes,
    writer: Handle,
    keeper: Keeper,
    tree: Arc<Tree>,
    changed: watch::Receiver<u64>,
    progress: Arc<Progress>,
    epoch: Arc<AtomicU64>,
    /// How many commits are durable, each with a sync of its own.
    commits: Arc<AtomicU64>,
    /// Whether a backup has its place.
    is_backed_up: Arc<AtomicBool>,
    lock: File,
}

/// What the writer writes to.
struct Folder {
    tree: Arc<Tree>,
    name: String,
    /// `None` only if another could not be begun.
    log: Option<OpenLog>,
    keeper: Link,
    /// The log that is noted.
    current: Current,
    progress: Arc<Progress>,
    epoch: Arc<AtomicU64>,
    commits: Arc<AtomicU64>,
    acknowledged: Acknowledged,
    /// Bytes of recent cells, and with how many another log is begun.
    recent_bytes: u64,
    recent_bytes_max: u64,
}

/// The log of later commits could not be begun.
#[derive(Debug, thiserror::Error)]
#[error("there is no log to write to")]
struct NoLog;

impl Sled {
    /// Opens the store of a directory, and makes it where there is none.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let of_io = |source| OpenError::of_io(path, source);
        let progress = Arc::new(Progress::default());
        let Opened { tree, name, mut log, log_number, lock } =
            open::open(path, options, &progress)?;
        let tree = Arc::new(unsealed(tree, &mut log, path, options)?);
        let owner = tree.owner().map_err(|failure| OpenError::of_failure(path, failure))?;
        let epoch = Arc::new(AtomicU64::new(owner.0));
        let commits = Arc::new(AtomicU64::new(log.last().commits));
        let current = Arc::new(Mutex::new(log.noted().clone()));
        let tables = Arc::clone(tree.tables());
        let (keeper, link) = Keeper::start(path.to_owned(), tables, log_number).map_err(of_io)?;
        let folder = Folder {
            tree: Arc::clone(&tree),
            name,
            log: Some(log),
            keeper: link,
            current: Arc::clone(&current),
            progress: Arc::clone(&progress),
            epoch: Arc::clone(&epoch),
            commits: Arc::clone(&commits),
            acknowledged: Acknowledged::open(path).map_err(of_io)?,
            recent_bytes: 0,
            recent_bytes_max: options.recent_bytes,
        };
        let (sender, changed) = watch::channel(0);
        let writer = Writer::new(folder, owner, sender, Arc::clone(&progress));
        let writer = Handle::start(writer).map_err(of_io)?;
        let notes = Notes::start(current).map_err(of_io)?;
        folder::sweep(path);
        Ok(Self {
            _notes: notes,
            writer,
            keeper,
            tree,
            changed,
            progress,
            epoch,
            commits,
            is_backed_up: Arc::default(),
            lock,
        })
    }
}

impl Drop for Sled {
    fn drop(&mut self) {
        self.keeper.stop();
    }
}

/// The tree of a store with the seal of its values, if it is sealed.
fn unsealed(
    tree: Tree,
    log: &mut OpenLog,
    path: &Path,
    options: &Options,
) -> Result<Tree, OpenError> {
    let damaged = |failure| OpenError::of_failure(path, failure);
    let sealed = |source| OpenError::Seal { path: path.to_owned(), source };
    let keys = tree.keys().map_err(damaged)?;
    match (&options.keys, keys) {
        (None, None) => Ok(tree),
        (None, Some(_)) => Err(sealed(SealError::NoKey)),
        (Some(_), None) if !tree.is_empty().map_err(damaged)? => Err(sealed(SealError::Plain)),
        (Some(masters), keys) => {
            let (seal, keys) = Seal::open(keys.as_deref(), masters).map_err(sealed)?;
            commit(&tree, log, vec![(KEYS.into(), Some(keys))]).map_err(damaged)?;
            Ok(tree.sealed(seal))
        }
    }
}

/// Commits changes: they are durable when they show. Returns the bytes of the recent cells.
fn commit(tree: &Tree, log: &mut OpenLog, mut changes: Vec<Change>) -> Result<u64, Failure> {
    let mut record = Vec::new();
    for (key, cell) in &changes {
        record::write(&mut record, key, cell.as_deref());
    }
    let tally = log.append(&record)?;
    changes.push((TALLY.into(), Some(tally.write().into())));
    Ok(tree.tables().apply(changes))
}

impl Sled {
    /// The epoch of the owner that the store had when it was opened, or of a later one.
    pub(crate) fn owner(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::SeqCst))
    }

    /// The lock of its directory, which stays locked for as long as this is kept.
    pub(crate) fn lock(&self) -> io::Result<File> {
        self.lock.try_clone()
    }

    /// All that it has now.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The facts after a place, with their values as they are kept: not put together, not sealed.
    pub(crate) fn kept_page(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<Fact>, Error> {
        self.tree.kept_page(after, limit)
    }
}

impl Store for Sled {
    fn append(&self, batch: Batch) -> Appended {
        self.writer.append(batch)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.tree.get(key)
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        self.tree.scan(scan)
    }

    fn claim(&self) -> Result<Epoch, Error> {
        self.writer.claim()
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    fn settled(&self) -> Settled {
        self.progress.settled()
    }

    fn syncs(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    fn back_up(&self) -> Result<Box<dyn Backup>, BackupError> {
        let place = Place::take(&self.is_backed_up).ok_or(BackupError::Busy)?;
        let locked =
            self.lock().map_err(|error| BackupError::Read(Error::failed("lock")(error)))?;
        Ok(Box::new(Copier { tree: Arc::downgrade(&self.tree), _lock: locked, _place: place }))
    }
}

impl Disk for Folder {
    fn kept(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.tree.kept(key)
    }

    fn commit(&mut self, _epoch: Epoch, writes: Writes) -> Result<(), Failure> {
        self.write(self.tree.changes(&writes))
    }

    fn raise(&mut self, known: Epoch) -> Result<Epoch, Failure> {
        let owner = Epoch(known.0 + 1);
        self.write(vec![(OWNER.into(), Some(owner.0.to_be_bytes().into()))])?;
        self.epoch.store(owner.0, Ordering::SeqCst);
        Ok(owner)
    }
}

impl Folder {
    /// Writes a commit, to another log where this one has enough.
    fn write(&mut self, changes: Vec<Change>) -> Result<(), Failure> {
        self.turn()?;
        let log = self.log.as_mut().ok_or_else(|| Failure::of("write a commit")(NoLog))?;
        self.recent_bytes = commit(&self.tree, log, changes)?;
        let tally = log.last();
        self.commits.store(tally.commits, Ordering::SeqCst);
        if let Err(error) = self.acknowledged.note(tally) {
            tracing::warn!(%error, "it could not be noted what was acknowledged");
        }
        Ok(())
    }

    /// Has recent cells written to files, if there are enough of them.
    fn turn(&mut self) -> Result<(), Failure> {
        let (recent_bytes, max) = (self.recent_bytes, self.recent_bytes_max);
        // It is made ahead, and waited for only where it comes too late.
        if recent_bytes >= max / 2 {
            self.keeper.ask();
        }
        let spare = if recent_bytes >= 2 * max {
            self.keeper.awaited().map_err(Failure::of("begin a log"))?
        } else if recent_bytes >= max {
            self.keeper.made()
        } else {
            None
        };
        let Some(spare) = spare else { return Ok(()) };
        let Some(old) = self.log.take() else { return Ok(()) };
        let progress = Arc::clone(&self.progress);
        let begun = spare.begun(&self.name, old.last(), None, progress);
        let log = begun.map_err(Failure::of("begin a log"))?;
        // No marker is written meanwhile to a log that may be removed.
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = log.noted().clone();
        self.log = Some(log);
        self.tree.tables().set_apart();
        self.keeper.flush(old);
        self.keeper.ask();
        Ok(())
    }
}

impl std::fmt::Debug for Sled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sled").finish_non_exhaustive()
    }
}
