//! The store on sled.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use engine::store::{
    Appended, Backup, BackupError, Batch, Epoch, Error, Fact, Progress, Scan, Settled, Store,
};
use tokio::sync::watch;

use crate::acknowledged::Acknowledged;
use crate::backup::{Copier, Place};
use crate::cells::{Cells, Changes};
use crate::closing::{Closing, Noted, Notes};
use crate::database::OpenError;
use crate::failure::Failure;
use crate::feed::Feed;
use crate::layout::OWNER;
use crate::marker::MarkerFile;
use crate::open::{self, Opened, Options};
use crate::seal::{Seal, SealError};
use crate::tree::{Contents, Tree, Writes};
use crate::writer::{Disk, Handle, Writer};

/// Facts in a directory, which is locked against other processes while it is open.
///
/// A batch is acknowledged after sled's log was flushed *and* synced: sled's own flush does not
/// outlast a power loss. Batches that wait together are committed together. `append` makes its
/// caller wait, on the spot, while the queue is full; that is for one commit at most.
///
/// When a commit fails, every batch in it gets the error, and so does everything that is appended
/// later: whether what failed is durable is unknown until the store is opened again. Reading goes
/// on, and may show it.
///
/// Dropping the store writes what was appended before and closes the directory.
pub struct Sled {
    // They are dropped in this order: the writer finishes, nothing is noted any more, sled closes,
    // the marker is written, the lock is gone.
    writer: Handle,
    _notes: Notes,
    tree: Arc<Tree>,
    changed: watch::Receiver<u64>,
    progress: Arc<Progress>,
    epoch: Arc<AtomicU64>,
    /// How many commits are durable, each with a sync of its own.
    commits: Arc<AtomicU64>,
    /// Whether a backup has its place.
    is_backed_up: Arc<AtomicBool>,
    /// Max bytes that wait for a backup.
    backup_waiting_bytes_max: u64,
    closing: Closing,
}

/// The tree and the file it lies in.
struct SyncedTree {
    tree: Arc<Tree>,
    log: File,
    epoch: Arc<AtomicU64>,
    commits: Arc<AtomicU64>,
    acknowledged: Acknowledged,
    /// Takes the commits for a backup.
    feed: Option<Feed>,
}

impl Sled {
    /// Opens the store of a directory, and makes it where there is none.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        Self::of(path, open::open(path, options)?, options)
    }

    /// The store of a database that is open.
    pub(crate) fn of(path: &Path, opened: Opened, options: &Options) -> Result<Self, OpenError> {
        let Opened { db, log, marker, lock, is_counted } = opened;
        let damaged = |failure| OpenError::Damaged {
            path: path.to_owned(),
            source: Box::new(Error::from(failure)),
        };
        let of_io = |source| OpenError::of_io(path, source);
        let tree = Arc::new(unsealed(Tree::new(db), path, options)?);
        let lost = |lack| OpenError::Lost { path: path.to_owned(), lack };
        let Contents { name, owner, tally } = Contents::of(&tree).map_err(damaged)?;
        if let Some(marker) = &marker {
            marker.check_owner(name.as_deref().unwrap_or_default(), owner.0).map_err(lost)?;
            marker.check_commits(tree.commits()).map_err(lost)?;
        }
        if tally.is_none() || !is_counted {
            tree.recount().map_err(damaged)?;
        }
        let epoch = Arc::new(AtomicU64::new(owner.0));
        let commits = Arc::new(AtomicU64::new(tree.commits()));
        let disk = SyncedTree {
            tree: Arc::clone(&tree),
            log,
            epoch: Arc::clone(&epoch),
            commits: Arc::clone(&commits),
            acknowledged: Acknowledged::open(path).map_err(of_io)?,
            feed: None,
        };
        let name = match name {
            Some(name) => name,
            None => disk.name().map_err(damaged)?,
        };
        disk.sync().map_err(damaged)?;
        let marker = MarkerFile::open(path, &name, marker.as_ref()).map_err(of_io)?;
        let progress = Arc::new(Progress::default());
        let noted = Noted {
            path: path.to_owned(),
            marker: Arc::new(Mutex::new(marker)),
            epoch: Arc::clone(&epoch),
            commits: Arc::clone(&commits),
            progress: Arc::clone(&progress),
        };
        noted.note().map_err(of_io)?;
        let (sender, changed) = watch::channel(0);
        let writer = Writer::new(disk, owner, sender, Arc::clone(&progress));
        let writer = Handle::start(writer).map_err(of_io)?;
        let notes = Notes::start(noted.clone()).map_err(of_io)?;
        let closing = Closing::of(noted, lock);
        open::sweep(path);
        Ok(Self {
            writer,
            _notes: notes,
            tree,
            changed,
            progress,
            epoch,
            commits,
            is_backed_up: Arc::default(),
            backup_waiting_bytes_max: options.backup_waiting_bytes_max,
            closing,
        })
    }
}

/// The tree of a store with the seal of its values, if it is sealed.
fn unsealed(tree: Tree, path: &Path, options: &Options) -> Result<Tree, OpenError> {
    let damaged = |failure| OpenError::Damaged {
        path: path.to_owned(),
        source: Box::new(Error::from(failure)),
    };
    let sealed = |source| OpenError::Seal { path: path.to_owned(), source };
    let keys = tree.keys().map_err(damaged)?;
    match (&options.keys, keys) {
        (None, None) => Ok(tree),
        (None, Some(_)) => Err(sealed(SealError::NoKey)),
        (Some(_), None) if !tree.is_empty().map_err(damaged)? => Err(sealed(SealError::Plain)),
        (Some(masters), keys) => {
            let (seal, keys) = Seal::open(keys.as_deref(), masters).map_err(sealed)?;
            tree.sealed(seal, &keys).map_err(damaged)
        }
    }
}

impl Sled {
    /// The epoch of the owner that the store had when it was opened, or of a later one.
    pub(crate) fn owner(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::SeqCst))
    }

    /// The lock of its directory, which stays locked for as long as this is kept.
    pub(crate) fn lock(&self) -> io::Result<File> {
        self.closing.lock()
    }

    /// The number of facts, which are counted one by one.
    pub(crate) fn facts(&self) -> Result<u64, Error> {
        self.tree.count()
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
        Ok(Box::new(Copier {
            queue: self.writer.queue(),
            tree: Arc::downgrade(&self.tree),
            epoch: self.owner(),
            waiting_bytes_max: self.backup_waiting_bytes_max,
            _place: place,
        }))
    }
}

impl Disk for SyncedTree {
    fn kept(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.tree.kept(key)
    }

    fn commit(&mut self, _epoch: Epoch, writes: Writes) -> Result<(), Failure> {
        let written = self.write(writes);
        self.hand_on(written)?;
        let tally = self.tree.applied();
        self.commits.store(tally.commits, Ordering::SeqCst);
        if let Err(error) = self.acknowledged.note(tally) {
            tracing::warn!(%error, "it could not be noted what was acknowledged");
        }
        Ok(())
    }

    fn raise(&mut self, known: Epoch) -> Result<Epoch, Failure> {
        let owner = Epoch(known.0 + 1);
        let written = self.write_owner(owner);
        self.hand_on(written)?;
        self.epoch.store(owner.0, Ordering::SeqCst);
        Ok(owner)
    }

    fn follow(&mut self, feed: Feed) {
        self.feed = Some(feed);
    }

    fn unfollow(&mut self) {
        if let Some(feed) = self.feed.take() {
            feed.end(self.tree.commits());
        }
    }
}

impl SyncedTree {
    /// Gives a name to a store that has none; it is not durable yet.
    fn name(&self) -> Result<String, Failure> {
        let name = uuid::Uuid::now_v7().simple().to_string();
        self.tree.set_store(&name)?;
        Ok(name)
    }

    /// Writes a commit; returns what a backup takes of it.
    fn write(&self, writes: Writes) -> Result<Option<Changes>, Failure> {
        let cells = if self.feed.is_some() { Cells::followed() } else { Cells::unfollowed() };
        let changes = self.tree.apply(writes, cells)?;
        self.sync()?;
        Ok(changes)
    }

    fn write_owner(&self, owner: Epoch) -> Result<Option<Changes>, Failure> {
        self.tree.set_owner(owner)?;
        self.sync()?;
        Ok(Some(vec![(OWNER.into(), Some(owner.0.to_be_bytes().as_slice().into()))]))
    }

    /// Hands on to a backup what was written, or that it failed.
    fn hand_on(&mut self, written: Result<Option<Changes>, Failure>) -> Result<(), Failure> {
        let Some(feed) = self.feed.take() else { return written.map(drop) };
        match written {
            Ok(changes) => {
                let goes_on = changes.is_none_or(|changes| feed.commit(changes));
                self.feed = goes_on.then_some(feed);
                Ok(())
            }
            Err(failure) => {
                feed.fail(failure.clone());
                Err(failure)
            }
        }
    }

    fn sync(&self) -> Result<(), Failure> {
        self.tree.flush()?;
        self.log.sync_data().map_err(Failure::of("sync"))
    }
}

impl std::fmt::Debug for Sled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sled").finish_non_exhaustive()
    }
}
